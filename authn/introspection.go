// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

// IntrospectionConfig says where tokens are looked up that only their issuer can read.
type IntrospectionConfig struct {
	// Issuer is the authorization server, and what its tokens look like. URL, Audiences,
	// Clients, ScopeClaim, TenantClaim, MaxLifetime and GroupScopes count; the rest is
	// about JWTs.
	Issuer Issuer
	// Endpoint is the introspection endpoint (RFC 7662 §2).
	Endpoint string
	// ClientID and ClientSecret are this server's own credentials there.
	ClientID, ClientSecret string
	// Resource is as in [JWTConfig].
	Resource string
	// AllowMissingAudience accepts tokens of which the endpoint does not say for whom they
	// are. It is right only if the endpoint itself says "active" of no others to this
	// client.
	AllowMissingAudience bool
	// Transport reaches the endpoint. If nil, [http.DefaultTransport].
	Transport http.RoundTripper
}

const (
	// introspectionRate bounds what anybody with many wrong tokens can make us ask, per second, and
	// twice as much at once; callerIntrospectionRate what one address can with wrong ones.
	introspectionRate       = 50
	callerIntrospectionRate = 10
)

// Introspection is the [TokenVerifier] for opaque tokens, which it looks up (RFC 7662). It
// takes every token for its own, so it stands last in a [Bearer]. An answer counts for a
// minute: so long does a revoked token live. It looks up 50 tokens a second that it does not know,
// and 10 of an address that turn out to be none: behind a proxy all callers have the address of the
// proxy. It is safe for concurrent use.
type Introspection struct {
	cfg     IntrospectionConfig
	fetcher fetcher
	limit   *callerLimit
	answers *cache[[sha256.Size]byte, answer]
}

var _ TokenVerifier = (*Introspection)(nil)

// An answer is what the endpoint has said of a token: whose it is, or why it is none.
type answer struct {
	principal *Principal
	boundTo   string
	refused   error
}

// NewIntrospection makes an Introspection. It fails for configurations that would accept
// what must not be accepted, and says what to write instead.
func NewIntrospection(cfg IntrospectionConfig) (*Introspection, error) {
	if _, err := secureURL(cfg.Endpoint); err != nil {
		return nil, fmt.Errorf("introspection: endpoint %q: %w", cfg.Endpoint, err)
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("introspection: ClientID and ClientSecret are needed: an endpoint that answers everybody tells thieves which tokens are good (RFC 7662 §2.1)")
	}
	if err := cfg.Issuer.complete(cfg.Resource); err != nil {
		return nil, fmt.Errorf("introspection: issuer %q: %w", cfg.Issuer.URL, err)
	}
	return &Introspection{
		cfg:     cfg,
		fetcher: newFetcher(cfg.Transport),
		limit:   newCallerLimit(callerIntrospectionRate, introspectionRate),
		answers: newCache[[sha256.Size]byte, answer](maxCachedTokens),
	}, nil
}

// VerifyToken implements [TokenVerifier].
func (v *Introspection) VerifyToken(ctx context.Context, token string, r *http.Request) (*Principal, error) {
	now := time.Now()
	sum := sha256.Sum256([]byte(token))
	known, ok := v.answers.get(sum, now)
	if !ok {
		var err error
		if known, err = v.limited(ctx, token, r, now); err != nil {
			return nil, fmt.Errorf("%w: introspection at %s: %w", ErrUnavailable, v.cfg.Issuer.URL, err)
		}
		until := now.Add(tokenCacheTime)
		if known.principal != nil {
			until = earlier(until, known.principal.end())
		}
		v.answers.put(sum, known, until)
	}
	switch {
	case known.refused != nil:
		return nil, known.refused
	case known.boundTo != "":
		if err := checkBinding(known.boundTo, r); err != nil {
			return nil, err
		}
	}
	return known.principal, nil
}

// limited asks the endpoint, if the caller has not asked for too much that is nothing.
func (v *Introspection) limited(ctx context.Context, token string, r *http.Request, now time.Time) (answer, error) {
	if !v.limit.take(r, now) {
		return answer{}, errors.New("too many tokens that are not known")
	}
	a, err := v.ask(ctx, token, now)
	if err == nil && a.principal != nil {
		v.limit.giveBack(r, now)
	}
	return a, err
}

// ask asks the endpoint. Its error says that there is no answer.
func (v *Introspection) ask(ctx context.Context, token string, now time.Time) (answer, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.cfg.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// RFC 6749 §2.3.1: both are form-encoded first.
	r.SetBasicAuth(url.QueryEscape(v.cfg.ClientID), url.QueryEscape(v.cfg.ClientSecret))
	body, err := v.fetcher.do(r)
	if err != nil {
		return answer{}, err
	}
	t := &parsedJWT{typ: "at+jwt"}
	if err := json.Unmarshal(body, &t.claims); err != nil {
		return answer{}, errors.New("the answer is not JSON")
	}
	p, boundTo, err := v.judge(t, now)
	if err != nil {
		return answer{refused: err}, nil //nolint:nilerr // a refusal is an answer
	}
	return answer{principal: sealed(p), boundTo: boundTo}, nil
}

// judge checks what the endpoint says as if the token had said it: that it is active does
// not mean that it is for us.
func (v *Introspection) judge(t *parsedJWT, now time.Time) (Principal, string, error) {
	i := v.cfg.Issuer
	if active, ok := t.claims["active"].(bool); !ok || !active {
		return Principal{}, "", invalid("the token is not active")
	}
	if err := refuseVariants(t.claims, readClaims); err != nil {
		return Principal{}, "", err
	}
	issuer, err := t.text("iss")
	if err != nil {
		return Principal{}, "", err
	}
	if issuer != "" && issuer != i.URL {
		return Principal{}, "", invalid("the token is of %.200q", issuer)
	}
	if v.cfg.AllowMissingAudience && !t.hasAny("aud") {
		t.claims["aud"] = i.Audiences[0]
	}
	t.alg, i.Algorithms, i.Types = "", []string{""}, []string{t.typ}
	p, err := i.check(t, now)
	if err != nil {
		return p, "", err
	}
	p.Method = MethodIntrospection
	boundTo, err := t.bound()
	return p, boundTo, err
}
