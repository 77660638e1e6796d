// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"fmt"
	"strings"
)

// isScope tells whether s is a scope token (RFC 6749 §3.3): visible ASCII without quote
// and backslash.
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

func checkScope(s string) error {
	if !isScope(s) {
		return fmt.Errorf("scope %q is none: write visible ASCII without spaces, quotes and backslashes (RFC 6749 §3.3)", s)
	}
	return nil
}

func checkScopes(scopes []string) error {
	for _, s := range scopes {
		if err := checkScope(s); err != nil {
			return err
		}
	}
	return nil
}

// parseScopes reads the scopes of a token: tokens with one space between. No other white
// space separates them.
func parseScopes(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	scopes := strings.Split(text, " ")
	if err := checkScopes(scopes); err != nil {
		return nil, err
	}
	return scopes, nil
}
