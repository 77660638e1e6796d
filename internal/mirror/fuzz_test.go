// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/mirror"
)

// FuzzDecode: whatever is encoded comes back, in bytes that a header may have, and what is
// decoded is a value that has that form or a plain one.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "greet", " greet", "grüß dich", "=?base64?Z3I=?=", "=?base64?", "=?base64??=", "=?base64?!?=", "=?base64?Z3I?=", "a\tb", "a\r\nb: c", "\x00", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		encoded := mirror.Encode(v)
		if strings.ContainsFunc(encoded, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) {
			t.Errorf("%q is encoded as %q", v, encoded)
		}
		if got, err := mirror.Decode(encoded); err != nil || got != v {
			t.Errorf("%q is encoded as %q, and that is %q, %v", v, encoded, got, err)
		}
		if got, err := mirror.Decode(v); err == nil && got != v {
			if again, err := mirror.Decode(mirror.Encode(got)); err != nil || again != got {
				t.Errorf("%q is %q, and that is %q, %v", v, got, again, err)
			}
		}
	})
}
