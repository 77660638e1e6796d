// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A client that speaks on standard input and output reaches a server over Connect.
func ExampleServeStdio() {
	// First, a server that is somewhere.
	handler := mcpconnect.NewHandler(mcp.NewServer(&mcp.Implementation{Name: "clock", Version: "v1.0.0"}, nil))
	defer handler.Close()
	elsewhere := httptest.NewServer(handler)
	defer elsewhere.Close()

	// Next, what a client writes: a program has os.Stdin and os.Stdout.
	in, write := io.Pipe()
	read, out := io.Pipe()
	done := make(chan error)
	go func() {
		way := mcpconnect.NewTransport(elsewhere.URL, mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), mcpconnect.WithHTTP1())
		done <- gateway.ServeStdio(context.Background(), in, out, gateway.StdioConfig{
			Upstream: gateway.Upstream{Name: "clock", Transport: way},
			Logger:   slog.New(slog.DiscardHandler),
		})
	}()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "v1.0.0"}, nil)
	session, err := client.Connect(context.Background(), &mcp.IOTransport{Reader: read, Writer: write}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.InitializeResult().ServerInfo.Name)

	// Finally, the end of the input ends it.
	_ = session.Close()
	fmt.Println(<-done)
	// Output:
	// clock
	// <nil>
}
