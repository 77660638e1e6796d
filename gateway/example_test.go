// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

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
