// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// own is this project's handler, as Serve serves it, and one of the clients for it.
type own struct {
	name string
	dial func(ctx context.Context, addr string) (Client, error)
	idle func(ctx context.Context, addr string, n int) (func(), error) // nil if there is no stream
}

// Names of our contenders.
const (
	OurGRPC      = "ours-grpc"
	OurGRPCWeb   = "ours-grpcweb"
	OurConnectH2 = "ours-connect-h2"
	OurConnectH1 = "ours-connect-h1"
	OurTransport = "ours-transport"
	OurForeign   = "ours-grpcgo-client"
	// OurMux is the typed client as it is by default: on the multiplexed stream.
	OurMux        = "ours-mux"
	OurMuxConnect = "ours-mux-connect"
)

func ours() []Contender {
	web := mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb)
	unary := mcpconnect.WithoutMultiplexing()
	con := mcpconnect.WithProtocol(mcpconnect.ProtocolConnect)
	return []Contender{
		own{OurMux, typed(), idleTyped},
		own{OurMuxConnect, typed(con), nil},
		own{OurGRPC, typed(unary), nil},
		own{OurGRPCWeb, typed(web), nil},
		own{OurConnectH2, typed(con, unary), nil},
		own{OurConnectH1, typed(con, mcpconnect.WithHTTP1()), nil},
		own{OurTransport, func(ctx context.Context, addr string) (Client, error) {
			return dialSDK(ctx, mcpconnect.NewTransport("http://"+addr), "")
		}, idleTransport},
		own{OurForeign, func(_ context.Context, addr string) (Client, error) {
			s, err := newForeignStub(addr)
			return stubClient{s}, err
		}, idleGRPC},
	}
}

func (o own) Name() string { return o.name }

func (own) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	quiet := slog.New(slog.DiscardHandler)
	h := mcpconnect.NewHandler(setup.server(), mcpconnect.WithLogger(quiet))
	defer func() { _ = h.Close() }() // always nil
	return mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(0),
		mcpconnect.WithConcurrentStreams(perConnection)) // as net/http and grpc-go have it; by default half as many
}

func (o own) Dial(ctx context.Context, addr string, _ int) (Client, error) { return o.dial(ctx, addr) }

// typed dials our typed client with options.
func typed(opts ...mcpconnect.ClientOption) func(context.Context, string) (Client, error) {
	return func(_ context.Context, addr string) (Client, error) {
		url := "http://" + addr
		// A client with a progress handler asks every tool for progress: it is another one.
		progress := mcpconnect.NewClient(url, append(slices.Clip(opts), mcpconnect.WithProgressHandler(countProgress))...)
		return &typedClient{sdkClient{sdkCaller: mcpconnect.NewClient(url, opts...)}, progress}, nil
	}
}

type typedClient struct {
	sdkClient

	progress *mcpconnect.Client
}

type countKey struct{}

func countProgress(ctx context.Context, _ *mcp.ProgressNotificationParams) {
	if n, ok := ctx.Value(countKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}

func (c *typedClient) Progress(ctx context.Context) (int, error) {
	var n atomic.Int64
	_, err := c.progress.CallTool(context.WithValue(ctx, countKey{}, &n), &mcp.CallToolParams{Name: tools.Progress})
	return int(n.Load()), err
}

func (c *typedClient) Close() error { return errors.Join(c.sdkClient.Close(), c.progress.Close()) }
