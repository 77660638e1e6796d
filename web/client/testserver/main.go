// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command testserver serves the server of the tests to TypeScript clients. It prints its
// address, and ends when its standard input does.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func main() {
	origins := flag.String("origins", "", "origins of pages that may call, separated by commas")
	pages := flag.String("pages", "", "folder of static files to serve on a port of their own, which may call")
	issuer := flag.String("issuer", "", "URL of the authorization server; without it everybody may call")
	delay := flag.Duration("delay", 0, "how long new connections are still served when the server ends")
	grace := flag.Duration("grace", 30*time.Second, "how long calls in flight have after that")
	stdio := flag.Bool("stdio", false, "serve on standard input and output, by the SDK alone: what everything else is measured by")
	forwarding := flag.Bool("forward", false, "serve nothing, but pass connections on to another server")
	flag.Parse()
	var err error
	switch {
	case *stdio:
		err = newServer().MCP().Run(context.Background(), &mcp.StdioTransport{})
	case *forwarding:
		err = forward()
	default:
		err = run(*origins, *pages, *issuer, mcpconnect.WithDrainDelay(*delay), mcpconnect.WithGracePeriod(*grace))
	}
	if err != nil {
		log.Fatal(err)
	}
}

func newServer() *everything.Server {
	server := everything.New(nil)
	// Their output schemas are of a type that only 2026-07-28 has: clients of the SDK refuse
	// the whole list in older versions.
	server.MCP().RemoveTools("structured_array", "structured_number")
	return server
}

func run(origins, pages, issuer string, opts ...mcpconnect.ServeOption) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it, the parent is gone
		cancel()
	}()
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := newServer()
	var allowed []string
	if origins != "" {
		allowed = strings.Split(origins, ",")
	}
	if pages != "" {
		static, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer static.Close()
		allowed = append(allowed, "http://"+static.Addr().String())
		mux := http.NewServeMux()
		mux.Handle("/", http.FileServer(http.Dir(pages)))
		// How many calls of the tool block wait: what a cancellation has to change.
		mux.HandleFunc("/blocking", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, server.Blocking()) })
		go func() { _ = http.Serve(static, mux) }() //nolint:gosec // for tests
		fmt.Println("pages http://" + static.Addr().String())
	}
	options, err := authorized(issuer, "http://"+ln.Addr().String())
	if err != nil {
		return err
	}
	options = append(options, mcpconnect.WithOrigins(allowed...), mcpconnect.WithLogger(slog.New(slog.DiscardHandler))) // tests provoke what gets logged
	handler := mcpconnect.NewHandler(server.MCP(), options...)
	untouched := mcpconnect.NewHandler(newServer().MCP(), options...) // whose lists nobody changes
	small := mcpconnect.NewHandler(everything.New(&everything.Options{PageSize: 3}).MCP(), options...)
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/untouched/", http.StripPrefix("/untouched", untouched))
	mux.Handle("/small/", http.StripPrefix("/small", small))
	fmt.Println("serving http://" + ln.Addr().String())
	return mcpconnect.Serve(ctx, ln, mux,
		append(opts, mcpconnect.WithDrain(handler), mcpconnect.WithDrain(untouched), mcpconnect.WithDrain(small))...)
}

// authorized lets callers with a token of issuer in; the tool update_resource needs the scope
// "write" beside it.
func authorized(issuer, resource string) ([]mcpconnect.HandlerOption, error) {
	if issuer == "" {
		return nil, nil
	}
	jwt, err := authn.NewJWT(authn.JWTConfig{Resource: resource, Issuers: []authn.Issuer{{URL: issuer}}})
	if err != nil {
		return nil, err
	}
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Tools:   map[string]authn.Rule{"update_resource": {Scopes: []string{"write"}}},
		Default: &authn.Rule{},
	})
	if err != nil {
		return nil, err
	}
	return []mcpconnect.HandlerOption{
		mcpconnect.WithAuthn(authn.Bearer{jwt}),
		mcpconnect.WithPolicy(policy),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: resource, AuthorizationServers: []string{issuer}}),
	}, nil
}
