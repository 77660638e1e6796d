// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	connectrpc "connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

type greeting struct {
	Name string `json:"name" jsonschema:"whom to greet"`
}

// startGreeter serves a greeter, and gives its URL and what stops it.
func startGreeter() (url string, stop func()) {
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
	mcpconnect.AddTool(server, &mcp.Tool{Name: "greet"},
		func(_ context.Context, _ *mcp.CallToolRequest, in greeting) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "Hello, " + in.Name + "!"}}}, nil, nil
		})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	handler := mcpconnect.NewHandler(server)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- mcpconnect.Serve(ctx, ln, handler, mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler)))
	}()
	return "http://" + ln.Addr().String(), func() {
		cancel()
		<-done
	}
}

func ExampleNewClient() {
	url, stop := startGreeter()
	defer stop()
	ctx := context.Background()

	// First, a client. It opens no connection before its first call.
	client := mcpconnect.NewClient(url)
	defer client.Close()

	// Next, lists come page by page, as they are needed.
	for tool, err := range client.Tools(ctx, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("tool:", tool.Name)
	}

	// Then, a call.
	res, err := client.CallTool(ctx, &mcp.CallToolParams{Name: "greet", Arguments: greeting{"Ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Content[0].(*mcp.TextContent).Text)

	// Finally, an error says what MCP and what the transport think of it.
	_, err = client.CallTool(ctx, &mcp.CallToolParams{Name: "dance"})
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok {
		fmt.Println(e.Code, connectrpc.CodeOf(err), e.Message)
	}
	// Output:
	// tool: greet
	// Hello, Ada!
	// -32602 not_found unknown tool "dance"
}

func ExampleNewTransport() {
	url, stop := startGreeter()
	defer stop()
	ctx := context.Background()

	// The client is that of the SDK; the transport is all that changes.
	client := mcp.NewClient(&mcp.Implementation{Name: "asker", Version: "v1.0.0"}, nil)
	session, err := client.Connect(ctx, mcpconnect.NewTransport(url), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()

	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "greet", Arguments: greeting{"Ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Content[0].(*mcp.TextContent).Text)
	// Output: Hello, Ada!
}

func ExampleNewTransport_protocols() {
	url, stop := startGreeter()
	defer stop()

	for name, opts := range map[string][]mcpconnect.ClientOption{
		"gRPC":                  nil,
		"gRPC-Web over HTTP/2":  {mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb)},
		"Connect over HTTP/1.1": {mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), mcpconnect.WithHTTP1()},
	} {
		client := mcp.NewClient(&mcp.Implementation{Name: "asker", Version: "v1.0.0"}, nil)
		session, err := client.Connect(context.Background(), mcpconnect.NewTransport(url, opts...), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, "reaches", session.InitializeResult().ServerInfo.Name)
		_ = session.Close() // nothing is in flight
	}
	// Unordered output:
	// gRPC reaches greeter
	// gRPC-Web over HTTP/2 reaches greeter
	// Connect over HTTP/1.1 reaches greeter
}

func ExampleNewHandler() {
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
	handler := mcpconnect.NewHandler(server)
	defer handler.Close()

	// The handler stands beside other routes of a mux: its paths are those of gRPC.
	mux := http.NewServeMux()
	mux.Handle("/mcp.v1.MCP/", handler)
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	// Or under a path, which is then part of the URL that clients use.
	mux.Handle("/greeter/", http.StripPrefix("/greeter", handler))

	for _, path := range []string{"/mcp.v1.MCP/Ping", "/greeter/mcp.v1.MCP/Ping"} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(path, w.Code)
	}
	// Output:
	// /mcp.v1.MCP/Ping 200
	// /greeter/mcp.v1.MCP/Ping 200
}

func ExampleClient_Listen() {
	url, stop := startGreeter()
	defer stop()
	client := mcpconnect.NewClient(url)
	defer client.Close()

	// The first event says that the subscription stands. Leaving the loop ends it.
	for event, err := range client.Listen(context.Background(), &mcp.SubscriptionsListenParams{
		Notifications: &mcp.NotificationSubscriptions{ToolsListChanged: true},
	}) {
		switch {
		case err != nil:
			fmt.Println(err)
		case event.Acknowledged != nil:
			fmt.Println("listening for changes of tools:", event.Acknowledged.Notifications.ToolsListChanged)
		case event.ToolsChanged != nil:
			fmt.Println("the tools have changed")
		}
		break
	}
	// Output: listening for changes of tools: true
}
