// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An endpoint answers introspection requests.
type endpoint struct {
	t      *testing.T
	answer func(token string) (int, any)
	asked  int
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.asked++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	id, secret, _ := r.BasicAuth()
	if err != nil || r.Method != http.MethodPost || r.URL.String() != "https://as.example/introspect" || id != "mcp" || secret != "s%3Acret" || r.URL.RawQuery != "" {
		e.t.Errorf("got the request %s %s %s by %q %q", r.Method, r.URL, body, id, secret)
	}
	status, answer := e.answer(form.Get("token"))
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
	return w.Result(), nil
}

func introspection(t *testing.T, change func(*IntrospectionConfig), answer func(token string) (int, any)) (*Introspection, *endpoint) {
	t.Helper()
	e := &endpoint{t: t, answer: answer}
	cfg := IntrospectionConfig{
		Issuer: Issuer{URL: testIssuer}, Endpoint: "https://as.example/introspect",
		ClientID: "mcp", ClientSecret: "s:cret", Resource: testResource, Transport: e,
	}
	if change != nil {
		change(&cfg)
	}
	v, err := NewIntrospection(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v, e
}

// active gives what an endpoint says of a good token, with changes.
func active(changes claims) claims {
	c := claims{"active": true, "sub": "ann", "aud": testResource, "client_id": "app", "scope": "read", "exp": time.Now().Unix() + 600}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*IntrospectionConfig)
		status int
		answer any
		err    error
	}{
		{"active", nil, 200, active(nil), nil},
		{"active, and of the issuer", nil, 200, active(claims{"iss": testIssuer}), nil},
		{"not active", nil, 200, claims{"active": false}, ErrInvalidCredential},
		{"not said whether active", nil, 200, active(claims{"active": nil}), ErrInvalidCredential},
		{"active in a string", nil, 200, active(claims{"active": "true"}), ErrInvalidCredential},
		{"active in another case", nil, 200, active(claims{"active": false, "Active": true}), ErrInvalidCredential},
		{"of another issuer", nil, 200, active(claims{"iss": "https://evil.example"}), ErrInvalidCredential},
		{"for another server", nil, 200, active(claims{"aud": "https://other.example"}), ErrInvalidCredential},
		{"for nobody in particular", nil, 200, active(claims{"aud": nil}), ErrInvalidCredential},
		{"for nobody in particular, where that is right", func(c *IntrospectionConfig) { c.AllowMissingAudience = true }, 200, active(claims{"aud": nil}), nil},
		{"for another server, where that is right", func(c *IntrospectionConfig) { c.AllowMissingAudience = true }, 200, active(claims{"aud": "x"}), ErrInvalidCredential},
		{"expired", nil, 200, active(claims{"exp": time.Now().Unix() - 61}), ErrInvalidCredential},
		{"without end", nil, 200, active(claims{"exp": nil}), ErrInvalidCredential},
		{"nobody's", nil, 200, active(claims{"sub": nil}), ErrInvalidCredential},
		{"bound to a certificate", nil, 200, active(claims{"cnf": claims{"x5t#S256": "x"}}), ErrInvalidCredential},
		{"a server that is down", nil, 503, "SECRET", ErrUnavailable},
		{"our credentials are wrong", nil, 401, "SECRET", ErrUnavailable},
		{"an answer that is none", nil, 200, []string{"SECRET"}, ErrUnavailable},
	} {
		v, _ := introspection(t, test.change, func(string) (int, any) { return test.status, test.answer })
		p, err := v.VerifyToken(t.Context(), "opaque", httptest.NewRequest(http.MethodPost, "/", nil))
		if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
			t.Errorf("%s: got %v, %v, want %v", test.name, p, err, test.err)
		}
		if err == nil && (p.ID() != testIssuer+"|ann" || p.Method != MethodIntrospection) {
			t.Errorf("%s: got %+v", test.name, p)
		}
		if err != nil && (strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "opaque")) {
			t.Errorf("%s: the error says too much: %v", test.name, err)
		}
	}
}

func TestIntrospectionCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		revoked := false
		v, e := introspection(t, nil, func(string) (int, any) { return 200, active(claims{"active": !revoked}) })
		ask := func(when, token string, want error, asked int) {
			t.Helper()
			_, err := v.VerifyToken(t.Context(), token, httptest.NewRequest(http.MethodPost, "/", nil))
			if !errors.Is(err, want) || e.asked != asked {
				t.Errorf("%s: got %v after %d requests, want %v after %d", when, err, e.asked, want, asked)
			}
		}
		ask("first", "a", nil, 1)
		ask("again", "a", nil, 1)
		revoked = true
		ask("just revoked", "a", nil, 1)
		time.Sleep(tokenCacheTime) // of the bubble's clock
		ask("a minute later", "a", ErrInvalidCredential, 2)
		ask("once more", "a", ErrInvalidCredential, 2)
		for i := range 10_000 {
			_, _ = v.VerifyToken(t.Context(), fmt.Sprint("flood", i), httptest.NewRequest(http.MethodPost, "/", nil))
		}
		if e.asked > 2+introspectionBurst {
			t.Errorf("a flood caused %d requests", e.asked)
		}
		ask("in the flood", "b", ErrUnavailable, e.asked)
	})
}

func TestIntrospectionMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*IntrospectionConfig)
		want   string
	}{
		{"no endpoint", func(c *IntrospectionConfig) { c.Endpoint = "" }, "https"},
		{"an http endpoint", func(c *IntrospectionConfig) { c.Endpoint = "http://as.example/introspect" }, "https"},
		{"no secret", func(c *IntrospectionConfig) { c.ClientSecret = "" }, "ClientSecret"},
		{"no audience", func(c *IntrospectionConfig) { c.Resource = "" }, "audience"},
		{"no issuer", func(c *IntrospectionConfig) { c.Issuer.URL = "" }, "https"},
	} {
		cfg := IntrospectionConfig{Issuer: Issuer{URL: testIssuer}, Endpoint: "https://as.example/introspect", ClientID: "mcp", ClientSecret: "s", Resource: testResource}
		test.change(&cfg)
		if _, err := NewIntrospection(cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
}

func FuzzIntrospectionAnswer(f *testing.F) {
	f.Add([]byte(`{"active":true,"sub":"ann","aud":["https://mcp.example.com/base"],"exp":4000000000}`))
	f.Add([]byte(`{"active":true,"active":false}`))
	i := Issuer{URL: testIssuer}
	if err := i.complete(testResource); err != nil {
		f.Fatal(err)
	}
	v := &Introspection{cfg: IntrospectionConfig{Issuer: i}}
	f.Fuzz(func(t *testing.T, text []byte) {
		t.Parallel()
		var c claims
		if json.Unmarshal(text, &c) != nil {
			return
		}
		if p, _, err := v.judge(&parsedJWT{typ: "at+jwt", claims: c}, time.Now()); err == nil && (p.Subject == "" || p.Expires.IsZero()) {
			t.Errorf("got %+v", p)
		}
	})
}
