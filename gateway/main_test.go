// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// patience bounds every wait of the tests: for a machine that is busy, not for a server
// that is slow.
const patience = 30 * time.Second

// childVariable says which child process the test binary is to be.
const childVariable = "GATEWAY_TEST_CHILD"

func TestMain(m *testing.M) {
	if kind := os.Getenv(childVariable); kind != "" {
		os.Exit(beChild(kind))
	}
	goleak.VerifyTestMain(m)
}

// child is an upstream that is a child process of some kind.
func child(t testing.TB, name, kind string) gateway.Upstream {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Upstream{Name: name, Command: []string{self}, Env: []string{childVariable + "=" + kind}}
}

var quiet = slog.New(slog.DiscardHandler)

// open makes a gateway that ends with the test.
func open(t testing.TB, cfg gateway.Config) *gateway.Gateway {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	g, err := gateway.New(rpctest.Context(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// serve runs a handler until the test ends, and gives its URL.
func serve(t testing.TB, h *mcpconnect.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, ln, h)
	return "http://" + ln.Addr().String()
}

// serveOn runs a handler on a listener until the test ends.
func serveOn(t testing.TB, ln net.Listener, h *mcpconnect.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, ln, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
		_ = h.Close()
	})
}

func serveEverything(t testing.TB) string {
	t.Helper()
	return serve(t, mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP()))
}

// eventually polls until done.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting until %s", what)
		}
	}
}
