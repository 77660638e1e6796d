// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, tt := range []struct {
		name   string
		json   string
		limits Limits
		want   error
	}{
		{"scalar needs no depth", `"[[["`, Limits{MaxDepth: 1, MaxNodes: 1}, nil},
		{"as deep as allowed", deep(3), Limits{MaxDepth: 3}, nil},
		{"deeper than allowed", deep(4), Limits{MaxDepth: 3}, ErrDepth},
		{"deeper than allowed, and cut off", `[[[[`, Limits{MaxDepth: 3}, ErrDepth},
		{"as many as allowed", `[{},[]]`, Limits{MaxNodes: 3}, nil},
		{"more than allowed", `[{},[],{}]`, Limits{MaxNodes: 3}, ErrNodes},
		{"brackets in strings do not count", `["[[[\"[[["]`, Limits{MaxDepth: 1, MaxNodes: 1}, nil},
		{"siblings do not add depth", `[[],[],{"a":[]}]`, Limits{MaxDepth: 3}, nil},
		{"no limit, but the stack", deep(9_999), Limits{}, nil},
		{"deeper than the stack should hold", deep(10_001), Limits{MaxDepth: 20_000}, ErrDepth},
		{"empty", ``, Limits{}, ErrMalformed},
		{"two values", `1 2`, Limits{}, ErrMalformed},
		{"byte order mark", "\ufeff{}", Limits{}, ErrMalformed},
		{"invalid UTF-8", "\"\x80\"", Limits{}, ErrMalformed},
		{"NaN", `NaN`, Limits{}, ErrMalformed},
		{"white space all around", " \t\r\n[ ] ", Limits{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := CheckJSON([]byte(tt.json), tt.limits); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCheckJSONAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`0`, `-0`, `00`, `01`, `-`, `+1`, `1.`, `.1`, `1.0`, `1e`, `1e+`, `1e+1`, `1E-1`, `0x1`, `1e1.0`, `--1`,
		`""`, `"`, `"\`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\uD800"`, "\"\n\"", "\"\x7f\"", `"a" "b"`, `'a'`,
		`{}`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{"a":1}}`, `{"a" : 1 , "b" : 2 }`,
		`[]`, `[`, `]`, `[1,]`, `[,]`, `[1 2]`, `[1]]`, `[ ]`, `[1 , 2 ]`,
		`true`, `tru`, `truee`, `True`, `false`, `null`, `nul`, ` `, "\u00a01", "1\x00",
	} {
		if err := CheckJSON([]byte(text), Limits{}); (err == nil) != json.Valid([]byte(text)) {
			t.Errorf("%q: got error %v, but json.Valid says %v", text, err, json.Valid([]byte(text)))
		}
	}
}

func TestCheckMessage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		m      proto.Message
		text   string
		limits Limits
		is     error
		path   string
	}{
		{"a good call", &mcpv1.CallToolRequest{}, `name: "x" arguments_json: "{}" meta: {progress_token: {int_value: 1}}`, Limits{2, 2}, nil, ""},
		{"a good call with Structs", &mcpv1.CallToolRequest{}, `arguments: {} meta: {extra: {} client_info: {} client_capabilities: {values: {}}}`, Limits{3, 3}, nil, ""},
		{"too many nodes in all", &mcpv1.CallToolRequest{}, `arguments_json: "{}" extra_json: "{\"a\":[]}"`, Limits{3, 2}, ErrNodes, "extra_json: "},
		{"too many nodes in all Structs", &mcpv1.CallToolRequest{}, `arguments: {} extra_json: "{\"a\":[]}"`, Limits{3, 2}, ErrNodes, "extra_json: "},
		{"deep text", &mcpv1.CallToolRequest{}, `arguments_json: "[[[]]]"`, Limits{2, 9}, ErrDepth, "arguments_json: "},
		{"deep Struct", &mcpv1.CallToolRequest{}, `arguments: {fields: {key: "a" value: {list_value: {values: {struct_value: {}}}}}}`, Limits{2, 9}, ErrDepth,
			`arguments["a"][0]: `},
		{"malformed text in a list", &mcpv1.CallToolResult{}, `content: {text: {}} content: {text: {extra_json: "{"}}`, Limits{}, ErrMalformed,
			"content[1].text.extra_json: "},
		{"malformed text in a map", &mcpv1.CallToolRequest{}, `input_responses: {key: "k" value: {other_json: "nope"}}`, Limits{}, ErrMalformed,
			`input_responses["k"].other_json: `},
		{"malformed text in _meta", &mcpv1.CallToolRequest{}, `meta: {extra_json: "[]"}`, Limits{}, ErrMalformed, "meta.extra_json: "},
		{"empty text in a oneof", &mcpv1.InputResponse{}, `other_json: ""`, Limits{}, ErrMalformed, "other_json: "},
		{"both twins", &mcpv1.CallToolRequest{}, `arguments: {} arguments_json: "{}"`, Limits{}, ErrBothTwins, "set arguments or arguments_json"},
		{"both twins of _meta", &mcpv1.CallToolRequest{}, `meta: {extra: {} extra_json: "{}"}`, Limits{}, ErrBothTwins, "meta: "},
		{"both twins in a batch", &mcpv1.Envelope{}, `batch: {call: {call_tool: {arguments: {} arguments_json: "{}"}}}`, Limits{}, ErrBothTwins,
			"batch[0].call.call_tool: "},
		{"NaN in a Struct", &mcpv1.Meta{}, `values: {fields: {key: "a" value: {number_value: nan}}}`, Limits{}, ErrMalformed, `values["a"]: `},
		{"value without kind", &mcpv1.Meta{}, `values: {fields: {key: "a" value: {}}}`, Limits{}, ErrMalformed, `values["a"]: `},
		{"deep messages", &mcpv1.Envelope{}, `batch: {batch: {batch: {}}}`, Limits{3, 9}, ErrDepth, "batch[0].batch[0].batch[0]: "},
		{"capabilities that are no object", &mcpv1.InitializeRequest{}, `capabilities: {values_json: "1"}`, Limits{}, ErrMalformed, "capabilities.values_json: "},
		{"any value as structured content", &mcpv1.CallToolResult{}, `structured_content_json: "1"`, Limits{}, nil, ""},
		{"nothing", &mcpv1.CallToolRequest{}, ``, Limits{1, 1}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := prototext.Unmarshal([]byte(tt.text), tt.m); err != nil {
				t.Fatal(err)
			}
			err := CheckMessage(tt.m, tt.limits)
			if !errors.Is(err, tt.is) || err != nil && !strings.HasPrefix(err.Error(), tt.path) && !strings.Contains(err.Error(), "set ") {
				t.Errorf("got error %v, want %v at %q", err, tt.is, tt.path)
			}
		})
	}
}

// smallCall is a call as our own clients send it.
func smallCall() *mcpv1.CallToolRequest {
	return &mcpv1.CallToolRequest{
		Name:          new("add"),
		ArgumentsJson: []byte(`{"a":1,"b":2,"note":"a short text"}`),
		Meta: &mcpv1.RequestMeta{
			ProtocolVersion: new("2026-07-28"),
			ClientInfo:      &mcpv1.ClientInfo{Name: new("c"), Version: new("1")},
			JsonEncoding:    encBytes,
			ProgressToken:   &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_IntValue{IntValue: 1}},
		},
	}
}

func TestCheckMessageOfASmallCallDoesNotAllocate(t *testing.T) { // not parallel: AllocsPerRun forbids it
	m := smallCall()
	limits := Limits{MaxDepth: 32, MaxNodes: 10_000}
	if n := testing.AllocsPerRun(100, func() {
		if err := CheckMessage(m, limits); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func BenchmarkCheckMessage(b *testing.B) {
	limits := Limits{MaxDepth: 32, MaxNodes: 10_000}
	withStruct := smallCall()
	withStruct.ArgumentsJson = nil
	withStruct.Arguments, _ = structpb.NewStruct(map[string]any{"a": 1, "b": 2, "note": "a short text"})
	for name, m := range map[string]proto.Message{
		"text":   smallCall(),
		"struct": withStruct,
		"result": &mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: new("3")}}}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := CheckMessage(m, limits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckJSON(b *testing.B) {
	text := []byte(`[` + strings.Repeat(`{"name":"some text","n":[1,2.5,true,null]},`, 1000) + `{}]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := CheckJSON(text, Limits{MaxDepth: 32, MaxNodes: 10_000}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnvelopeFromJSON(b *testing.B) {
	text := []byte(`{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":1}}}`)
	for name, enc := range map[string]mcpv1.JsonEncoding{"struct": encStruct, "bytes": encBytes} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := EnvelopeFromJSON(text, enc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFromJSON(b *testing.B) {
	text := []byte(`{"content":[{"type":"text","text":"3"}],"structuredContent":{"sum":3},"resultType":"complete"}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var m mcpv1.CallToolResult
		if err := FromJSON(text, &m, encBytes); err != nil {
			b.Fatal(err)
		}
	}
}
