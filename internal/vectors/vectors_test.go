// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/mirror"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

const (
	folder    = "../../testdata/vectors"
	asStruct  = mcpv1.JsonEncoding_JSON_ENCODING_STRUCT
	asText    = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
	perType   = 6
	envelopes = 120
)

// same checks that a file has these vectors, one a line, or writes it.
func same[V any](t *testing.T, name string, vectors []V) {
	t.Helper()
	out := new(bytes.Buffer)
	out.WriteString("[\n")
	for i, v := range vectors {
		line := new(bytes.Buffer)
		enc := json.NewEncoder(line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		out.Write(bytes.TrimSpace(line.Bytes()))
		if i < len(vectors)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	path := filepath.Join(folder, name)
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bytes.Split(out.Bytes(), []byte{'\n'}), bytes.Split(want, []byte{'\n'}); !bytes.Equal(out.Bytes(), bytes.Join(want, []byte{'\n'})) {
		for i := range min(len(got), len(want)) {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%s, line %d\n got %s\nwant %s", name, i+1, got[i], want[i])
			}
		}
		t.Fatalf("%s: got %d lines, want %d", name, len(got), len(want))
	}
}

// kind names an error of the mapping.
func kind(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, mapping.ErrSyntax):
		return "not JSON"
	case errors.Is(err, mapping.ErrInvalidRequest):
		return "invalid request"
	case errors.Is(err, mapping.ErrBothTwins):
		return "both twins"
	case errors.Is(err, mapping.ErrDepth), errors.Is(err, mapping.ErrNodes):
		return "limit"
	}
	return "malformed"
}

func encode(t *testing.T, m proto.Message) []byte {
	t.Helper()
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// types are the messages of mcp.v1 that have a twin, in order of their names.
func types() (found []protoreflect.MessageType) {
	protoregistry.GlobalTypes.RangeMessages(func(typ protoreflect.MessageType) bool {
		d := typ.Descriptor()
		if d.ParentFile().Package() != "mcp.v1" || d.IsMapEntry() || d.Name() == "Envelope" {
			return true
		}
		_, err := mapping.ToJSON(typ.New().Interface())
		if err == nil || !strings.Contains(err.Error(), "has no twin") {
			found = append(found, typ)
		}
		return true
	})
	slices.SortFunc(found, func(a, b protoreflect.MessageType) int {
		return cmp.Compare(a.Descriptor().FullName(), b.Descriptor().FullName())
	})
	return found
}

func newMessage(t *testing.T, name string) proto.Message {
	t.Helper()
	typ, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatal(err)
	}
	return typ.New().Interface()
}

// read makes a vector of what FromJSON makes of text.
func read(t *testing.T, name string, enc mcpv1.JsonEncoding, text string) Message {
	t.Helper()
	v := Message{Type: name, Encoding: int32(enc), JSON: text}
	if !utf8.ValidString(text) {
		v.JSON, v.JSONBase64 = "", []byte(text)
	}
	m := newMessage(t, name)
	var err error
	if name == "mcp.v1.Envelope" {
		m, err = mapping.EnvelopeFromJSON([]byte(text), enc)
	} else {
		err = mapping.FromJSON([]byte(text), m, enc)
	}
	if v.Error = kind(err); err == nil {
		v.Protobuf = encode(t, m)
	}
	return v
}

func TestMessages(t *testing.T) {
	t.Parallel()
	var vectors []Message
	for _, c := range documents {
		vectors = append(vectors, read(t, c.typ, asStruct, c.text), read(t, c.typ, asText, c.text))
	}
	random := newTexts(types())
	for _, typ := range types() {
		for i := range perType {
			text := random.object(4, typ.Descriptor())
			vectors = append(vectors, read(t, string(typ.Descriptor().FullName()), mcpv1.JsonEncoding(1+i%2), text))
		}
	}
	same(t, "messages.json", vectors)
}

func TestEnvelopes(t *testing.T) {
	t.Parallel()
	var vectors []Message
	for _, text := range rpcMessages {
		vectors = append(vectors, read(t, "mcp.v1.Envelope", asStruct, text), read(t, "mcp.v1.Envelope", asText, text))
	}
	random := newTexts(types())
	for i := range envelopes {
		parts := []string{`"jsonrpc":"2.0"`}
		if random.IntN(4) > 0 {
			parts = append(parts, `"id":`+random.pick(scalars))
		}
		if member := random.pick([]string{"params", "params", "result", "error", "none"}); member != "none" {
			parts = append(parts, `"`+member+`":`+random.value(3))
		}
		if random.IntN(3) > 0 {
			parts = append(parts, `"method":"m"`)
		}
		text := "{" + strings.Join(parts, ",") + "}"
		vectors = append(vectors, read(t, "mcp.v1.Envelope", mcpv1.JsonEncoding(1+i%2), text))
	}
	same(t, "envelopes.json", vectors)
}

func TestWritings(t *testing.T) {
	t.Parallel()
	vectors := make([]Writing, 0, len(writings()))
	for _, m := range writings() {
		v := Writing{Type: string(m.ProtoReflect().Descriptor().FullName()), Protobuf: encode(t, m)}
		text, err := mapping.ToJSON(m)
		if v.Error = kind(err); err == nil {
			v.JSON = string(text)
		}
		vectors = append(vectors, v)
	}
	same(t, "writings.json", vectors)
}

func TestChecks(t *testing.T) {
	t.Parallel()
	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	wide := func(n int) []byte { return []byte("[" + strings.Repeat("[],", n-2) + "[]]") }
	call := func(text []byte) proto.Message { return &mcpv1.CallToolRequest{ArgumentsJson: text} }
	request := func(text []byte) proto.Message {
		return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{ParamsJson: text}}}
	}
	nested := &structpb.Value{Kind: &structpb.Value_NullValue{}}
	for range 32 {
		nested = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{nested}})
	}
	tooDeep := &structpb.Struct{Fields: map[string]*structpb.Value{"a": nested}}
	var vectors []Check
	for _, c := range []struct {
		name string
		m    proto.Message
	}{
		{"text as deep as allowed", call(deep(32))},
		{"text too deep", call(deep(33))},
		{"as many arrays as allowed", call(wide(10_000))},
		{"one array too many", call(wide(10_001))},
		{"brackets in a string do not count", call([]byte(`["` + strings.Repeat(`[{\"`, 6_000) + `"]`))},
		{"a Struct too deep", &mcpv1.CallToolRequest{Arguments: tooDeep}},
		{"arrays of several fields count together", &mcpv1.CallToolRequest{ArgumentsJson: wide(9_999), ExtraJson: []byte(`{"a":[]}`)}},
		{"an envelope too deep", request(deep(33))},
		{"text that is not JSON", call([]byte(`{`))},
		{"text that is not UTF-8", call([]byte("\"\xff\""))},
		{"two values", call([]byte(`1 2`))},
		{"NaN", call([]byte(`NaN`))},
		{"a leading zero", call([]byte(`[01]`))},
		{"a lone minus", call([]byte(`-`))},
		{"a control character in a string", call([]byte("\"\x01\""))},
		{"a byte order mark", call([]byte("\ufeff{}"))},
		{"white space around it", call([]byte(" \r\n\t{} "))},
		{"extra_json that is no object", &mcpv1.ListToolsRequest{ExtraJson: []byte(`[]`)}},
		{"both twins", &mcpv1.CallToolRequest{Arguments: &structpb.Struct{}, ArgumentsJson: []byte(`{}`)}},
		{"a number that is not finite", &mcpv1.CallToolRequest{Arguments: &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNumberValue(math.Inf(1))}}}},
		{"a value without kind", &mcpv1.CallToolRequest{Arguments: &structpb.Struct{Fields: map[string]*structpb.Value{"a": {}}}}},
	} {
		err := mapping.CheckMessage(c.m, mapping.Limits{MaxDepth: 32, MaxNodes: 10_000})
		name := string(c.m.ProtoReflect().Descriptor().FullName())
		vectors = append(vectors, Check{Name: c.name, Type: name, Protobuf: encode(t, c.m), Error: kind(err)})
	}
	same(t, "checks.json", vectors)
}

// TestFailures asks a server over gRPC what becomes of errors.
func TestFailures(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "vectors", Version: "1"}, nil)
	failing := make(chan *jsonrpc.Error, 1)
	tool := &mcp.Tool{Name: "fail", InputSchema: map[string]any{"type": "object"}}
	server.AddTool(tool, func(_ context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return nil, <-failing })
	handler := mcpconnect.NewHandler(server, mcpconnect.WithLogger(slog.New(slog.DiscardHandler)))
	defer handler.Close()
	web := httptest.NewUnstartedServer(handler)
	web.EnableHTTP2 = true
	web.StartTLS()
	defer web.Close()
	client := mcpv1connect.NewMCPClient(web.Client(), web.URL, connect.WithGRPC())
	name := "fail"
	vectors := make([]Failure, 0, len(failures))
	for _, f := range failures {
		failing <- f
		_, err := client.InvokeTool(t.Context(), &mcpv1.CallToolRequest{Name: &name})
		vectors = append(vectors, failure(t, err))
	}
	same(t, "failures.json", vectors)
}

func failure(t *testing.T, err error) Failure {
	t.Helper()
	failed := new(connect.Error)
	if !errors.As(err, &failed) || len(failed.Details()) != 1 {
		t.Fatalf("got %v, want an error with one detail", err)
	}
	detail := failed.Details()[0]
	value, err := detail.Value()
	if err != nil {
		t.Fatal(err)
	}
	e, ok := value.(*mcpv1.JsonRpcError)
	if !ok {
		t.Fatalf("got a detail of type %T", value)
	}
	text, err := mapping.ToJSON(e)
	if err != nil {
		t.Fatal(err)
	}
	code := uint32(failed.Code())
	return Failure{
		JSON: string(text), Code: code,
		Status: encode(t, &status.Status{
			Code: int32(code), Message: failed.Message(),
			Details: []*anypb.Any{{TypeUrl: "type.googleapis.com/" + detail.Type(), Value: encode(t, e)}},
		}),
		Frame: encode(t, &mcpv1.FrameError{Code: code, Message: failed.Message(), Error: e}),
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	var vectors []Header
	for _, value := range []string{
		"tools/call", "add", "file:///a b", "two\twords", "", " ", " x", "x ", "x\t", "é", "😀", "a\nb", "\x7f", "=?base64?", "=?base64?YQ==?=", "=?BASE64?YQ==?=", "?=",
	} {
		vectors = append(vectors, Header{Value: value, Header: mirror.Encode(value)})
	}
	for _, header := range []string{"=?base64??=", "=?base64?YQ==?=", "=?base64?YQ?=", "=?base64?%%%?=", "=?base64?YQ==", "YQ==?="} {
		value, err := mirror.Decode(header)
		vectors = append(vectors, Header{Value: value, Header: header, Error: err != nil})
	}
	same(t, "headers.json", vectors)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	vectors := make([]Request, 0, len(requests))
	for _, c := range requests {
		m := newMessage(t, c.typ)
		if err := mapping.FromJSON([]byte(c.params), m, asText); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"jsonrpc":"2.0","id":"1","method":%q,"params":%s}`, c.method, c.params)
		e, err := mapping.EnvelopeFromJSON([]byte(text), asText)
		if err != nil {
			t.Fatal(err)
		}
		metadata := map[string]string{"mcp-method": mirror.Encode(c.method), "mcp-protocol-version": "2026-07-28"}
		if c.name != "" {
			metadata["mcp-name"] = mirror.Encode(c.name)
		}
		vectors = append(vectors, Request{c.rpc, c.typ, encode(t, m), encode(t, e), text, metadata})
	}
	same(t, "requests.json", vectors)
}
