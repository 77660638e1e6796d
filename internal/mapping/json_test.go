// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const (
	encStruct = mcpv1.JsonEncoding_JSON_ENCODING_STRUCT
	encBytes  = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
)

// identity reads data into m in both encodings, and requires it back.
func identity(t *testing.T, data string, m proto.Message) {
	t.Helper()
	for _, enc := range []mcpv1.JsonEncoding{encBytes, encStruct} {
		if err := FromJSON([]byte(data), m, enc); err != nil {
			t.Fatalf("FromJSON(%s, %v): %v", data, enc, err)
		}
		wire, err := proto.Marshal(m) // what JSON holds must survive the wire, too
		if err != nil {
			t.Fatalf("%s as %T: %v", data, m, err)
		}
		if err := proto.Unmarshal(wire, m); err != nil {
			t.Fatalf("%s as %T: %v", data, m, err)
		}
		if err := CheckMessage(m, Limits{}); err != nil {
			t.Fatalf("CheckMessage of %s: %v", data, err)
		}
		got, err := ToJSON(m)
		if err != nil {
			t.Fatalf("ToJSON of %s: %v", data, err)
		}
		requireSameJSON(t, got, []byte(data))
	}
}

func TestNastyDocumentsAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    proto.Message
		json string
		want string // the message in text form, read with Struct fields
	}{
		{"integer beyond 2^53 in arguments", &mcpv1.CallToolRequest{}, `{"name":"t","arguments":{"n":9007199254740993}}`,
			`name: "t" arguments_json: "{\"n\":9007199254740993}"`},
		{"exact integer in arguments", &mcpv1.CallToolRequest{}, `{"arguments":{"n":9007199254740992}}`,
			`arguments: {fields: {key: "n" value: {number_value: 9007199254740992}}}`},
		{"2^60 is a double, but not the shortest text of one", &mcpv1.CallToolRequest{}, `{"arguments":{"n":1152921504606846976}}`,
			`arguments_json: "{\"n\":1152921504606846976}"`},
		{"1e400 in structured content", &mcpv1.LogMessage{}, `{"data":1e400}`, `data_json: "1e400"`},
		{"1e400 for a double", &mcpv1.Annotations{}, `{"priority":1e400}`, `extra_json: "{\"priority\":1e400}"`},
		{"1e-400 for a double", &mcpv1.Annotations{}, `{"priority":1e-400}`, `extra_json: "{\"priority\":1e-400}"`},
		{"an exponent nobody may expand", &mcpv1.Resource{}, `{"size":1e999999999}`, `extra_json: "{\"size\":1e999999999}"`},
		{"an exponent beyond int64", &mcpv1.Annotations{}, `{"priority":1e99999999999999999999}`, `extra_json: "{\"priority\":1e99999999999999999999}"`},
		{"zero with a huge exponent", &mcpv1.Resource{}, `{"size":0e999999999999}`, `size: 0`},
		{"minus zero for a double", &mcpv1.Annotations{}, `{"priority":-0}`, `priority: -0`},
		{"minus zero for an integer", &mcpv1.Resource{}, `{"size":-0}`, `extra_json: "{\"size\":-0}"`},
		{"minus zero in a Struct", &mcpv1.Meta{}, `{"a":-0.0}`, `values: {fields: {key: "a" value: {number_value: -0}}}`},
		{"0.1 is a double", &mcpv1.Annotations{}, `{"priority":0.10}`, `priority: 0.1`},
		{"too many digits for a double", &mcpv1.Annotations{}, `{"priority":0.1000000000000000055}`,
			`extra_json: "{\"priority\":0.1000000000000000055}"`},
		{"integer with an exponent", &mcpv1.Resource{}, `{"size":12e2}`, `size: 1200`},
		{"largest int64", &mcpv1.Resource{}, `{"size":9223372036854775807}`, `size: 9223372036854775807`},
		{"one more than int64", &mcpv1.Resource{}, `{"size":9223372036854775808}`, `extra_json: "{\"size\":9223372036854775808}"`},
		{"smallest int64", &mcpv1.Resource{}, `{"size":-9223372036854775808}`, `size: -9223372036854775808`},
		{"fraction for an integer", &mcpv1.Resource{}, `{"size":1.5}`, `extra_json: "{\"size\":1.5}"`},
		{"U+0000 in a string", &mcpv1.Tool{}, `{"name":"a\u0000b"}`, `name: "a\000b"`},
		{"lone surrogate in a string", &mcpv1.Tool{}, `{"name":"\ud800"}`, `extra_json: "{\"name\":\"\\ud800\"}"`},
		{"lone surrogate in free-form JSON", &mcpv1.Meta{}, `{"a":"\udc00"}`, `values_json: "{\"a\":\"\\udc00\"}"`},
		{"lone surrogate in a key", &mcpv1.Tool{}, `{"\ud800":1}`, `extra_json: "{\"\\ud800\":1}"`},
		{"two keys that are lone surrogates", &mcpv1.Tool{}, `{"\ud800":1,"\ud801":2}`, `extra_json: "{\"\\ud800\":1,\"\\ud801\":2}"`},
		{"lone surrogate in a map's key", &mcpv1.CompletionContext{}, `{"arguments":{"\ud800":"x"}}`,
			`extra_json: "{\"arguments\":{\"\\ud800\":\"x\"}}"`},
		{"surrogate pair", &mcpv1.Tool{}, `{"name":"\ud83d\ude00"}`, `name: "😀"`},
		{"high surrogate before an ordinary escape", &mcpv1.Tool{}, `{"name":"\ud83d\u0041"}`, `extra_json: "{\"name\":\"\\ud83d\\u0041\"}"`},
		{"escapes in a key", &mcpv1.Tool{}, `{"n\u0061me":"x"}`, `name: "x"`},
		{"a key in other case is another key", &mcpv1.Tool{}, `{"Name":"x","name":"y"}`, `name: "y" extra_json: "{\"Name\":\"x\"}"`},
		{"empty string", &mcpv1.Tool{}, `{"description":""}`, `description: ""`},
		{"null string", &mcpv1.Tool{}, `{"description":null}`, `extra_json: "{\"description\":null}"`},
		{"absent", &mcpv1.Tool{}, `{}`, ``},
		{"false", &mcpv1.ToolAnnotations{}, `{"destructiveHint":false}`, `destructive_hint: false`},
		{"null boolean", &mcpv1.ToolAnnotations{}, `{"destructiveHint":null}`, `extra_json: "{\"destructiveHint\":null}"`},
		{"empty list of an optional field", &mcpv1.Tool{}, `{"icons":[]}`, `extra_json: "{\"icons\":[]}"`},
		{"empty list of a required field", &mcpv1.CallToolResult{}, `{"content":[]}`, ``},
		{"null for a required list", &mcpv1.CallToolResult{}, `{"content":null}`, `extra_json: "{\"content\":null}"`},
		{"empty map", &mcpv1.CallToolRequest{}, `{"inputResponses":{}}`, `extra_json: "{\"inputResponses\":{}}"`},
		{"empty object", &mcpv1.Tool{}, `{"annotations":{}}`, `annotations: {}`},
		{"null object", &mcpv1.Tool{}, `{"annotations":null}`, `extra_json: "{\"annotations\":null}"`},
		{"array for an object", &mcpv1.Tool{}, `{"annotations":[1]}`, `extra_json: "{\"annotations\":[1]}"`},
		{"one bad element", &mcpv1.Icon{}, `{"sizes":["1x1",2]}`, `extra_json: "{\"sizes\":[\"1x1\",2]}"`},
		{"one bad object in a list", &mcpv1.Prompt{}, `{"arguments":[{"name":"a"},null]}`,
			`extra_json: "{\"arguments\":[{\"name\":\"a\"},null]}"`},
		{"repeated key in a nested object", &mcpv1.Tool{}, `{"annotations":{"title":"a","title":"b"}}`,
			`extra_json: "{\"annotations\":{\"title\":\"a\",\"title\":\"b\"}}"`},
		{"repeated key in free-form JSON", &mcpv1.CallToolRequest{}, `{"arguments":{"a":1,"a":2}}`,
			`arguments_json: "{\"a\":1,\"a\":2}"`},
		{"repeated key spelt differently", &mcpv1.Meta{}, `{"a":1,"\u0061":2}`, `values_json: "{\"a\":1,\"\\u0061\":2}"`},
		{"unknown members", &mcpv1.Tool{}, `{"x":{"y":[1]},"z":1e400}`, `extra_json: "{\"x\":{\"y\":[1]},\"z\":1e400}"`},
		{"nested arrays as structured content", &mcpv1.CallToolResult{}, `{"content":[],"structuredContent":[[1],[[]]]}`,
			`structured_content_json: "[[1],[[]]]"`},
		{"scalar as structured content", &mcpv1.CallToolResult{}, `{"content":[],"structuredContent":"x"}`,
			`structured_content_json: "\"x\""`},
		{"null as structured content", &mcpv1.CallToolResult{}, `{"content":[],"structuredContent":null}`,
			`structured_content_json: "null"`},
		{"empty object as arguments", &mcpv1.CallToolRequest{}, `{"arguments":{}}`, `arguments: {}`},
		{"_meta and a member that is named meta", &mcpv1.Tool{}, `{"_meta":{"a":1},"meta":2}`,
			`meta: {values: {fields: {key: "a" value: {number_value: 1}}}} extra_json: "{\"meta\":2}"`},
		{"members named like the twins", &mcpv1.CallToolRequest{}, `{"argumentsJson":1,"extraJson":2,"arguments_json":3}`,
			`extra_json: "{\"argumentsJson\":1,\"extraJson\":2,\"arguments_json\":3}"`},
		{"null _meta", &mcpv1.CallToolResult{}, `{"content":[],"_meta":null}`, `extra_json: "{\"_meta\":null}"`},
		{"HTML and line separators in strings", &mcpv1.Tool{}, `{"name":"<a>&\u2028\u007f"}`, "name: \"<a>&\u2028\x7f\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			identity(t, tt.json, tt.m)
			want := tt.m.ProtoReflect().New().Interface()
			if err := prototext.Unmarshal([]byte(tt.want), want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tt.m, protocmp.Transform()); diff != "" {
				t.Errorf("message differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBytesEncodingKeepsTheText(t *testing.T) {
	t.Parallel()
	var m mcpv1.CallToolRequest
	if err := FromJSON([]byte(`{"arguments": {"a" : 1.0} ,"_meta":{"x": 1, "progressToken":7}}`), &m, encBytes); err != nil {
		t.Fatal(err)
	}
	want := &mcpv1.CallToolRequest{
		ArgumentsJson: []byte(`{"a" : 1.0}`),
		Meta: &mcpv1.RequestMeta{
			ProgressToken: &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_IntValue{IntValue: 7}},
			ExtraJson:     []byte(`{"x":1}`),
		},
	}
	if diff := cmp.Diff(want, &m, protocmp.Transform()); diff != "" {
		t.Errorf("message differs (-want +got):\n%s", diff)
	}
}

func TestFromJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    proto.Message
		json string
		want string
	}{
		{"nothing", &mcpv1.Tool{}, ``, "ends too early"},
		{"an array", &mcpv1.Tool{}, `[]`, "an array, expected an object"},
		{"null", &mcpv1.Tool{}, `null`, "null, expected an object"},
		{"a repeated member", &mcpv1.Tool{}, `{"name":"a","name":"a"}`, `member "name" is repeated`},
		{"a repeated member spelt differently", &mcpv1.Tool{}, `{"name":"a","n\u0061me":"a"}`, `member "name" is repeated`},
		{"a repeated member among many", &mcpv1.Tool{},
			`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"b":2}`, `member "b" is repeated`},
		{"text after the object", &mcpv1.Tool{}, `{} {}`, "expected the end"},
		{"invalid UTF-8", &mcpv1.Tool{}, "{\"name\":\"\xff\"}", "valid UTF-8"},
		{"an overlong encoding", &mcpv1.Tool{}, "{\"name\":\"\xc0\x80\"}", "valid UTF-8"},
		{"a surrogate in UTF-8", &mcpv1.Tool{}, "{\"name\":\"\xed\xa0\x80\"}", "valid UTF-8"},
		{"a result without content", &mcpv1.CallToolResult{}, `{"isError":true}`, `member "content" is missing`},
		{"an error without code", &mcpv1.JsonRpcError{}, `{"message":"x"}`, `member "code" is missing`},
		{"a member that ping has no place for", &mcpv1.PingRequest{}, `{"x":1}`, `member "x" has no place`},
		{"a frame", &mcpv1.CallFrame{}, `{}`, "has no twin"},
		{"metadata that a Struct cannot hold", &mcpv1.ProtectedResourceMetadata{}, `{"x":9007199254740993}`, `member "x"`},
		{"a subscription to two resources", &mcpv1.SubscribeResourceRequest{}, `{"notifications":{"resourceSubscriptions":["a","b"]}}`, "notifications"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := FromJSON([]byte(tt.json), tt.m, encStruct)
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want ErrMalformed with %q", err, tt.want)
			}
			if !proto.Equal(tt.m, tt.m.ProtoReflect().New().Interface()) {
				t.Errorf("message is not empty after an error: %v", tt.m)
			}
		})
	}
}
