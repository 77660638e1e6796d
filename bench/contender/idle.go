// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// serveStreams is how many streams [mcpconnect.Serve] takes on a connection.
const serveStreams = 125

var (
	_ Idler = own{}
	_ Idler = grpcPeer{}
)

// Idle opens streams with grpc-go, as that of grpcPeer does: the client is the same.
func (own) Idle(ctx context.Context, addr string, n int) (func(), error) {
	return idleStreams(ctx, addr, n, serveStreams)
}

// Idle implements [Idler].
func (grpcPeer) Idle(ctx context.Context, addr string, n int) (func(), error) {
	return idleStreams(ctx, addr, n, perConnection)
}

// perConnection is how many idle streams share a connection where the server lets them.
const perConnection = 250

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
