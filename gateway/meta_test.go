// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestKnownMeta: what is kept of a `_meta` is of that one, and has no progress token.
func TestKnownMeta(t *testing.T) {
	t.Parallel()
	const version = `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`
	for _, tt := range []struct {
		name, text string
		known      bool
		legacy     string
	}{
		{"none", ``, true, ``},
		{"what upstreams with sessions know", `{` + version + `}`, true, ``},
		{"more", `{` + version + `,"com.example/n":9007199254740993}`, true, `{"com.example/n":9007199254740993}`},
		{"a progress token", `{` + version + `,"progressToken":1}`, false, ``},
		{"a progress token that is null", `{` + version + `,"progressToken":null}`, false, ``},
		{"a large one", `{"x":"` + strings.Repeat("x", maxKnownMeta) + `"}`, false, ``},
	} {
		var g Gateway
		if err := g.checkMeta(json.RawMessage(`{"before":1}`)); err != nil {
			t.Fatal(err)
		}
		text := json.RawMessage(tt.text)
		for range 2 {
			if err := g.checkMeta(text); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		k := g.known(text)
		if (k != nil) != tt.known || k != nil && string(k.legacy) != tt.legacy {
			t.Errorf("%s: known as %v", tt.name, k)
		}
		if len(text) > 0 {
			text[0] = '[' // it is the caller's
			if g.known(json.RawMessage(tt.text)) != k {
				t.Errorf("%s: what is known is a part of the request", tt.name)
			}
		}
	}
	var g Gateway
	for range 2 {
		if g.checkMeta(json.RawMessage(`{"ProgressToken":1}`)) == nil {
			t.Error("an ambiguous one passes")
		}
	}
}
