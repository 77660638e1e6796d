// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/authntest"
)

// issuerOf gives an issuer with a key, and a JWT that accepts its tokens.
func issuerOf(t *testing.T, key *authntest.Key) (*authntest.Issuer, *JWT) {
	t.Helper()
	as := authntest.New(testIssuer, testResource, key)
	v, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{{URL: testIssuer, Algorithms: []string{"EdDSA"}}}, Transport: as})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return as, v
}

// flood sends n bad tokens that only their signature gives away.
func flood(t *testing.T, v *JWT, n int, token func(i int) string) {
	t.Helper()
	for i := range n {
		if p, err := verify(v, token(i)); p != nil || err == nil {
			t.Fatalf("got %v, %v", p, err)
		}
	}
}

func TestJWKSFlood(t *testing.T) {
	t.Parallel()
	evil := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "EdDSA"))
	for _, test := range []struct {
		name   string
		tokens func() func(i int) string
	}{
		{"keys that are not there", func() func(int) string {
			_, rest, _ := strings.Cut(evil.Token(nil), ".")
			return func(i int) string {
				header := fmt.Appendf(nil, `{"alg":"EdDSA","typ":"at+jwt","kid":"random%d"}`, i)
				return base64.RawURLEncoding.EncodeToString(header) + "." + rest
			}
		}},
		{"a key that is there, with a wrong signature", func() func(int) string {
			tokens := []string{evil.Token(nil), evil.Token(claims{"jti": "2"}), evil.Token(claims{"jti": "3"})}
			return func(i int) string { return tokens[i%len(tokens)] }
		}},
		{"garbage for signature", func() func(int) string {
			token := evil.Token(nil)
			token = token[:strings.LastIndexByte(token, '.')]
			return func(int) string { return token + ".AAAA" }
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				as, v := issuerOf(t, authntest.NewKey("k1", "EdDSA"))
				flood(t, v, 10_000, test.tokens())
				if n := as.Fetches(); n > 3 {
					t.Errorf("10,000 bad tokens caused %d fetches", n)
				}
				if p, err := verify(v, as.Token(nil)); err != nil || p == nil {
					t.Errorf("a good token in the flood: got %v, %v", p, err)
				}
				// The issuer rotates while the flood goes on.
				as.SetKeys(authntest.NewKey("k2", "EdDSA"))
				next := as.Token(nil)
				began := time.Now()
				for {
					flood(t, v, 10, test.tokens())
					if p, err := verify(v, next); p != nil {
						break
					} else if !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrInvalidCredential) {
						t.Fatalf("got %v", err)
					}
					time.Sleep(100 * time.Millisecond) // of the bubble's clock
				}
				if took := time.Since(began); took > jwksInterval+time.Second {
					t.Errorf("the new key was known after %v", took)
				}
			})
		})
	}
}

func TestJWKSRotation(t *testing.T) {
	t.Parallel()
	old, next := authntest.NewKey("old", "EdDSA"), authntest.NewKey("next", "EdDSA")
	reused := authntest.NewKey("old", "EdDSA")
	for _, test := range []struct {
		name   string
		keys   []*authntest.Key // the first signs
		within time.Duration
		oldToo bool // the old key's tokens are still good, for now
	}{
		{"both for a while", []*authntest.Key{next, old}, 0, true},
		{"a hard cut", []*authntest.Key{next}, 0, false},
		{"a new key with the old one's id", []*authntest.Key{reused}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				as, v := issuerOf(t, old)
				before := as.Token(nil)
				if _, err := verify(v, before); err != nil {
					t.Fatal(err)
				}
				as.SetKeys(test.keys...)
				if _, err := verify(v, as.Token(nil)); err != nil {
					t.Errorf("the new key's token: got %v", err)
				}
				if _, err := verify(v, before); (err == nil) != test.oldToo {
					t.Errorf("the old key's token, which was cached: got %v, want good: %t", err, test.oldToo)
				}
			})
		})
	}
}

func TestJWKSWithdrawal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old, next := authntest.NewKey("old", "EdDSA"), authntest.NewKey("next", "EdDSA")
		as, v := issuerOf(t, old)
		stolen := as.Token(claims{"exp": authntest.In(7200)})
		if _, err := verify(v, stolen); err != nil {
			t.Fatal(err)
		}
		as.SetKeys(next) // nothing else asks for the keys
		began := time.Now()
		for time.Since(began) < 2*jwksTTL {
			if _, err := verify(v, stolen); err != nil {
				break
			}
			synctest.Wait()
			time.Sleep(time.Minute) // of the bubble's clock
		}
		if took := time.Since(began); took > jwksRefresh+2*time.Minute {
			t.Errorf("a withdrawn key was good for %v", took)
		}
	})
}

// TestJWKSOutage pins that an issuer that is down costs nobody a good token.
func TestJWKSOutage(t *testing.T) {
	t.Parallel()
	text := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Location", "http://169.254.169.254/keys")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"500", text(500, "application/json", "SECRET")},
		{"a redirect", text(302, "application/json", "")},
		{"HTML", text(200, "text/html", "<html>SECRET")},
		{"JSON that is none", text(200, "application/json", "SECRET")},
		{"no keys", text(200, "application/json", `{"keys":[]}`)},
		{"an answer without end", text(200, "application/json", `{"keys":["`+strings.Repeat("a", maxFetchBytes)+`"]}`)},
		{"too many keys", text(200, "application/json", `{"keys":[`+strings.Repeat("{},", maxJWKs)+`{}]}`)},
		{"it hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				as, v := issuerOf(t, authntest.NewKey("k1", "EdDSA"))
				long := as.Token(claims{"exp": authntest.In(7200)})
				unavailable := func(when, token string) {
					t.Helper()
					_, err := verify(v, token)
					if !errors.Is(err, ErrUnavailable) {
						t.Errorf("%s: got %v, want unavailable", when, err)
					}
					if err != nil && strings.Contains(err.Error(), "SECRET") {
						t.Errorf("%s: the error has the issuer's answer: %v", when, err)
					}
				}
				as.Break(test.answer)
				began := time.Now()
				unavailable("cold", long)
				if took := time.Since(began); took > 3*fetchTimeout {
					t.Errorf("it took %v to say so", took)
				}
				requests := as.Requests("/.well-known/oauth-authorization-server")
				for range 1000 {
					unavailable("cold, again", long)
				}
				if n := as.Requests("/.well-known/oauth-authorization-server") - requests; n > 0 {
					t.Errorf("an issuer that is down was asked %d times at once", n)
				}
				as.Break(nil)
				time.Sleep(lastBackoff) // of the bubble's clock
				if _, err := verify(v, long); err != nil {
					t.Fatalf("when it is back: got %v", err)
				}
				as.Break(test.answer)
				if _, err := verify(v, as.Token(claims{"jti": "another"})); err != nil {
					t.Errorf("a known key: got %v", err)
				}
				time.Sleep(jwksRefresh + time.Minute)
				if _, err := verify(v, long); err != nil {
					t.Errorf("a known key, after a while: got %v", err)
				}
				time.Sleep(jwksTTL)
				unavailable("when the keys are too old", long)
				if outside := as.Outside(); len(outside) > 0 {
					t.Errorf("it was led to %q", outside)
				}
			})
		})
	}
}

func TestJWKSSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		as := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "EdDSA"))
		v, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{{URL: testIssuer, JWKSURL: testIssuer + "/keys", Algorithms: []string{"EdDSA"}}}, Transport: as})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		jwks := as.JWKS()
		as.Break(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second) // of the bubble's clock
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = w.Write(jwks)
		})
		var all sync.WaitGroup
		for i := range 100 {
			token := as.Token(claims{"jti": fmt.Sprint(i)})
			all.Go(func() {
				if _, err := verify(v, token); err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if n := as.Fetches(); n != 1 {
			t.Errorf("the keys were fetched %d times", n)
		}
	})
}

func TestParseJWKS(t *testing.T) {
	t.Parallel()
	key := authntest.NewKey("good", "ES256")
	good, err := json.Marshal(key.JWK())
	if err != nil {
		t.Fatal(err)
	}
	member := func(extra string) string { return string(good[:len(good)-1]) + "," + extra + "}" }
	i := &Issuer{URL: testIssuer, Algorithms: []string{"ES256"}}
	for _, test := range []struct {
		name, keys string
		kids       int // -1: refused
		only       bool
	}{
		{"one key", string(good), 1, true},
		{"its algorithm", member(`"alg":"ES256"`), 1, true},
		{"another algorithm", member(`"alg":"ES384"`), -1, false},
		{"for encryption", strings.Replace(string(good), `"sig"`, `"enc"`, 1), -1, false},
		{"a key that is broken beside it", string(good) + `,{"kty":"RSA","kid":"b","n":"AA","e":"AQAB"}`, 1, true},
		{"a short RSA key beside it", string(good) + `,{"kty":"RSA","kid":"b","n":"` + strings.Repeat("_", 171) + `","e":"AQAB"}`, 1, true},
		{"a symmetric key beside it", string(good) + `,{"kty":"oct","kid":"good","k":"AAAA"}`, 1, true},
		{"a kind that nobody knows beside it", string(good) + `,{"kty":"PQC","kid":"b"},1,"x",null`, 1, true},
		{"a symmetric key alone", `{"kty":"oct","kid":"a","k":"AAAA"}`, -1, false},
		{"two with one id", string(good) + "," + string(good), 1, false},
	} {
		s, err := parseJWKS([]byte(`{"keys":[`+test.keys+`]}`), i, time.Now())
		if test.kids < 0 {
			if err == nil {
				t.Errorf("%s: got %v", test.name, s)
			}
			continue
		}
		if err != nil || len(s.verifiers) != test.kids || (s.only != nil) != test.only {
			t.Errorf("%s: got %+v, %v", test.name, s, err)
		}
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	key := authntest.NewKey("k1", "EdDSA")
	const doc = `{"issuer":"https://login.as.example/tenant","jwks_uri":"%s"}`
	for _, test := range []struct {
		name string
		at   string // the path that has the metadata
		doc  string
		good bool
	}{
		{"RFC 8414", "/.well-known/oauth-authorization-server/tenant", fmt.Sprintf(doc, "https://login.as.example/keys"), true},
		{"OpenID, like RFC 8414", "/.well-known/openid-configuration/tenant", fmt.Sprintf(doc, "https://login.as.example/keys"), true},
		{"OpenID", "/tenant/.well-known/openid-configuration", fmt.Sprintf(doc, "https://login.as.example/keys"), true},
		{"another host of the site", "/.well-known/oauth-authorization-server/tenant", fmt.Sprintf(doc, "https://keys.as.example/keys"), true},
		{"another site", "/.well-known/oauth-authorization-server/tenant", fmt.Sprintf(doc, "https://evil.example/keys"), false},
		{"keys over http", "/.well-known/oauth-authorization-server/tenant", fmt.Sprintf(doc, "http://login.as.example/keys"), false},
		{"another issuer", "/.well-known/oauth-authorization-server/tenant", `{"issuer":"https://login.as.example","jwks_uri":"https://login.as.example/keys"}`, false},
		{"the issuer with a slash", "/.well-known/oauth-authorization-server/tenant", `{"issuer":"https://login.as.example/tenant/","jwks_uri":"https://login.as.example/keys"}`, false},
		{"nowhere", "/metadata", fmt.Sprintf(doc, "https://login.as.example/keys"), false},
	} {
		as := authntest.New("https://login.as.example/tenant", testResource, key)
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", "application/json")
			switch r.URL.Path {
			case test.at:
				_, _ = w.WriteString(test.doc)
			case "/keys":
				_, _ = w.Write(as.JWKS())
			default:
				w.WriteHeader(http.StatusNotFound)
			}
			return w.Result(), nil
		})
		v, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{{URL: as.URL, Algorithms: []string{"EdDSA"}}}, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify(v, as.Token(nil)); (err == nil) != test.good || (err != nil && !errors.Is(err, ErrUnavailable)) {
			t.Errorf("%s: got %v, want good: %t", test.name, err, test.good)
		}
		v.Close()
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCachesAreBounded(t *testing.T) {
	t.Parallel()
	c := newCache[int, int](100)
	now := time.Now()
	for i := range 1_000_000 {
		c.put(i, i, now.Add(time.Hour))
		c.get(0, now) // is used all the time, and stays
	}
	if n := c.len(); n != 100 {
		t.Errorf("the cache holds %d values", n)
	}
	for key, want := range map[int]bool{0: true, 1: false, 999_999: true} {
		if _, ok := c.get(key, now); ok != want {
			t.Errorf("value %d: got %t, want %t", key, ok, want)
		}
	}
	if _, ok := c.get(0, now.Add(time.Hour)); ok || c.len() != 99 {
		t.Error("a value lives longer than it may")
	}
}

func FuzzParseJWKS(f *testing.F) {
	as := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "EdDSA"))
	f.Add(as.JWKS())
	i := &Issuer{URL: testIssuer, Algorithms: []string{"EdDSA"}}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseJWKS(text, i, time.Now())
		if err == nil && len(s.verifiers) == 0 {
			t.Error("a set without keys was accepted")
		}
	})
}
