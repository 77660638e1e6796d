// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	connectrpc "connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// guarded serves tools for people who have logged in at as: greet needs the scope read, and
// test_simple_text the scope write.
func guarded(t *testing.T, as *oauthtest.AuthorizationServer) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Tools:   map[string]authn.Rule{"greet": {Scopes: []string{"read"}}, "test_simple_text": {Scopes: []string{"write"}}},
		Methods: map[string]authn.Rule{"ping": {}, "server/discover": {}, "initialize": {}, "notifications/initialized": {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := mcpconnect.NewHandler(everything.New(nil).MCP(),
		mcpconnect.WithLogger(quiet),
		mcpconnect.WithAuthn(authn.Bearer{as}),
		mcpconnect.WithPolicy(policy),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: url, AuthorizationServers: []string{as.URL}, ScopesSupported: []string{"read", "write"}}),
	)
	t.Cleanup(func() { _ = h.Close() })
	serveOn(t, ln, h)
	return url
}

// login is a source of tokens whose person agrees to everything.
func login(t *testing.T, url string, opts ...mcpconnect.ClientOption) *oauth.Source {
	t.Helper()
	loopback, err := oauth.NewLoopback(oauthtest.Browse)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loopback.Close() })
	s, err := oauth.New(oauth.Config{
		Resource: url, Authorize: loopback.Authorize, RedirectURL: loopback.RedirectURL(), Metadata: mcpconnect.Metadata(url, opts...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAuthorization logs in on each wire, steps up, and goes on after its token was revoked.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		as := oauthtest.NewAuthorizationServer(t)
		as.Scopes = []string{"read"}
		url := guarded(t, as)
		c := mcpconnect.NewClient(url, append([]mcpconnect.ClientOption{mcpconnect.WithAuthorization(login(t, url, w.opts...))}, w.opts...)...)
		defer c.Close()
		greet, write := &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": "x"}}, &mcp.CallToolParams{Name: "test_simple_text"}
		for range 3 {
			if _, err := c.CallTool(t.Context(), greet); err != nil {
				t.Fatalf("the call gave %v", err)
			}
		}
		if len(as.Logins) != 1 {
			t.Errorf("there were %d logins", len(as.Logins))
		}
		as.Set(func() { as.Scopes = nil })
		for range 3 {
			if _, err := c.CallTool(t.Context(), write); err != nil {
				t.Errorf("the call that needs more gave %v", err)
			}
			if _, err := c.CallTool(t.Context(), greet); err != nil {
				t.Errorf("the call after it gave %v", err)
			}
		}
		if len(as.Logins) > 2 {
			t.Errorf("there were %d logins", len(as.Logins))
		}
		as.Revoke()
		var err error
		for range 3 { // one may be lost with its stream
			if _, err = c.CallTool(t.Context(), greet); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("after the token was revoked got %v", err)
		}
	})
}

// TestAuthorizationOfTheSDKsClient in both eras.
func TestAuthorizationOfTheSDKsClient(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		for _, version := range []string{modern, "2025-11-25"} {
			as := oauthtest.NewAuthorizationServer(t)
			url := guarded(t, as)
			w := wire{w.name, append([]mcpconnect.ClientOption{mcpconnect.WithAuthorization(login(t, url, w.opts...))}, w.opts...)}
			c := connect(t, mcp.NewClient(implementation, nil), url, w, version)
			for range 3 {
				if _, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": "x"}}); err != nil {
					t.Fatalf("%s: the call gave %v", version, err)
				}
			}
			if len(as.Logins) != 1 {
				t.Errorf("%s: there were %d logins", version, len(as.Logins))
			}
		}
	})
}

// TestNobodyLogsIn: the error says what is missing, with the code of a caller who is nobody.
func TestNobodyLogsIn(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		url := guarded(t, oauthtest.NewAuthorizationServer(t))
		source, err := oauth.New(oauth.Config{Resource: url})
		if err != nil {
			t.Fatal(err)
		}
		c := mcpconnect.NewClient(url, append([]mcpconnect.ClientOption{mcpconnect.WithAuthorization(source)}, w.opts...)...)
		defer c.Close()
		if _, err := c.Ping(t.Context()); !errors.Is(err, oauth.ErrLoginRequired) || connectrpc.CodeOf(err) != connectrpc.CodeUnauthenticated {
			t.Errorf("got %v", err)
		}
	})
}

// TestCredentialsInClear go to this machine only.
func TestCredentialsInClear(t *testing.T) {
	t.Parallel()
	source, err := oauth.New(oauth.Config{Resource: "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url  string
		opt  mcpconnect.ClientOption
		want string
	}{
		{"http://example.com", mcpconnect.WithHeader("Authorization", "Bearer secret"), "in clear to example.com"},
		{"http://example.com", mcpconnect.WithHeader("x-mcp-api-key", "secret"), "in clear to example.com"},
		{"http://example.com", mcpconnect.WithAuthorization(source), "WithAuthorization needs TLS"},
	} {
		c := mcpconnect.NewClient(tt.url, tt.opt)
		if _, err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want %q", err, tt.want)
		}
		_ = c.Close()
	}
}
