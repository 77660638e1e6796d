// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// A challenge is what a server asks for (RFC 6750 §3, RFC 9728 §5.1).
type challenge struct {
	bearer   bool
	code     string // "insufficient_scope", for example; empty for none
	scopes   []string
	metadata string // URL
}

// challengeOf reads the one challenge that is for tokens, wherever it stands among others.
func challengeOf(h http.Header) challenge {
	all, err := oauthex.ParseWWWAuthenticate(h.Values("WWW-Authenticate"))
	if err != nil {
		return challenge{}
	}
	i := slices.IndexFunc(all, func(c oauthex.Challenge) bool { return strings.EqualFold(c.Scheme, "bearer") })
	if i < 0 {
		return challenge{}
	}
	p := all[i].Params
	return challenge{true, p["error"], strings.Fields(p["scope"]), p["resource_metadata"]}
}

const insufficientScope = "insufficient_scope"

// isForTokens tells whether a token could help: not if the request was wrong in another way.
func (c challenge) isForTokens() bool {
	return c.code == "" || c.code == "invalid_token" || c.code == insufficientScope
}
