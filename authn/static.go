// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
)

// Static verifies bearer tokens that are written down in the program's configuration, for
// development. It is safe for concurrent use.
type Static struct {
	tokens     []staticToken
	everywhere bool
}

type staticToken struct {
	sum       [sha256.Size]byte
	principal *Principal
}

var _ TokenVerifier = (*Static)(nil)

// NewStatic makes a Static of tokens and whose they are. Of each [Grant] Subject is needed.
// The tokens are accepted only on connections to a loopback address or a Unix socket: they
// never end, and stand in shell histories. It fails for a token that cannot stand in a
// header, or without any.
func NewStatic(tokens map[string]Grant) (*Static, error) {
	if len(tokens) == 0 {
		return nil, errors.New("static tokens: there is none: give at least one")
	}
	s := &Static{}
	for token, grant := range tokens {
		if !isToken68(token) || len(token) > maxTokenBytes {
			// The token itself does not belong into an error.
			return nil, fmt.Errorf("static token of %q: use letters, digits and -._~+/ only", grant.Subject)
		}
		if err := grant.check(); err != nil {
			return nil, fmt.Errorf("static token: %w", err)
		}
		p := sealed(grant.principal(MethodStaticToken, grant.Subject))
		s.tokens = append(s.tokens, staticToken{sha256.Sum256([]byte(token)), p})
	}
	return s, nil
}

// InsecureEverywhere makes a Static that accepts its tokens on every connection. It is
// for tests in networks that nobody else reaches.
func (s *Static) InsecureEverywhere() *Static { return &Static{s.tokens, true} }

// VerifyToken implements [TokenVerifier]. It takes the same time for every token.
func (s *Static) VerifyToken(_ context.Context, token string, r *http.Request) (*Principal, error) {
	sum := sha256.Sum256([]byte(token))
	var found *Principal
	for _, t := range s.tokens {
		if subtle.ConstantTimeCompare(t.sum[:], sum[:]) == 1 {
			found = t.principal
		}
	}
	if found != nil && !s.everywhere && !arrivedLocally(r) {
		return nil, invalid("a static token of %q came in from outside: they are for loopback and Unix sockets", found.Subject)
	}
	return found, nil
}
