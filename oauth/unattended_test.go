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

// secret is a client that issuer knows.
func secret(issuer string) *oauthex.ClientCredentials {
	return &oauthex.ClientCredentials{ClientID: "machine", Issuer: issuer, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: "secret"}}
}

// machines are a server, and a client that gets tokens for itself.
func machines(t *testing.T) (*oauthtest.AuthorizationServer, *client) {
	t.Helper()
	as := oauthtest.NewAuthorizationServer(t)
	return as, newClient(t, newResource(t, as), func(c *oauth.Config) {
		c.Authorize, c.RedirectURL, c.Unattended = nil, "", true
		c.Client = secret(as.URL)
	})
}

// TestUnattended gets a token for the client itself, and another one when that has ended.
func TestUnattended(t *testing.T) {
	t.Parallel()
	as, c := machines(t)
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
	as, c := machines(t)
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
	as, c := machines(t)
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

// TestASecretNeedsItsServer: the resource would say who gets it.
func TestASecretNeedsItsServer(t *testing.T) {
	t.Parallel()
	evil := oauthtest.NewAuthorizationServer(t)
	res := newResource(t, evil)
	for want, issuer := range map[string]string{
		"whose Issuer is not set: write the URL of the authorization server that has given the secret": "",
		"neither https nor on this machine": "http://as.example",
	} {
		if _, err := oauth.New(oauth.Config{Resource: res.url, Unattended: true, Client: secret(issuer)}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), `"secret"`) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	source, err := oauth.New(oauth.Config{Resource: res.url, Unattended: true, Client: secret("https://as.example")})
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Login(t.Context()); err == nil || !strings.Contains(err.Error(), `is one of "https://as.example"`) || len(evil.Grants) > 0 {
		t.Errorf("got %v, and the server that the resource names %q", err, evil.Grants)
	}
}
