// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzChallengeOf reads what any server may send.
func FuzzChallengeOf(f *testing.F) {
	for _, seed := range []string{
		`Bearer`,
		`Bearer error="insufficient_scope", scope="a b", resource_metadata="https://h/x"`,
		`Basic realm="a, Bearer scope=\"x\"", bearer scope=a`,
		`Bearer scope="a`, `Bearer =`, `,`, `Bearer a=b, , c="d\\"`, "Bearer scope=\"\u00e9\t\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c := challengeOf(http.Header{"Www-Authenticate": {value}})
		if !c.bearer && (c.code != "" || c.scopes != nil || c.metadata != "") {
			t.Errorf("nothing for tokens, and %+v", c)
		}
		if c.bearer && !strings.Contains(strings.ToLower(value), "bearer") {
			t.Errorf("%q is taken for %+v", value, c)
		}
		for _, s := range c.scopes {
			if s == "" || strings.ContainsAny(s, " \t\n") {
				t.Errorf("%q has the scope %q", value, s)
			}
		}
	})
}

// FuzzCovers compares what a server says that it is with what it was called by.
func FuzzCovers(f *testing.F) {
	for _, seed := range []string{"https://h/mcp", "https://h", "https://h@evil/mcp", "https://h/mcp/../x", "https://h:443/mcp", "//h/mcp", "https://h%2fmcp", "HTTPS://H/mcp"} {
		f.Add(seed)
	}
	ours := &url.URL{Scheme: "https", Host: "h", Path: "/mcp"}
	f.Fuzz(func(t *testing.T, resource string) {
		if !covers(resource, ours) {
			return
		}
		u, err := url.Parse(resource)
		if err != nil || !strings.EqualFold(u.Host, "h") || !strings.EqualFold(u.Scheme, "https") || u.User != nil || strings.Trim(u.Path, "/") != "" && strings.Trim(u.Path, "/") != "mcp" {
			t.Errorf("%q is taken for %v", resource, ours)
		}
	})
}
