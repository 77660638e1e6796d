// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

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
