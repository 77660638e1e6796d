// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// TestProcesses that share a store refresh one after the other: a refresh token is good once.
func TestProcesses(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	res := newResource(t, as)
	store := oauth.FileStore{Dir: t.TempDir()}
	first := newClient(t, res, func(c *oauth.Config) { c.Store = store })
	first.mustNeed("read")
	others := make([]*client, 8)
	for i := range others {
		others[i] = newClient(t, res, func(c *oauth.Config) { c.Store, c.Authorize, c.RedirectURL = store, nil, "" })
		others[i].mustNeed("read")
	}
	as.Revoke()
	var all sync.WaitGroup
	for _, c := range others {
		all.Go(func() {
			if status, err := c.need("read"); err != nil || status != http.StatusOK {
				t.Errorf("got %d, %v", status, err)
			}
		})
	}
	all.Wait()
	first.mustNeed("read")
	if len(as.Logins) != 1 || !slices.Equal(as.Grants, []string{"authorization_code", "refresh_token"}) {
		t.Errorf("there were %d logins, and %q", len(as.Logins), as.Grants)
	}
}

// TestWhatARefreshMayLose: the credential only if the server says so.
func TestWhatARefreshMayLose(t *testing.T) {
	t.Parallel()
	for code, logins := range map[string]int{"invalid_grant": 2, "invalid_client": 2, "slow_down": 1, "temporarily_unavailable": 1, "invalid_request": 1} {
		as, c := pair(t, nil)
		c.mustNeed("read")
		as.Revoke()
		as.Set(func() { as.Fail = code })
		if status, err := c.need("read"); err == nil && status == http.StatusOK {
			t.Errorf("%s: let in", code)
		}
		as.Set(func() { as.Fail = "" })
		c.mustNeed("read")
		if n := len(as.Logins); n < logins || logins == 1 && n > 1 {
			t.Errorf("%s: there were %d logins", code, n)
		}
	}
}

// TestLogoutElsewhere ends the credential here, too, when it is looked at next.
func TestLogoutElsewhere(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	as.Lifetime = -1
	res := newResource(t, as)
	store := oauth.FileStore{Dir: t.TempDir()}
	first := newClient(t, res, func(c *oauth.Config) { c.Store = store })
	first.mustNeed("read")
	running := newClient(t, res, func(c *oauth.Config) { c.Store, c.Authorize, c.RedirectURL = store, nil, "" })
	running.mustNeed("read")
	if err := first.source.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := running.need("read"); !errors.Is(err, oauth.ErrLoginRequired) {
		t.Errorf("got %v", err)
	}
	if c, err := store.Load(t.Context(), res.url); c != nil || err != nil {
		t.Errorf("the store has %v, %v", c, err)
	}
}

// TestStore: what one process has logged in for, others use, and what one has refreshed.
func TestStore(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	as.Lifetime = -1
	res := newResource(t, as)
	store := oauth.FileStore{Dir: t.TempDir()}
	first := newClient(t, res, func(c *oauth.Config) { c.Store = store })
	first.mustNeed("read")
	second := newClient(t, res, func(c *oauth.Config) { c.Store, c.Authorize, c.RedirectURL = store, nil, "" })
	for range 3 {
		second.mustNeed("read")
		first.mustNeed("read")
	}
	if len(as.Logins) != 1 {
		t.Errorf("there were %d logins", len(as.Logins))
	}
	if err := first.source.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t, res, func(c *oauth.Config) { c.Store, c.Authorize, c.RedirectURL = store, nil, "" }).need("read"); !errors.Is(err, oauth.ErrLoginRequired) {
		t.Errorf("after the logout got %v", err)
	}
}
