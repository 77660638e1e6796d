// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// ChildArg is the first argument of this program when it is to be a server on its standard
// input and output, which [ServeStdio] is.
const ChildArg = "child"

// Names of the contenders whose server is a child process that speaks stdio: that of the SDK's
// client, and one behind a gateway.
const (
	Child     = "sdk-stdio-child"
	OurGated  = "ours-gateway-child"
	childKind = tools.Low
)

// Children are the contenders that call a child process. They serve few tools, and are for cases
// of their own: the others have no third process beside them.
func Children() []Contender { return []Contender{direct{}, gated{}} }

// ServeStdio serves the tools on standard input and output, by the SDK, until its end.
func ServeStdio(ctx context.Context) error {
	return tools.NewServer(childKind, tools.Few).Run(ctx, &mcp.StdioTransport{})
}

// direct is the SDK's client of a child process of its own.
type direct struct{}

func (direct) Name() string { return Child }

// Serve serves nobody: the client has the server.
func (direct) Serve(ctx context.Context, ln net.Listener, _ Setup) error {
	<-ctx.Done()
	return ln.Close()
}

func (direct) Dial(ctx context.Context, _ string, _ int) (Client, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return dialSDK(ctx, &mcp.CommandTransport{Command: exec.Command(exe, ChildArg)}, "") //nolint:noctx // until the client is closed
}

// gated is our typed client of a gateway that has the child process.
type gated struct{}

func (gated) Name() string { return OurGated }

func (gated) Serve(ctx context.Context, ln net.Listener, _ Setup) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	g, err := gateway.New(ctx, gateway.Config{Upstreams: []gateway.Upstream{{Name: Child, Command: []string{exe, ChildArg}}}, Logger: quiet})
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }() // it is over, whatever it says
	h := g.Handler(mcpconnect.WithLogger(quiet))
	defer func() { _ = h.Close() }() // always nil
	return mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(0))
}

func (gated) Dial(ctx context.Context, addr string, _ int) (Client, error) { return typed()(ctx, addr) }
