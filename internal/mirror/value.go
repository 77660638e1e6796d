// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package mirror is what HTTP headers and RPC metadata repeat of a request's body (SPEC.md §7;
// MCP 2026-07-28, "Request Headers").
package mirror

import (
	"encoding/base64"
	"strings"
)

const (
	base64Prefix = "=?base64?"
	base64Suffix = "?="
)

// Encode gives the form of v that survives HTTP (SPEC.md §7.2).
func Encode(v string) string {
	if isPlain(v) {
		return v
	}
	return base64Prefix + base64.StdEncoding.EncodeToString([]byte(v)) + base64Suffix
}

func isPlain(v string) bool {
	for i := range len(v) {
		if c := v[i]; (c < ' ' && c != '\t') || c > '~' {
			return false
		}
	}
	if strings.Trim(v, " \t") != v {
		return false
	}
	return !strings.HasPrefix(v, base64Prefix) || !strings.HasSuffix(v, base64Suffix)
}

// Decode undoes Encode. It fails for what begins and ends like an encoded value and is none.
func Decode(v string) (string, error) {
	inner, ok := strings.CutPrefix(v, base64Prefix)
	if !ok {
		return v, nil
	}
	inner, ok = strings.CutSuffix(inner, base64Suffix)
	if !ok {
		return v, nil
	}
	text, err := base64.StdEncoding.DecodeString(inner)
	return string(text), err
}
