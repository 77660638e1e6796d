// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import "errors"

// A Grant is what the configuration says of a caller that no authorization server vouches
// for.
type Grant struct {
	// Subject is the caller's name. If empty it is the name in the credential: a SPIFFE
	// ID, a host, or the user id of a process.
	Subject string
	// Tenant is the organisation that the caller belongs to, empty for none.
	Tenant string
	// Scopes are what the caller may do.
	Scopes []string
}

func (g Grant) check() error {
	if g.Subject == "" {
		return errors.New("subject is empty: say whose it is")
	}
	return checkScopes(g.Scopes)
}

func (g Grant) principal(method Method, name string) Principal {
	if g.Subject != "" {
		name = g.Subject
	}
	return Principal{Subject: name, Tenant: g.Tenant, Scopes: g.Scopes, Method: method}
}

// Grants are grants by the name in the credential. Names are compared byte for byte.
type Grants map[string]Grant

// Lookup gives the grant of a name, false for a stranger.
func (g Grants) Lookup(name string) (Grant, bool) {
	grant, ok := g[name]
	return grant, ok
}
