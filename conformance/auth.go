// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/oauth"
)

// Where the suite finds us: it asks nobody there.
const (
	clientMetadataURL = "https://conformance-test.local/client-metadata.json"
	redirectURL       = "http://localhost:3000/callback"
)

// authClient is the client that the suite tests: package oauth in front of the SDK's client for
// Streamable HTTP, since that is all that the suite serves. What comes of it the suite sees.
func authClient(ctx context.Context, endpoint string) error {
	cfg := oauth.Config{
		Resource:            endpoint,
		ClientIDMetadataURL: clientMetadataURL,
		Authorize:           headless,
		RedirectURL:         redirectURL,
	}
	if err := configure(ctx, &cfg, os.Getenv("MCP_CONFORMANCE_CONTEXT")); err != nil {
		return err
	}
	if os.Getenv("MCP_CONFORMANCE_SCENARIO") == "auth/client-credentials-basic" {
		cfg.Unattended, cfg.Authorize, cfg.RedirectURL = true, nil, ""
	}
	source, err := oauth.New(cfg)
	if err != nil {
		return err
	}
	transport, err := oauth.NewTransport(endpoint, source, http.DefaultTransport)
	if err != nil {
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "mcpconnect-conformance", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: endpoint, HTTPClient: &http.Client{Transport: transport}}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	for _, tool := range tools.Tools {
		if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool.Name, Arguments: map[string]any{}}); err != nil {
			return err
		}
	}
	return nil
}

// configure takes what the suite says about a scenario.
func configure(ctx context.Context, cfg *oauth.Config, text string) error {
	if text == "" {
		return nil
	}
	var said struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Issuer       string `json:"issuer"`
	}
	err := json.Unmarshal([]byte(text), &said)
	if err != nil {
		return err
	}
	if said.ClientID != "" {
		cfg.Client = &oauthex.ClientCredentials{ClientID: said.ClientID, Issuer: said.Issuer}
		if said.ClientSecret != "" {
			if said.Issuer == "" { // who has registered the client knows, and does not say
				if cfg.Client.Issuer, err = issuerOf(ctx, cfg.Resource); err != nil {
					return err
				}
			}
			cfg.Client.ClientSecretAuth = &oauthex.ClientSecretAuth{ClientSecret: said.ClientSecret}
		}
	}
	return nil
}

// issuerOf asks the server of a scenario which authorization server it has.
func issuerOf(ctx context.Context, endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	var last error
	for _, path := range []string{u.Path, ""} {
		at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/oauth-protected-resource" + path}
		m, err := oauthex.GetProtectedResourceMetadata(ctx, at.String(), endpoint, http.DefaultClient)
		if err == nil && len(m.AuthorizationServers) > 0 {
			return m.AuthorizationServers[0], nil
		}
		last = err
	}
	return "", fmt.Errorf("the server of the scenario does not say who its authorization server is: %w", last)
}

// headless is a browser whose person agrees to everything: the page redirects at once.
func headless(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, args.URL, http.NoBody)
	if err != nil {
		return nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.Header.Get("Location") == "" {
		return nil, fmt.Errorf("the page answered with status %d and redirects nowhere", res.StatusCode)
	}
	q := to.Query()
	if code := q.Get("error"); code != "" {
		return nil, &oauth.AuthorizationError{Code: code, State: q.Get("state"), Iss: q.Get("iss")}
	}
	if q.Get("code") == "" {
		return nil, errors.New("the redirect has no code")
	}
	return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
}
