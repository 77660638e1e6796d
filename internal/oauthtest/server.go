// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package oauthtest has an authorization server for tests, and people who log in to it.
package oauthtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
)

// An AuthorizationServer has people log in, and takes nothing for granted: codes and refresh tokens
// are good once, and each request has to say what the specifications ask for; what it does not like
// fails the test. Fields are read and changed within Set while anybody may use the server.
type AuthorizationServer struct {
	URL string
	// Metadata is what it says of itself (RFC 8414).
	Metadata map[string]any
	// Deny is the error that logins end with, and Iss who their answers say they are of; empty for
	// none.
	Deny, Iss string
	// Lifetime is that of tokens, in seconds. If negative clients are told that they have ended, and they
	// are good.
	Lifetime int
	// Down makes the token endpoint answer with status 503.
	Down bool
	// Fail is the error that the token endpoint answers with, empty for none.
	Fail string
	// Silent leaves the scopes out of its answers.
	Silent bool
	// Scopes are those that are given at most; nil for all.
	Scopes []string

	// Logins are the questions that there were, Clients what clients said when they registered, and
	// Grants the grant types of the token requests.
	Logins  []url.Values
	Clients []map[string]any
	Grants  []string
	// Codes and RefreshTokens are those that nobody has used, with the logins they are from, and Tokens
	// the access tokens that are good, with their scopes.
	Codes, RefreshTokens map[string]url.Values
	Tokens               map[string][]string
	ends                 map[string]time.Time

	t  testing.TB
	mu sync.Mutex
}

// NewAuthorizationServer serves one until the test ends.
func NewAuthorizationServer(t testing.TB) *AuthorizationServer {
	t.Helper()
	as := &AuthorizationServer{
		t: t, Lifetime: 3600, Codes: map[string]url.Values{}, RefreshTokens: map[string]url.Values{}, Tokens: map[string][]string{}, ends: map[string]time.Time{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		as.mu.Lock()
		defer as.mu.Unlock()
		writeJSON(w, http.StatusOK, as.Metadata)
	})
	mux.HandleFunc("GET /authorize", as.authorize)
	mux.HandleFunc("POST /token", as.token)
	mux.HandleFunc("POST /register", as.register)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	as.URL = server.URL
	as.Iss = as.URL
	as.Metadata = map[string]any{
		"issuer":                                         as.URL,
		"authorization_endpoint":                         as.URL + "/authorize",
		"token_endpoint":                                 as.URL + "/token",
		"registration_endpoint":                          as.URL + "/register",
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"none", "client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
		"scopes_supported":                               []string{"read", "write", "offline_access"},
	}
	return as
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) //nolint:forbidigo // a mistake of the test
	}
	_, _ = w.Write(text)
}

// Set changes something that the server looks at.
func (as *AuthorizationServer) Set(change func()) {
	as.mu.Lock()
	defer as.mu.Unlock()
	change()
}

func (as *AuthorizationServer) register(w http.ResponseWriter, r *http.Request) {
	var m map[string]any
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		as.t.Errorf("registering: %v", err)
	}
	as.mu.Lock()
	defer as.mu.Unlock()
	as.Clients = append(as.Clients, m)
	m["client_id"] = fmt.Sprintf("client-%d", len(as.Clients))
	writeJSON(w, http.StatusCreated, m)
}

func (as *AuthorizationServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	as.mu.Lock()
	defer as.mu.Unlock()
	as.Logins = append(as.Logins, q)
	for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			as.t.Errorf("authorizing: %s is %q", name, q.Get(name))
		}
	}
	for _, c := range as.Clients {
		if uris, _ := c["redirect_uris"].([]any); c["client_id"] == q.Get("client_id") && !slices.Contains(uris, any(q.Get("redirect_uri"))) {
			as.t.Errorf("authorizing: %s is registered for %v, and not for %s", c["client_id"], uris, q.Get("redirect_uri"))
		}
	}
	for _, name := range []string{"state", "code_challenge", "resource", "client_id", "redirect_uri"} {
		if q.Get(name) == "" {
			as.t.Errorf("authorizing: there is no %s", name)
		}
	}
	answer := url.Values{"state": {q.Get("state")}}
	if as.Iss != "" {
		answer.Set("iss", as.Iss)
	}
	if as.Deny != "" {
		answer.Set("error", as.Deny)
	} else {
		code := rand.Text()
		as.Codes[code] = q
		answer.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound) //nolint:gosec // to whom has asked: the test
}

func (as *AuthorizationServer) token(w http.ResponseWriter, r *http.Request) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.Down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if as.Fail != "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": as.Fail})
		return
	}
	if err := r.ParseForm(); err != nil {
		as.t.Error(err)
	}
	f := r.PostForm
	as.Grants = append(as.Grants, f.Get("grant_type"))
	var login url.Values
	switch f.Get("grant_type") {
	case "authorization_code":
		login = as.Codes[f.Get("code")]
		delete(as.Codes, f.Get("code"))
		sum := sha256.Sum256([]byte(f.Get("code_verifier")))
		if login != nil && (base64.RawURLEncoding.EncodeToString(sum[:]) != login.Get("code_challenge") || f.Get("redirect_uri") != login.Get("redirect_uri")) {
			as.t.Error("the code is somebody else's")
			login = nil
		}
	case "refresh_token":
		login = as.RefreshTokens[f.Get("refresh_token")]
		delete(as.RefreshTokens, f.Get("refresh_token"))
	case "client_credentials":
		if id, secret, ok := r.BasicAuth(); ok && id == "machine" && secret == "secret" && f.Get("resource") != "" {
			login = f
			f.Set("client_id", id)
		}
	default:
		as.t.Errorf("grant_type is %q", f.Get("grant_type"))
	}
	if login == nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	if f.Get("resource") != login.Get("resource") || f.Get("client_id") != login.Get("client_id") {
		as.t.Errorf("a token for the resource %q of the client %q, and the login was for %q of %q",
			f.Get("resource"), f.Get("client_id"), login.Get("resource"), login.Get("client_id"))
	}
	scopes := strings.Fields(login.Get("scope"))
	if as.Scopes != nil {
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return !slices.Contains(as.Scopes, s) })
	}
	access, refresh := rand.Text(), rand.Text()
	as.Tokens[access], as.ends[access] = scopes, time.Now().Add(time.Duration(as.Lifetime)*time.Second)
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": as.Lifetime}
	if f.Get("grant_type") != "client_credentials" { // RFC 6749 §4.4.3
		as.RefreshTokens[refresh] = login
		answer["refresh_token"] = refresh
	}
	if !as.Silent {
		answer["scope"] = strings.Join(scopes, " ")
	}
	writeJSON(w, http.StatusOK, answer)
}

// Revoke makes all access tokens worthless.
func (as *AuthorizationServer) Revoke() { as.Set(func() { clear(as.Tokens) }) }

// Granted gives the scopes of a token, and whether it is good.
func (as *AuthorizationServer) Granted(token string) ([]string, bool) {
	as.mu.Lock()
	defer as.mu.Unlock()
	scopes, good := as.Tokens[token]
	return scopes, good
}

var _ authn.TokenVerifier = (*AuthorizationServer)(nil)

// skew is the time that servers give a token beyond its end: without, tests would wait for it.
const skew = time.Minute

// VerifyToken knows the tokens that are good.
func (as *AuthorizationServer) VerifyToken(_ context.Context, token string, _ *http.Request) (*authn.Principal, error) {
	scopes, good := as.Granted(token)
	as.mu.Lock()
	ends := as.ends[token].Add(-skew)
	timeless := as.Lifetime < 0
	as.mu.Unlock()
	p := &authn.Principal{Subject: "ann", Issuer: as.URL, Scopes: scopes, Method: authn.MethodIntrospection, Expires: ends}
	if timeless { // for tests in which clients refresh all the time
		p.Expires = time.Time{}
	}
	if !good || !p.Expires.IsZero() && time.Now().After(ends.Add(skew)) {
		return nil, authn.ErrInvalidCredential
	}
	return p, nil
}

// Browse is a person who opens a page, and agrees to everything.
func Browse(ctx context.Context, page string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return err
	}
	go func() { // the answer goes to who waits for it after this
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	return nil
}
