// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// The tests of this package do not run in parallel: the provider's clients are variables of its
// package.

// patience is for a machine that is busy. Keys are fetched once in ten seconds at the most.
const patience = 30 * time.Second

// A world is a provider, a server that lets in who has logged in there, and who logs in.
type world struct {
	t        *testing.T
	issuer   string
	resource string
	redirect string
	loopback *oauth.Loopback
	stop     func() // the provider
}

// newWorld runs all of it. known gives what the provider knows, verifier who reads its tokens.
func newWorld(t *testing.T, known func(*users) exampleop.Storage, verifier func(issuer, resource string) (authn.TokenVerifier, error)) *world {
	t.Helper()
	w := &world{t: t}
	ln, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.resource = "http://" + ln.Addr().String()
	if w.loopback, err = oauth.NewLoopback(person); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.loopback.Close() })
	w.redirect = w.loopback.RedirectURL()
	atProvider, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.issuer = issuerOf(atProvider)
	w.stop = serveProvider(atProvider, known(newUsers(w.issuer, w.resource, w.redirect)))
	t.Cleanup(func() { w.stop() })
	v, err := verifier(w.issuer, w.resource)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHandler(v, w.issuer, w.resource)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, ln, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// again runs the provider where it was.
func (w *world) again(known exampleop.Storage) {
	w.t.Helper()
	ln, err := new(net.ListenConfig).Listen(w.t.Context(), "tcp", strings.TrimPrefix(w.issuer, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.stop = serveProvider(ln, known)
}

// somebody logs in when they first call.
func (w *world) somebody() (call func() error, source *oauth.Source) {
	w.t.Helper()
	source, err := oauth.New(oauth.Config{
		Resource: w.resource, Metadata: mcpconnect.Metadata(w.resource), Scopes: []string{"openid"},
		Client: &oauthex.ClientCredentials{ClientID: clientID}, Authorize: w.loopback.Authorize, RedirectURL: w.redirect,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.caller(mcpconnect.WithAuthorization(source)), source
}

func (w *world) caller(opts ...mcpconnect.ClientOption) func() error {
	c := mcpconnect.NewClient(w.resource, opts...)
	w.t.Cleanup(func() { _ = c.Close() })
	return func() error {
		_, err := c.CallTool(w.t.Context(), &mcp.CallToolParams{Name: "greet"})
		return err
	}
}

// rotating is a provider that may have two keys: the one it signs with, and an old one whose tokens
// are still good.
type rotating struct {
	*users

	next atomic.Pointer[storage.Storage] // whose key it signs with
}

func (r *rotating) SigningKey(ctx context.Context) (op.SigningKey, error) {
	if next := r.next.Load(); next != nil {
		return next.SigningKey(ctx)
	}
	return r.users.SigningKey(ctx)
}

func (r *rotating) KeySet(ctx context.Context) ([]op.Key, error) {
	keys, err := r.users.KeySet(ctx)
	if next := r.next.Load(); next != nil && err == nil {
		more, err := next.KeySet(ctx)
		return append(keys, more...), err
	}
	return keys, err
}

// TestTheProviderChangesItsKey: tokens of the new key count within ten seconds, and those of the old
// one as long as the provider says so.
func TestTheProviderChangesItsKey(t *testing.T) {
	var keys *rotating
	w := newWorld(t, func(u *users) exampleop.Storage {
		keys = &rotating{users: u}
		return keys
	}, jwts)
	old, _ := w.somebody()
	if err := old(); err != nil {
		t.Fatal(err)
	}
	keys.next.Store(storage.NewStorage(storage.NewUserStore(w.issuer)))
	renewed, _ := w.somebody()
	eventually(t, "a token of the new key counts", renewed)
	if err := old(); err != nil {
		t.Errorf("with a token of the old key got %v", err)
	}
}

// TestTheProviderIsAway: who has a token is let in, and who needs one is told why there is none. It
// comes back with another key.
func TestTheProviderIsAway(t *testing.T) {
	w := newWorld(t, func(u *users) exampleop.Storage { return u }, jwts)
	before, _ := w.somebody()
	if err := before(); err != nil {
		t.Fatal(err)
	}
	w.stop()
	if err := before(); err != nil {
		t.Errorf("with a token got %v", err)
	}
	after, _ := w.somebody()
	if err := after(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("without a token got %v", err)
	}
	w.again(newUsers(w.issuer, w.resource, w.redirect))
	eventually(t, "a token of the provider that is back counts", after)
}

// opaque is a provider whose tokens only it can read. Whoever has resourceServer's secret may ask.
type opaque struct {
	*users

	ends sync.Map // of token to time
}

const resourceServer, resourceSecret = "resource-server", "a secret"

func (o *opaque) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := o.users.GetClientByClientID(ctx, id)
	return opaqueClient{c}, err
}

type opaqueClient struct{ op.Client }

func (opaqueClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

func (o *opaque) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, refresh string) (string, string, time.Time, error) {
	token, refresh, ends, err := o.users.CreateAccessAndRefreshTokens(ctx, r, refresh)
	o.ends.Store(token, ends)
	return token, refresh, ends, err
}

// SetIntrospectionFromToken says for whom a token is, and until when. The provider itself knows no
// audience but the client, so that it is as if the client asked.
func (o *opaque) SetIntrospectionFromToken(ctx context.Context, res *oidc.IntrospectionResponse, token, subject, asks string) error {
	ends, ok := o.ends.Load(token)
	if asks != resourceServer || !ok {
		return errors.New("not its token, or not its business")
	}
	res.Audience = oidc.Audience{o.resource}
	res.Expiration = oidc.FromTime(ends.(time.Time))
	return o.users.SetIntrospectionFromToken(ctx, res, token, subject, clientID)
}

// TestTheProviderRevokesAToken: a server that has not seen it refuses it, and when the provider is
// away that is no fault of the caller's.
func TestTheProviderRevokesAToken(t *testing.T) {
	storage.RegisterClients(storage.WebClient(resourceServer, resourceSecret))
	look := func(issuer, resource string) (authn.TokenVerifier, error) {
		return authn.NewIntrospection(authn.IntrospectionConfig{
			Issuer: authn.Issuer{URL: issuer}, Endpoint: issuer + "/oauth/introspect",
			ClientID: resourceServer, ClientSecret: resourceSecret, Resource: resource,
		})
	}
	w := newWorld(t, func(u *users) exampleop.Storage { return &opaque{users: u} }, look)
	call, source := w.somebody()
	if err := call(); err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unseen, err := look(w.issuer, w.resource)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.resource, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unseen.VerifyToken(t.Context(), token.AccessToken, r); err != nil {
		t.Fatalf("the token is not good: %v", err)
	}
	res, err := http.PostForm(w.issuer+"/revoke", url.Values{"token": {token.AccessToken}, "client_id": {clientID}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("revoking gave %s", res.Status)
	}
	refused := func(what string, want error) {
		t.Helper()
		unseen, err := look(w.issuer, w.resource)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unseen.VerifyToken(t.Context(), token.AccessToken, r); !errors.Is(err, want) {
			t.Errorf("a token that is %s gave %v", what, err)
		}
	}
	refused("revoked", authn.ErrInvalidCredential)
	w.stop()
	refused("of a provider that is away", authn.ErrUnavailable)
}

// eventually calls until it is let in.
func eventually(t *testing.T, what string, call func() error) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := call()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still waiting until %s: %v", what, err)
		}
	}
}
