// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A wire is one way to reach a server.
type wire struct {
	name string
	opts []mcpconnect.ClientOption
}

// wires are all ways, and each of them works for everything.
var wires = []wire{
	{"gRPC", nil},
	{"gRPC-Web over HTTP/2", []mcpconnect.ClientOption{mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb)}},
	{"gRPC-Web over HTTP/1.1", []mcpconnect.ClientOption{mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb), mcpconnect.WithHTTP1()}},
	{"Connect over HTTP/2", []mcpconnect.ClientOption{mcpconnect.WithProtocol(mcpconnect.ProtocolConnect)}},
	{"Connect over HTTP/1.1", []mcpconnect.ClientOption{mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), mcpconnect.WithHTTP1()}},
}

const modern = "2026-07-28"

// versions are one of the modern era, and two of the legacy one.
var versions = []string{modern, "2025-11-25", "2025-06-18"}

// eachWire runs test on each wire.
func eachWire(t *testing.T, test func(t *testing.T, w wire)) {
	t.Helper()
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// eachEra runs test on each wire with each version.
func eachEra(t *testing.T, test func(t *testing.T, w wire, version string)) {
	t.Helper()
	eachWire(t, func(t *testing.T, w wire) {
		for _, version := range versions {
			t.Run(version, func(t *testing.T) {
				t.Parallel()
				test(t, w, version)
			})
		}
	})
}

// serve serves h on a port of its own until the test ends, and gives its URL.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, ln, h)
	return "http://" + ln.Addr().String()
}

// serveOn serves h on ln until the test ends.
func serveOn(t *testing.T, ln net.Listener, h http.Handler) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(5*time.Second))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// serveEverything serves a new everything server.
func serveEverything(t *testing.T) (*everything.Server, string) {
	t.Helper()
	server := everything.New(nil)
	return server, serveMCP(t, server.MCP())
}

// serveMCP serves server.
func serveMCP(t *testing.T, server *mcp.Server, opts ...mcpconnect.HandlerOption) string {
	t.Helper()
	h := mcpconnect.NewHandler(server, append([]mcpconnect.HandlerOption{mcpconnect.WithLogger(quiet)}, opts...)...)
	t.Cleanup(func() { _ = h.Close() }) // always nil; runs after Serve has ended
	return serve(t, h)
}

var implementation = &mcp.Implementation{Name: "test", Version: "1"}

// connect connects client over w until the test ends.
func connect(t *testing.T, client *mcp.Client, url string, w wire, version string) *mcp.ClientSession {
	t.Helper()
	session, err := client.Connect(t.Context(), mcpconnect.NewTransport(url, w.opts...), &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if got := session.InitializeResult().ProtocolVersion; got != version {
		t.Fatalf("got version %s, want %s", got, version)
	}
	return session
}
