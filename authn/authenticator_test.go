// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestBearerToken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxTokenBytes)
	for _, test := range []struct {
		name   string
		values []string
		token  string
		err    error
	}{
		{"none", nil, "", nil},
		{"a token", []string{"Bearer abc"}, "abc", nil},
		{"the scheme in another case", []string{"bEARER abc"}, "abc", nil},
		{"all characters of a token", []string{"Bearer aZ09-._~+/=="}, "aZ09-._~+/==", nil},
		{"another scheme", []string{"Basic abc"}, "", nil},
		{"a scheme that begins like Bearer", []string{"BearerX abc"}, "", nil},
		{"a DPoP token", []string{"DPoP abc"}, "", nil},
		{"the scheme alone", []string{"Bearer"}, "", ErrMalformedCredential},
		{"no token", []string{"Bearer "}, "", ErrMalformedCredential},
		{"padding alone", []string{"Bearer =="}, "", ErrMalformedCredential},
		{"two spaces", []string{"Bearer  abc"}, "", ErrMalformedCredential},
		{"a tab", []string{"Bearer\tabc"}, "", ErrMalformedCredential},
		{"a space at the end", []string{"Bearer abc "}, "", ErrMalformedCredential},
		{"two tokens", []string{"Bearer abc def"}, "", ErrMalformedCredential},
		{"a list", []string{"Bearer abc, Bearer def"}, "", ErrMalformedCredential},
		{"padding in the middle", []string{"Bearer a=b"}, "", ErrMalformedCredential},
		{"a quote", []string{"Bearer \"abc\""}, "", ErrMalformedCredential},
		{"a character outside of ASCII", []string{"Bearer äbc"}, "", ErrMalformedCredential},
		{"the longest token", []string{"Bearer " + long}, long, nil},
		{"a token that is too long", []string{"Bearer " + long + "a"}, "", ErrInvalidCredential},
		{"an empty value", []string{""}, "", nil},
	} {
		token, err := bearerToken(http.Header{"Authorization": test.values})
		if token != test.token || !errors.Is(err, test.err) {
			t.Errorf("%s: got %.20q, %v, want %.20q, %v", test.name, token, err, test.token, test.err)
		}
	}
}

func TestCheckPresentation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		target string
		header http.Header
		bad    bool
	}{
		{"nothing", "/", nil, false},
		{"a token", "/", http.Header{"Authorization": {"Bearer a"}}, false},
		{"a key", "/", http.Header{"X-Mcp-Api-Key": {"a"}}, false},
		{"two tokens", "/", http.Header{"Authorization": {"Bearer a", "Bearer a"}}, true},
		{"another scheme first", "/", http.Header{"Authorization": {"Basic a", "Bearer a"}}, true},
		{"two keys", "/", http.Header{"X-Mcp-Api-Key": {"a", "a"}}, true},
		{"a token and a key", "/", http.Header{"Authorization": {"Bearer a"}, "X-Mcp-Api-Key": {"a"}}, true},
		{"an empty token and a key", "/", http.Header{"Authorization": {""}, "X-Mcp-Api-Key": {"a"}}, true},
		{"a binary token", "/", http.Header{"Authorization-Bin": {"YQ"}}, true},
		{"a binary key", "/", http.Header{"X-Mcp-Api-Key-Bin": {"YQ"}}, true},
		{"a Connect GET", "/?connect=v1&encoding=json&message=%7B%7D", nil, false},
		{"access_token", "/?access_token=a", nil, true},
		{"access_token beside a good header", "/?access_token=a", http.Header{"Authorization": {"Bearer a"}}, true},
		{"another case", "/?Access_Token=a", nil, true},
		{"an escape", "/?access%5Ftoken=a", nil, true},
		{"not the first parameter", "/?connect=v1&api_key=a", nil, true},
		{"behind a semicolon", "/?connect=v1;x-mcp-api-key=a", nil, true},
		{"without value", "/?token", nil, true},
		{"a space before", "/?%20token=a", nil, true},
		{"a broken escape", "/?token=%zz", nil, true},
		{"a name that only holds one", "/?tokens=a&message=token", nil, false},
	} {
		r := httptest.NewRequest(http.MethodGet, test.target, nil)
		r.Header = test.header
		if err := checkPresentation(r); errors.Is(err, ErrMalformedCredential) != test.bad {
			t.Errorf("%s: got %v, want malformed: %t", test.name, err, test.bad)
		}
	}
}

// A fixed authenticator gives what it holds.
type fixed struct {
	p   *Principal
	err error
}

func (f fixed) Authenticate(context.Context, *http.Request) (*Principal, error) { return f.p, f.err }
func (fixed) Scheme() string                                                    { return "" }

func TestAuthenticateCombines(t *testing.T) {
	t.Parallel()
	var (
		token   = &Principal{Subject: "ann", Method: MethodJWT}
		key     = &Principal{Subject: "bob", Method: MethodAPIKey}
		cert    = &Principal{Subject: "proxy", Method: MethodCertificate}
		peer    = &Principal{Subject: "uid:1", Method: MethodUnixPeer}
		expired = &Principal{Subject: "cid", Method: MethodAPIKey, Expires: time.Now().Add(-clockSkew - time.Second)}
		skewed  = &Principal{Subject: "dan", Method: MethodAPIKey, Expires: time.Now().Add(-clockSkew / 2)}
	)
	for _, test := range []struct {
		name           string
		all            []Authenticator
		caller, holder string
		err            error
	}{
		{"nobody", []Authenticator{fixed{}, fixed{}}, "", "", errAbsent},
		{"the second knows", []Authenticator{fixed{}, fixed{p: token}}, "ann", "", nil},
		{"a certificate alone", []Authenticator{fixed{p: cert}}, "proxy", "", nil},
		{"a token over a certificate", []Authenticator{fixed{p: cert}, fixed{p: token}}, "ann", "proxy", nil},
		{"in the other order", []Authenticator{fixed{p: token}, fixed{p: cert}}, "ann", "proxy", nil},
		{"two of the request", []Authenticator{fixed{p: token}, fixed{p: key}}, "", "", ErrMalformedCredential},
		{"two of the connection", []Authenticator{fixed{p: cert}, fixed{p: peer}}, "", "", ErrMalformedCredential},
		{"a bad one after a good one", []Authenticator{fixed{p: token}, fixed{err: ErrInvalidCredential}}, "", "", ErrInvalidCredential},
		{"a bad certificate under a good token", []Authenticator{fixed{err: invalid("two names")}, fixed{p: token}}, "", "", ErrInvalidCredential},
		{"one that cannot tell", []Authenticator{fixed{err: ErrUnavailable}, fixed{p: token}}, "", "", ErrUnavailable},
		{"an expired one", []Authenticator{fixed{p: expired}}, "", "", ErrInvalidCredential},
		{"one that has just expired", []Authenticator{fixed{p: skewed}}, "dan", "", nil},
	} {
		p, err := authenticate(t.Context(), httptest.NewRequest(http.MethodPost, "/", nil), test.all)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.err)
			continue
		}
		if err == nil && (p.Subject != test.caller || (test.holder != "") != (p.Connection != nil) ||
			(p.Connection != nil && p.Connection.Subject != test.holder)) {
			t.Errorf("%s: got %+v, want %s over %q", test.name, p, test.caller, test.holder)
		}
	}
	if token.Connection != nil {
		t.Error("a shared principal was changed")
	}
}

func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer a.b.c", "Bearer  a", "Bearer a, Bearer b", "Basic YQ==", "Bearer"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		token, err := bearerToken(http.Header{"Authorization": {value}})
		if token != "" && (err != nil || !isToken68(token) || value[len("bearer "):] != token) {
			t.Errorf("got %q, %v of %q", token, err, value)
		}
		if token != "" && strings.ContainsAny(token, " ,\t\r\n\"\x00") {
			t.Errorf("%q is no token", token)
		}
	})
}

func FuzzQueryHasCredential(f *testing.F) {
	for _, seed := range []string{"access_token=a", "a=b&Api_Key=c", "a;token=b", "%74oken=a", "=&&;;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query) // what a handler behind would read
		for name := range values {
			if strings.EqualFold(name, "access_token") && !queryHasCredential(query) {
				t.Errorf("the credential in %q was not found", query)
			}
		}
	})
}
