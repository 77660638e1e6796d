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
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestEnvelopesAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		json string
		want string
	}{
		{"request", `{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}`,
			`method: "m" request: {int_id: 1 params: {fields: {key: "a" value: {number_value: 1}}}}`},
		{"request without params", `{"jsonrpc":"2.0","id":0,"method":"m"}`, `method: "m" request: {int_id: 0}`},
		{"request with null params", `{"jsonrpc":"2.0","id":"","method":"m","params":null}`, `method: "m" request: {id: "" params_json: "null"}`},
		{"request with empty params", `{"jsonrpc":"2.0","id":"a","method":"m","params":{}}`, `method: "m" request: {id: "a" params: {}}`},
		{"request with an array as params", `{"jsonrpc":"2.0","id":"a","method":"m","params":[1]}`, `method: "m" request: {id: "a" params_json: "[1]"}`},
		{"id that is a string of digits", `{"jsonrpc":"2.0","id":"1","method":"m"}`, `method: "m" request: {id: "1"}`},
		{"id beyond 2^53", `{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}`, `method: "m" request: {int_id: 9007199254740993}`},
		{"negative id", `{"jsonrpc":"2.0","id":-9223372036854775808,"method":"m"}`, `method: "m" request: {int_id: -9223372036854775808}`},
		{"id spelt as a fraction", `{"jsonrpc":"2.0","id":1.0,"method":"m"}`, `method: "m" request: {int_id: 1}`},
		{"notification", `{"jsonrpc":"2.0","method":"m","params":{}}`, `method: "m" notification: {params: {}}`},
		{"result", `{"jsonrpc":"2.0","id":1,"result":{}}`, `response: {int_id: 1 result: {}}`},
		{"result that is null", `{"jsonrpc":"2.0","id":1,"result":null}`, `response: {int_id: 1 result_json: "null"}`},
		{"result that a Struct cannot hold", `{"jsonrpc":"2.0","id":"1","result":{"a":1e400}}`, `response: {id: "1" result_json: "{\"a\":1e400}"}`},
		{"error", `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m","data":{"a":null}}}`,
			`response: {int_id: 1 error: {code: -32601 message: "m" data: {fields: {key: "a" value: {null_value: NULL_VALUE}}}}}`},
		{"error with more members", `{"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"","x":1}}`,
			`response: {int_id: 1 error: {extra_json: "{\"x\":1}"}}`},
		{"error without id", `{"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}}`, `response: {error: {code: -32700 message: "m"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := &mcpv1.Envelope{}
			identity(t, tt.json, e)
			want := &mcpv1.Envelope{}
			if err := prototext.Unmarshal([]byte(tt.want), want); err != nil {
				t.Fatal(err)
			}
			got, err := EnvelopeFromJSON([]byte(tt.json), encStruct)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("envelope differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvelopeFromJSONTakesTheNullIDOfErrors(t *testing.T) {
	t.Parallel()
	e, err := EnvelopeFromJSON([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}`), encBytes)
	if err != nil {
		t.Fatal(err)
	}
	if p := e.GetResponse(); p.Id != nil || p.IntId != nil || p.GetError().GetCode() != -32700 {
		t.Errorf("got %v, want an error without id", e)
	}
}

// TestEnvelopesDropWhatJSONRPCDoesNotHave: other members at the top of a message have no place
// (SPEC.md §4.1).
func TestEnvelopesDropWhatJSONRPCDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		json string
		want string
	}{
		{"of a request", `{"x":[1],"jsonrpc":"2.0","id":1,"method":"m","params":{"x":1}}`, `{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":1}}`},
		{"of a notification", `{"jsonrpc":"2.0","method":"m","_meta":{}}`, `{"jsonrpc":"2.0","method":"m"}`},
		{"of a result", `{"jsonrpc":"2.0","id":"1","result":{},"x":null}`, `{"jsonrpc":"2.0","id":"1","result":{}}`},
		{"of an error", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","x":1},"x":1}`, `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","x":1}}`},
		{"that is nearly known", `{"jsonrpc":"2.0","ID":1,"Method":"x","method":"m","Params":7}`, `{"jsonrpc":"2.0","method":"m"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, enc := range []mcpv1.JsonEncoding{encStruct, encBytes} {
				e, err := EnvelopeFromJSON([]byte(tt.json), enc)
				if err != nil {
					t.Fatal(err)
				}
				got, err := EnvelopeToJSON(e)
				if err != nil {
					t.Fatal(err)
				}
				if a, b := mustCanonical(t, []byte(tt.want)), mustCanonical(t, got); a != b {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

func TestEnvelopeFromJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		json string
		is   error
	}{
		{"text that is not JSON", `{"jsonrpc":"2.0",`, ErrMalformed},
		{"nothing", ``, ErrMalformed},
		{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", ErrMalformed},
		{"a batch", `[{"jsonrpc":"2.0","method":"m"}]`, ErrInvalidRequest},
		{"null", `null`, ErrInvalidRequest},
		{"no version", `{"id":1,"method":"m"}`, ErrInvalidRequest},
		{"another version", `{"jsonrpc":"1.0","id":1,"method":"m"}`, ErrInvalidRequest},
		{"version that is a number", `{"jsonrpc":2.0,"id":1,"method":"m"}`, ErrInvalidRequest},
		{"neither method nor outcome", `{"jsonrpc":"2.0","id":1}`, ErrInvalidRequest},
		{"method and result", `{"jsonrpc":"2.0","id":1,"method":"m","result":{}}`, ErrInvalidRequest},
		{"result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}}`, ErrInvalidRequest},
		{"params of a response", `{"jsonrpc":"2.0","id":1,"result":{},"params":{}}`, ErrInvalidRequest},
		{"method that is no string", `{"jsonrpc":"2.0","id":1,"method":1}`, ErrInvalidRequest},
		{"empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, ErrInvalidRequest},
		{"null id of a request", `{"jsonrpc":"2.0","id":null,"method":"m"}`, ErrInvalidRequest},
		{"null id of a result", `{"jsonrpc":"2.0","id":null,"result":{}}`, ErrInvalidRequest},
		{"result without id", `{"jsonrpc":"2.0","result":{}}`, ErrInvalidRequest},
		{"fraction as id", `{"jsonrpc":"2.0","id":1.5,"method":"m"}`, ErrInvalidRequest},
		{"minus zero as id", `{"jsonrpc":"2.0","id":-0,"method":"m"}`, ErrInvalidRequest},
		{"id beyond int64", `{"jsonrpc":"2.0","id":9223372036854775808,"method":"m"}`, ErrInvalidRequest},
		{"id that is a huge exponent", `{"jsonrpc":"2.0","id":1e999999999,"method":"m"}`, ErrInvalidRequest},
		{"id that is an object", `{"jsonrpc":"2.0","id":{},"method":"m"}`, ErrInvalidRequest},
		{"id with a lone surrogate", `{"jsonrpc":"2.0","id":"\ud800","method":"m"}`, ErrInvalidRequest},
		{"repeated member", `{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}`, ErrInvalidRequest},
		{"repeated member that is unknown", `{"jsonrpc":"2.0","id":1,"method":"m","x":1,"x":1}`, ErrInvalidRequest},
		{"version in other case", `{"JSONRPC":"2.0","id":1,"method":"m"}`, ErrInvalidRequest},
		{"error that is no object", `{"jsonrpc":"2.0","id":1,"error":"x"}`, ErrInvalidRequest},
		{"error without message", `{"jsonrpc":"2.0","id":1,"error":{"code":1}}`, ErrInvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := EnvelopeFromJSON([]byte(tt.json), encStruct)
			if !errors.Is(err, tt.is) || e != nil {
				t.Errorf("got %v and error %v, want %v", e, err, tt.is)
			}
		})
	}
}

func TestEnvelopeToJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		text string
		is   error
	}{
		{"nothing", ``, ErrInvalidRequest},
		{"hello", `hello: {}`, ErrInvalidRequest},
		{"frame", `call: {}`, ErrInvalidRequest},
		{"batch", `method: "m" notification: {} batch: {}`, ErrInvalidRequest},
		{"request without id", `method: "m" request: {}`, ErrInvalidRequest},
		{"request with two ids", `method: "m" request: {id: "1" int_id: 1}`, ErrInvalidRequest},
		{"request without method", `request: {int_id: 1}`, ErrInvalidRequest},
		{"response with a method", `method: "m" response: {int_id: 1 result: {}}`, ErrInvalidRequest},
		{"result without id", `response: {result: {}}`, ErrInvalidRequest},
		{"response without outcome", `response: {int_id: 1}`, ErrInvalidRequest},
		{"both twins", `method: "m" notification: {params: {} params_json: "{}"}`, ErrBothTwins},
		{"params that are not JSON", `method: "m" notification: {params_json: "{"}`, ErrMalformed},
		{"result that is empty text", `response: {int_id: 1 result_json: ""}`, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := &mcpv1.Envelope{}
			if err := prototext.Unmarshal([]byte(tt.text), e); err != nil {
				t.Fatal(err)
			}
			got, err := EnvelopeToJSON(e)
			if !errors.Is(err, tt.is) || got != nil {
				t.Errorf("got %s and error %v, want %v", got, err, tt.is)
			}
		})
	}
}

func TestJSONText(t *testing.T) {
	t.Parallel()
	if got, err := JSONText(nil, nil); got != nil || err != nil {
		t.Errorf("neither twin: got %s, %v; want nothing", got, err)
	}
	if got, err := JSONText(&structpb.Struct{}, nil); string(got) != "{}" || err != nil {
		t.Errorf("empty Struct: got %s, %v; want {}", got, err)
	}
	if got, err := JSONText(nil, []byte(" [1] ")); string(got) != "[1]" || err != nil {
		t.Errorf("text: got %s, %v; want [1]", got, err)
	}
	if _, err := JSONText(&structpb.Struct{}, []byte("{}")); !errors.Is(err, ErrBothTwins) {
		t.Errorf("both twins: got error %v, want ErrBothTwins", err)
	}
	if _, err := JSONText(nil, []byte("{]")); !errors.Is(err, ErrMalformed) {
		t.Errorf("malformed text: got error %v, want ErrMalformed", err)
	}
}

func TestTwins(t *testing.T) {
	t.Parallel()
	if s, text, err := Twins(nil, encStruct); s != nil || text != nil || err != nil {
		t.Errorf("no text: got %v, %s, %v; want nothing", s, text, err)
	}
	if s, text, err := Twins([]byte(`{"a":1}`), encBytes); s != nil || string(text) != `{"a":1}` || err != nil {
		t.Errorf("bytes: got %v, %s, %v; want the text", s, text, err)
	}
	s, text, err := Twins([]byte(` {"a":[1,{"b":null}]} `), mcpv1.JsonEncoding_JSON_ENCODING_UNSPECIFIED)
	want, _ := structpb.NewStruct(map[string]any{"a": []any{1, map[string]any{"b": nil}}})
	if !proto.Equal(s, want) || text != nil || err != nil {
		t.Errorf("struct: got %v, %s, %v; want a Struct", s, text, err)
	}
	if _, _, err := Twins([]byte(strings.Repeat("[", 20000)), encStruct); !errors.Is(err, ErrDepth) {
		t.Errorf("very deep text: got error %v, want ErrDepth", err)
	}
	if _, _, err := Twins([]byte(`{"a":01}`), encBytes); !errors.Is(err, ErrMalformed) {
		t.Errorf("malformed text: got error %v, want ErrMalformed", err)
	}
}
