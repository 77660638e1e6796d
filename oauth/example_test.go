// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// A program that somebody runs: a browser opens when the server wants a login.
func ExampleNew() {
	loopback, err := oauth.NewLoopback(func(_ context.Context, url string) error {
		_, err := fmt.Fprintln(os.Stderr, "Log in at", url) // or start a browser
		return err
	})
	if err != nil {
		panic(err)
	}
	defer loopback.Close()
	const server = "https://mcp.example.com"
	source, err := oauth.New(oauth.Config{
		Resource:    server,
		Metadata:    mcpconnect.Metadata(server),
		Authorize:   loopback.Authorize,
		RedirectURL: loopback.RedirectURL(),
		Store:       oauth.FileStore{Dir: "credentials"}, // if the login is to last
	})
	if err != nil {
		panic(err)
	}
	client := mcpconnect.NewClient(server, mcpconnect.WithAuthorization(source))
	defer client.Close()
	// client.CallTool(ctx, …) would log in now: there is no token yet.
	fmt.Println(source.Token(context.Background()))
	// Output: <nil> <nil>
}

// A program that nobody sits at, with a secret that one authorization server has given it.
func ExampleNew_unattended() {
	client := &oauthex.ClientCredentials{
		ClientID:         "nightly",
		ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: os.Getenv("CLIENT_SECRET") + "secret"},
	}
	cfg := oauth.Config{Resource: "https://mcp.example.com", Unattended: true, Client: client}
	_, err := oauth.New(cfg)
	fmt.Println(err)

	client.Issuer = "https://login.example.com"
	_, err = oauth.New(cfg)
	fmt.Println(err)
	// Output:
	// oauth: Client "nightly" has a secret, whose Issuer is not set: write the URL of the authorization server that has given the secret
	// <nil>
}

// Tokens for the SDK's own client over Streamable HTTP.
func ExampleNewTransport() {
	const endpoint = "https://mcp.example.com/mcp"
	source, err := oauth.New(oauth.Config{Resource: endpoint})
	if err != nil {
		panic(err)
	}
	transport, err := oauth.NewTransport(endpoint, source, nil)
	if err != nil {
		panic(err)
	}
	way := &mcp.StreamableClientTransport{Endpoint: endpoint, HTTPClient: &http.Client{Transport: transport}}
	// mcp.NewClient(…).Connect(ctx, way, nil)
	fmt.Println(way.Endpoint)
	// Output: https://mcp.example.com/mcp
}

// Answers of authorization servers come to a port of this machine, for as long as the program waits.
func ExampleNewLoopback() {
	loopback, err := oauth.NewLoopback(func(context.Context, string) error { return nil })
	if err != nil {
		panic(err)
	}
	defer loopback.Close()
	res, err := http.Get(loopback.RedirectURL() + "?code=unasked&state=made-up")
	if err != nil {
		panic(err)
	}
	_ = res.Body.Close()
	fmt.Println(res.Status)
	// Output: 400 Bad Request
}
