// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestHeaderValueSurvivesHTTP(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, want string }{
		{"plain", "add", "add"},
		{"URI", "file:///a%20b?c=d", "file:///a%20b?c=d"},
		{"inner space and tab", "a b\tc", "a b\tc"},
		{"space in front", " a", "=?base64?IGE=?="},
		{"space behind", "a ", "=?base64?YSA=?="},
		{"not ASCII", "grüß", "=?base64?Z3LDvMOf?="},
		{"control character", "a\nb", "=?base64?YQpi?="},
		{"looks encoded", "=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="},
		{"looks half encoded", "=?base64?", "=?base64?"},
	}
	for _, test := range tests {
		if got := Encode(test.value); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if got, err := Decode(test.want); got != test.value || err != nil {
			t.Errorf("%s: decoded to %q, %v, want %q", test.name, got, err, test.value)
		}
	}
}

func TestSchemaSetsHeaders(t *testing.T) {
	t.Parallel()
	const schema = `{"type":"object","properties":{
		"region":{"type":"string","x-mcp-header":"Region"},
		"n":{"type":"integer","x-mcp-header":"Number"},
		"on":{"type":"boolean","x-mcp-header":"On"},
		"inner":{"type":"object","properties":{"deep":{"type":"string","x-mcp-header":"Deep"}}},
		"free":{"type":"string"}}}`
	for _, test := range []struct{ args, want string }{
		{`{"region":"eu","n":7,"on":true,"inner":{"deep":"d"},"free":"f"}`, "Mcp-Param-Deep: d\r\nMcp-Param-Number: 7\r\nMcp-Param-On: true\r\nMcp-Param-Region: eu\r\n"},
		{`{"region":"grüß"}`, "Mcp-Param-Region: =?base64?Z3LDvMOf?=\r\n"},
		{`{"region":null,"n":1.5}`, ""},
		{`{"n":9007199254740993}`, ""},
		{`[]`, ""},
		{``, ""},
	} {
		h := http.Header{}
		SchemaOf(json.RawMessage(schema)).SetHeaders(h, json.RawMessage(test.args))
		var got strings.Builder
		if err := h.Write(&got); err != nil || got.String() != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.args, got.String(), err, test.want)
		}
	}
	if s := SchemaOf(json.RawMessage(`{"type":"object"}`)); s != nil {
		t.Errorf("a schema that binds nothing gave %v", s)
	}
	(*Schema)(nil).SetHeaders(http.Header{}, nil)
}
