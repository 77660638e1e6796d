// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// clientID is who we are at the provider, which takes no new clients.
const clientID = "mcp-client"

// newUsers makes what the provider knows, with a key of its own. All is in memory, and its user and
// password are in everybody's hands: it is for development.
func newUsers(issuer, resource, redirectURL string) *users {
	storage.RegisterClients(storage.NativeClient(clientID, redirectURL))
	return &users{storage.NewStorage(storage.NewUserStore(issuer)), resource}
}

// serveProvider runs the provider on ln until stop.
func serveProvider(ln net.Listener, known exampleop.Storage) (stop func()) {
	logger := slog.New(slog.DiscardHandler)
	server := &http.Server{Handler: exampleop.SetupServer(issuerOf(ln), known, logger, false), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ln) // until stop
	}()
	return func() {
		_ = server.Close()
		<-done
	}
}

// issuerOf gives the URL of the provider that listens on ln.
func issuerOf(ln net.Listener) string {
	return "http://localhost" + ln.Addr().String()[strings.LastIndex(ln.Addr().String(), ":"):]
}

// users are the provider's own storage, but for what makes tokens those of one resource server:
// JWTs, with its URL as audience (RFC 8707) and their scopes in them (RFC 9068).
type users struct {
	*storage.Storage

	resource string
}

// GetClientByClientID gives the client, with tokens that are JWTs.
func (u *users) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := u.Storage.GetClientByClientID(ctx, id)
	return client{c}, err
}

type client struct{ op.Client }

// AccessTokenType is that of a token which our server can read itself.
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// IsScopeAllowed allows the scope of our tool.
func (c client) IsScopeAllowed(scope string) bool {
	return scope == "greet" || c.Client.IsScopeAllowed(scope)
}

// AuthRequestByCode gives the login that a code is from, for our resource.
func (u *users) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	r, err := u.Storage.AuthRequestByCode(ctx, code)
	return login{r, u.resource}, err
}

type login struct {
	op.AuthRequest

	resource string
}

// GetAudience is who the token is for.
func (l login) GetAudience() []string { return []string{l.resource} }

// CreateAccessToken makes a token of a login.
func (u *users) CreateAccessToken(ctx context.Context, r op.TokenRequest) (string, time.Time, error) {
	return u.Storage.CreateAccessToken(ctx, unwrap(r))
}

// CreateAccessAndRefreshTokens makes both of a login.
func (u *users) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, refresh string) (string, string, time.Time, error) {
	return u.Storage.CreateAccessAndRefreshTokens(ctx, unwrap(r), refresh)
}

// unwrap gives the storage what it has made.
func unwrap(r op.TokenRequest) op.TokenRequest {
	if l, ok := r.(login); ok {
		return l.AuthRequest
	}
	return r
}

// GetPrivateClaimsFromScopes adds the scopes, which the provider leaves out.
func (u *users) GetPrivateClaimsFromScopes(ctx context.Context, userID, client string, scopes []string) (map[string]any, error) {
	claims, err := u.Storage.GetPrivateClaimsFromScopes(ctx, userID, client, scopes)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["scope"] = strings.Join(scopes, " ")
	return claims, err
}
