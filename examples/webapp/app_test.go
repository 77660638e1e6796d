// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// TestReadme runs what README.md says, and looks for the files and flags that it names.
func TestReadme(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	if !strings.Contains(text, "\ngo run ./examples/webapp   # http://127.0.0.1:8081, any name logs in\n") {
		t.Error("the command is another one")
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z.]+)` \\|").FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("there is no %s: %v", m[1], err)
		}
	}
	program := filepath.Join(t.TempDir(), "webapp")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help, _ := exec.CommandContext(t.Context(), program, "-help").CombinedOutput() // its status does not matter
	for _, want := range []string{"127.0.0.1:8081", "-origins string"} {
		if !strings.Contains(string(help), want) {
			t.Errorf("the help has no %q:\n%s", want, help)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	self, _ := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(self+"/login", url.Values{"user": {"any name"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if len(res.Cookies()) == 0 {
		t.Errorf("the login gave %s and no cookie", res.Status)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the app ended with %v", err)
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
	token, _ := a.logins.newToken(login{user: "Ada", session: "s", expires: now.Add(sessionLife)})
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
	now = now.Add(time.Minute)
	late, life := a.logins.newToken(login{user: "Ada", session: "s", expires: now.Add(time.Second)})
	if life != time.Second {
		t.Errorf("at the end of a login: a token for %v", life)
	}
	now = now.Add(time.Second)
	if p, err := a.logins.VerifyToken(t.Context(), late, nil); err == nil {
		t.Errorf("after the login: got %v", p)
	}
}
