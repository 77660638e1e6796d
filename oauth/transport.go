// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
)

// NewTransport adds tokens of handler to the requests that base sends to resource and what is below
// it; to others it adds nothing. A request that the server refuses is made again with the token that
// handler gets then, once, if that is possible: streams cannot be sent twice. Before a stream without
// a token the server is asked, by an empty request, whether it wants one.
//
// A request that stays without a token fails with the handler's error, as a connect error with code
// unauthenticated. If base is nil, [http.DefaultTransport].
func NewTransport(resource string, handler auth.OAuthHandler, base http.RoundTripper) (http.RoundTripper, error) {
	u, err := (&Config{Resource: resource}).check()
	if err != nil {
		return nil, err
	}
	if handler == nil {
		return nil, errors.New("oauth: NewTransport without a handler")
	}
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{u, handler, base}, nil
}

type transport struct {
	resource *url.URL
	handler  auth.OAuthHandler
	base     http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.isBelow(r.URL) || r.Header.Get("Authorization") != "" {
		return t.base.RoundTrip(r)
	}
	again := r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
	first, err := t.authorized(r, again)
	if err != nil {
		closeBody(r)
		return nil, unauthenticated(err)
	}
	res, err := t.base.RoundTrip(first)
	if err != nil || !wantsAuthorization(res) {
		return res, err
	}
	if err := t.handler.Authorize(r.Context(), t.asResource(first), asHTTP(res)); err != nil {
		return nil, unauthenticated(err)
	}
	if !again {
		return nil, unauthenticated(errors.New("the server has refused the token, and there is another one now: make the call again"))
	}
	second, err := t.authorized(r, true)
	if err != nil {
		return nil, unauthenticated(err)
	}
	if r.GetBody != nil {
		if second.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return t.base.RoundTrip(second)
}

// isBelow tells whether a URL is the resource, or below it.
func (t *transport) isBelow(u *url.URL) bool {
	return isBelow(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path.Clean("/" + u.Path)}, t.resource)
}

// authorized is r with a token. For a stream without one the server is asked first.
func (t *transport) authorized(r *http.Request, again bool) (*http.Request, error) {
	token, err := t.token(r.Context())
	if err == nil && token == "" && !again {
		if err = t.ask(r); err == nil {
			token, err = t.token(r.Context())
		}
	}
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	if token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	return out, nil
}

// token is the access token, empty if there is none.
func (t *transport) token(ctx context.Context) (string, error) {
	source, err := t.handler.TokenSource(ctx)
	if err != nil || source == nil {
		return "", err
	}
	token, err := source.Token()
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(token.Type(), "bearer") {
		return "", fmt.Errorf("the token is of the type %q", token.Type())
	}
	return token.AccessToken, nil
}

// ask finds out by a request without a message whether the server wants a token, and gets one.
func (t *transport) ask(r *http.Request) error {
	question := r.Clone(r.Context())
	question.Body, question.ContentLength = http.NoBody, 0
	res, err := t.base.RoundTrip(question)
	if err != nil {
		return nil //nolint:nilerr // the request itself meets it, and says what it is
	}
	if wantsAuthorization(res) {
		return t.handler.Authorize(r.Context(), t.asResource(question), asHTTP(res)) //nolint:bodyclose // it closes the body
	}
	return res.Body.Close()
}

// wantsAuthorization tells whether a response is a refusal that a token may help against. RPCs have
// status 200; what they have in any case is the challenge.
func wantsAuthorization(res *http.Response) bool {
	c := challengeOf(res.Header)
	if res.StatusCode == http.StatusUnauthorized {
		return c.isForTokens()
	}
	return c.bearer && c.isForTokens() && (c.code != "" || res.StatusCode < http.StatusBadRequest || res.StatusCode == http.StatusForbidden)
}

// asHTTP gives a refusal the status that it has over HTTP.
func asHTTP(res *http.Response) *http.Response {
	out := *res
	if out.StatusCode < http.StatusBadRequest {
		out.StatusCode = http.StatusUnauthorized
		if challengeOf(res.Header).code == insufficientScope {
			out.StatusCode = http.StatusForbidden
		}
	}
	return &out
}

// asResource is a request for the resource, whatever RPC r is for.
func (t *transport) asResource(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.URL = t.resource
	return out
}

func unauthenticated(err error) error {
	code := connect.CodeUnauthenticated
	switch {
	case errors.Is(err, context.Canceled):
		code = connect.CodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		code = connect.CodeDeadlineExceeded
	case errors.Is(err, ErrScope):
		code = connect.CodePermissionDenied
	}
	return connect.NewError(code, err)
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
