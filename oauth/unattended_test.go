// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// machine is a client that gets tokens for itself.
func machine(c *oauth.Config) {
	c.Authorize, c.RedirectURL, c.Unattended = nil, "", true
	c.Client = &oauthex.ClientCredentials{ClientID: "machine", ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: "secret"}}
}

// TestUnattended gets a token for the client itself, and another one when that has ended.
func TestUnattended(t *testing.T) {
	t.Parallel()
	as, c := pair(t, machine)
	as.Set(func() {
		for _, name := range []string{"authorization_endpoint", "code_challenge_methods_supported", "registration_endpoint"} {
			delete(as.Metadata, name)
		}
	})
	c.mustNeed("read")
	c.mustNeed("write")
	c.mustNeed("read")
	if !slices.Equal(as.Grants, []string{"client_credentials", "client_credentials"}) {
		t.Errorf("there were %q", as.Grants)
	}
}

// TestUnattendedLogins are counted if a token is refused, and not if it has ended.
func TestUnattendedLogins(t *testing.T) {
	t.Parallel()
	as, c := pair(t, machine)
	as.Lifetime = 1
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for len(as.Grants) < 5 {
		<-poll.C
		if _, err := c.need("read"); err != nil {
			t.Fatalf("after %d tokens: %v", len(as.Grants), err)
		}
	}
	as.Set(func() { as.Lifetime = 3600 })
	for range 10 {
		as.Revoke()
		if _, err := c.need("read"); err != nil && strings.Contains(err.Error(), "3 logins") {
			return
		}
	}
	t.Errorf("there were %d tokens", len(as.Grants))
}

// TestASecretStaysWithItsServer though the resource names another one.
func TestASecretStaysWithItsServer(t *testing.T) {
	t.Parallel()
	as, c := pair(t, machine)
	as.Lifetime = 5 // less than the margin of longer ones
	c.mustNeed("read")
	c.mustNeed("read")
	if len(as.Grants) != 1 {
		t.Errorf("there were %q", as.Grants)
	}
	evil := oauthtest.NewAuthorizationServer(t)
	as.Set(func() { c.resource.metadata["authorization_servers"] = []string{evil.URL} })
	as.Revoke()
	if _, err := c.need("read"); err == nil || !strings.Contains(err.Error(), `is one of "`+as.URL) || len(evil.Grants) > 0 {
		t.Errorf("got %v, and the other server %q", err, evil.Grants)
	}
}
