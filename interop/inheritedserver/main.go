// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command inheritedserver is a plain grpc-go server of mcp.v1 that knows the inherited subset
// and nothing else: its code is generated from proto_inherited. What it serves is made up. The
// tests run it as a program of its own, to see that our client gets along with a server that
// is older than most of mcp.v1: it has no metadata of requests, no frames, no unary tool calls
// and no integer ids, and all its JSON is in Structs.
//
//	inheritedserver [--addr HOST:PORT]
//
// It speaks gRPC without TLS, says on standard output where, and serves until standard input
// ends, or SIGINT or SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

func main() {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "inheritedserver:", err)
		os.Exit(1) //nolint:gocritic // the process ends, and its signals with it
	}
}

// run serves until ctx or stdin ends, and cuts off what is in flight then.
func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("inheritedserver", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:0", "`host:port` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	mcpv1.RegisterMCPServer(server, newService())
	mcpv1.RegisterAuthDiscoveryServer(server, authService{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, server.Stop)()
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // whoever started this is gone
		cancel()
	}()
	if _, err := fmt.Fprintln(stdout, "listening on", listener.Addr()); err != nil {
		return err
	}
	return server.Serve(listener)
}
