// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/mcpconnect/mcpconnect/internal/fetch"
)

const (
	// jwksTTL is when keys are forgotten that could not be fetched anew: one that was
	// withdrawn must not live on because its issuer is down.
	jwksTTL = time.Hour
	// jwksRefresh is when keys are fetched anew, beside the tokens that need them.
	jwksRefresh = 10 * time.Minute
	// jwksInterval and jwksBurst bound how often anybody can make us fetch: twice, then
	// once in each interval. A new key is known after one interval at the latest.
	jwksInterval = 10 * time.Second
	jwksBurst    = 2
	// firstBackoff and lastBackoff are how long an issuer that fails is left alone.
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
	// unknownKeyTime is how long a key id that the issuer does not have is not asked for.
	unknownKeyTime = 10 * time.Second
	maxUnknownKeys = 1024
)

// errLimited says that keys were fetched too lately to do it again.
var errLimited = errors.New("keys were fetched just now")

// A keyStore holds the keys of one issuer. It is safe for concurrent use.
type keyStore struct {
	issuer  *Issuer
	fetcher fetcher
	unknown *cache[string, struct{}] // ids of keys that the issuer does not have

	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
	fetch  sync.WaitGroup

	mu       sync.Mutex
	current  *jwks // nil before the first fetch
	jwksURL  string
	flight   *flight
	tokens   float64 // of the bucket
	filled   time.Time
	failures int
	resume   time.Time // of fetching, after failures
}

// A flight is one fetch that all wait for who need it.
type flight struct {
	done chan struct{}
	err  error
}

func newKeyStore(i *Issuer, f fetcher) (*keyStore, error) {
	k := &keyStore{issuer: i, fetcher: f, unknown: newCache[string, struct{}](maxUnknownKeys), jwksURL: i.JWKSURL, tokens: jwksBurst}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	if i.JWKS == nil {
		return k, nil
	}
	var err error
	k.current, err = parseJWKS(i.JWKS, i, time.Time{})
	return k, err
}

func (k *keyStore) close() {
	k.cancel()
	k.fetch.Wait()
}

// keys gives the keys that have kid. Without it in what is known they are fetched anew, as
// often as the limits allow. Errors wrap ErrUnavailable, or ErrInvalidCredential if the
// issuer does not have the key.
func (k *keyStore) keys(ctx context.Context, kid string) (*jwks, error) {
	known, err := k.fresh(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: keys of %s: %w", ErrUnavailable, k.issuer.URL, err)
	}
	if known.find(kid) != nil {
		return known, nil
	}
	now := time.Now()
	if _, ok := k.unknown.get(kid, now); ok || k.issuer.JWKS != nil {
		return nil, errUnknownKey
	}
	if err := k.refresh(ctx); err != nil {
		return nil, fmt.Errorf("%w: a key that is not known of %s: %w", ErrUnavailable, k.issuer.URL, err)
	}
	known = k.snapshot()
	if known.find(kid) == nil {
		k.unknown.put(kid, struct{}{}, now.Add(unknownKeyTime))
		return nil, errUnknownKey
	}
	return known, nil
}

var errUnknownKey = invalid("the issuer does not have the token's key")

// fresh gives the keys that are known, unless they are too old.
func (k *keyStore) fresh(ctx context.Context) (*jwks, error) {
	known := k.snapshot()
	if known != nil && k.issuer.JWKS != nil {
		return known, nil
	}
	age := jwksTTL
	if known != nil {
		age = time.Since(known.fetched)
	}
	switch {
	case age < jwksRefresh:
	case age < jwksTTL:
		_, _ = k.start() // whether it can or not: the keys are good for a while
	default:
		if err := k.refresh(ctx); err != nil {
			return nil, err
		}
		known = k.snapshot()
	}
	return known, nil
}

func (k *keyStore) snapshot() *jwks {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// renewed gives the keys if they can be fetched anew, and are others than known; nil if
// not. It is for a signature that the key of its id does not verify: the issuer may have
// given the id to another key.
func (k *keyStore) renewed(ctx context.Context, known *jwks) *jwks {
	if k.issuer.JWKS != nil || k.refresh(ctx) != nil {
		return nil
	}
	if now := k.snapshot(); now != known {
		return now
	}
	return nil
}

// refresh fetches the keys, or waits for who does already.
func (k *keyStore) refresh(ctx context.Context) error {
	f, err := k.start()
	if err != nil {
		return err
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start begins a fetch if the limits allow it, on a goroutine of its own: who asked may
// leave, and others wait for it.
func (k *keyStore) start() (*flight, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight, nil
	}
	if err := k.ctx.Err(); err != nil {
		return nil, err
	}
	if !k.take(time.Now()) {
		return nil, errLimited
	}
	f := &flight{done: make(chan struct{})}
	k.flight = f
	k.fetch.Go(func() { k.run(f) })
	return f, nil
}

// take takes a token from the bucket.
func (k *keyStore) take(now time.Time) bool {
	if now.Before(k.resume) {
		return false
	}
	k.tokens = min(jwksBurst, k.tokens+now.Sub(k.filled).Seconds()/jwksInterval.Seconds())
	k.filled = now
	if k.tokens < 1 {
		return false
	}
	k.tokens--
	return true
}

func (k *keyStore) run(f *flight) {
	keys, err := k.load()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flight = nil
	if err == nil {
		k.current, k.failures = keys, 0
	} else {
		// The keys as they were are better than none. That it failed costs no token, but time.
		k.tokens++
		pause := min(firstBackoff<<min(k.failures, 8), lastBackoff)
		k.failures++
		k.resume = time.Now().Add(pause/2 + rand.N(pause/2)) //nolint:gosec // keeps servers out of step, no secret depends on it
		k.jwksURL = k.issuer.JWKSURL                         // it may have moved
	}
	f.err = err
	close(f.done)
}

func (k *keyStore) load() (*jwks, error) {
	k.mu.Lock()
	from := k.jwksURL
	k.mu.Unlock()
	if from == "" {
		var err error
		if from, err = k.discover(); err != nil {
			return nil, fmt.Errorf("discovery: %w", err)
		}
		k.mu.Lock()
		k.jwksURL = from
		k.mu.Unlock()
	}
	text, err := k.fetcher.get(k.ctx, from)
	if err != nil {
		return nil, err
	}
	return parseJWKS(text, k.issuer, time.Now())
}

// discover finds where the issuer has its keys (RFC 8414 §3, OpenID Connect Discovery §4).
func (k *keyStore) discover() (string, error) {
	var failures []error
	for _, at := range fetch.MetadataURLs(k.issuer.URL) {
		text, err := k.fetcher.get(k.ctx, at)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		return k.jwksOf(text)
	}
	return "", errors.Join(failures...)
}

// jwksOf reads the metadata of an authorization server. One that speaks for another issuer
// must not be used (RFC 8414 §3.3).
func (k *keyStore) jwksOf(text []byte) (string, error) {
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return "", errors.New("the metadata is not JSON")
	}
	if doc.Issuer != k.issuer.URL {
		return "", fmt.Errorf("the metadata is that of %.200q", doc.Issuer)
	}
	u, err := secureURL(strings.SplitN(doc.JWKSURI, "?", 2)[0])
	if err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	if !sameSite(u, k.issuer.URL) {
		return "", fmt.Errorf("jwks_uri is on another site, %.200q: if that is right, set JWKSURL", u.Host)
	}
	return doc.JWKSURI, nil
}

// sameSite tells whether a URL is on the host of the issuer, or under the same registered
// domain.
func sameSite(u *url.URL, issuer string) bool {
	i, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	if u.Host == i.Host {
		return true
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	b, errB := publicsuffix.EffectiveTLDPlusOne(i.Hostname())
	return errA == nil && errB == nil && a == b
}
