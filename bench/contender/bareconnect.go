// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"net"
	"net/http"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// bare is a floor: connect-go's handler with the same messages, on net/http's default
// connections.
type bare struct {
	name string
	dial func(addr string, inFlight int) (stub, error)
}

func bareConnect() []Contender {
	return []Contender{
		bare{"bare-connect-h2", func(addr string, _ int) (stub, error) { return newConnectStub(h2cClient(), addr), nil }},
		bare{"bare-connect-grpc", func(addr string, _ int) (stub, error) {
			return newConnectStub(h2cClient(), addr, connect.WithGRPC()), nil
		}},
		bare{"bare-connect-h1", func(addr string, inFlight int) (stub, error) {
			return newConnectStub(http1Client(inFlight), addr), nil
		}},
		bare{"bare-connect-grpcgo", func(addr string, _ int) (stub, error) { return newForeignStub(addr) }},
	}
}

func newForeignStub(addr string) (*grpcStub, error) {
	conn, err := dialGRPC(addr)
	if err != nil {
		return nil, err
	}
	return &grpcStub{conn: conn, rpc: mcpv1grpc.NewMCPClient(conn)}, nil
}

func (b bare) Name() string { return b.name }

func (b bare) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	service, err := newPlainService(setup)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(mcpv1connect.NewMCPHandler(&connectService{plainService: service}, connect.WithReadMaxBytes(maxMessage)))
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: mux, Protocols: protocols} //nolint:gosec // the defaults are the point
	return until(ctx, func() error { return server.Serve(ln) }, func() { _ = server.Close() })
}

func (b bare) Dial(_ context.Context, addr string, inFlight int) (Client, error) {
	s, err := b.dial(addr, inFlight)
	return stubClient{s}, err
}

// A connectService is the plain service for connect-go's stubs.
type connectService struct {
	mcpv1connect.UnimplementedMCPHandler
	*plainService
}

func (s *connectService) InvokeTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	return s.plainService.InvokeTool(ctx, req)
}

func (s *connectService) ReadResource(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	return s.plainService.ReadResource(ctx, req)
}

func (s *connectService) ListTools(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return s.plainService.ListTools(ctx, req)
}

func (s *connectService) CallTool(ctx context.Context, req *mcpv1.CallToolRequest, stream *connect.ServerStream[mcpv1.CallToolEvent]) error {
	return s.events(ctx, req, stream.Send)
}

type connectStub struct {
	client *http.Client
	rpc    mcpv1connect.MCPClient
}

// newConnectStub asks for no compression, which would cost more than it gains on
// loopback; so do the other peers.
func newConnectStub(client *http.Client, addr string, opts ...connect.ClientOption) *connectStub {
	opts = append(opts, connect.WithAcceptCompression("gzip", nil, nil), connect.WithReadMaxBytes(maxMessage))
	return &connectStub{client: client, rpc: mcpv1connect.NewMCPClient(client, "http://"+addr, opts...)}
}

func (s *connectStub) invoke(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	return s.rpc.InvokeTool(ctx, req)
}

func (s *connectStub) events(ctx context.Context, req *mcpv1.CallToolRequest, take func(*mcpv1.CallToolEvent)) error {
	stream, err := s.rpc.CallTool(ctx, req)
	if err != nil {
		return err
	}
	for stream.Receive() {
		take(stream.Msg())
	}
	if err := stream.Err(); err != nil {
		return err
	}
	return stream.Close()
}

func (s *connectStub) list(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return s.rpc.ListTools(ctx, req)
}

func (s *connectStub) read(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	return s.rpc.ReadResource(ctx, req)
}

func (s *connectStub) close() error {
	s.client.CloseIdleConnections()
	return nil
}
