// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestHTTP1ConnectionsAreKeptForManyCalls(t *testing.T) {
	t.Parallel()
	const inFlight, rounds = 100, 3
	arrived := make(chan struct{})
	var here, dialled atomic.Int64
	fake := newFakeMCP()
	fake.ping = func(ctx context.Context) error {
		if here.Add(1)%inFlight == 0 { // all of the round have a connection now
			for range inFlight - 1 {
				arrived <- struct{}{}
			}
			return nil
		}
		select {
		case <-arrived:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	server := httptest.NewUnstartedServer(fake.handler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialled.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	l, err := newClientConfig([]ClientOption{WithProtocol(ProtocolConnect), WithHTTP1()}).dial(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	ctx := muxContext(t)
	for range rounds {
		var calls sync.WaitGroup
		for range inFlight {
			calls.Go(func() {
				if _, err := l.rpc.Ping(ctx, &mcpv1.PingRequest{}); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	// Some may be given back after the next round has begun.
	if n := dialled.Load(); n > inFlight*3/2 {
		t.Errorf("%d connections were dialled for %d calls in flight", n, inFlight)
	}
}
