// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// API keys in front of any handler.
func ExampleNewMiddleware() {
	// First, draw a key. Its owner sees it once; the server keeps the record.
	key, record, err := authn.NewAPIKey("live", nil, authn.APIKey{Subject: "build", Scopes: []string{"read"}})
	if err != nil {
		panic(err)
	}
	keys, err := authn.NewAPIKeys(nil, record)
	if err != nil {
		panic(err)
	}

	// Next, put the middleware in front of a handler.
	m, err := authn.NewMiddleware(authn.Config{Authenticators: []authn.Authenticator{keys}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := authn.FromContext(r.Context())
		fmt.Fprintf(w, "hello %s, you may %s", caller.ID(), caller.Scopes)
	}))

	// Finally, call it with the key and without.
	for _, header := range []http.Header{{"X-Mcp-Api-Key": {key}}, {}} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello api-key|build, you may [read]
	// 401 {"code":"unauthenticated","message":"credentials are missing","details":[{"type":"google.rpc.ErrorInfo","value":"ChNDUkVERU5USUFMU19NSVNTSU5HEgptY3Bjb25uZWN0","debug":{"reason":"CREDENTIALS_MISSING","domain":"mcpconnect"}}]}
}

// Access tokens of an authorization server, and what they let their callers do.
func ExampleNewJWT() {
	const resource = "https://mcp.example.com"
	tokens, err := authn.NewJWT(authn.JWTConfig{
		Resource: resource,
		Issuers:  []authn.Issuer{{URL: "https://login.example.com", Algorithms: []string{"ES256"}}},
	})
	if err != nil {
		panic(err)
	}
	defer tokens.Close()
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Tools: map[string]authn.Rule{
			"search": {Scopes: []string{"docs:read"}},
			"delete": {Scopes: []string{"docs:write"}},
		},
		Implies: map[string][]string{"docs:write": {"docs:read"}},
	})
	if err != nil {
		panic(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "docs", Version: "1"}, nil)
	h := mcpconnect.NewHandler(server,
		mcpconnect.WithAuthn(authn.Bearer{tokens}),
		mcpconnect.WithPolicy(policy),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{
			Resource:             resource,
			AuthorizationServers: []string{"https://login.example.com"},
			ScopesSupported:      []string{"docs:read"},
		}),
		mcpconnect.WithLogger(slog.New(slog.DiscardHandler)))
	defer h.Close()

	r := httptest.NewRequest(http.MethodPost, "/mcp.v1.MCP/ListTools", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Www-Authenticate"))
	// Output: 401 Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"
}

// Scopes that depend on the arguments of a call.
func ExampleNewPolicy() {
	policy, err := authn.NewPolicy(authn.PolicyConfig{Tools: map[string]authn.Rule{
		"open": {ScopesFor: func(_ context.Context, arguments json.RawMessage) []string {
			var a struct{ Secret bool }
			if json.Unmarshal(arguments, &a) == nil && a.Secret {
				return []string{"secrets"}
			}
			return nil
		}},
	}})
	if err != nil {
		panic(err)
	}
	ctx := authn.NewContext(context.Background(), &authn.Principal{Subject: "ann", Method: authn.MethodJWT})
	for _, arguments := range []string{`{}`, `{"secret":true}`} {
		fmt.Println(policy.Allow(ctx, authn.Action{Method: "tools/call", Name: "open", Arguments: json.RawMessage(arguments)}))
	}
	// Output:
	// <nil>
	// the token lacks a scope: secrets
}

// A server for the agents of one user, who reach it through a Unix socket.
func ExampleNewUnixPeers() {
	peers, err := authn.NewUnixPeers(authn.Grants{"uid:1000": {Subject: "ann", Scopes: []string{"read"}}}.Lookup)
	if err != nil {
		panic(err)
	}
	m, err := authn.NewMiddleware(authn.Config{Authenticators: []authn.Authenticator{peers}})
	if err != nil {
		panic(err)
	}
	server := &http.Server{
		Handler:     m.Wrap(http.NotFoundHandler()),
		ConnContext: authn.ConnContext, // mcpconnect.Serve has it
	}
	_ = server.Close()
	// Output:
}

// Pages of one web application may call the server.
func ExampleNewGate() {
	gate, err := authn.NewGate(authn.GateConfig{Origins: []string{"https://app.example.com"}})
	if err != nil {
		panic(err)
	}
	h := gate.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(origin, w.Code)
	}
	// Output:
	// https://app.example.com 200
	// https://evil.example 403
}
