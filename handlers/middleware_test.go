// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// layers counts the calls of our receiving middleware that a tool stands in.
func layers() int {
	pcs := make([]uintptr, 10_000)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	n := 0
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "handlers.(*Server)") && strings.Contains(f.Function, "receiving") {
			n++
		}
		if !more {
			return n
		}
	}
}

// TestRequestsLeaveNoLayers: those that go through a Connection of the SDK see to it that our
// middleware is the outermost. A layer for each would make every later call dearer.
func TestRequestsLeaveNoLayers(t *testing.T) {
	t.Parallel()
	for _, handlers := range []int{1, 2} {
		server := mcp.NewServer(&mcp.Implementation{Name: "layers", Version: "1"}, nil)
		got := make(chan int, 1)
		server.AddTool(&mcp.Tool{Name: "count", InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				got <- layers()
				return &mcp.CallToolResult{}, nil
			})
		var clients []mcpv1connect.MCPClient
		for range handlers {
			clients = append(clients, wires[0].client(t, serve(t, server)))
		}
		count := func() int {
			name := "count"
			if _, err := clients[0].InvokeTool(testContext(t), &mcpv1.CallToolRequest{Name: &name}); err != nil {
				t.Fatal(err)
			}
			return <-got
		}
		if n := count(); n == 0 {
			t.Fatal("no layer was found: the test shows nothing")
		}
		for i := range 200 {
			ctx, cancel := context.WithCancel(testContext(t))
			stream, err := clients[i%handlers].Listen(ctx, &mcpv1.ListenRequest{})
			if err != nil {
				t.Fatal(err)
			}
			stream.Receive()
			cancel()
			_ = stream.Close()
		}
		if n, most := count(), 1+64*(handlers-1); n > most {
			t.Errorf("%d handlers: after 200 listens a call passes %d layers, want %d at the most", handlers, n, most)
		}
	}
}

// TestMiddlewareThatIsAddedLaterMayPanic: on every road through the server, those on
// goroutines of the SDK among them.
func TestMiddlewareThatIsAddedLaterMayPanic(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	url := serve(t, server)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if method != "initialize" && method != "server/discover" && method != "notifications/initialized" {
				panic(everything.Secret)
			}
			return next(ctx, method, req)
		}
	})
	for _, version := range []string{"2026-07-28", legacyVersion} {
		stream, err := wires[0].client(t, url).Connect(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		meta := `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}`
		requests := []struct{ method, params string }{
			{"tools/call", `{"_meta":{` + meta + `},"name":"greet","arguments":{}}`},
			{"subscriptions/listen", `{"_meta":{` + meta + `},"notifications":{"toolsListChanged":true}}`},
			{"com.example/echo", `{"_meta":{` + meta + `},"value":1}`},
		}
		if version == legacyVersion {
			if err := openSession(stream); err != nil {
				t.Fatal(err)
			}
			requests = []struct{ method, params string }{
				{"tools/call", `{"name":"greet","arguments":{}}`},
				{"resources/subscribe", `{"uri":"test://watched-resource"}`},
				{"com.example/echo", `{"value":1}`},
			}
		}
		for i, r := range requests {
			if err := stream.Send(envelope(int64(10+i), r.method, json.RawMessage(r.params))); err != nil {
				t.Fatal(err)
			}
			if o, err := read(stream); err != nil || o.err == nil || o.err.Code != jsonrpc.CodeInternalError || o.err.Message != "internal error" {
				t.Errorf("%s, %s: got %v, %v; want an internal error", version, r.method, o, err)
			}
		}
		_ = stream.CloseRequest()
		_ = stream.CloseResponse()
	}
}
