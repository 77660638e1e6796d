// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// perConnection is how many idle streams share a connection, on every server that lets them.
const perConnection = 250

var (
	_ Idler = own{}
	_ Idler = grpcPeer{}
	_ Idler = streamable{}
)

// Idle implements [Idler] where own has a way to.
func (o own) Idle(ctx context.Context, addr string, n int) (func(), error) {
	if o.idle == nil {
		return nil, errors.ErrUnsupported
	}
	return o.idle(ctx, addr, n)
}

// idleGRPC opens streams with grpc-go, as that of grpcPeer does: the client is the same.
func idleGRPC(ctx context.Context, addr string, n int) (func(), error) {
	return idleStreams(ctx, addr, n, perConnection)
}

// idleTyped opens streams by typed clients, which share connections. A client makes its first
// call without the stream.
func idleTyped(ctx context.Context, addr string, n int) (func(), error) {
	shared := h2cClient()
	return idleClients(ctx, n, 2, shared.CloseIdleConnections, func() (Client, error) {
		return &sdkClient{sdkCaller: mcpconnect.NewClient("http://"+addr, mcpconnect.WithHTTPClient(shared))}, nil
	})
}

// idleTransport opens streams by SDK clients on our transport, which share connections.
func idleTransport(ctx context.Context, addr string, n int) (func(), error) {
	shared := h2cClient()
	return idleClients(ctx, n, 1, shared.CloseIdleConnections, func() (Client, error) {
		return dialSDK(ctx, mcpconnect.NewTransport("http://"+addr, mcpconnect.WithHTTPClient(shared)), "")
	})
}

// Idle implements [Idler]: clients have a stream of events for what the server tells, the
// legacy ones by a GET, the modern ones by listening for changes of the tools. Each needs a
// connection of its own.
func (s streamable) Idle(ctx context.Context, addr string, n int) (func(), error) {
	shared := http1Client(n)
	return idleClients(ctx, n, 1, shared.CloseIdleConnections, func() (Client, error) {
		client := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, &mcp.ClientOptions{
			ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {},
		})
		t := &mcp.StreamableClientTransport{Endpoint: "http://" + addr, HTTPClient: shared}
		session, err := client.Connect(ctx, t, &mcp.ClientSessionOptions{ProtocolVersion: s.version})
		return &sdkClient{sdkCaller: session}, err
	})
}

// Idle implements [Idler].
func (grpcPeer) Idle(ctx context.Context, addr string, n int) (func(), error) {
	return idleStreams(ctx, addr, n, perConnection)
}

// idleClients dials n clients that have a stream each, and makes so many calls with each, so
// that the server has set up all that it needs.
func idleClients(ctx context.Context, n, calls int, hangUp func(), dial func() (Client, error)) (func(), error) {
	var clients []Client
	closeAll := func() {
		for _, c := range clients {
			_ = c.Close() // it has nothing to say any more
		}
		hangUp()
	}
	for range n {
		c, err := dial()
		if err != nil {
			closeAll()
			return nil, err
		}
		clients = append(clients, c)
		for range calls {
			if got, err := c.Add(ctx, 1, 2); err != nil || got != "3" {
				closeAll()
				return nil, fmt.Errorf("the call on an idle stream gave %q: %w", got, err)
			}
		}
	}
	return closeAll, nil
}

// idleStreams opens Connect streams. On each of them one call is made and answered, so
// that the server has set up all that it needs.
func idleStreams(ctx context.Context, addr string, n, share int) (func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	var conns []func() error
	hangUp := func() {
		cancel()
		for _, c := range conns {
			_ = c() // they carry nothing any more
		}
	}
	var client mcpv1grpc.MCPClient
	for i := range n {
		if i%share == 0 {
			conn, err := dialGRPC(addr)
			if err != nil {
				hangUp()
				return nil, err
			}
			conns = append(conns, conn.Close)
			client = mcpv1grpc.NewMCPClient(conn)
		}
		if err := openIdle(ctx, client); err != nil {
			hangUp()
			return nil, err
		}
	}
	return hangUp, nil
}

func openIdle(ctx context.Context, client mcpv1grpc.MCPClient) error {
	stream, err := client.Connect(ctx)
	if err != nil {
		return err
	}
	hello := &mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true, Batch: true}}}
	call := &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: &mcpv1.CallFrame{
		CallId: 1, Request: &mcpv1.CallFrame_CallTool{CallTool: callRequest(tools.Add, pair(1, 2))},
	}}}
	if err := errors.Join(stream.Send(hello), stream.Send(call)); err != nil {
		return err
	}
	for {
		e, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, e := range append(e.GetBatch(), e) {
			if r := e.GetReply(); r.GetError() != nil {
				return errors.New("the call on an idle stream failed: " + r.GetError().GetMessage())
			} else if r != nil {
				return nil
			}
		}
	}
}
