// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// FuzzMessagesIn: what a body of Streamable HTTP is taken for is what JSON says, and nothing that
// is not of JSON-RPC is taken.
func FuzzMessagesIn(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, ` [{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":"a","result":{}}]`, `[]`, `[[]]`, `null`, ``,
		`{"jsonrpc":"2.0","id":null,"method":"x"}`, `{"jsonrpc":"1.0"}`, `{"JSONRPC":"2.0","method":"x"}`, `{"jsonrpc":"2.0","id":1,"id":2,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`{"jsonrpc":"2.0","method":"x","params":[[[[[[[[]]]]]]]]}`, "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", `{"jsonrpc":"2.0","params":{"_meta":7}}`,
	} {
		f.Add([]byte(seed))
	}
	h := &streamable{srv: &Server{limits: mapping.Limits{MaxDepth: 6, MaxNodes: 50}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		messages, err := h.messagesIn(body)
		if err != nil {
			return
		}
		if !json.Valid(body) || len(messages) == 0 {
			t.Fatalf("%q is taken for %d messages", body, len(messages))
		}
		batch := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
		for _, m := range messages {
			if m.Version != "2.0" || m.batched != batch || m.isCall() && isNull(m.ID) {
				t.Errorf("%q is taken for %+v", body, m)
			}
		}
		isModern(http.Header{}, messages)
	})
}

// FuzzAcceptsBoth: a header may come in several lines, which are one list.
func FuzzAcceptsBoth(f *testing.F) {
	for _, seed := range [][2]string{
		{"application/json", "text/event-stream"}, {"*/*", ""}, {"application/*;q=0.1, text/*", ","}, {"Text/Event-Stream ; x=\",\"", "application/json"}, {";", "/"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got := acceptsBoth([]string{a, b})
		if one := acceptsBoth([]string{a + "," + b}); got != one {
			t.Errorf("%q, %q: got %t, and in one line %t", a, b, got, one)
		}
		if !got && (acceptsBoth([]string{a}) || acceptsBoth([]string{b})) {
			t.Errorf("%q, %q: both are taken apart, and not together", a, b)
		}
	})
}
