// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"errors"
	"fmt"
)

// ErrLoginRequired is the error of a token that only a person can get, where there is none.
var ErrLoginRequired = errors.New("oauth: somebody has to log in")

// ErrNoMetadata is what [Config].Metadata returns for a server that has none.
var ErrNoMetadata = errors.New("oauth: the server has no metadata")

// ErrScope is the error of an operation that needs scopes which the authorization server does not
// give, though it was asked.
var ErrScope = errors.New("oauth: the scopes are not enough, and asking for more did not help")

// An AuthorizationError is what an authorization server redirects with when it gives no code
// (RFC 6749 §4.1.2.1). A Config's Authorize returns it.
type AuthorizationError struct {
	// Code is "access_denied", for example.
	Code string
	// Description is the server's text for people, empty for none.
	Description string
	// State and Iss are those of the redirect, which are checked before the rest is believed.
	State, Iss string
}

// Error gives code and description.
func (e *AuthorizationError) Error() string {
	if e.Description == "" {
		return fmt.Sprintf("the authorization server refused: %q", e.Code)
	}
	return fmt.Sprintf("the authorization server refused: %q: %q", e.Code, e.Description)
}
