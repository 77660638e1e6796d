// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// The requirements that the suite knows, by the version of MCP.
const (
	modern = "2026-07-28"
	legacy = "2025-11-25"
)

// A target is something that serves the everything-server over Streamable HTTP, as all that the
// suite speaks.
type target struct {
	name  string
	about string
	// start serves for the requirements of a version until stop is called.
	start func(ctx context.Context, requirements string) (url string, stop func() error, err error)
}

// targets are what the suite is run against. The first is the measure of the others.
var targets = []target{
	{"sdk", "the Go SDK's own Streamable HTTP server", serveSDK},
	{"mcp", "our /mcp", serveHandler},
	{"grpc", "Streamable HTTP, gateway, gRPC, our handler", chain(mcpconnect.ProtocolGRPC)},
	{"grpcweb", "Streamable HTTP, gateway, gRPC-Web, our handler", chain(mcpconnect.ProtocolGRPCWeb)},
	{"connect", "Streamable HTTP, gateway, Connect, our handler", chain(mcpconnect.ProtocolConnect)},
}

var quiet = slog.New(slog.DiscardHandler)

// serveSDK serves by the SDK alone, which has the newest version without sessions only.
func serveSDK(ctx context.Context, requirements string) (string, func() error, error) {
	server, err := newServer(ctx)
	if err != nil {
		return "", nil, err
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: requirements >= modern, Logger: quiet})
	ln, err := listen(ctx)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", handler)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	return "http://" + ln.Addr().String(), func() error {
		err := s.Close()
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// serveHandler serves by this project, for all requirements at once.
func serveHandler(ctx context.Context, _ string) (string, func() error, error) {
	server, err := newServer(ctx)
	if err != nil {
		return "", nil, err
	}
	return serve(ctx, mcpconnect.NewHandler(server, mcpconnect.WithStreamableHTTP(), mcpconnect.WithLogger(quiet)))
}

func serve(ctx context.Context, h *mcpconnect.Handler) (string, func() error, error) {
	ln, err := listen(ctx)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		served <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithGracePeriod(100*time.Millisecond), mcpconnect.WithServeLogger(quiet))
	}()
	return "http://" + ln.Addr().String(), func() error {
		cancel()
		if err := <-served; !errors.Is(err, context.DeadlineExceeded) { // of calls that the suite has left behind
			return err
		}
		return nil
	}, nil
}

// chain serves by a gateway, which reaches the server over p: so all that the suite says goes
// over that wire.
func chain(p mcpconnect.Protocol) func(context.Context, string) (string, func() error, error) {
	return func(ctx context.Context, requirements string) (string, func() error, error) {
		behind, stopBehind, err := serveHandler(ctx, requirements)
		if err != nil {
			return "", nil, err
		}
		g, err := gateway.New(ctx, gateway.Config{
			Upstreams: []gateway.Upstream{{Name: "everything", Transport: mcpconnect.NewTransport(behind, mcpconnect.WithProtocol(p))}},
			Logger:    quiet,
		})
		if err != nil {
			return "", nil, errors.Join(fmt.Errorf("gateway: %w", err), stopBehind())
		}
		url, stop, err := serve(ctx, g.Handler(mcpconnect.WithStreamableHTTP(), mcpconnect.WithLogger(quiet)))
		if err != nil {
			return "", nil, errors.Join(err, g.Close(), stopBehind())
		}
		return url, func() error { return errors.Join(stop(), g.Close(), stopBehind()) }, nil
	}
}

func listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", "127.0.0.1:0")
}
