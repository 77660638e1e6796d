// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	maxJWKs    = 100  // of one issuer
	minRSABits = 2048 // RFC 7518 §3.3
)

// A jwks is the keys of an issuer at one time. It does not change.
type jwks struct {
	verifiers map[string][]*oidc.IDTokenVerifier // by the key's id
	only      []*oidc.IDTokenVerifier            // the key, if there is but one
	fetched   time.Time
}

// find gives what verifies the signatures of a key id. Without an id it can only be the
// key of an issuer that has one.
func (s *jwks) find(kid string) []*oidc.IDTokenVerifier {
	if kid == "" {
		return s.only
	}
	return s.verifiers[kid]
}

// parseJWKS reads a JWK Set (RFC 7517 §5). Keys that cannot be used here are left out,
// as the RFC says: what else an issuer publishes must not stop its tokens.
func parseJWKS(text []byte, i *Issuer, now time.Time) (*jwks, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, errors.New("this is no JWK Set")
	}
	if len(doc.Keys) > maxJWKs {
		return nil, errors.New("the JWK Set has too many keys")
	}
	s := &jwks{verifiers: map[string][]*oidc.IDTokenVerifier{}, fetched: now}
	var all []*oidc.IDTokenVerifier
	for _, raw := range doc.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil {
			continue
		}
		if v := verifierFor(&key, i); v != nil {
			s.verifiers[key.KeyID] = append(s.verifiers[key.KeyID], v)
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the JWK Set has no key for the issuer's algorithms")
	}
	if len(all) == 1 {
		s.only = all
	}
	return s, nil
}

// verifierFor gives a verifier for one key, nil if the key is not for signatures of the
// issuer. go-oidc checks signature and issuer; the rest has been checked before, or is not
// its business (see [Issuer.check]).
func verifierFor(key *jose.JSONWebKey, i *Issuer) *oidc.IDTokenVerifier {
	if !key.Valid() || !key.IsPublic() || (key.Use != "" && key.Use != "sig") {
		return nil
	}
	algorithms := slices.DeleteFunc(slices.Clone(i.Algorithms), func(a string) bool {
		return !suits(key.Key, a) || (key.Algorithm != "" && key.Algorithm != a)
	})
	if len(algorithms) == 0 {
		return nil
	}
	return oidc.NewVerifier(i.URL, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Key}}, &oidc.Config{
		SupportedSigningAlgs: algorithms,
		SkipClientIDCheck:    true,
		SkipExpiryCheck:      true,
	})
}

// suits tells whether a key can sign by an algorithm.
func suits(key any, algorithm string) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSABits && (strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS"))
	case *ecdsa.PublicKey:
		bits := map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}[algorithm]
		return bits == k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}
