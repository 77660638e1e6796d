// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/loopback"
)

func mustGate(t testing.TB, cfg GateConfig) *Gate {
	t.Helper()
	g, err := NewGate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGate(t *testing.T) {
	t.Parallel()
	loopback, outside := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	app := GateConfig{Origins: []string{"https://app.example.com"}}
	named := GateConfig{Hosts: []string{"mcp.example.com", "mcp.example.com:8443"}}
	for _, test := range []struct {
		name    string
		cfg     GateConfig
		addr    net.Addr
		host    string
		origins []string
		good    bool
	}{
		{"no page", app, outside, "mcp.example.com", nil, true},
		{"the page", app, outside, "mcp.example.com", []string{"https://app.example.com"}, true},
		{"nobody's page", app, outside, "mcp.example.com", []string{"null"}, false},
		{"nobody's page, if so wanted", GateConfig{Origins: []string{"null"}}, outside, "mcp.example.com", []string{"null"}, true},
		{"an empty origin", app, outside, "mcp.example.com", []string{""}, false},
		{"two origins", app, outside, "mcp.example.com", []string{"https://app.example.com", "https://evil.example"}, false},
		{"a list of origins", app, outside, "mcp.example.com", []string{"https://app.example.com https://evil.example"}, false},
		{"another scheme", app, outside, "mcp.example.com", []string{"http://app.example.com"}, false},
		{"another port", app, outside, "mcp.example.com", []string{"https://app.example.com:444"}, false},
		{"the port that is the scheme's own", app, outside, "mcp.example.com", []string{"https://app.example.com:443"}, false},
		{"a name that ends alike", app, outside, "mcp.example.com", []string{"https://evilapp.example.com"}, false},
		{"a name that begins alike", app, outside, "mcp.example.com", []string{"https://app.example.com.evil.example"}, false},
		{"a name below", app, outside, "mcp.example.com", []string{"https://x.app.example.com"}, false},
		{"another case", app, outside, "mcp.example.com", []string{"https://App.example.com"}, false},
		{"a slash at the end", app, outside, "mcp.example.com", []string{"https://app.example.com/"}, false},
		{"a page of our own host", app, outside, "mcp.example.com", []string{"https://mcp.example.com"}, false},
		{"a page of our own host, by a name that is ours", named, outside, "mcp.example.com", []string{"http://mcp.example.com"}, true},
		{"a page of our own host with another scheme", named, outside, "mcp.example.com", []string{"https://mcp.example.com"}, false},
		{"a page of our own host with another port", named, outside, "mcp.example.com:8443", []string{"http://mcp.example.com"}, false},
		{"a page of another of our names", GateConfig{Hosts: []string{"a.example.com", "b.example.com"}}, outside, "a.example.com", []string{"http://b.example.com"}, false},
		{"a page of a name led here", GateConfig{}, outside, "evil.example", []string{"http://evil.example"}, false},
		{"a page of a name led here, on a loopback address", GateConfig{}, loopback, "evil.example:8080", []string{"http://evil.example:8080"}, false},
		{"a page of our own on this machine", GateConfig{}, loopback, "127.0.0.1:8080", []string{"http://127.0.0.1:8080"}, true},
		{"a page of our own on this machine by another name", GateConfig{}, loopback, "127.0.0.1:8080", []string{"http://localhost:8080"}, false},
		{"a page of another port of this machine", GateConfig{}, loopback, "localhost:8080", []string{"http://localhost:3000"}, false},
		{"any page by default", GateConfig{}, outside, "mcp.example.com", []string{"https://app.example.com"}, false},
		{"localhost", GateConfig{}, loopback, "localhost:8080", nil, true},
		{"localhost in capitals", GateConfig{}, loopback, "LOCALHOST", nil, true},
		{"an address of this machine", GateConfig{}, loopback, "127.0.0.1:8080", nil, true},
		{"an IPv6 address of this machine", GateConfig{}, loopback, "[::1]:8080", nil, true},
		{"an IPv6 address of this machine without port", GateConfig{}, loopback, "[::1]", nil, true},
		{"a name led here", GateConfig{}, loopback, "evil.example:8080", nil, false},
		{"a name led here that begins alike", GateConfig{}, loopback, "localhost.evil.example", nil, false},
		{"a name that looks like an address", GateConfig{}, loopback, "127.0.0.1.evil.example", nil, false},
		{"no host", GateConfig{}, loopback, "", nil, false},
		{"a broken address", GateConfig{}, loopback, "[::1", nil, false},
		{"a name led here, on another address", GateConfig{}, outside, "evil.example", nil, true},
		{"a Unix socket", GateConfig{}, &net.UnixAddr{}, "evil.example", nil, true},
		{"our name", named, outside, "mcp.example.com", nil, true},
		{"our name in capitals", named, outside, "MCP.example.com", nil, true},
		{"our name with a port", named, outside, "mcp.example.com:8443", nil, true},
		{"our name with another port", named, outside, "mcp.example.com:1", nil, false},
		{"our name behind a proxy here", named, loopback, "mcp.example.com", nil, true},
		{"another name", named, outside, "evil.example", nil, false},
		{"localhost where it is not one of our names", named, loopback, "localhost", nil, false},
	} {
		g := mustGate(t, test.cfg)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			r := local(httptest.NewRequest(method, "/", nil), test.addr)
			r.Host, r.Header["Origin"] = test.host, test.origins
			if test.origins == nil {
				delete(r.Header, "Origin")
			}
			reached := false
			w := httptest.NewRecorder()
			g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP(w, r)
			if reached != test.good || (w.Code == http.StatusForbidden) == test.good {
				t.Errorf("%s, %s: got %d, reached: %t, want good: %t", test.name, method, w.Code, reached, test.good)
			}
			if allow := w.Header().Get("Access-Control-Allow-Origin"); !test.good && allow != "" {
				t.Errorf("%s, %s: a page may read the refusal: %q", test.name, method, allow)
			}
		}
	}
}

// TestGateBySite: a browser says where a request is from that has no origin, an image for example.
func TestGateBySite(t *testing.T) {
	t.Parallel()
	g := mustGate(t, GateConfig{Origins: []string{"https://app.example.com"}})
	for _, test := range []struct {
		site, origin string
		good         bool
	}{
		{"", "", true}, // no browser
		{"none", "", true},
		{"same-origin", "", true},
		{"same-site", "", false},
		{"cross-site", "", false},
		{"what comes after us", "", false},
		{"cross-site", "https://app.example.com", true},
		{"cross-site", "https://evil.example", false},
		{"same-origin", "https://evil.example", false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			r := httptest.NewRequest(method, "/", nil)
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if err := g.Check(r); (err == nil) != test.good {
				t.Errorf("%s from %q, %q: got %v, want good: %t", method, test.site, test.origin, err, test.good)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	g := mustGate(t, GateConfig{Origins: []string{"https://app.example.com"}})
	h := g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a preflight was passed on") }))
	for _, header := range []string{"authorization", "x-mcp-api-key", "content-type", "connect-protocol-version", "x-grpc-web", "mcp-session-id", "last-event-id", "mcp-method", "mcp-param-region", "content-type,mcp-param-a,mcp-param-b"} {
		r := httptest.NewRequest(http.MethodOptions, "/mcp.v1.MCP/InvokeTool", nil)
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", header)
		r.Header.Set("Access-Control-Request-Private-Network", "true")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header()
		if w.Code != http.StatusNoContent || got.Get("Access-Control-Allow-Origin") != "https://app.example.com" || got.Get("Access-Control-Allow-Headers") != header {
			t.Errorf("%s: got %d, %v", header, w.Code, got)
		}
		if got.Get("Access-Control-Allow-Credentials") != "" || got.Get("Access-Control-Allow-Private-Network") != "" {
			t.Errorf("%s: a page may do too much: %v", header, got)
		}
	}
}

// TestRefusalsLeaveNoBrokenConnection: net/http panics when it reads what a handler left of a
// body after an early answer, and the next request at the same time. What browsers send over
// HTTP/1.1 came to that with every refusal.
func TestRefusalsLeaveNoBrokenConnection(t *testing.T) {
	t.Parallel()
	m := mustMiddleware(t, Config{Authenticators: []Authenticator{Bearer{}}})
	origins := mustGate(t, GateConfig{Origins: []string{"https://app.example.com"}})
	for name, h := range map[string]http.Handler{
		"without credentials": m.Wrap(http.NotFoundHandler()),
		"of a strange origin": origins.Wrap(http.NotFoundHandler()),
	} {
		var logged strings.Builder
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(&logged, "", 0) // net/http writes a panic there
		server.Start()
		for range 5 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/mcp.v1.MCP/CallTool", strings.NewReader("\x00\x00\x00\x00\x00"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Content-Type", "application/connect+proto")
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = res.Body.Close()
		}
		server.Close() // waits for the connections
		if logged.Len() > 0 {
			t.Errorf("%s: the server logged %s", name, logged.String())
		}
	}
}

// TestPagesCanReadRefusals pins the order: CORS outside of authn.
func TestPagesCanReadRefusals(t *testing.T) {
	t.Parallel()
	m := mustMiddleware(t, Config{Authenticators: []Authenticator{Bearer{}}})
	h := mustGate(t, GateConfig{Origins: []string{"https://app.example.com"}}).Wrap(m.Wrap(http.NotFoundHandler()))
	r := httptest.NewRequest(http.MethodPost, "/mcp.v1.MCP/InvokeTool", nil)
	r.Header.Set("Origin", "https://app.example.com")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := w.Header()
	if w.Code != http.StatusUnauthorized || got.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("got %d, %v", w.Code, got)
	}
	exposed := strings.ToLower(strings.Join(got.Values("Access-Control-Expose-Headers"), ","))
	for _, name := range []string{"www-authenticate", "grpc-status", "grpc-message", "grpc-status-details-bin", "retry-after", "mcp-session-id"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("a page cannot read %s: got %q", name, exposed)
		}
	}
}

func TestGateMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		cfg  GateConfig
		want string
	}{
		{"every origin", GateConfig{Origins: []string{"*"}}, "one by one"},
		{"a pattern", GateConfig{Origins: []string{"https://*.example.com"}}, "one by one"},
		{"a host for origin", GateConfig{Origins: []string{"app.example.com"}}, "scheme"},
		{"a slash", GateConfig{Origins: []string{"https://app.example.com/"}}, "slash"},
		{"a path", GateConfig{Origins: []string{"https://app.example.com/a"}}, "only"},
		{"capitals", GateConfig{Origins: []string{"https://App.example.com"}}, "lower case"},
		{"the scheme's own port", GateConfig{Origins: []string{"https://app.example.com:443"}}, "port"},
		{"a password", GateConfig{Origins: []string{"https://a:b@app.example.com"}}, "scheme and host"},
		{"an empty origin", GateConfig{Origins: []string{""}}, "scheme"},
		{"every host", GateConfig{Hosts: []string{"*"}}, "one by one"},
		{"a URL for host", GateConfig{Hosts: []string{"https://mcp.example.com"}}, "host"},
		{"an empty host", GateConfig{Hosts: []string{""}}, "host"},
		{"a host in capitals", GateConfig{Hosts: []string{"MCP.example.com"}}, "lower case"},
	} {
		if _, err := NewGate(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
}

func FuzzGate(f *testing.F) {
	for _, seed := range [][2]string{{"https://app.example.com", "localhost"}, {"null", "[::1]:80"}, {"https://app.example.com\x00", "127.0.0.1.evil:1"}, {"", "::1"}} {
		f.Add(seed[0], seed[1])
	}
	g := mustGate(f, GateConfig{Origins: []string{"https://app.example.com"}})
	f.Fuzz(func(t *testing.T, origin, host string) {
		r := local(httptest.NewRequest(http.MethodPost, "/", nil), &net.TCPAddr{IP: net.IPv6loopback})
		r.Host, r.Header["Origin"] = host, []string{origin}
		err := g.Check(r)
		if err == nil && origin != "https://app.example.com" {
			t.Errorf("origin %q was let in", origin)
		}
		if h, _ := splitHost(host); err == nil && !loopback.IsHost(h) {
			t.Errorf("host %q was let in", host)
		}
	})
}
