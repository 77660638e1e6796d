// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

func TestMetadataPaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		resource, url string
		paths         []string
	}{
		{"https://mcp.example.com", "https://mcp.example.com/.well-known/oauth-protected-resource", []string{wellKnown}},
		{"https://mcp.example.com/", "https://mcp.example.com/.well-known/oauth-protected-resource", []string{wellKnown}},
		{"https://mcp.example.com:8443/a/b", "https://mcp.example.com:8443/.well-known/oauth-protected-resource/a/b", []string{wellKnown, wellKnown + "/a/b"}},
		{"http://localhost:8080/x", "http://localhost:8080/.well-known/oauth-protected-resource/x", []string{wellKnown, wellKnown + "/x"}},
		{"http://[::1]:8080", "http://[::1]:8080/.well-known/oauth-protected-resource", []string{wellKnown}},
	} {
		m := mustMetadata(t, oauthex.ProtectedResourceMetadata{Resource: test.resource})
		if m.URL() != test.url || !slices.Equal(m.Paths(), test.paths) || m.Resource() != test.resource {
			t.Errorf("%s: got %q at %q", test.resource, m.URL(), m.Paths())
		}
	}
}

func TestMetadataMistakes(t *testing.T) {
	t.Parallel()
	good := func() oauthex.ProtectedResourceMetadata {
		return oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com"}
	}
	for _, test := range []struct {
		name   string
		change func(*oauthex.ProtectedResourceMetadata)
		want   string
	}{
		{"no resource", func(d *oauthex.ProtectedResourceMetadata) { d.Resource = "" }, "https"},
		{"http", func(d *oauthex.ProtectedResourceMetadata) { d.Resource = "http://mcp.example.com" }, "https"},
		{"a slash at the end", func(d *oauthex.ProtectedResourceMetadata) { d.Resource += "/a/" }, "slash"},
		{"a query", func(d *oauthex.ProtectedResourceMetadata) { d.Resource += "?a" }, "query"},
		{"a fragment", func(d *oauthex.ProtectedResourceMetadata) { d.Resource += "#" }, "fragment"},
		{"capitals", func(d *oauthex.ProtectedResourceMetadata) { d.Resource = "https://MCP.example.com" }, "lower case"},
		{"a password", func(d *oauthex.ProtectedResourceMetadata) { d.Resource = "https://a:b@mcp.example.com" }, "password"},
		{"dots", func(d *oauthex.ProtectedResourceMetadata) { d.Resource += "/a/../b" }, ".."},
		{"no host", func(d *oauthex.ProtectedResourceMetadata) { d.Resource = "https:///a" }, "host"},
		{"a quote", func(d *oauthex.ProtectedResourceMetadata) { d.Resource += "/a\"b" }, "quotes"},
		{"an http issuer", func(d *oauthex.ProtectedResourceMetadata) { d.AuthorizationServers = []string{"http://as.example"} }, "https"},
		{"tokens in the query", func(d *oauthex.ProtectedResourceMetadata) { d.BearerMethodsSupported = []string{"header", "query"} }, "header"},
		{"offline_access", func(d *oauthex.ProtectedResourceMetadata) { d.ScopesSupported = []string{"offline_access"} }, "offline_access"},
		{"a scope that is none", func(d *oauthex.ProtectedResourceMetadata) { d.ScopesSupported = []string{"a b"} }, "RFC 6749"},
	} {
		doc := good()
		test.change(&doc)
		if _, err := NewMetadata(doc); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
}

func TestMetadataHandler(t *testing.T) {
	t.Parallel()
	m := mustMetadata(t, oauthex.ProtectedResourceMetadata{
		Resource:             "https://mcp.example.com/base",
		AuthorizationServers: []string{"https://as.example"},
		ScopesSupported:      []string{"read"},
	})
	for _, test := range []struct {
		name, method, target string
		status               int
	}{
		{"at the root", http.MethodGet, wellKnown, 200},
		{"with the path of the resource", http.MethodGet, wellKnown + "/base", 200},
		{"HEAD", http.MethodHead, wellKnown, 200},
		{"a preflight", http.MethodOptions, wellKnown, 204},
		{"POST", http.MethodPost, wellKnown, 405},
		{"a query", http.MethodGet, wellKnown + "?a=b", 400},
		{"another path", http.MethodGet, wellKnown + "/other", 404},
		{"a path below", http.MethodGet, wellKnown + "/base/x", 404},
	} {
		r := httptest.NewRequest(test.method, "http://evil.example"+test.target, nil)
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("X-Forwarded-Proto", "http")
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: got status %d, want %d", test.name, w.Code, test.status)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: browsers cannot read it", test.name)
		}
		if test.status != 200 {
			continue
		}
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: got content type %q", test.name, got)
		}
		if test.method == http.MethodHead {
			continue
		}
		const want = `{"resource":"https://mcp.example.com/base","authorization_servers":["https://as.example"],"scopes_supported":["read"],"bearer_methods_supported":["header"]}`
		if got := w.Body.String(); got != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
		var doc oauthex.ProtectedResourceMetadata
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.Resource != m.Resource() {
			t.Errorf("%s: got %v, %v", test.name, doc, err)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	m := mustMetadata(t, oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com"})
	for _, test := range []struct {
		name   string
		m      *Metadata
		err    string
		scopes []string
		want   string
	}{
		{"nothing to say", nil, "", nil, `Bearer`},
		{"where", m, "", nil, `Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"`},
		{"all", m, "insufficient_scope", []string{"a", "b"}, `Bearer error="insufficient_scope", scope="a b", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"`},
		{"scopes without where", nil, "insufficient_scope", []string{"a"}, `Bearer error="insufficient_scope", scope="a"`},
		{"what is not for resource servers, twice, or no scope", nil, "", []string{"a", "offline_access", "a", "b\", x=\"", "c\r\nd"}, `Bearer scope="a"`},
	} {
		got := test.m.Challenge(test.err, test.scopes)
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		if parsed, err := oauthex.ParseWWWAuthenticate([]string{got}); err != nil || len(parsed) != 1 {
			t.Errorf("%s: the SDK reads %v, %v", test.name, parsed, err)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add("read write", "x")
	f.Add("a\", error=\"b", "offline_access")
	f.Fuzz(func(t *testing.T, a, b string) {
		var m *Metadata
		parsed, err := oauthex.ParseWWWAuthenticate([]string{m.Challenge("insufficient_scope", []string{a, b})})
		if err != nil || len(parsed) != 1 || parsed[0].Params["error"] != "insufficient_scope" || len(parsed[0].Params) > 2 {
			t.Errorf("got %v, %v", parsed, err)
		}
	})
}
