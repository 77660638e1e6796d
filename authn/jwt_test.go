// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/authntest"
)

const (
	testIssuer   = "https://as.example"
	testResource = "https://mcp.example.com/base"
)

type claims = authntest.Claims

// newIssuer gives an issuer, and a JWT that accepts its tokens.
func newIssuer(t testing.TB, change func(*Issuer)) (*authntest.Issuer, *JWT) {
	t.Helper()
	as := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "ES256"))
	i := Issuer{URL: testIssuer, Algorithms: []string{"ES256"}}
	if change != nil {
		change(&i)
	}
	v, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{i}, Transport: as})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return as, v
}

func verify(v *JWT, token string) (*Principal, error) {
	return v.VerifyToken(context.Background(), token, httptest.NewRequest(http.MethodPost, "/", nil))
}

func TestJWTPrincipal(t *testing.T) {
	t.Parallel()
	as, v := newIssuer(t, nil)
	p, err := verify(v, as.Token(nil))
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != testIssuer+"|ann" || p.ClientID != "app" || strings.Join(p.Scopes, " ") != "read write" ||
		p.Method != MethodJWT || p.CredentialID != "token-1" || time.Until(p.Expires) > 10*time.Minute || p.Claims["sub"] != "ann" {
		t.Errorf("got %+v", p)
	}
}

// TestJWTAccepted has tokens that must get in.
func TestJWTAccepted(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	for _, test := range []struct {
		name           string
		issuer         func(*Issuer)
		header, claims claims
	}{
		{"a token of RFC 9068", nil, nil, nil},
		{"the type with application/", nil, claims{"typ": "application/at+jwt"}, nil},
		{"the type in capitals", nil, claims{"typ": "AT+JWT"}, nil},
		{"one of several audiences", nil, nil, claims{"aud": []string{"https://other.example", testResource}}},
		{"another audience of ours", func(i *Issuer) { i.Audiences = []string{"https://mcp.example.com"} }, nil, claims{"aud": "https://mcp.example.com/"}},
		{"just expired", nil, nil, claims{"exp": authntest.In(-50)}},
		{"a little in the future", nil, nil, claims{"iat": authntest.In(50), "nbf": authntest.In(50)}},
		{"without times but the end", nil, nil, claims{"iat": nil, "nbf": nil}},
		{"an end with a fraction", nil, nil, claims{"exp": float64(now) + 60.5}},
		{"no key id where there is one key", nil, claims{"kid": nil}, nil},
		{"no scope", nil, nil, claims{"scope": nil}},
		{"a plain JWT where it is allowed", func(i *Issuer) { i.Types = []string{"JWT"} }, claims{"typ": "JWT"}, nil},
		{"a JWT without type where it is allowed", func(i *Issuer) { i.Types = []string{""} }, claims{"typ": nil}, claims{"client_id": nil, "azp": "app"}},
		{"the client that is allowed", func(i *Issuer) { i.Clients = []string{"app"} }, nil, nil},
		{"scopes as an array in another claim", func(i *Issuer) { i.ScopeClaim = "scp" }, nil, claims{"scp": []string{"read", "write"}}},
		{"a tenant", func(i *Issuer) { i.TenantClaim = "tid" }, nil, claims{"tid": "acme"}},
		{"a long life where it is allowed", func(i *Issuer) { i.MaxLifetime = 100 * time.Hour }, nil, claims{"exp": authntest.In(99 * 3600)}},
		{"an ID token where nothing else is to be had", func(i *Issuer) {
			i.InsecureIDTokens, i.Clients, i.GroupScopes = true, []string{"app"}, map[string][]string{"staff": {"read"}}
		}, claims{"typ": nil}, claims{"client_id": nil, "azp": "app", "at_hash": "x", "nonce": "y", "scope": nil, "groups": []string{"staff"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			as, v := newIssuer(t, test.issuer)
			p, err := verify(v, as.TokenWith(test.header, test.claims))
			if err != nil || p == nil {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
}

// TestJWTRefused has tokens with a good signature, or none, that must not get in. Most
// must not make us fetch anything.
func TestJWTRefused(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	for _, test := range []struct {
		name           string
		issuer         func(*Issuer)
		header, claims claims
	}{
		{"alg none", nil, claims{"alg": "none"}, nil},
		{"alg nOnE", nil, claims{"alg": "nOnE"}, nil},
		{"no alg", nil, claims{"alg": nil}, nil},
		{"alg in an array", nil, claims{"alg": []string{"ES256"}}, nil},
		{"another algorithm of the family", nil, claims{"alg": "ES384"}, nil},
		{"another family", nil, claims{"alg": "RS256"}, nil},
		{"a symmetric algorithm", nil, claims{"alg": "HS256"}, nil},
		{"an ID token's type", nil, claims{"typ": "JWT"}, nil},
		{"no type", nil, claims{"typ": nil}, nil},
		{"a logout token", nil, claims{"typ": "logout+jwt"}, nil},
		{"an ID-JAG", nil, claims{"typ": "oauth-id-jag+jwt"}, nil},
		{"a DPoP proof", nil, claims{"typ": "dpop+jwt"}, nil},
		{"a client assertion", nil, claims{"typ": "client-authentication+jwt"}, nil},
		{"a type that begins right", nil, claims{"typ": "at+jwt2"}, nil},
		{"a key in the header", nil, claims{"jwk": claims{"kty": "oct", "k": "AA"}}, nil},
		{"where a key is", nil, claims{"jku": "https://evil.example/keys"}, nil},
		{"where a certificate is", nil, claims{"x5u": "https://evil.example/cert"}, nil},
		{"a certificate", nil, claims{"x5c": []string{"AA"}}, nil},
		{"a critical extension", nil, claims{"crit": []string{"b64"}, "b64": false}, nil},
		{"a payload that is not encoded", nil, claims{"b64": false}, nil},
		{"compression", nil, claims{"zip": "DEF"}, nil},
		{"a nested token", nil, claims{"cty": "JWT"}, nil},
		{"a member that looks like alg", nil, claims{"Alg": "none"}, nil},
		{"a key id in an array", nil, claims{"kid": []string{"k1"}}, nil},
		{"an empty key id", nil, claims{"kid": ""}, nil},
		{"a very long key id", nil, claims{"kid": strings.Repeat("k", 129)}, nil},
		{"no audience", nil, nil, claims{"aud": nil}},
		{"an empty audience", nil, nil, claims{"aud": ""}},
		{"an empty array of audiences", nil, nil, claims{"aud": []string{}}},
		{"a number for audience", nil, nil, claims{"aud": 1}},
		{"a number among audiences", nil, nil, claims{"aud": []any{testResource, 1}}},
		{"another audience", nil, nil, claims{"aud": "https://other.example"}},
		{"a prefix of the audience", nil, nil, claims{"aud": "https://mcp.example.com"}},
		{"an audience below ours", nil, nil, claims{"aud": testResource + "/x"}},
		{"the audience with a slash", nil, nil, claims{"aud": testResource + "/"}},
		{"the audience in capitals", nil, nil, claims{"aud": "https://MCP.example.com/base"}},
		{"the audience with its port", nil, nil, claims{"aud": "https://mcp.example.com:443/base"}},
		{"the audience with an escape", nil, nil, claims{"aud": "https://mcp.example.com/%62ase"}},
		{"the audience over http", nil, nil, claims{"aud": "http://mcp.example.com/base"}},
		{"expired", nil, nil, claims{"exp": authntest.In(-61)}},
		{"no end", nil, nil, claims{"exp": nil}},
		{"an end in milliseconds", nil, nil, claims{"exp": (now + 600) * 1000}},
		{"an end in a string", nil, nil, claims{"exp": fmt.Sprint(now + 600)}},
		{"an end out of this world", nil, nil, claims{"exp": 1e300}},
		{"an end at 0", nil, nil, claims{"exp": 0}},
		{"an end before 1970", nil, nil, claims{"exp": -1}},
		{"a life that is too long", nil, nil, claims{"exp": authntest.In(24*3600 + 120)}},
		{"not yet valid", nil, nil, claims{"nbf": authntest.In(3600)}},
		{"not yet valid, in a string", nil, nil, claims{"nbf": "0"}},
		{"issued in the future", nil, nil, claims{"iat": authntest.In(3600)}},
		{"no subject", nil, nil, claims{"sub": nil}},
		{"an empty subject", nil, nil, claims{"sub": ""}},
		{"a number for subject", nil, nil, claims{"sub": 1}},
		{"a subject with a line break", nil, nil, claims{"sub": "ann\nroot"}},
		{"a claim that looks like aud", nil, nil, claims{"Aud": "https://other.example"}},
		{"a claim that looks like sub", nil, nil, claims{"SUB": "root"}},
		{"a claim that folds to iss", nil, nil, claims{"iſs": "https://evil.example"}},
		{"scopes in an array with spaces", nil, nil, claims{"scope": []any{"read", 1}}},
		{"scopes with a tab between", nil, nil, claims{"scope": "read\twrite"}},
		{"scopes with a no-break space", nil, nil, claims{"scope": "read\u00a0write"}},
		{"scopes in an object", nil, nil, claims{"scope": claims{"read": true}}},
		{"bound by DPoP", nil, nil, claims{"cnf": claims{"jkt": "x"}}},
		{"bound by both", nil, nil, claims{"cnf": claims{"jkt": "x", "x5t#S256": "y"}}},
		{"bound to nothing", nil, nil, claims{"cnf": claims{}}},
		{"bound in a way that is none", nil, nil, claims{"cnf": "x"}},
		{"an ID token where plain JWTs are allowed", func(i *Issuer) { i.Types = []string{"JWT"} }, claims{"typ": "JWT"}, claims{"nonce": "x"}},
		{"an ID token with a hash", func(i *Issuer) { i.Types = []string{"JWT"} }, claims{"typ": "JWT"}, claims{"at_hash": "x"}},
		{"a plain JWT without client", func(i *Issuer) { i.Types = []string{"JWT"} }, claims{"typ": "JWT"}, claims{"client_id": nil}},
		{"a client that is not allowed", func(i *Issuer) { i.Clients = []string{"other"} }, nil, nil},
		{"an ID token of a client that is not allowed", func(i *Issuer) {
			i.InsecureIDTokens, i.Clients = true, []string{"other"}
		}, claims{"typ": nil}, claims{"client_id": nil, "azp": "app"}},
		{"no tenant", func(i *Issuer) { i.TenantClaim = "tid" }, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			as, v := newIssuer(t, test.issuer)
			p, err := verify(v, as.TokenWith(test.header, test.claims))
			if p != nil || !errors.Is(err, ErrInvalidCredential) {
				t.Errorf("got %v, %v, want that it is refused", p, err)
			}
			if n, outside := as.Fetches(), as.Outside(); n != 0 || len(outside) != 0 {
				t.Errorf("it caused %d fetches, and %q", n, outside)
			}
		})
	}
}

// TestJWTWrongBytes has what is no proper JWT, or is signed by somebody else.
func TestJWTWrongBytes(t *testing.T) {
	t.Parallel()
	as, v := newIssuer(t, nil)
	good := as.Token(nil)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	other := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "ES256"))
	payload := func(text string) string {
		return as.Raw([]byte(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`), []byte(text))
	}
	public, err := x509.MarshalPKIXPublicKey(authntest.NewKey("k1", "RS256").Public())
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"k1","typ":"at+jwt"}`)) + "." + body
		m := hmac.New(sha256.New, key)
		m.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	unusedBits := signature[:len(signature)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", signature[len(signature)-1])^1])
	full, err := json.Marshal(as.Claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	double := func(extra string) string { return "{" + extra + "," + string(full[1:]) }
	for _, test := range []struct {
		name, token string
		unknown     bool // another verifier may know it
	}{
		{"opaque", "abc", true},
		{"dots", ".....", true},
		{"no dots but many", strings.Repeat(".", 8000), true},
		{"two segments", head + "." + body, true},
		{"encrypted", good + ".a.b", true},
		{"the header is not JSON", "YWJj." + body + "." + signature, true},
		{"the header is an array", base64.RawURLEncoding.EncodeToString([]byte("[]")) + "." + body + "." + signature, true},
		{"the header is null", base64.RawURLEncoding.EncodeToString([]byte("null")) + "." + body + "." + signature, true},
		{"JSON serialization", `{"payload":"` + body + `"}`, true},
		{"another issuer", as.Token(claims{"iss": "https://evil.example"}), true},
		{"the issuer with a slash", as.Token(claims{"iss": testIssuer + "/"}), true},
		{"the issuer over http", as.Token(claims{"iss": "http://as.example"}), true},
		{"a prefix of the issuer", as.Token(claims{"iss": "https://as.exampl"}), true},
		{"no issuer", as.Token(claims{"iss": nil}), true},
		{"not signed", head + "." + body + ".", false},
		{"padding", head + "." + body + "." + signature + "=", false},
		{"a changed bit that nobody reads", head + "." + body + "." + unusedBits, false},
		{"half a signature", head + "." + body + "." + signature[:43], false},
		{"garbage for signature", head + "." + body + ".AAAA", false},
		{"the key of somebody else with our id", other.Token(nil), false},
		{"signed with the public key, DER", mac(public), false},
		{"signed with the public key, PEM", mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), false},
		{"claims that are not JSON", payload("abc"), false},
		{"claims that are null", payload("null"), false},
		{"claims in an array", payload("[]"), false},
		{"two subjects", payload(double(`"sub":"root"`)), false},
		{"two audiences", payload(double(`"aud":"https://other.example"`)), false},
		{"something behind the claims", payload(string(full) + "{}"), false},
		{"a null byte for key id", as.TokenWith(claims{"kid": "\x00"}, nil), false},
		{"a path for key id", as.TokenWith(claims{"kid": "../../dev/null"}, nil), false},
		{"SQL for key id", as.TokenWith(claims{"kid": "' OR 1=1 --"}, nil), false},
	} {
		p, err := verify(v, test.token)
		if p != nil || (!test.unknown && !errors.Is(err, ErrInvalidCredential) && !errors.Is(err, ErrUnavailable)) || (test.unknown && err != nil) {
			t.Errorf("%s: got %v, %v", test.name, p, err)
		}
	}
	if p, err := verify(v, good); err != nil || p == nil {
		t.Errorf("the good one: got %v, %v", p, err)
	}
	if n := as.Fetches(); n > jwksBurst {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestJWTIssuersApart(t *testing.T) {
	t.Parallel()
	a := authntest.New("https://a.example", testResource, authntest.NewKey("k1", "ES256"))
	b := authntest.New("https://b.example", testResource, authntest.NewKey("k1", "ES256"))
	v, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{
		{URL: a.URL, JWKS: a.JWKS(), Algorithms: []string{"ES256"}},
		{URL: b.URL, JWKS: b.JWKS(), Algorithms: []string{"ES256"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		token string
		id    string
	}{
		{"a's", a.Token(nil), "https://a.example|ann"},
		{"b's", b.Token(nil), "https://b.example|ann"},
		{"a's key for b", a.Token(claims{"iss": b.URL}), ""},
		{"b's key for a", b.Token(claims{"iss": a.URL}), ""},
	} {
		for range 2 { // from the cache, too
			p, err := verify(v, test.token)
			if (test.id == "") != errors.Is(err, ErrInvalidCredential) || (p != nil && p.ID() != test.id) {
				t.Errorf("%s: got %v, %v, want %q", test.name, p, err, test.id)
			}
		}
	}
}

func TestJWTCacheEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		as, v := newIssuer(t, nil)
		token := as.Token(claims{"exp": authntest.In(30)})
		for _, step := range []struct {
			after time.Duration
			good  bool
		}{{0, true}, {29 * time.Second, true}, {60 * time.Second, true}, {time.Second, false}} {
			time.Sleep(step.after) // of the bubble's clock
			if _, err := verify(v, token); (err == nil) != step.good {
				t.Errorf("got %v, want good: %t", err, step.good)
			}
		}
	})
}

func TestJWTMistakes(t *testing.T) {
	t.Parallel()
	good := func() Issuer { return Issuer{URL: testIssuer} }
	for _, test := range []struct {
		name   string
		change func(*Issuer)
		want   string
	}{
		{"no issuer URL", func(i *Issuer) { i.URL = "" }, "https"},
		{"a star for issuer", func(i *Issuer) { i.URL = "*" }, "https"},
		{"an http issuer", func(i *Issuer) { i.URL = "http://as.example" }, "https"},
		{"keys over http", func(i *Issuer) { i.JWKSURL = "http://as.example/keys" }, "https"},
		{"keys twice", func(i *Issuer) { i.JWKSURL, i.JWKS = testIssuer+"/keys", []byte("{}") }, "one of them"},
		{"keys that are none", func(i *Issuer) { i.JWKS = []byte("-----BEGIN") }, "JWK Set"},
		{"no keys", func(i *Issuer) { i.JWKS = []byte(`{"keys":[]}`) }, "no key"},
		{"an empty audience", func(i *Issuer) { i.Audiences = []string{""} }, "audience"},
		{"HS256", func(i *Issuer) { i.Algorithms = []string{"HS256"} }, "ES256"},
		{"none", func(i *Issuer) { i.Algorithms = []string{"RS256", "none"} }, "one family"},
		{"two families", func(i *Issuer) { i.Algorithms = []string{"RS256", "ES256"} }, "one family"},
		{"no algorithm", func(i *Issuer) { i.Algorithms = []string{} }, "one family"},
		{"ID tokens of everybody", func(i *Issuer) { i.InsecureIDTokens = true }, "Clients"},
		{"a scope that is none", func(i *Issuer) { i.GroupScopes = map[string][]string{"a": {"b c"}} }, "RFC 6749"},
		{"a negative lifetime", func(i *Issuer) { i.MaxLifetime = -1 }, "positive"},
	} {
		i := good()
		test.change(&i)
		if _, err := NewJWT(JWTConfig{Resource: testResource, Issuers: []Issuer{i}}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
	for name, cfg := range map[string]JWTConfig{
		"no issuer":        {Resource: testResource},
		"no audience":      {Issuers: []Issuer{good()}},
		"the issuer twice": {Resource: testResource, Issuers: []Issuer{good(), good()}},
	} {
		if _, err := NewJWT(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func FuzzParseJWT(f *testing.F) {
	as := authntest.New(testIssuer, testResource, authntest.NewKey("k1", "EdDSA"))
	f.Add(as.Token(nil))
	f.Add(as.TokenWith(claims{"crit": []string{"exp"}}, claims{"aud": []string{"a", "b"}, "scope": "a b"}))
	f.Add("e30.e30.AA")
	f.Add("..")
	i := Issuer{URL: testIssuer, Algorithms: []string{"EdDSA"}}
	if err := i.complete(testResource); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		parsed, err := parseJWT(token)
		if err != nil {
			if !errors.Is(err, errNotJWT) && !errors.Is(err, ErrInvalidCredential) {
				t.Errorf("got %v", err)
			}
			return
		}
		p, err := i.check(parsed, time.Now())
		if err == nil && (p.Subject == "" || p.Expires.IsZero() || !isPlain(p.Subject)) {
			t.Errorf("got %+v", p)
		}
		if err != nil && !errors.Is(err, ErrInvalidCredential) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkJWT(b *testing.B) {
	as, v := newIssuer(b, nil)
	m := mustMiddleware(b, Config{Authenticators: []Authenticator{Bearer{v}}, Unbounded: true})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer "+as.Token(claims{"exp": authntest.In(3600)}))
	benchmarkWarm(b, m, r)
}

// BenchmarkJWTRefused is what a bad token costs that has to be looked at most closely.
func BenchmarkJWTRefused(b *testing.B) {
	as, v := newIssuer(b, nil)
	token := as.Token(claims{"exp": 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verify(v, token); err == nil {
			b.Fatal("it was accepted")
		}
	}
}

// TestJWTAlgorithms checks each family with a key of its own, and under the name of another.
func TestJWTAlgorithms(t *testing.T) {
	t.Parallel()
	algorithms := []string{"RS256", "PS256", "ES256", "EdDSA"}
	for _, signed := range algorithms {
		as := authntest.New(testIssuer, testResource, authntest.NewKey("k1", signed))
		for _, allowed := range algorithms {
			v, err := NewJWT(JWTConfig{Resource: testResource, Transport: as, Issuers: []Issuer{{URL: testIssuer, Algorithms: []string{allowed}}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify(v, as.Token(nil)); (err == nil) != (signed == allowed) {
				t.Errorf("%s where %s is allowed: got %v", signed, allowed, err)
			}
			// The header names what is allowed, the signature is of another kind.
			if _, err := verify(v, as.TokenWith(claims{"alg": allowed}, nil)); (err == nil) != (signed == allowed) {
				t.Errorf("%s that says %s: got %v", signed, allowed, err)
			}
			v.Close()
		}
	}
}
