// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// send makes a request as a browser would, from a page of origin.
func send(t *testing.T, h http.Handler, method, target, origin, cookie, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://pantry.example"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func newTestApp(t *testing.T) *app {
	t.Helper()
	a := newApp(time.Minute, []string{"https://pantry.example"})
	t.Cleanup(func() {
		if err := a.mcp.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestWhoGetsIn(t *testing.T) {
	t.Parallel()
	const self, other = "https://pantry.example", "https://evil.example"
	a := newTestApp(t)
	h, cookie := a.routes(), a.logins.open("Ada")
	for _, test := range []struct {
		name, method, target, origin, cookie, body string
		want                                       int
	}{
		{"a page without login", "GET", "/", "", "", "", http.StatusSeeOther},
		{"a page with a wrong cookie", "GET", "/assistant/", "", "x", "", http.StatusSeeOther},
		{"a page with a login", "GET", "/", "", cookie, "", http.StatusOK},
		{"a form", "POST", "/items", self, cookie, "name=Salt", http.StatusSeeOther},
		{"a form of another site", "POST", "/items", other, cookie, "name=Salt", http.StatusForbidden},
		{"a token", "POST", "/token", self, cookie, "", http.StatusOK},
		{"a token without login", "POST", "/token", self, "", "", http.StatusUnauthorized},
		{"a token for another site", "POST", "/token", other, cookie, "", http.StatusForbidden},
		{"a tool by the cookie alone", "POST", "/mcp.v1.MCP/ListTools", self, cookie, "", http.StatusUnauthorized},
		{"a tool from another site", "POST", "/mcp.v1.MCP/ListTools", other, cookie, "", http.StatusForbidden},
	} {
		res := send(t, h, test.method, test.target, test.origin, test.cookie, test.body)
		_ = res.Body.Close()
		if res.StatusCode != test.want {
			t.Errorf("%s: got status %d, want %d", test.name, res.StatusCode, test.want)
		}
	}
}

func TestLoginLeadsBack(t *testing.T) {
	t.Parallel()
	a := newTestApp(t)
	for next, want := range map[string]string{
		"/assistant/":          "/assistant/",
		"":                     "/",
		"//evil.example":       "/",
		"/\\evil.example":      "/",
		"https://evil.example": "/",
	} {
		res := send(t, a.routes(), "POST", "/login", "https://pantry.example", "", url.Values{"user": {"Ada"}, "next": {next}}.Encode())
		_ = res.Body.Close()
		if got := res.Header.Get("Location"); got != want {
			t.Errorf("next %q: got %q, want %q", next, got, want)
		}
		for _, c := range res.Cookies() {
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode {
				t.Errorf("a weak cookie: %v", c)
			}
		}
	}
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	a := newTestApp(t)
	now := time.Now()
	a.logins.now = func() time.Time { return now }
	token := a.logins.newToken(login{user: "Ada", session: "s"})
	if p, err := a.logins.VerifyToken(t.Context(), token, nil); err != nil || p.Subject != "Ada" {
		t.Errorf("got %v, %v", p, err)
	}
	now = now.Add(time.Minute)
	if p, err := a.logins.VerifyToken(t.Context(), token, nil); err == nil {
		t.Errorf("a minute later: got %v", p)
	}
	now = now.Add(-time.Minute)
	a.logins.end("s")
	if p, err := a.logins.VerifyToken(t.Context(), token, nil); err == nil {
		t.Errorf("after the logout: got %v", p)
	}
}
