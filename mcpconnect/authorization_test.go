// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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

// TestHeadersStayWithTheirOrigin: a redirect to another one is not followed, whatever client sends
// the RPCs, and that client stays as it was.
func TestHeadersStayWithTheirOrigin(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	handler := mcpconnect.NewHandler(everything.New(nil).MCP(), mcpconnect.WithLogger(quiet))
	t.Cleanup(func() { _ = handler.Close() })
	var here *httptest.Server
	here = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch to {
		case "away":
			http.Redirect(w, r, elsewhere.URL+"/"+path, http.StatusTemporaryRedirect)
		case "over":
			http.Redirect(w, r, here.URL+"/away/"+path, http.StatusTemporaryRedirect)
		case "down":
			http.Redirect(w, r, "https://"+r.Host+"/"+path, http.StatusTemporaryRedirect)
		case "within":
			http.Redirect(w, r, here.URL+"/"+path, http.StatusTemporaryRedirect)
		default:
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(here.Close)
	asked := 0
	for name, client := range map[string]*http.Client{
		"of net/http": {},
		"with its own rule": {CheckRedirect: func(*http.Request, []*http.Request) error {
			asked++
			return nil
		}},
	} {
		before := client.CheckRedirect == nil
		for _, option := range []mcpconnect.ClientOption{
			mcpconnect.WithHeader("X-Mcp-Api-Key", "secret"), mcpconnect.WithHeader("Authorization", "Bearer secret"),
			mcpconnect.WithHeader("Cookie", "secret"), mcpconnect.WithHeader("X-Own", "secret"),
		} {
			for _, path := range []string{"/away", "/over", "/down", "/within"} {
				c := mcpconnect.NewClient(here.URL+path, mcpconnect.WithHTTPClient(client), mcpconnect.WithHTTP1(), mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), option)
				_, err := c.Ping(t.Context())
				if path == "/within" && err != nil {
					t.Errorf("the client %s does not follow within the origin: %v", name, err)
				}
				if path != "/within" && (err == nil || !strings.Contains(err.Error(), "to another origin")) {
					t.Errorf("the client %s, %s: got %v", name, path, err)
				}
				_ = c.Close()
			}
		}
		if before != (client.CheckRedirect == nil) {
			t.Errorf("the client %s has changed", name)
		}
	}
	if n := reached.Load(); n > 0 || asked == 0 {
		t.Errorf("another origin was reached %d times, and the client's own rule was asked %d times", n, asked)
	}
}
