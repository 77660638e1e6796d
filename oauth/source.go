// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"golang.org/x/oauth2"
)

const (
	// early is how long before its end a token is refreshed: a call takes a while, and clocks differ.
	early = 30 * time.Second
	// maxLogins is how many logins there are within loginWindow. A server that refuses what it has
	// asked for would have a person log in for ever.
	maxLogins   = 3
	loginWindow = time.Minute
)

// A Source gets the tokens for one server. It is safe for concurrent use: of many calls that need a
// login, one logs in and the others wait.
type Source struct {
	cfg      Config
	resource *url.URL
	http     *http.Client

	// good is the last credential known, for those who need no more than its token.
	good atomic.Pointer[Credential]

	turn chan struct{} // held by who uses what follows
	// credential is the last one known, nil for none.
	credential *Credential
	logins     []time.Time
	// asked are the scopes that were asked for since the server wanted them beside those of a token,
	// if it did, which steppedUp says.
	asked     []string
	steppedUp bool
	// fresh is the token that the last refresh has given, and freshened when.
	fresh     string
	freshened time.Time
}

var _ auth.OAuthHandler = (*Source)(nil)

// New gives the source of tokens that cfg describes. It fails if cfg is wrong, and connects to
// nothing yet.
func New(cfg Config) (*Source, error) {
	resource, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if cfg.Store == nil {
		cfg.Store = new(memory)
	}
	client := cfg.HTTPClient
	if client == nil {
		client = newHTTPClient(resource, cfg.RootCAs, cfg.AllowPrivate)
	}
	return &Source{cfg: cfg, resource: resource, http: client, turn: make(chan struct{}, 1)}, nil
}

// take waits until nobody else uses the source.
func (s *Source) take(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A bound gives tokens as long as a context lasts.
type bound struct {
	ctx    context.Context
	source *Source
}

// Token implements [oauth2.TokenSource].
func (b bound) Token() (*oauth2.Token, error) {
	t, err := b.source.Token(b.ctx)
	if err == nil && t == nil {
		err = fmt.Errorf("%w at %s", ErrLoginRequired, b.source.resource)
	}
	return t, err
}

// TokenSource implements [auth.OAuthHandler]. It is nil as long as there is no token. Tokens are to
// be taken from it while ctx lasts.
func (s *Source) TokenSource(ctx context.Context) (oauth2.TokenSource, error) {
	t, err := s.Token(ctx)
	if err != nil || t == nil {
		return nil, err
	}
	return bound{ctx, s}, nil
}

// Token gives a token that is good for a while, refreshed if need be. It is nil if somebody has to
// log in. Its error is one of the store, or of reaching the authorization server: the credential is
// kept then.
//
// Who has a good token does not wait for others who log in.
func (s *Source) Token(ctx context.Context) (*oauth2.Token, error) {
	if c := s.good.Load(); c.isGood() {
		return c.Token, nil
	}
	release, err := s.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if s.credential.isGood() {
		return s.credential.Token, nil
	}
	if err := s.load(ctx); err != nil { // another process may have got one
		return nil, err
	}
	if s.credential.isGood() {
		return s.credential.Token, nil
	}
	if refreshed, err := s.refresh(ctx); err != nil || !refreshed {
		return nil, err
	}
	return s.credential.Token, nil
}

// isGood tells whether there is a token that lasts. It may be called on nil.
func (c *Credential) isGood() bool {
	if c == nil || c.Token == nil {
		return false
	}
	t := c.Token
	margin := early
	if t.ExpiresIn > 0 { // short ones would never be good
		margin = min(margin, time.Duration(t.ExpiresIn)*time.Second/2)
	}
	return t.AccessToken != "" && (t.Expiry.IsZero() || time.Until(t.Expiry) > margin)
}

func (s *Source) key() string { return s.resource.String() }

func (s *Source) load(ctx context.Context) error {
	load := s.cfg.Store.Load
	if id := s.cfg.Client; id != nil && id.Issuer != "" {
		load = func(ctx context.Context, resource string) (*Credential, error) {
			return s.cfg.Store.LoadOf(ctx, resource, id.Issuer)
		}
	}
	c, err := load(ctx, s.key())
	if err != nil {
		return err
	}
	if c != nil && !covers(c.Resource, s.resource) {
		c = nil
	}
	s.credential = c // none after a logout elsewhere
	s.good.Store(c)
	return nil
}

func (s *Source) save(ctx context.Context, c *Credential) error {
	s.credential = c
	s.good.Store(c)
	return s.cfg.Store.Save(ctx, s.key(), c)
}

// Authorize implements [auth.OAuthHandler]: it gets a token for a request that the server has
// refused with res, whose body it closes. It returns nil if there is another token now, or if no
// token would help: the request is to be made again, once.
//
// Its error is [ErrLoginRequired] if nobody can log in, [ErrScope] if the scopes that the server
// wants were asked for already, and says otherwise what has gone wrong.
func (s *Source) Authorize(ctx context.Context, req *http.Request, res *http.Response) error {
	if res.Body != nil {
		_, _ = io.CopyN(io.Discard, res.Body, maxFetchBytes) // so that the connection can be used again
		_ = res.Body.Close()
	}
	c := challengeOf(res.Header)
	more := c.code == insufficientScope
	if res.StatusCode == http.StatusForbidden && !more || !c.isForTokens() {
		return nil
	}
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	used := bearerOf(req)
	if s.credential.isGood() && s.credential.Token.AccessToken != used {
		return nil // somebody has got another one meanwhile
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	if s.credential.isGood() && s.credential.Token.AccessToken != used {
		return nil // another process has
	}
	if more && s.steppedUp && containsAll(s.asked, c.scopes) {
		return fmt.Errorf("%w: %q", ErrScope, strings.Join(c.scopes, " "))
	}
	justNow := used == s.fresh && time.Since(s.freshened) < loginWindow
	if !more && used != "" && !justNow {
		if refreshed, err := s.refresh(ctx); err != nil || refreshed {
			return err
		}
	}
	return s.login(ctx, c)
}

// Login has somebody log in, whether there is a token or not.
func (s *Source) Login(ctx context.Context) error {
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.load(ctx); err != nil {
		s.credential = nil // what cannot be read is replaced
	}
	s.asked, s.steppedUp = nil, false
	return s.login(ctx, s.ask(ctx))
}

// Logout forgets the credential. The authorization server is not told.
func (s *Source) Logout(ctx context.Context) error {
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.asked, s.steppedUp = nil, false
	return s.save(ctx, nil)
}

func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return token
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
}

// union adds what is missing, and keeps the order.
func union(all, more []string) []string {
	all = slices.Clone(all)
	for _, m := range more {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// mayLogin bounds how often a person is asked, and for how many tokens one asks that are refused.
func (s *Source) mayLogin() error {
	if s.cfg.Unattended && !s.credential.isGood() {
		return nil // it has ended, or is the first
	}
	s.logins = slices.DeleteFunc(s.logins, func(t time.Time) bool { return time.Since(t) > loginWindow })
	if len(s.logins) >= maxLogins {
		return fmt.Errorf("oauth: %d logins within %v have not helped to be let in by %s", maxLogins, loginWindow, s.resource)
	}
	s.logins = append(s.logins, time.Now())
	return nil
}

// refresh gets a token without anybody's help, if that is possible. Of several processes one does, and
// the others take what it has got: a refresh token is good once. What has begun is finished, however
// soon the call ends that needed it.
func (s *Source) refresh(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	if locker, ok := s.cfg.Store.(Locker); ok {
		before := s.credential
		unlock, err := locker.Lock(ctx, s.key())
		if err != nil {
			return false, err
		}
		defer unlock()
		if err := s.load(ctx); err != nil {
			return false, err
		}
		if s.credential.isGood() && (before == nil || before.Token == nil || before.Token.AccessToken != s.credential.Token.AccessToken) {
			return true, nil
		}
	}
	c := s.credential
	if c == nil || c.Token == nil || c.Token.RefreshToken == "" {
		return false, nil
	}
	token, err := s.exchangeRefresh(ctx, c)
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch e.ErrorCode {
		case "invalid_grant":
			return false, s.forget(ctx, c)
		case "invalid_client", "unauthorized_client":
			if c.Client.Dynamic { // it can register again
				return false, s.save(ctx, &Credential{Resource: c.Resource, Issuer: c.Issuer})
			}
		}
	}
	if err != nil {
		return false, fmt.Errorf("oauth: refreshing the token for %s: %w", s.resource, redacted(err))
	}
	if token.RefreshToken == "" {
		token.RefreshToken = c.Token.RefreshToken
	}
	fresh := *c
	fresh.Token = token
	if scopes := scopesOf(token); scopes != nil {
		fresh.Scopes = scopes
	}
	s.fresh, s.freshened = token.AccessToken, time.Now()
	return true, s.save(ctx, &fresh)
}

// forget keeps who we are at the authorization server, and no token.
func (s *Source) forget(ctx context.Context, c *Credential) error {
	empty := *c
	empty.Token = nil
	return s.save(ctx, &empty)
}

// scopesOf are the scopes that the token endpoint names, nil for none.
func scopesOf(t *oauth2.Token) []string {
	text, _ := t.Extra("scope").(string)
	if text == "" {
		return nil // as they were asked for (RFC 6749 §5.1)
	}
	return strings.Fields(text)
}

// redacted leaves out what an authorization server has answered, which may hold secrets.
func redacted(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the token endpoint answered with status %d: %q %q", e.Response.StatusCode, e.ErrorCode, e.ErrorDescription)
	}
	return err
}
