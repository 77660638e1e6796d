// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"testing"
)

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
