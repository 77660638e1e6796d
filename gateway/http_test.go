// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// silent is a server with sessions that begins to answer calls, and never does. It tells of each call
// that has begun, and counts those whose request is open.
func silent(t *testing.T, begun chan<- struct{}, inFlight *atomic.Int64) gateway.Upstream {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.RawMessage
			Method string
		}
		text, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(text, &m)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case m.Method == "initialize":
			w.Header().Set("Mcp-Session-Id", "s1")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"u","version":"1"}}}`, m.ID)
		case m.ID == nil:
			w.WriteHeader(http.StatusAccepted)
		case m.Method == "tools/call":
			inFlight.Add(1)
			defer inFlight.Add(-1)
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		}
	}))
	t.Cleanup(up.Close)
	return gateway.Upstream{Name: "up", URL: up.URL, Version: "2025-11-25"}
}

// TestCancelledCallsLeaveNoRequests at a server with sessions, which need not answer them.
func TestCancelledCallsLeaveNoRequests(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	var inFlight atomic.Int64
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{silent(t, begun, &inFlight)}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	c := mcpconnect.NewClient(url)
	defer c.Close()
	var all sync.WaitGroup
	for range 20 {
		ctx, cancel := context.WithCancel(rpctest.Context(t))
		all.Go(func() {
			if _, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "x"}); !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled call gave %v", err)
			}
		})
		select {
		case <-begun:
		case <-rpctest.Context(t).Done():
			t.Error("the call has not begun")
		}
		cancel()
	}
	all.Wait()
	eventually(t, "no request is open", func() bool { return inFlight.Load() == 0 })
}
