// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

const watchedURI = "test://watched-resource"

// A watcher is a client of a gateway that may be told of changes.
type watcher struct {
	*mcp.ClientSession

	t       *testing.T
	updates chan string
}

// watchers gives clients of a gateway whose upstream, of a version, is one for each user.
func watchers(t *testing.T, version string) func(name, version string) *watcher {
	t.Helper()
	up := child(t, "up", "everything")
	up.PerUser, up.Version = true, version
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
	tokens, err := authn.NewStatic(map[string]authn.Grant{"token-of-ann": {Subject: "ann"}, "token-of-bob": {Subject: "bob"}})
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{tokens})))
	return func(name, version string) *watcher {
		w := &watcher{t: t, updates: make(chan string, 100)}
		client := mcp.NewClient(&mcp.Implementation{Name: name, Version: "1"}, &mcp.ClientOptions{
			ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
				w.updates <- fmt.Sprint(r.Params.URI, " ", slices.Sorted(maps.Keys(r.Params.Meta)))
			},
		})
		w.ClientSession, err = client.Connect(rpctest.Context(t), mcpconnect.NewTransport(url, mcpconnect.WithHeader("authorization", "Bearer token-of-"+name)),
			&mcp.ClientSessionOptions{ProtocolVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
}

// change changes the watched resource on the watcher's own server.
func (w *watcher) change() {
	w.t.Helper()
	res, err := w.CallTool(rpctest.Context(w.t), &mcp.CallToolParams{Name: "update_resource", Arguments: map[string]any{"uri": watchedURI, "text": "new"}})
	if err != nil || res.IsError {
		w.t.Fatalf("the change gave %v, %v", res, err)
	}
}

func (w *watcher) watch() {
	w.t.Helper()
	if err := w.Subscribe(rpctest.Context(w.t), &mcp.SubscribeParams{URI: watchedURI}); err != nil {
		w.t.Fatal(err)
	}
}

// TestUsersAreToldOfTheirOwnServers, whether they have called it before they subscribe or not,
// and not of those of others.
func TestUsersAreToldOfTheirOwnServers(t *testing.T) {
	t.Parallel()
	for _, eras := range [][2]string{{"2025-11-25", ""}, {"2025-11-25", "2025-11-25"}, {rpctest.ModernVersion, ""}, {rpctest.ModernVersion, "2025-11-25"}} {
		for _, first := range []string{"call", "subscribe"} {
			t.Run(fmt.Sprintf("client of %q, server of %q, first %s", eras[0], eras[1], first), func(t *testing.T) {
				t.Parallel()
				dial := watchers(t, eras[1])
				ann, bob := dial("ann", eras[0]), dial("bob", eras[0])
				if first == "call" {
					ann.change()
					bob.change()
				}
				bob.watch()
				ann.change() // who has not subscribed
				ann.watch()
				told(t, ann)
				if n := len(bob.updates); n > 0 {
					t.Errorf("bob was told of ann's %d times: %s", n, <-bob.updates)
				}
				told(t, bob)
			})
		}
	}
}

// told changes the resource until the watcher is told, of what it has asked for and no more.
func told(t *testing.T, w *watcher) {
	t.Helper()
	eventually(t, "a user is told", func() bool {
		w.change()
		return len(w.updates) > 0
	})
	if got := <-w.updates; got != watchedURI+" []" && got != watchedURI+" [io.modelcontextprotocol/subscriptionId]" {
		t.Errorf("the user was told %s", got)
	}
}
