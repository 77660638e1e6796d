// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A server of Streamable HTTP is shown over gRPC, gRPC-Web and Connect, too.
func ExampleNew() {
	// First, a server that is somewhere.
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct{ Name string }) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "Hi " + in.Name}}}, nil, nil
	})
	elsewhere := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	defer elsewhere.Close()

	// Next, a gateway to it.
	ctx := context.Background()
	g, err := gateway.New(ctx, gateway.Config{Upstreams: []gateway.Upstream{{Name: "greeter", URL: elsewhere.URL}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()
	handler := g.Handler()
	defer handler.Close()
	here := httptest.NewServer(handler)
	defer here.Close()

	// Finally, a client that knows only the gateway.
	client := mcpconnect.NewClient(here.URL, mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), mcpconnect.WithHTTP1())
	defer client.Close()
	res, err := client.CallTool(ctx, &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"Name": "Ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Content[0].(*mcp.TextContent).Text)
	// Output: Hi Ada
}

// A client that speaks stdio only reaches a server over gRPC-Web.
func ExampleServeStdio() {
	// First, a server that is somewhere.
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
	handler := mcpconnect.NewHandler(server)
	defer handler.Close()
	elsewhere := httptest.NewServer(handler)
	defer elsewhere.Close()

	// Next, the bridge. It reads what the client writes until that ends; a program has
	// os.Stdin and os.Stdout there.
	in := io.NopCloser(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"))
	err := gateway.ServeStdio(context.Background(), in, os.Stdout, gateway.StdioConfig{Upstream: gateway.Upstream{
		Transport: mcpconnect.NewTransport(elsewhere.URL, mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb), mcpconnect.WithHTTP1()),
	}})
	if err != nil {
		fmt.Println(err)
	}
	// Output: {"jsonrpc":"2.0","id":1,"result":{}}
}
