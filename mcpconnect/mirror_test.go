// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
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
		if got := headerValue(test.value); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestMirrorOf(t *testing.T) {
	t.Parallel()
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
	tests := []struct {
		method, params string
		want           mirrored
	}{
		{"tools/call", `{"name":"add",` + meta + `}`, mirrored{"add", "2026-07-28"}},
		{"prompts/get", `{"name":"p"}`, mirrored{"p", ""}},
		{"resources/read", `{"uri":"u","name":"n"}`, mirrored{"u", ""}},
		{"tasks/get", `{"taskId":"t"}`, mirrored{"t", ""}},
		{"tools/list", `{"name":"n"}`, mirrored{}},
		{"tools/call", `{"name":1}`, mirrored{}},
		{"tools/call", `{"Name":"n"}`, mirrored{}},
		{"tools/call", ``, mirrored{}},
	}
	for _, test := range tests {
		if got := mirrorOf(test.method, []byte(test.params)); got != test.want {
			t.Errorf("%s %s: got %+v, want %+v", test.method, test.params, got, test.want)
		}
	}
}
