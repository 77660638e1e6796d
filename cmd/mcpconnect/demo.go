// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/internal/demo"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

const defaultDemoAddr = "127.0.0.1:8080"

func newDemoCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a small MCP server on this machine",
		Long: `Serve a small MCP server over gRPC, gRPC-Web, Connect and Streamable HTTP,
with reflection and health, and print calls to paste. It has tools (echo, add, countdown,
greet, pixel), resources (demo://clock, demo://logo) and a prompt (review).

The demo asks nobody for a password, so it listens on the loopback interface only.
Stop it with Ctrl-C.`,
		Example: "  mcpconnect demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveDemo(cmd.Context(), cmd.OutOrStdout(), addr)
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultDemoAddr, "loopback address to listen on; port 0 picks a free one")
	return cmd
}

// serveDemo serves until ctx is done and what is in flight has been answered.
func serveDemo(ctx context.Context, out io.Writer, addr string) error {
	ln, err := listenLoopback(ctx, addr)
	if err != nil {
		return err
	}
	srv := demo.NewServer(version())
	handler := mcpconnect.NewHandler(srv.MCP(), mcpconnect.WithReflection(), mcpconnect.WithStreamableHTTP())
	if err := printCalls(out, ln.Addr().String()); err != nil {
		return errors.Join(err, ln.Close(), handler.Close())
	}
	// The clock goes on while the server drains: its subscribers are still there.
	clockCtx, stopClock := context.WithCancel(context.WithoutCancel(ctx))
	clockDone := make(chan struct{})
	go func() {
		defer close(clockDone)
		srv.Run(clockCtx)
	}()
	err = mcpconnect.Serve(ctx, ln, handler)
	stopClock()
	<-clockDone
	return errors.Join(err, handler.Close())
}

// listenLoopback listens on addr if nobody outside of this machine can reach it. It
// looks at the address twice: before, to be able to say what is wrong, and after,
// because a name such as localhost means what the resolver says.
func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %q: want host:port, for example %s: %w", addr, defaultDemoAddr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, refusal(addr)
	}
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(refusal(addr), ln.Close())
	}
	return ln, nil
}

func refusal(addr string) error {
	return fmt.Errorf("--addr %q: the demo has no authentication and listens on the loopback interface only: "+
		"use 127.0.0.1, [::1] or localhost", addr)
}

// calls are three calls to paste into a shell, with ADDR for the address.
const calls = `mcpconnect demo: MCP over gRPC, gRPC-Web and Connect on http://ADDR
Ctrl-C stops it. Try, in another terminal:

  # Connect: one line of curl
  curl -s http://ADDR/mcp.v1.MCP/InvokeTool -H 'Content-Type: application/json' -d '{"name":"add","arguments":{"a":2,"b":3}}'

  # gRPC: a stream of progress, then the result
  grpcurl -plaintext -d '{"name":"countdown","arguments":{"from":3,"interval_ms":500},"meta":{"progressToken":{"stringValue":"t1"}}}' ADDR mcp.v1.MCP/CallTool

  # gRPC: follow the clock
  buf curl --http2-prior-knowledge --protocol grpc -d '{"uri":"demo://clock"}' http://ADDR/mcp.v1.MCP/SubscribeResource
`

func printCalls(out io.Writer, addr string) error {
	_, err := io.WriteString(out, strings.ReplaceAll(calls, "ADDR", addr))
	return err
}
