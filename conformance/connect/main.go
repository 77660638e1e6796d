// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command connect is the server, and the client, that the conformance suite of connectrpc.com
// tests: with the connections, the limits and all else that stands in front of and below the RPCs
// of MCP.
//
//	go tool connectconformance --mode server --conf config.yaml -- go run . server
//	go tool connectconformance --mode client --conf config.yaml -- go run . client
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := role(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "connect:", err)
		os.Exit(1)
	}
}

// role plays the part that args names.
func role(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "server":
		return serve(ctx, os.Stdin, os.Stdout)
	case len(args) == 1 && args[0] == "client":
		return call(ctx, os.Stdin, os.Stdout)
	}
	return fmt.Errorf("the arguments are %q: write server, or client", args)
}
