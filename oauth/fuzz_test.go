// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
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

// documents answers each request with a text.
type documents string

func (d documents) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(d))),
	}, nil
}

// FuzzMetadata reads what servers and authorization servers say of themselves: what is believed is for
// us, and leads nowhere in clear.
func FuzzMetadata(f *testing.F) {
	const resource, issuer = "https://h/mcp", "https://as"
	for _, seed := range []string{
		`{"resource":"https://h/mcp","authorization_servers":["https://as"],"scopes_supported":["read"]}`,
		`{"resource":"https://h","Resource":"https://evil","authorization_servers":[null]}`,
		`{"issuer":"https://as","authorization_endpoint":"https://as/a","token_endpoint":"https://as/t","code_challenge_methods_supported":["S256"]}`,
		`{"issuer":"https://as","authorization_endpoint":"javascript:alert(1)","token_endpoint":"http://as/t","code_challenge_methods_supported":["plain","S256"],"registration_endpoint":"//x"}`,
		`{"issuer":"https://as/","token_endpoint":"https://u:p@as/t"}`, `[]`, `null`, `{"resource":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := New(Config{Resource: resource, HTTPClient: &http.Client{Transport: documents(text)}})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := s.fetchMetadata(t.Context(), resource); err == nil && (!covers(m.Resource, s.resource) || len(m.AuthorizationServers) == 0) {
			t.Errorf("%q is taken for metadata of ours", text)
		}
		m, err := s.serverMetadata(t.Context(), issuer)
		if err != nil {
			return
		}
		if m.Issuer != issuer || !slices.Contains(m.CodeChallengeMethodsSupported, "S256") {
			t.Errorf("%q is taken for metadata of %s", text, issuer)
		}
		for _, endpoint := range []string{m.AuthorizationEndpoint, m.TokenEndpoint, m.RegistrationEndpoint} {
			u, err := url.Parse(endpoint)
			if endpoint != "" && (err != nil || u.User != nil || u.Scheme != "https" && u.Hostname() != "localhost" && net.ParseIP(u.Hostname()) == nil) {
				t.Errorf("%q leads to %q", text, endpoint)
			}
		}
	})
}
