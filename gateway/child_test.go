// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
)

// beChild is the main function of a child process.
func beChild(kind string) int {
	switch kind {
	case "noisy":
		fmt.Print(strings.Repeat("Server is still starting...\n", 20_000))
		return serveStdio()
	case "garbage":
		fmt.Println("Server is starting...\n\n{\"log\":true}\n[1,2]\nnull")
		// Nobody may say this before initialize, and some do.
		for _, what := range []string{"tools/list_changed", "prompts/list_changed", "resources/list_changed", "resources/updated"} {
			fmt.Printf(`{"jsonrpc":"2.0","method":"notifications/%s"}`+"\n", what)
		}
		return serveStdio()
	case "everything":
		return serveStdio()
	case "fast":
		return beFast(os.Stdout)
	case "trickle":
		return beFast(trickle{})
	case "batching":
		return beFast(batches{})
	case "flood":
		return beFlood()
	case "wordy":
		return beWordy()
	case "hung":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "mute":
		_ = os.Stdout.Close()
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "large":
		fmt.Println(strings.Repeat("x", 1_000_000))
		return serveStdio()
	case "pid":
		fmt.Fprintln(os.Stderr, "pid", os.Getpid())
		return serveStdio()
	case "parent":
		return beParent(func(self string) []string { return []string{self} })
	case "grandparent": // of a server, as npx and shells are
		return beParent(func(self string) []string {
			return []string{"/bin/sh", "-c", `"$0" & wait`, self}
		})
	}
	fmt.Fprintf(os.Stderr, "no such child: %q\n", kind)
	return 2
}

func serveStdio() int {
	if err := everything.NewServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// beParent is a gateway with a child, whose process id it prints, or that of what the child runs.
func beParent(command func(self string) []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	g, err := gateway.New(ctx, gateway.Config{
		Upstreams: []gateway.Upstream{{Name: "up", Command: command(self), Env: []string{childVariable + "=pid"}}},
		Logger:    slog.New(pidLog{slog.DiscardHandler}),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	<-ctx.Done()
	_ = g.Close()
	return 0
}

// A pidLog prints the process id that a child has written to standard error.
type pidLog struct{ slog.Handler }

func (pidLog) Enabled(context.Context, slog.Level) bool { return true }

func (pidLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if pid, ok := strings.CutPrefix(a.Value.String(), "pid "); ok {
			fmt.Println(pid)
		}
		return true
	})
	return nil
}
