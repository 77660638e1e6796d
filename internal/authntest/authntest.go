// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package authntest is an authorization server for tests, in the process: it has keys,
// serves them as it is told, and signs whatever tests want, right or wrong.
package authntest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Claims are the claims of a token, or members of its header.
type Claims map[string]any

// In is a NumericDate for a claim: so many seconds from when the token is signed.
type In int64

// A Key is a signing key of an Issuer.
type Key struct {
	ID        string
	Algorithm string
	private   crypto.Signer
}

// NewKey draws a key. algorithm is RS256, PS256, ES256 or EdDSA.
func NewKey(id, algorithm string) *Key {
	k := &Key{ID: id, Algorithm: algorithm}
	var err error
	switch algorithm {
	case "ES256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	case "RS256", "PS256":
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("authntest: no algorithm %q", algorithm)
	}
	if err != nil {
		panic(err)
	}
	return k
}

// Public gives the public key.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// JWK gives the public key as a member of a JWK Set.
func (k *Key) JWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Use: "sig"}
}

// Sign gives a compact JWS of any header and payload, signed by the algorithm of the key,
// whatever the header says.
func (k *Key) Sign(header, payload []byte) string {
	input := encode(header) + "." + encode(payload)
	return input + "." + encode(k.signature([]byte(input)))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *Key) signature(input []byte) []byte {
	if k.Algorithm == "EdDSA" {
		s, err := k.private.Sign(rand.Reader, input, crypto.Hash(0))
		if err != nil {
			panic(err)
		}
		return s
	}
	hash := crypto.SHA256.New()
	hash.Write(input)
	sum := hash.Sum(nil)
	var s []byte
	var err error
	switch key := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, v, signErr := ecdsa.Sign(rand.Reader, key, sum)
		err = signErr
		if err == nil {
			s = make([]byte, 64)
			r.FillBytes(s[:32])
			v.FillBytes(s[32:])
		}
	case *rsa.PrivateKey:
		if k.Algorithm == "PS256" {
			s, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum, nil)
		} else {
			s, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum)
		}
	}
	if err != nil {
		panic(err)
	}
	return s
}

// An Issuer is an authorization server. It is an [http.Handler] for its metadata and keys,
// and an [http.RoundTripper] that reaches nothing else. It is safe for concurrent use.
type Issuer struct {
	URL      string
	Resource string // the audience of its tokens

	mu      sync.Mutex
	keys    []*Key
	broken  http.HandlerFunc // answers in place of the server, nil if it is well
	fetches map[string]int   // by path
	others  []string         // URLs outside that were asked for
}

// New makes an issuer with one key.
func New(url, resource string, key *Key) *Issuer {
	return &Issuer{URL: url, Resource: resource, keys: []*Key{key}, fetches: map[string]int{}}
}

// SetKeys changes what it publishes; the first signs.
func (i *Issuer) SetKeys(keys ...*Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// Break makes every request get the answer of f, until it is called with nil.
func (i *Issuer) Break(f http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken = f
}

// Fetches gives how often the keys were fetched.
func (i *Issuer) Fetches() int { return i.Requests("/keys") }

// Requests gives how often a path was asked for.
func (i *Issuer) Requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches[path]
}

// Outside gives the URLs that were asked for and are not the issuer's.
func (i *Issuer) Outside() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.others)
}

// JWKS gives the key set.
func (i *Issuer) JWKS() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.JWK())
	}
	return mustJSON(set)
}

// ServeHTTP serves metadata (RFC 8414) and keys.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches[r.URL.Path]++
	answer := i.broken
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		_, _ = w.Write(mustJSON(Claims{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}))
	case "/keys":
		_, _ = w.Write(i.JWKS())
	default:
		http.NotFound(w, r)
	}
}

// RoundTrip serves a request without a network.
func (i *Issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), i.URL+"/") {
		i.mu.Lock()
		i.others = append(i.others, r.URL.String())
		i.mu.Unlock()
		return nil, fmt.Errorf("authntest: nobody is at %s", r.URL.Host)
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

// Header gives the header of a good access token, with changes: nil removes a member.
func (i *Issuer) Header(changes Claims) Claims {
	i.mu.Lock()
	defer i.mu.Unlock()
	return with(Claims{"alg": i.keys[0].Algorithm, "kid": i.keys[0].ID, "typ": "at+jwt"}, changes)
}

// Claims gives the claims of a good access token, with changes: nil removes a claim.
func (i *Issuer) Claims(changes Claims) Claims {
	c := with(Claims{
		"iss": i.URL, "sub": "ann", "aud": i.Resource, "client_id": "app", "jti": "token-1",
		"iat": In(0), "exp": In(600), "scope": "read write",
	}, changes)
	for name, value := range c {
		if in, ok := value.(In); ok {
			c[name] = time.Now().Unix() + int64(in)
		}
	}
	return c
}

func with(c, changes Claims) Claims {
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// Token signs a good access token with changes to its claims.
func (i *Issuer) Token(changes Claims) string { return i.TokenWith(nil, changes) }

// TokenWith is Token with changes to its header, too.
func (i *Issuer) TokenWith(header, claims Claims) string {
	return i.Raw(mustJSON(i.Header(header)), mustJSON(i.Claims(claims)))
}

// Raw signs any bytes with the first key.
func (i *Issuer) Raw(header, payload []byte) string {
	i.mu.Lock()
	key := i.keys[0]
	i.mu.Unlock()
	return key.Sign(header, payload)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
