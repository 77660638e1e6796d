// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
)

const (
	cookieName  = "pantry_session"
	sessionLife = time.Hour
	// methodPage says how callers of the tools were authenticated.
	methodPage authn.Method = "page-token"
)

// logins knows who is logged in, by the session cookie, and hands out tokens for the page's
// calls. MCP never sees the cookie: a request that a page of others forges has no token.
type logins struct {
	tokenLife time.Duration
	now       func() time.Time

	mu       sync.Mutex
	sessions map[string]login
	tokens   map[string]login
}

type login struct {
	user    string
	session string
	expires time.Time
}

var _ authn.TokenVerifier = (*logins)(nil)

func newLogins(tokenLife time.Duration) *logins {
	return &logins{tokenLife: tokenLife, now: time.Now, sessions: map[string]login{}, tokens: map[string]login{}}
}

// VerifyToken implements [authn.TokenVerifier].
func (l *logins) VerifyToken(_ context.Context, token string, _ *http.Request) (*authn.Principal, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tokens[token]
	if !ok || !l.now().Before(t.expires) {
		return nil, fmt.Errorf("%w: the page's token has ended", authn.ErrInvalidCredential)
	}
	return &authn.Principal{Subject: t.user, Method: methodPage, Expires: t.expires}, nil
}

func (l *logins) open(user string) (session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropOld()
	session = rand.Text()
	l.sessions[session] = login{user: user, session: session, expires: l.now().Add(sessionLife)}
	return session
}

func (l *logins) user(r *http.Request) (login, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return login{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.sessions[cookie.Value]
	return s, ok && l.now().Before(s.expires)
}

// end forgets a session and the tokens that were given to its pages.
func (l *logins) end(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, session)
	maps.DeleteFunc(l.tokens, func(_ string, t login) bool { return t.session == session })
}

// newToken gives a page of a login a token, and how long it is good: never longer than the login.
func (l *logins) newToken(s login) (token string, life time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropOld()
	token = rand.Text()
	life = min(l.tokenLife, s.expires.Sub(l.now()))
	s.expires = l.now().Add(life)
	l.tokens[token] = s
	return token, life
}

func (l *logins) dropOld() {
	old := func(_ string, s login) bool { return !l.now().Before(s.expires) }
	maps.DeleteFunc(l.sessions, old)
	maps.DeleteFunc(l.tokens, old)
}

// loggedIn lets those in who are, and sends others to the login.
func (a *app) loggedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := a.logins.user(r); !ok {
			http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.Path}}.Encode(), http.StatusSeeOther)
			return
		}
		next(w, r)
	}
}

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, "login.html", localPath(r.FormValue("next")))
}

// login believes every name: this is an example. It keeps to the app's own paths.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user := strings.TrimSpace(r.PostFormValue("user"))
	if user == "" || len(user) > maxName {
		http.Error(w, "user: give 1 to 40 bytes", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure with TLS; without it the example runs on loopback
		Name: cookieName, Value: a.logins.open(user), Path: "/", MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	http.Redirect(w, r, localPath(r.PostFormValue("next")), http.StatusSeeOther)
}

// localPath keeps redirects on this host: "//evil.example" is another one to browsers.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return "/"
	}
	return next
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	if s, ok := a.logins.user(r); ok {
		a.logins.end(s.session)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}) //nolint:gosec // as in login
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// token gives a page of the app a token for its calls.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	s, ok := a.logins.user(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	token, life := a.logins.newToken(s)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(struct { //nolint:errchkjson,gosec // it is the answer's purpose; an error means that the client is gone
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}{token, "Bearer", int(life.Seconds())})
}
