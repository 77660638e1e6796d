// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// streamable is the SDK's own Streamable HTTP, server and client.
type streamable struct {
	name    string
	options mcp.StreamableHTTPOptions
	version string // empty for the newest
}

func sdkHTTP() []Contender {
	return []Contender{
		streamable{"sdk-http-stateful-json", mcp.StreamableHTTPOptions{JSONResponse: true}, ""},
		streamable{"sdk-http-stateful-sse", mcp.StreamableHTTPOptions{}, ""},
		streamable{"sdk-http-stateless-json", mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}, ""},
		streamable{"sdk-http-stateless-sse", mcp.StreamableHTTPOptions{Stateless: true}, ""},
		// Without the header checks of the modern version it is faster.
		streamable{"sdk-http-stateless-json-2025", mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}, "2025-11-25"},
	}
}

func (s streamable) Name() string { return s.name }

func (s streamable) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	server := setup.server()
	return serveHTTP(ctx, ln, mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &s.options))
}

func (s streamable) Dial(ctx context.Context, addr string, inFlight int) (Client, error) {
	connections := http1Client(inFlight)
	c, err := dialSDK(ctx, &mcp.StreamableClientTransport{Endpoint: "http://" + addr, HTTPClient: connections}, s.version)
	return httpUser{c, connections}, err
}

// An httpUser is a client that leaves its connections to whoever made them. A thousand idle
// ones of each client that was measured would be too many.
type httpUser struct {
	Client

	connections *http.Client
}

func (c httpUser) Close() error {
	defer c.connections.CloseIdleConnections()
	return c.Client.Close()
}

// serveHTTP serves h over HTTP/1.1, as http.ListenAndServe does.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	return until(ctx, func() error { return server.Serve(ln) }, func() { _ = server.Close() })
}

// http1Client keeps a connection for each call in flight: with net/http's default of two
// idle ones it would dial for nearly every call.
func http1Client(inFlight int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConns:        inFlight + 2,
		MaxIdleConnsPerHost: inFlight + 2, // and one for a stream of notifications
	}}
}

// h2cClient speaks HTTP/2 in clear, with the settings of net/http.
func h2cClient() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}
