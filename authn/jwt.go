// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// JWTConfig says whose tokens a [JWT] accepts.
type JWTConfig struct {
	// Resource is this server's resource identifier, the audience of its tokens (RFC
	// 8707): that of its [Metadata]. It may be empty if each issuer has Audiences.
	Resource string
	// Issuers are the authorization servers. At least one is needed.
	Issuers []Issuer
	// Transport reaches them, for a private CA or a proxy. If nil,
	// [http.DefaultTransport].
	Transport http.RoundTripper
}

const (
	// tokenCacheTime is how long a token is not verified again: a key that is withdrawn
	// counts at once anyway.
	tokenCacheTime  = time.Minute
	maxCachedTokens = 10_000
)

// JWT is the [TokenVerifier] for access tokens that are JWTs (RFC 9068). It checks, in
// this order: that the token is a JWT to the letter; issuer, algorithm, type, audience,
// times, subject and client; and then the signature, for which it may have to fetch keys.
// So tokens that nobody has signed cost no request to an issuer; those with the right
// claims and a wrong key cause one in ten seconds at the most.
//
// It is safe for concurrent use. Close ends what it may be fetching.
type JWT struct {
	issuers map[string]*jwtIssuer
	tokens  *cache[[sha256.Size]byte, cachedToken]
}

var _ TokenVerifier = (*JWT)(nil)

type jwtIssuer struct {
	Issuer

	store *keyStore
}

type cachedToken struct {
	principal *Principal
	keys      *jwks  // by which it was verified
	boundTo   string // thumbprint of the certificate that it is bound to, empty for none
}

// NewJWT makes a JWT. It fetches nothing yet: a server can start while its issuers are
// down. It fails for configurations that would accept what must not be accepted, and says
// what to write instead.
func NewJWT(cfg JWTConfig) (*JWT, error) {
	if len(cfg.Issuers) == 0 {
		return nil, errors.New("JWT: there is no issuer: name the authorization server")
	}
	v := &JWT{issuers: map[string]*jwtIssuer{}, tokens: newCache[[sha256.Size]byte, cachedToken](maxCachedTokens)}
	fetcher := newFetcher(cfg.Transport)
	for _, i := range cfg.Issuers {
		known := &jwtIssuer{Issuer: i}
		err := known.complete(cfg.Resource)
		if err == nil && v.issuers[i.URL] != nil {
			err = errors.New("it is there twice: merge the two")
		}
		if err == nil {
			known.store, err = newKeyStore(&known.Issuer, fetcher)
		}
		if err != nil {
			return nil, fmt.Errorf("JWT: issuer %q: %w", i.URL, err)
		}
		v.issuers[i.URL] = known
	}
	return v, nil
}

// Close waits until nothing is fetched any more. Tokens that come later are refused as
// unavailable unless their keys are known. It always returns nil.
func (v *JWT) Close() error {
	for _, i := range v.issuers {
		i.store.close()
	}
	return nil
}

// VerifyToken implements [TokenVerifier].
func (v *JWT) VerifyToken(ctx context.Context, token string, r *http.Request) (*Principal, error) {
	now := time.Now()
	sum := sha256.Sum256([]byte(token))
	known, ok := v.tokens.get(sum, now)
	if !ok || !v.stillGood(known) {
		var err error
		if known, err = v.verify(ctx, token, now); err != nil {
			if errors.Is(err, errNotJWT) {
				return nil, nil
			}
			return nil, err
		}
		v.tokens.put(sum, known, earlier(now.Add(tokenCacheTime), known.principal.end()))
	}
	if known.boundTo != "" {
		if err := checkBinding(known.boundTo, r); err != nil {
			return nil, err
		}
	}
	return known.principal, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// stillGood tells whether the keys by which the token was verified are still the issuer's.
func (v *JWT) stillGood(t cachedToken) bool {
	store := v.issuers[t.principal.Issuer].store
	return store.snapshot() == t.keys && (store.issuer.JWKS != nil || time.Since(t.keys.fetched) < jwksTTL)
}

func (v *JWT) verify(ctx context.Context, token string, now time.Time) (cachedToken, error) {
	t, err := parseJWT(token)
	if err != nil {
		return cachedToken{}, err
	}
	url, err := t.text("iss")
	if err != nil {
		return cachedToken{}, err
	}
	i := v.issuers[url]
	if i == nil {
		return cachedToken{}, errNotJWT // of ours: another verifier may know it
	}
	p, err := i.check(t, now)
	if err != nil {
		return cachedToken{}, err
	}
	boundTo, err := t.bound()
	if err != nil {
		return cachedToken{}, err
	}
	keys, err := i.verifySignature(ctx, t.kid, token)
	return cachedToken{sealed(p), keys, boundTo}, err
}

// verifySignature gives the keys by which the token is good.
func (i *jwtIssuer) verifySignature(ctx context.Context, kid, token string) (*jwks, error) {
	keys, err := i.store.keys(ctx, kid)
	if err != nil {
		return nil, err
	}
	if keys.verifies(ctx, kid, token) {
		return keys, nil
	}
	if keys = i.store.renewed(ctx, keys); keys != nil && keys.verifies(ctx, kid, token) {
		return keys, nil
	}
	return nil, invalid("the signature is wrong")
}

func (s *jwks) verifies(ctx context.Context, kid, token string) bool {
	for _, v := range s.find(kid) {
		if _, err := v.Verify(ctx, token); err == nil {
			return true
		}
	}
	return false
}

// checkBinding refuses a token that came over a connection of somebody else (RFC 8705 §3).
// That the certificate was issued by somebody does not matter here, only that its key is
// the one that the token was made for; TLS has checked that the peer has it.
func checkBinding(thumbprint string, r *http.Request) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return invalid("the token is bound to a certificate, and there is none")
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	got := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(thumbprint)) != 1 {
		return invalid("the token is bound to another certificate")
	}
	return nil
}
