// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"testing"
)

// FuzzParse: what is taken for a message goes on as the same message, in one line.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"n":9007199254740993,"e":1e400}}}`,
		`{"jsonrpc":"2.0","id":"a\u0000\u2028","result":{"content":[]}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m","data":{"x":[null]}}}`,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\n\t\"a\" : 1}}",
		`{"JSONRPC":"2.0","ID":1,"Method":"x"}`,
		`{"id":1,"id":2,"method":"a","method":"b"}`,
		`{"result":null}`, `[]`, `null`, `{}`, `"`, ``, `{"method":1}`, "{\"method\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parse(text)
		if err != nil {
			return
		}
		first, err := m.text()
		if err != nil {
			t.Fatalf("%q was taken and cannot be written: %v", text, err)
		}
		if bytes.ContainsAny(first, "\r\n") {
			t.Fatalf("%q gives more than a line: %q", text, first)
		}
		again, err := parse(first)
		if err != nil {
			t.Fatalf("%q gives %q, which is no message: %v", text, first, err)
		}
		second, err := again.text()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%q gives %q, and that %q, %v", text, first, second, err)
		}
		if m.isCall() != again.isCall() || m.isResponse() != again.isResponse() {
			t.Fatalf("%q is of another kind than %q", text, first)
		}
		_, _ = sdkID(m.ID)
		_, _ = objectOf(m.Params)
	})
}
