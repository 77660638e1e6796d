// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"log/slog"
	"net"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A drainerAlone has no more methods than a Drainer.
type drainerAlone struct{ Drainer }

func TestServeEndsSessions(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(*testing.T, net.Listener, *Handler) (stop func() error){
		"of its handler": func(t *testing.T, ln net.Listener, h *Handler) func() error {
			return startServe(t, ln, h)
		},
		"of a handler below another": func(t *testing.T, ln net.Listener, h *Handler) func() error {
			return startServe(t, ln, withProto(h), WithDrain(h), WithDrain(drainerAlone{h}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mcp.NewServer(&mcp.Implementation{Name: "sessions", Version: "1"}, nil)
			h := NewHandler(server, WithLogger(slog.New(slog.DiscardHandler)))
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			stop := serve(t, ln, h)
			c := NewClient("http://"+ln.Addr().String(), WithProtocolVersion("2025-11-25"))
			defer c.Close()
			if _, err := c.ListTools(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if n := sessionsOf(server); n != 1 {
				t.Errorf("there are %d sessions, want 1", n)
			}
			if err := stop(); err != nil {
				t.Errorf("Serve: %v", err)
			}
			if n := sessionsOf(server); n != 0 {
				t.Errorf("%d sessions are left", n) // and goleak would find their goroutines
			}
			if err := h.Close(); err != nil {
				t.Errorf("closed again: %v", err)
			}
		})
	}
}

func sessionsOf(server *mcp.Server) int {
	n := 0
	for range server.Sessions() {
		n++
	}
	return n
}
