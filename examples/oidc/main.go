// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command oidc shows how somebody gets into an MCP server: it runs an OpenID provider, a server that
// lets in who has logged in there, and a client, all in one process, and prints what happens.
//
//	go run .
//
// logs in by itself; with -browser a browser opens, in which test-user@localhost logs in with the
// password "verysecure".
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

func main() {
	withBrowser := flag.Bool("browser", false, "log in with a browser")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	open := person
	if *withBrowser {
		open = browser
	}
	err := run(ctx, os.Stdout, open)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}

// run runs all three. open shows the provider's page to somebody.
func run(ctx context.Context, out io.Writer, open func(ctx context.Context, page string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listenServer, err := listen(ctx)
	if err != nil {
		return err
	}
	defer listenServer.Close()
	resource := "http://" + listenServer.Addr().String()

	loopback, err := oauth.NewLoopback(open)
	if err != nil {
		return err
	}
	defer loopback.Close()
	listenProvider, err := listen(ctx)
	if err != nil {
		return err
	}
	issuer := issuerOf(listenProvider)
	defer serveProvider(listenProvider, newUsers(issuer, resource, loopback.RedirectURL()))()
	fmt.Fprintln(out, "provider:", issuer)

	tokens, err := jwts(issuer, resource)
	if err != nil {
		return err
	}
	handler, err := newHandler(tokens, issuer, resource)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		served <- mcpconnect.Serve(ctx, listenServer, handler, mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler)))
	}()
	fmt.Fprintln(out, "server:  ", resource)

	err = call(ctx, out, resource, loopback)
	cancel()
	if stopped := <-served; err == nil {
		err = stopped
	}
	return err
}

func listen(ctx context.Context) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", "localhost:0")
}

// jwts reads the tokens of the issuer.
func jwts(issuer, resource string) (authn.TokenVerifier, error) {
	return authn.NewJWT(authn.JWTConfig{
		Resource: resource,
		// The provider does not say what a token is (RFC 9068), so its type is JWT.
		Issuers: []authn.Issuer{{URL: issuer, Types: []string{"JWT"}}},
	})
}

// newHandler serves a tool to callers who have a token of the issuer with the scope greet.
func newHandler(tokens authn.TokenVerifier, issuer, resource string) (http.Handler, error) {
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Tools:   map[string]authn.Rule{"greet": {Scopes: []string{"greet"}}},
		Methods: map[string]authn.Rule{"server/discover": {}},
	})
	if err != nil {
		return nil, err
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1"}, nil)
	mcpconnect.AddTool(server, &mcp.Tool{Name: "greet"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		caller := authn.FromContext(ctx)
		text := fmt.Sprintf("hello %s, who may %s", caller.Subject, strings.Join(caller.Scopes, " and "))
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	})
	return mcpconnect.NewHandler(server,
		mcpconnect.WithAuthn(authn.Bearer{tokens}),
		mcpconnect.WithPolicy(policy),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{
			Resource: resource, AuthorizationServers: []string{issuer}, ScopesSupported: []string{"greet"},
		}),
		mcpconnect.WithLogger(slog.New(slog.DiscardHandler)),
	), nil
}

// call calls the tool, first as nobody and then as somebody who logs in.
func call(ctx context.Context, out io.Writer, url string, loopback *oauth.Loopback) error {
	nobody := mcpconnect.NewClient(url)
	defer nobody.Close()
	_, err := nobody.CallTool(ctx, &mcp.CallToolParams{Name: "greet"})
	fmt.Fprintln(out, "nobody:  ", err)

	source, err := oauth.New(oauth.Config{
		Resource:    url,
		Metadata:    mcpconnect.Metadata(url),
		Client:      &oauthex.ClientCredentials{ClientID: clientID},
		Authorize:   loopback.Authorize,
		RedirectURL: loopback.RedirectURL(),
		Scopes:      []string{"openid"},
	})
	if err != nil {
		return err
	}
	client := mcpconnect.NewClient(url, mcpconnect.WithAuthorization(source))
	defer client.Close()
	res, err := client.CallTool(ctx, &mcp.CallToolParams{Name: "greet"})
	if err != nil {
		return err
	}
	token, err := source.Token(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "token:    %s… until %s\n", token.AccessToken[:8], token.Expiry.Format("15:04"))
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			fmt.Fprintln(out, "somebody:", text.Text)
		}
	}
	return nil
}
