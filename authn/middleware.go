// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"

	connectauthn "connectrpc.com/authn"
	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"golang.org/x/time/rate"
)

// Config says what a [Middleware] does.
type Config struct {
	// Authenticators recognise callers. At least one is needed.
	Authenticators []Authenticator
	// Metadata is what challenges point to. If nil they say just the scheme.
	Metadata *Metadata
	// Policy is asked for its baseline, before a request's body is read. If nil, every
	// caller that is known gets through.
	Policy *Policy
	// Logger is told why callers were refused, and who they claimed to be as far as that
	// was checked; never a credential. If nil, [slog.Default] is used. Of a flood it gets
	// some, and how many more there were.
	Logger *slog.Logger
	// HandlerOptions are those of the Connect handlers behind: refusals are written as
	// these would.
	HandlerOptions []connect.HandlerOption
	// Unbounded leaves it to the handlers behind to end with the caller's credential, by
	// [UntilEnd] and [WithTimeout]. By default the context of each request ends with it.
	Unbounded bool
}

// A Middleware lets authenticated requests through, and refuses others before their body
// is read, in the protocol that they speak: gRPC, gRPC-Web, Connect or plain HTTP. It is
// safe for concurrent use.
type Middleware struct {
	cfg    Config
	scheme string // of the challenge; empty for none
	log    *sampledLog
}

// NewMiddleware makes a Middleware. It fails if there is no authenticator, or one is nil.
func NewMiddleware(cfg Config) (*Middleware, error) {
	if len(cfg.Authenticators) == 0 {
		return nil, errNoAuthenticators
	}
	m := &Middleware{cfg: cfg, log: newSampledLog(cfg.Logger)}
	m.cfg.Authenticators = slices.Clone(cfg.Authenticators)
	for i, a := range m.cfg.Authenticators {
		if a == nil {
			return nil, fmt.Errorf("authenticator %d is nil", i)
		}
		if s := a.Scheme(); s == "Bearer" || m.scheme == "" {
			m.scheme = s
		}
	}
	return m, nil
}

// Check says who sent r. Errors wrap [ErrInvalidCredential], [ErrMalformedCredential] or
// [ErrUnavailable], or none of them if r has no credential. Their text is for logs only.
func (m *Middleware) Check(r *http.Request) (*Principal, error) {
	return authenticate(r.Context(), r, m.cfg.Authenticators)
}

// Wrap gives a handler that calls next for authenticated requests, with their
// [Principal] in the context, and without their credentials: [FromContext] finds it, [connectauthn.GetInfo] does, and
// the SDK's auth.TokenInfoFromContext finds it as a TokenInfo.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	if !m.cfg.Unbounded {
		next = bound(next)
	}
	checked := connectauthn.NewMiddleware(m.authenticate, m.cfg.HandlerOptions...).Wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		checked.ServeHTTP(w, r.WithContext(&attempt{Context: r.Context(), response: w}))
	})
}

// An attempt is the context of a request while it is authenticated, and below that of all
// that it does: it holds what the SDK knows the caller by.
type attempt struct {
	context.Context

	response http.ResponseWriter // nil once the caller is let in
	caller   *Principal
}

func (a *attempt) Value(key any) any {
	if key == sdkTokenKey && a.caller != nil {
		return a.caller.TokenInfo()
	}
	return a.Context.Value(key)
}

// authenticate is the AuthFunc below Wrap.
func (m *Middleware) authenticate(ctx context.Context, r *http.Request) (any, error) {
	a, ok := ctx.(*attempt)
	if !ok {
		return nil, refusedUnavailable.connectError(nil, nil) // not called by Wrap
	}
	p, err := m.Check(r)
	if err != nil {
		return nil, m.refuse(a.response, r, err)
	}
	if err := m.cfg.Policy.admit(p); err != nil {
		return nil, m.forbid(a.response, r, p, err)
	}
	a.caller, a.response = p, nil
	// r is Wrap's own. Whoever sees the rest of it must not pass credentials on.
	r.Header = withoutCredentials(r.Header)
	return p, nil
}

// forbid gives the error for a caller that lacks the baseline.
func (m *Middleware) forbid(w http.ResponseWriter, r *http.Request, p *Principal, err *jsonrpc.Error) error {
	m.log.refused(r, fmt.Errorf("%s: %w", p.ID(), err))
	h := unread(w, r)
	denied := m.cfg.Metadata.Explain(p, err)
	forbidden := connect.NewError(connect.CodePermissionDenied, errors.New(denied.Message))
	m.cfg.Metadata.StepUp(denied, h, forbidden)
	return forbidden
}

// refuse gives the error for the caller, and sets the challenge: a header, since HTTP/2 has
// no place for it in trailers.
func (m *Middleware) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	m.log.refused(r, err)
	refused := refusalFor(err)
	scopes := m.cfg.Policy.baseline()
	h := unread(w, r)
	switch {
	case !refused.challenge:
		h.Set("Retry-After", "5")
	case m.scheme == "Bearer":
		h.Set("Www-Authenticate", m.cfg.Metadata.Challenge(refused.oauth, scopes))
	case m.scheme != "":
		h.Set("Www-Authenticate", m.scheme)
	}
	return refused.connectError(m.cfg.Metadata, scopes)
}

// unread makes ready to answer a request whose body nobody will read, and gives the header
// of the answer. On HTTP/1.1 the server would wait for the body first; and once it does not,
// it must not use the connection again: it reads what is left of the body after the answer,
// and then panics, because it reads the next request at the same time. On HTTP/2 such a
// header would end the whole connection.
func unread(w http.ResponseWriter, r *http.Request) http.Header {
	if r.ProtoMajor < 2 && r.ContentLength != 0 {
		_ = http.NewResponseController(w).EnableFullDuplex() // not supported: there is nothing to wait for
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Cache-Control", "no-store")
	return w.Header()
}

// withoutCredentials gives headers without what callers authenticate by.
func withoutCredentials(h http.Header) http.Header {
	h = maps.Clone(h)
	delete(h, headerAuthorization)
	delete(h, headerAPIKey)
	delete(h, "Proxy-Authorization")
	return h
}

// bound ends requests with their caller's credential.
func bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := UntilEnd(r.Context())
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// A sampledLog tells of refusals, without being a way to fill the disk.
type sampledLog struct {
	logger  *slog.Logger
	limiter *rate.Limiter
	skipped atomic.Int64
}

func newSampledLog(logger *slog.Logger) *sampledLog {
	if logger == nil {
		logger = slog.Default()
	}
	return &sampledLog{logger: logger, limiter: rate.NewLimiter(1, 20)}
}

// refused logs why a request was refused.
func (l *sampledLog) refused(r *http.Request, err error) {
	if !l.limiter.Allow() {
		l.skipped.Add(1)
		return
	}
	attrs := []slog.Attr{slog.String("reason", err.Error()), slog.String("peer", r.RemoteAddr)}
	if n := l.skipped.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("more_refused_before", n))
	}
	l.logger.LogAttrs(r.Context(), slog.LevelInfo, "request refused", attrs...)
}
