// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	connectauthn "connectrpc.com/authn"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

func mustMetadata(t testing.TB, doc oauthex.ProtectedResourceMetadata) *Metadata {
	t.Helper()
	m, err := NewMetadata(doc)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustMiddleware(t testing.TB, cfg Config) *Middleware {
	t.Helper()
	m, err := NewMiddleware(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// An unreadBody fails the test when a body is read before the caller is known.
type unreadBody struct{ t *testing.T }

func (u unreadBody) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		absent      = `Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/base"`
		invalid     = `Bearer error="invalid_token", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/base"`
		malformed   = `Bearer error="invalid_request", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/base"`
		secretInErr = "SECRET-in-the-error"
	)
	for _, test := range []struct {
		name      string
		err       error
		challenge string
		unary     int    // HTTP status of a unary Connect call
		grpc      string // grpc-status
		code      string
	}{
		{"no credential", nil, absent, 401, "16", "unauthenticated"},
		{"invalid", errors.Join(ErrInvalidCredential, errors.New(secretInErr)), invalid, 401, "16", "unauthenticated"},
		{"malformed", errors.Join(ErrMalformedCredential, errors.New(secretInErr)), malformed, 400, "3", "invalid_argument"},
		{"unavailable", errors.Join(ErrUnavailable, errors.New(secretInErr)), "", 503, "14", "unavailable"},
		{"an error that nobody knows", errors.New(secretInErr), "", 503, "14", "unavailable"},
	} {
		m := mustMiddleware(t, Config{
			Authenticators: []Authenticator{Bearer{}, fixed{err: test.err}},
			Metadata:       mustMetadata(t, oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com/base"}),
			Logger:         slog.New(slog.DiscardHandler),
		})
		h := m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s: got through", test.name) }))
		for _, protocol := range []struct {
			contentType string
			status      int
		}{
			{"application/grpc", 200},
			{"application/grpc-web+proto", 200},
			{"application/proto", test.unary},
			{"application/json", test.unary},
			{"application/connect+proto", 200},
			{"text/plain", test.unary},
		} {
			t.Run(test.name+" "+protocol.contentType, func(t *testing.T) {
				r := httptest.NewRequest(http.MethodPost, "https://evil.example/mcp.v1.MCP/InvokeTool", unreadBody{t})
				r.Header.Set("Content-Type", protocol.contentType)
				r.Header.Set("X-Forwarded-Host", "evil.example")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				res := w.Result()
				if res.StatusCode != protocol.status {
					t.Errorf("got status %d, want %d", res.StatusCode, protocol.status)
				}
				want := []string{test.challenge}
				if test.challenge == "" {
					want = nil
				}
				if got := res.Header.Values("Www-Authenticate"); strings.Join(got, "; ") != strings.Join(want, "; ") {
					t.Errorf("got the challenges %q, want %q", got, want)
				}
				if test.challenge == "" && res.Header.Get("Retry-After") == "" {
					t.Error("it is not said when to try again")
				}
				status := res.Header.Get("Grpc-Status") + res.Trailer.Get("Grpc-Status")
				if strings.HasPrefix(protocol.contentType, "application/grpc") && status != test.grpc {
					t.Errorf("got grpc-status %q, want %q", status, test.grpc)
				}
				body := w.Body.String()
				if !strings.HasPrefix(protocol.contentType, "application/grpc") && !strings.Contains(body, `"code":"`+test.code+`"`) {
					t.Errorf("got the body %q, want code %q", body, test.code)
				}
				if all := body + headerText(res.Header) + headerText(res.Trailer); strings.Contains(all, secretInErr) || strings.Contains(all, "evil") {
					t.Errorf("the response says too much: %q", all)
				}
			})
		}
	}
}

func headerText(h http.Header) string {
	var b bytes.Buffer
	_ = h.Write(&b)
	return b.String()
}

func TestWrapShowsTheCaller(t *testing.T) {
	t.Parallel()
	p := sealed(Principal{Subject: "ann", Method: MethodAPIKey})
	called := false
	h := mustMiddleware(t, Config{Authenticators: []Authenticator{fixed{p: p}}}).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		if got := FromContext(r.Context()); got != p {
			t.Errorf("got %v, want %v", got, p)
		}
		if got := connectauthn.GetInfo(r.Context()); got != p {
			t.Errorf("connect's authn has %v", got)
		}
		if got := auth.TokenInfoFromContext(r.Context()); got == nil || got.UserID != "api-key|ann" {
			t.Errorf("the SDK has %v", got)
		}
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
	if !called {
		t.Error("the handler was not called")
	}
}

func TestWrapEndsWithTheCredential(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		revoked, revoke := context.WithCancel(context.Background())
		defer revoke()
		p := &Principal{Subject: "ann", revoked: revoked}
		for unbounded, want := range map[bool]error{false: ErrCredentialEnded, true: nil} {
			m := mustMiddleware(t, Config{Authenticators: []Authenticator{fixed{p: p}}, Unbounded: unbounded})
			m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				revoke()
				synctest.Wait()
				if got := context.Cause(r.Context()); got != want {
					t.Errorf("unbounded %t: got %v, want %v", unbounded, got, want)
				}
			})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
		}
	})
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	keys, err := NewAPIKeys(nil, testKey(t, APIKey{Subject: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		all  []Authenticator
		want string
	}{
		{"tokens", []Authenticator{Bearer{}}, "Bearer"},
		{"keys", []Authenticator{keys}, "ApiKey"},
		{"both", []Authenticator{keys, Bearer{}}, "Bearer"},
		{"connections", []Authenticator{fixed{}}, ""},
	} {
		w := httptest.NewRecorder()
		mustMiddleware(t, Config{Authenticators: test.all, Logger: slog.New(slog.DiscardHandler)}).
			Wrap(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		if got := w.Header().Get("Www-Authenticate"); got != test.want || w.Code != http.StatusUnauthorized {
			t.Errorf("%s: got %d, %q, want 401, %q", test.name, w.Code, got, test.want)
		}
	}
}

func TestRefusalsAreSampled(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		m := mustMiddleware(t, Config{Authenticators: []Authenticator{Bearer{}}, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		h := m.Wrap(http.NotFoundHandler())
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", "Bearer CANARY")
		for range 1000 {
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
	if n := strings.Count(logged.String(), "\n"); n == 0 || n > 21 {
		t.Errorf("1000 bad tokens made %d lines", n)
	}
	if strings.Contains(logged.String(), "CANARY") {
		t.Error("a token was logged")
	}
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no authenticator":  {},
		"a nil one":         {Authenticators: []Authenticator{nil}},
		"nil beside others": {Authenticators: []Authenticator{Bearer{}, nil}},
	} {
		if _, err := NewMiddleware(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func local(r *http.Request, addr net.Addr) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
}

func TestStatic(t *testing.T) {
	t.Parallel()
	s, err := NewStatic(map[string]Grant{"dev-token": {Subject: "dev", Scopes: []string{"read"}}, "other": {Subject: "other"}})
	if err != nil {
		t.Fatal(err)
	}
	loopback, outside := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	for _, test := range []struct {
		name, token string
		s           *Static
		addr        net.Addr
		subject     string
		err         error
	}{
		{"on loopback", "dev-token", s, loopback, "dev", nil},
		{"on IPv6 loopback", "dev-token", s, &net.TCPAddr{IP: net.IPv6loopback}, "dev", nil},
		{"on a Unix socket", "dev-token", s, &net.UnixAddr{}, "dev", nil},
		{"the other token", "other", s, loopback, "other", nil},
		{"from outside", "dev-token", s, outside, "", ErrInvalidCredential},
		{"from where nobody knows", "dev-token", s, nil, "", ErrInvalidCredential},
		{"from outside, if so wanted", "dev-token", s.InsecureEverywhere(), outside, "dev", nil},
		{"an unknown token", "dev-toke", s, loopback, "", nil},
		{"a longer one", "dev-tokenn", s, loopback, "", nil},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", nil)
		if test.addr != nil {
			r = local(r, test.addr)
		}
		p, err := test.s.VerifyToken(t.Context(), test.token, r)
		if !errors.Is(err, test.err) || (p != nil) != (test.subject != "") || (p != nil && p.Subject != test.subject) {
			t.Errorf("%s: got %v, %v, want %q, %v", test.name, p, err, test.subject, test.err)
		}
	}
	for name, tokens := range map[string]map[string]Grant{
		"no token":             {},
		"an empty token":       {"": {Subject: "ann"}},
		"a token with space":   {"CANARY token": {Subject: "ann"}},
		"nobody's token":       {"CANARY": {}},
		"a scope that is none": {"CANARY": {Subject: "ann", Scopes: []string{"a b"}}},
	} {
		if _, err := NewStatic(tokens); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
