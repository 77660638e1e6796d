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
		if e.asked > 2+2*introspectionRate {
			t.Errorf("a flood caused %d requests", e.asked)
		}
		ask("in the flood", "b", ErrUnavailable, e.asked)
	})
}

// TestIntrospectionFlood: who makes tokens up keeps nobody else out, and good tokens of one address,
// that of a proxy for example, are not counted.
func TestIntrospectionFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, e := introspection(t, nil, func(token string) (int, any) {
			return 200, active(claims{"active": strings.HasPrefix(token, "good")})
		})
		ask := func(token, from string) error {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = from
			_, err := v.VerifyToken(t.Context(), token, r)
			return err
		}
		for i := range 10_000 {
			_ = ask(fmt.Sprint("bad", i), fmt.Sprintf("192.0.2.1:%d", i+1))
			_ = ask(fmt.Sprint("bad6-", i), fmt.Sprintf("[2001:db8::%x]:1", i+1))
		}
		if most := 2 * 2 * callerIntrospectionRate; e.asked > most {
			t.Errorf("two networks with made-up tokens caused %d requests, want %d at the most", e.asked, most)
		}
		if err := ask("good of another", "192.0.2.2:1"); err != nil {
			t.Errorf("another address gave %v", err)
		}
		if err := ask("good of the same", "192.0.2.1:1"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("the address of the flood gave %v", err)
		}
		time.Sleep(time.Second) // of the bubble's clock
		for i := range 2 * introspectionRate {
			if i%introspectionRate == 0 {
				time.Sleep(time.Second)
			}
			if err := ask(fmt.Sprint("good", i), "192.0.2.3:1"); err != nil {
				t.Fatalf("good token %d of one address gave %v", i, err)
			}
		}
	})
}

// TestCallersDoNotFillMemory with tokens, keys and addresses of their own, nor by being many: what is
// kept of each is forgotten.
func TestCallersDoNotFillMemory(t *testing.T) {
	t.Parallel()
	v, _ := introspection(t, nil, func(token string) (int, any) {
		return 200, active(claims{"sub": token, "active": strings.HasPrefix(token, "good")})
	})
	keys, err := NewAPIKeys(nil, testKey(t, APIKey{ID: "k1", Subject: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	m := mustMiddleware(t, Config{Authenticators: []Authenticator{Bearer{v}, keys}})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	check := func(name, value string, i int) error {
		r.RemoteAddr = fmt.Sprintf("%d.%d.%d.%d:1", i>>24&255, i>>16&255, i>>8&255, i&255)
		r.Header = http.Header{name: {value}}
		_, err := m.Check(r)
		return err
	}
	for i := range 6 * maxCachedTokens { // TestCachesAreBounded has a million
		guess := fmt.Sprintf("mcp_test_k%d_%043d", i, i)
		sum := checksum(guess)
		if err := check(headerAPIKey, guess+"_"+string(sum[:]), i); !errors.Is(err, ErrInvalidCredential) {
			t.Fatalf("a guess gave %v", err)
		}
		_ = check(headerAuthorization, fmt.Sprint("Bearer bad", i), i)
	}
	v.limit = newCallerLimit(1<<30, 1<<30)
	for i := range maxCachedTokens + 1000 {
		if err := check(headerAuthorization, fmt.Sprint("Bearer good", i), i); err != nil {
			t.Fatal(err)
		}
	}
	if n, of := v.answers.len(), v.limit.byAddr.len(); n > maxCachedTokens || of > maxLimitedCallers {
		t.Errorf("%d tokens and %d addresses are known", n, of)
	}
	if n := len(keys.set.Load().byID); n != 1 {
		t.Errorf("there are %d keys", n)
	}
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
