// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"errors"
	"fmt"

	"connectrpc.com/connect"
)

// Errors of an [Authenticator] or [TokenVerifier] wrap one of these. What they add is for
// the log, and never reaches the caller. An error that wraps none of them counts as
// [ErrUnavailable]: nobody is let in, and nobody throws a good credential away.
var (
	// ErrInvalidCredential says that the credential is wrong, expired, revoked or meant
	// for somebody else. The caller gets unauthenticated (HTTP 401).
	ErrInvalidCredential = errors.New("invalid credential")
	// ErrMalformedCredential says that the request presents credentials in a way that is
	// not allowed. The caller gets invalid_argument (HTTP 400; RFC 6750 §3.1).
	ErrMalformedCredential = errors.New("malformed credential")
	// ErrUnavailable says that the credential cannot be judged now. The caller gets
	// unavailable (HTTP 503), and should try again.
	ErrUnavailable = errors.New("authentication is unavailable")
)

// errAbsent says that the request has no credential that anybody here knows.
var errAbsent = errors.New("no credential")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalidCredential}, args...)...)
}

func malformed(reason string) error { return fmt.Errorf("%w: %s", ErrMalformedCredential, reason) }

// A refusal is what a caller learns of an error: a code, a text that was written for it,
// and the error of RFC 6750 for the challenge.
type refusal struct {
	code      connect.Code
	text      string
	oauth     string // of the challenge; empty for none
	challenge bool   // the caller is told how to authenticate
}

var (
	refusedAbsent      = refusal{connect.CodeUnauthenticated, "credentials are missing", "", true}
	refusedInvalid     = refusal{connect.CodeUnauthenticated, "credentials are not valid", oauthInvalidToken, true}
	refusedMalformed   = refusal{connect.CodeInvalidArgument, "credentials are malformed, given twice, or in the wrong place", oauthInvalidRequest, true}
	refusedUnavailable = refusal{connect.CodeUnavailable, "authentication is unavailable: try again later", "", false}
)

// refusalFor is the one place that decides what a failed authentication looks like.
func refusalFor(err error) refusal {
	switch {
	case errors.Is(err, errAbsent):
		return refusedAbsent
	case errors.Is(err, ErrMalformedCredential):
		return refusedMalformed
	case errors.Is(err, ErrInvalidCredential):
		return refusedInvalid
	}
	return refusedUnavailable
}

// connectError gives the error of the RPC, with the challenge as google.rpc.ErrorInfo for
// clients that cannot read the header.
func (r refusal) connectError(m *Metadata, scopes []string) *connect.Error {
	err := connect.NewError(r.code, errors.New(r.text))
	if r.challenge {
		m.addInfo(err, r.oauth, scopes)
	}
	return err
}
