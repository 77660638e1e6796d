// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// A client makes requests of a resource, and logs in by following where the URL leads.
type client struct {
	t        *testing.T
	http     *http.Client
	resource *resource
	source   *oauth.Source
}

func newClient(t *testing.T, res *resource, change func(*oauth.Config)) *client {
	t.Helper()
	loopback, err := oauth.NewLoopback(oauthtest.Browse)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loopback.Close() })
	cfg := oauth.Config{Resource: res.url, Authorize: loopback.Authorize, RedirectURL: loopback.RedirectURL()}
	if change != nil {
		change(&cfg)
	}
	source, err := oauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	base := new(http.Transport)
	t.Cleanup(base.CloseIdleConnections)
	transport, err := oauth.NewTransport(res.url, source, base)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, &http.Client{Transport: transport}, res, source}
}

// need makes a request that needs a scope.
func (c *client) need(scope string) (int, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.resource.url+"/"+scope, strings.NewReader("question"))
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode, nil
}

func (c *client) mustNeed(scope string) {
	c.t.Helper()
	if status, err := c.need(scope); err != nil || status != http.StatusOK {
		c.t.Fatalf("needing %s gave %d, %v", scope, status, err)
	}
}

func pair(t *testing.T, change func(*oauth.Config)) (*oauthtest.AuthorizationServer, *client) {
	t.Helper()
	as := oauthtest.NewAuthorizationServer(t)
	return as, newClient(t, newResource(t, as), change)
}

// TestLogin goes all the way, once, for what the server says that it needs.
func TestLogin(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	c.mustNeed("read")
	c.mustNeed("read")
	if len(as.Logins) != 1 || len(as.Clients) != 1 {
		t.Errorf("there were %d logins and %d registrations", len(as.Logins), len(as.Clients))
	}
	if got := as.Logins[0].Get("scope"); got != "read offline_access" {
		t.Errorf("the scopes were %q", got)
	}
	if as.Clients[0]["token_endpoint_auth_method"] != "none" || as.Clients[0]["application_type"] != "native" {
		t.Errorf("registered as %v", as.Clients[0])
	}
}

// TestOneLoginForManyCalls: a person is asked once.
func TestOneLoginForManyCalls(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if status, err := c.need("read"); err != nil || status != http.StatusOK {
				t.Errorf("got %d, %v", status, err)
			}
		})
	}
	calls.Wait()
	if len(as.Logins) != 1 {
		t.Errorf("there were %d logins", len(as.Logins))
	}
}

// TestStepUp asks for more, and for what there was; and not again when that does not help.
func TestStepUp(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	c.mustNeed("read")
	c.mustNeed("write")
	c.mustNeed("read")
	if len(as.Logins) != 2 || len(as.Clients) != 1 {
		t.Fatalf("there were %d logins and %d registrations", len(as.Logins), len(as.Clients))
	}
	if got := strings.Fields(as.Logins[1].Get("scope")); !slices.Contains(got, "read") || !slices.Contains(got, "write") {
		t.Errorf("the scopes were %q", got)
	}
	as.Set(func() { as.Scopes = []string{"read", "write"} })
	for range 3 {
		if _, err := c.need("root"); err == nil && len(as.Logins) > 3 {
			t.Error("no error, and logged in again")
		}
	}
	if _, err := c.need("root"); !errors.Is(err, oauth.ErrScope) || len(as.Logins) != 3 {
		t.Errorf("got %v after %d logins", err, len(as.Logins))
	}
}

// TestRefusedForEver: a server that takes no token does not have a person log in for ever.
func TestRefusedForEver(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	for range 20 {
		if status, err := c.need("read"); err == nil && status == http.StatusOK {
			as.Revoke()
			as.Set(func() { clear(as.RefreshTokens) })
		}
	}
	if len(as.Logins) != 3 {
		t.Errorf("there were %d logins", len(as.Logins))
	}
	if _, err := c.need("read"); err == nil || !strings.Contains(err.Error(), "3 logins") {
		t.Errorf("got %v", err)
	}
}

// TestRefresh: tokens are refreshed before they end, and after they were refused; a login is for
// when that fails.
func TestRefresh(t *testing.T) {
	t.Parallel()
	t.Run("before its end", func(t *testing.T) {
		t.Parallel()
		as, c := pair(t, nil)
		as.Set(func() { as.Lifetime = -1 }) // less than the margin
		for range 3 {
			c.mustNeed("read")
		}
		if len(as.Logins) != 1 || !slices.Equal(as.Grants, []string{"authorization_code", "refresh_token", "refresh_token"}) && len(as.Grants) < 3 {
			t.Errorf("there were %d logins, and %q", len(as.Logins), as.Grants)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		as, c := pair(t, nil)
		c.mustNeed("read")
		as.Revoke()
		c.mustNeed("read")
		if !slices.Equal(as.Grants, []string{"authorization_code", "refresh_token"}) {
			t.Errorf("there were %q", as.Grants)
		}
		as.Revoke()
		as.Set(func() { clear(as.RefreshTokens) })
		c.mustNeed("read")
		if len(as.Logins) != 2 || len(as.Clients) != 1 {
			t.Errorf("there were %d logins and %d registrations", len(as.Logins), len(as.Clients))
		}
	})
	t.Run("an outage", func(t *testing.T) {
		t.Parallel()
		as, c := pair(t, nil)
		as.Set(func() { as.Lifetime = -1 })
		c.mustNeed("read")
		as.Set(func() { as.Down = true })
		if _, err := c.need("read"); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("got %v", err)
		}
		as.Set(func() { as.Down = false })
		c.mustNeed("read")
		if len(as.Logins) != 1 {
			t.Errorf("there were %d logins", len(as.Logins))
		}
	})
}

// TestScopesThatAreNotTold are those that were asked for.
func TestScopesThatAreNotTold(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	as.Silent = true
	c.mustNeed("read")
	as.Revoke()
	c.mustNeed("read") // refreshed
	c.mustNeed("write")
	if got := strings.Fields(as.Logins[1].Get("scope")); !slices.Contains(got, "read") {
		t.Errorf("the step-up asked for %q", got)
	}
}

// TestAStepUpThatFails may be tried again, and one that was made, when its token is gone.
func TestAStepUpThatFails(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	c.mustNeed("read")
	as.Set(func() { as.Fail = "temporarily_unavailable" })
	if _, err := c.need("write"); err == nil || errors.Is(err, oauth.ErrScope) {
		t.Errorf("got %v", err)
	}
	as.Set(func() { as.Fail = "" })
	c.mustNeed("write")
	if len(as.Logins) != 3 {
		t.Errorf("there were %d logins", len(as.Logins))
	}
}

// TestRequestsThatAreWrong are not made good by a login.
func TestRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_request"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	c := newClient(t, &resource{url: server.URL + "/mcp", as: as}, nil)
	if status, err := c.need("read"); err != nil || status != http.StatusUnauthorized || len(as.Logins) > 0 {
		t.Errorf("got %d, %v, and %d logins", status, err, len(as.Logins))
	}
}

// TestAnotherPort: a client is registered for where it listens, and that changes.
func TestAnotherPort(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	res := newResource(t, as)
	store := oauth.FileStore{Dir: t.TempDir()}
	for range 2 {
		if err := newClient(t, res, func(c *oauth.Config) { c.Store = store }).source.Login(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(as.Clients) != 2 {
		t.Errorf("registered %v", as.Clients)
	}
}

// TestNobodyWaitsForALoginOfOthers who has a token that will do.
func TestNobodyWaitsForALoginOfOthers(t *testing.T) {
	t.Parallel()
	as := oauthtest.NewAuthorizationServer(t)
	res := newResource(t, as)
	asked, agree := make(chan struct{}, 1), make(chan struct{})
	thinks := false
	loopback, err := oauth.NewLoopback(func(ctx context.Context, page string) error {
		if thinks {
			asked <- struct{}{}
			<-agree
		}
		thinks = true
		return oauthtest.Browse(ctx, page)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer loopback.Close()
	c := newClient(t, res, func(c *oauth.Config) { c.Authorize, c.RedirectURL = loopback.Authorize, loopback.RedirectURL() })
	c.mustNeed("read")
	more := make(chan int, 1)
	go func() {
		status, err := c.need("write")
		if err != nil {
			t.Error(err)
		}
		more <- status
	}()
	<-asked
	c.mustNeed("read")
	close(agree)
	if status := <-more; status != http.StatusOK {
		t.Errorf("got %d", status)
	}
}

// TestWhatIsRefused, before a code or a token goes anywhere.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(as *oauthtest.AuthorizationServer, res *resource)
		want   string
		codes  int // that were given
	}{
		{"metadata for somebody else", func(_ *oauthtest.AuthorizationServer, res *resource) {
			res.metadata["resource"] = "https://example.com/mcp"
		}, "it is for", 0},
		{"metadata for a path beside ours", func(_ *oauthtest.AuthorizationServer, res *resource) { res.metadata["resource"] = res.url + "2" }, "it is for", 0},
		{"no metadata", func(_ *oauthtest.AuthorizationServer, res *resource) { res.metadata, res.silent = nil, true }, "no well-known path", 0},
		{"no authorization server", func(_ *oauthtest.AuthorizationServer, res *resource) {
			res.metadata["authorization_servers"] = []string{}
		}, "names no authorization server", 0},
		{"a server in clear", func(_ *oauthtest.AuthorizationServer, res *resource) {
			res.metadata["authorization_servers"] = []string{"http://example.com"}
		}, "neither https", 0},
		{"a server that is no URL", func(_ *oauthtest.AuthorizationServer, res *resource) {
			res.metadata["authorization_servers"] = []string{"javascript:alert(1)"}
		}, "neither https", 0},
		{"another issuer", func(as *oauthtest.AuthorizationServer, _ *resource) { as.Metadata["issuer"] = as.URL + "/" }, "of the issuer", 0},
		{"no PKCE", func(as *oauthtest.AuthorizationServer, _ *resource) {
			delete(as.Metadata, "code_challenge_methods_supported")
		}, "PKCE", 0},
		{"plain PKCE", func(as *oauthtest.AuthorizationServer, _ *resource) {
			as.Metadata["code_challenge_methods_supported"] = []string{"plain"}
		}, "PKCE", 0},
		{"a page in clear", func(as *oauthtest.AuthorizationServer, _ *resource) {
			as.Metadata["authorization_endpoint"] = "http://example.com/"
		}, "authorization_endpoint", 0},
		{"no page", func(as *oauthtest.AuthorizationServer, _ *resource) {
			as.Metadata["authorization_endpoint"] = "file:///bin/sh"
		}, "authorization_endpoint", 0},
		{"tokens in clear", func(as *oauthtest.AuthorizationServer, _ *resource) {
			as.Metadata["token_endpoint"] = "http://example.com/"
		}, "token_endpoint", 0},
		{"no registration", func(as *oauthtest.AuthorizationServer, _ *resource) { delete(as.Metadata, "registration_endpoint") }, "configure the client id", 0},
		{"no iss", func(as *oauthtest.AuthorizationServer, _ *resource) { as.Iss = "" }, "whose it is", 1},
		{"another iss", func(as *oauthtest.AuthorizationServer, _ *resource) { as.Iss = "https://example.com" }, "https://example.com", 1},
		{"iss with a slash", func(as *oauthtest.AuthorizationServer, _ *resource) { as.Iss = as.URL + "/" }, "the answer is of", 1},
		{"another iss that was not announced", func(as *oauthtest.AuthorizationServer, _ *resource) {
			delete(as.Metadata, "authorization_response_iss_parameter_supported")
			as.Iss = "https://example.com"
		}, "https://example.com", 1},
		{"a refusal", func(as *oauthtest.AuthorizationServer, _ *resource) { as.Deny = "access_denied" }, "access_denied", 0},
		{"a refusal of somebody else", func(as *oauthtest.AuthorizationServer, _ *resource) {
			as.Deny, as.Iss = "access_denied", "https://example.com"
		}, "the answer is of", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			as, c := pair(t, nil)
			tt.change(as, c.resource)
			_, err := c.need("read")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if len(as.Grants) > 0 {
				t.Errorf("tokens were asked for: %q", as.Grants)
			}
			if len(as.Codes) != tt.codes {
				t.Errorf("%d codes were given", len(as.Codes))
			}
		})
	}
}

// TestWhatIsTaken, though not every server has it.
func TestWhatIsTaken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(as *oauthtest.AuthorizationServer, res *resource, c *oauth.Config)
		check  func(t *testing.T, as *oauthtest.AuthorizationServer)
	}{
		{"iss that was not announced", func(as *oauthtest.AuthorizationServer, _ *resource, _ *oauth.Config) {
			delete(as.Metadata, "authorization_response_iss_parameter_supported")
		}, nil},
		{"neither", func(as *oauthtest.AuthorizationServer, _ *resource, _ *oauth.Config) {
			delete(as.Metadata, "authorization_response_iss_parameter_supported")
			as.Iss = ""
		}, nil},
		{"metadata at the well-known path alone", func(_ *oauthtest.AuthorizationServer, res *resource, _ *oauth.Config) { res.silent = true }, nil},
		{"metadata by RPC", func(as *oauthtest.AuthorizationServer, res *resource, c *oauth.Config) {
			res.metadata, res.silent = nil, true
			c.Metadata = func(context.Context) (*oauthex.ProtectedResourceMetadata, error) {
				return &oauthex.ProtectedResourceMetadata{Resource: res.url, AuthorizationServers: []string{as.URL}, ScopesSupported: []string{"read"}}, nil
			}
		}, nil},
		{"metadata of the whole host", func(_ *oauthtest.AuthorizationServer, res *resource, _ *oauth.Config) {
			res.metadata["resource"] = strings.TrimSuffix(res.url, "/mcp")
		}, nil},
		{"a client that is known", func(_ *oauthtest.AuthorizationServer, _ *resource, c *oauth.Config) {
			c.Client = &oauthex.ClientCredentials{ClientID: "known"}
		}, func(t *testing.T, as *oauthtest.AuthorizationServer) {
			if len(as.Clients) > 0 || as.Logins[0].Get("client_id") != "known" {
				t.Errorf("registered %v, and logged in as %v", as.Clients, as.Logins)
			}
		}},
		{"a document", func(as *oauthtest.AuthorizationServer, _ *resource, c *oauth.Config) {
			as.Metadata["client_id_metadata_document_supported"] = true
			c.ClientIDMetadataURL = "https://example.com/client.json"
		}, func(t *testing.T, as *oauthtest.AuthorizationServer) {
			if len(as.Clients) > 0 || as.Logins[0].Get("client_id") != "https://example.com/client.json" {
				t.Errorf("registered %v, and logged in as %v", as.Clients, as.Logins)
			}
		}},
		{"a document that the server does not know", func(_ *oauthtest.AuthorizationServer, _ *resource, c *oauth.Config) {
			c.ClientIDMetadataURL = "https://example.com/client.json"
		}, func(t *testing.T, as *oauthtest.AuthorizationServer) {
			if len(as.Clients) != 1 {
				t.Errorf("registered %v", as.Clients)
			}
		}},
		{"scopes of ours", func(_ *oauthtest.AuthorizationServer, _ *resource, c *oauth.Config) { c.Scopes = []string{"write"} }, func(t *testing.T, as *oauthtest.AuthorizationServer) {
			if got := as.Logins[0].Get("scope"); got != "read write offline_access" {
				t.Errorf("the scopes were %q", got)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			as := oauthtest.NewAuthorizationServer(t)
			res := newResource(t, as)
			newClient(t, res, func(c *oauth.Config) { tt.change(as, res, c) }).mustNeed("read")
			if tt.check != nil {
				tt.check(t, as)
			}
		})
	}
}

// TestAnotherIssuer is somebody that nothing of the old one is told.
func TestAnotherIssuer(t *testing.T) {
	t.Parallel()
	old, c := pair(t, nil)
	c.mustNeed("read")
	moved := oauthtest.NewAuthorizationServer(t)
	old.Set(func() { c.resource.metadata["authorization_servers"] = []string{moved.URL} })
	old.Revoke()
	old.Set(func() { clear(old.RefreshTokens) })
	moved.Tokens = old.Tokens // the resource looks there
	if status, err := c.need("read"); err != nil || status != http.StatusUnauthorized && status != http.StatusOK {
		t.Fatalf("got %d, %v", status, err)
	}
	if len(moved.Clients) != 1 || len(moved.Logins) != 1 || moved.Logins[0].Get("client_id") != "client-1" {
		t.Errorf("registered %v, and logged in as %v", moved.Clients, moved.Logins)
	}
}

// TestBackAtTheFirstIssuer, who has registered us before, nobody registers again.
func TestBackAtTheFirstIssuer(t *testing.T) {
	t.Parallel()
	for _, store := range []oauth.Store{nil, oauth.FileStore{Dir: t.TempDir()}} {
		first, c := pair(t, func(c *oauth.Config) { c.Store = store })
		c.mustNeed("read")
		second := oauthtest.NewAuthorizationServer(t)
		for _, at := range []string{second.URL, first.URL} {
			first.Set(func() { c.resource.metadata["authorization_servers"] = []string{at} })
			if err := c.source.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(first.Clients) != 1 || len(second.Clients) != 1 || len(first.Logins) != 2 || len(second.Logins) != 1 {
			t.Errorf("registered %d and %d times, for %d and %d logins", len(first.Clients), len(second.Clients), len(first.Logins), len(second.Logins))
		}
	}
}

// TestTokensStayWithTheirServer: other origins, and other paths of it that redirect, get none.
func TestTokensStayWithTheirServer(t *testing.T) {
	t.Parallel()
	as, c := pair(t, nil)
	c.mustNeed("read")
	other := newResource(t, as)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other.url+"/read", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got := <-other.seen; got != "" || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("another server saw the token %q, and the status was %d", got, res.StatusCode)
	}
	for path, want := range map[string]bool{"/mcp": true, "/mcp/x": true, "/": false, "/mcp2": false, "/other": false, "/mcp/../other": false} {
		var saw string
		transport, err := oauth.NewTransport(c.resource.url, c.source, roundTrip(func(r *http.Request) (*http.Response, error) {
			saw = r.Header.Get("Authorization")
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(c.resource.url, "/mcp")+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if (saw != "") != want {
			t.Errorf("%s saw %t", path, saw != "")
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestConfigurationMistakes say what to write.
func TestConfigurationMistakes(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]oauth.Config{
		"tokens need https":                 {Resource: "http://example.com/mcp"},
		"write scheme, host and path":       {Resource: "example.com"},
		"Authorize needs a RedirectURL":     {Resource: "https://example.com", Authorize: new(oauth.Loopback).Authorize},
		"ClientIDMetadataURL":               {Resource: "https://example.com", ClientIDMetadataURL: "https://example.com/"},
		"Client":                            {Resource: "https://example.com", Client: &oauthex.ClientCredentials{}},
		"Unattended needs a Client":         {Resource: "https://example.com", Unattended: true},
		"Registration does not have the Re": {Resource: "https://example.com", RedirectURL: "http://127.0.0.1/", Registration: &oauthex.ClientRegistrationMetadata{}},
	} {
		if _, err := oauth.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
