// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// grpcPeer is a grpc-go server of mcp.v1, written the straightforward way, and grpc-go's
// client of it.
type grpcPeer struct {
	name    string
	workers uint32 // of the server; 0 is grpc-go's default
	dial    func(context.Context, *grpc.ClientConn) (stub, error)
}

func grpcGo() []Contender {
	unary := func(_ context.Context, conn *grpc.ClientConn) (stub, error) {
		return &grpcStub{conn: conn, rpc: mcpv1grpc.NewMCPClient(conn)}, nil
	}
	stream := func(_ context.Context, conn *grpc.ClientConn) (stub, error) {
		return &grpcEventStub{grpcStub{conn: conn, rpc: mcpv1grpc.NewMCPClient(conn)}}, nil
	}
	return []Contender{
		grpcPeer{"grpcgo-unary", 0, unary},
		// What grpc-go has against the growing of stacks: as many workers as usual calls.
		grpcPeer{"grpcgo-unary-workers", 64, unary},
		grpcPeer{"grpcgo-stream", 0, stream},
		grpcPeer{"grpcgo-bidi-batch", 0, dialGRPCFrames},
	}
}

func (p grpcPeer) Name() string { return p.name }

// maxMessage holds a batch of the largest results; grpc-go's default of 4 MiB does too,
// but for the lists.
const maxMessage = 16 << 20

func (p grpcPeer) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	service, err := newPlainService(setup)
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.NumStreamWorkers(p.workers))
	mcpv1grpc.RegisterMCPServer(s, &grpcService{plainService: service})
	return until(ctx, func() error { return s.Serve(ln) }, s.Stop)
}

func (p grpcPeer) Dial(ctx context.Context, addr string, _ int) (Client, error) {
	conn, err := dialGRPC(addr)
	if err != nil {
		return nil, err
	}
	s, err := p.dial(ctx, conn)
	return stubClient{s}, err
}

func dialGRPC(addr string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
}

// A grpcService is the plain service for grpc-go's stubs.
type grpcService struct {
	mcpv1grpc.UnimplementedMCPServer
	*plainService
}

func (s *grpcService) InvokeTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	return s.plainService.InvokeTool(ctx, req)
}

func (s *grpcService) ReadResource(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	return s.plainService.ReadResource(ctx, req)
}

func (s *grpcService) ListTools(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return s.plainService.ListTools(ctx, req)
}

func (s *grpcService) CallTool(req *mcpv1.CallToolRequest, stream grpc.ServerStreamingServer[mcpv1.CallToolEvent]) error {
	return s.events(stream.Context(), req, stream.Send)
}

func (s *grpcService) Connect(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope]) error {
	return s.serveFrames(stream.Context(), grpcFrames{stream})
}

type grpcStub struct {
	conn *grpc.ClientConn
	rpc  mcpv1grpc.MCPClient
}

func (s *grpcStub) invoke(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	return s.rpc.InvokeTool(ctx, req)
}

func (s *grpcStub) events(ctx context.Context, req *mcpv1.CallToolRequest, take func(*mcpv1.CallToolEvent)) error {
	stream, err := s.rpc.CallTool(ctx, req)
	if err != nil {
		return err
	}
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		take(e)
	}
}

func (s *grpcStub) list(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return s.rpc.ListTools(ctx, req)
}

func (s *grpcStub) read(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	return s.rpc.ReadResource(ctx, req)
}

func (s *grpcStub) close() error { return s.conn.Close() }

// A grpcEventStub calls all tools by the streaming RPC.
type grpcEventStub struct{ grpcStub }

func (s *grpcEventStub) invoke(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	var res *mcpv1.CallToolResult
	err := s.events(ctx, req, func(e *mcpv1.CallToolEvent) { res = e.GetResult() })
	return &mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Result{Result: res}}, err
}

// grpcFrames is a Connect stream of grpc-go, of either side.
type grpcFrames struct {
	stream interface {
		Send(*mcpv1.Envelope) error
		Recv() (*mcpv1.Envelope, error)
	}
}

func (f grpcFrames) send(batch []*mcpv1.Envelope) error {
	if len(batch) == 1 {
		return f.stream.Send(batch[0])
	}
	return f.stream.Send(&mcpv1.Envelope{Batch: batch})
}

func (f grpcFrames) receive() (*mcpv1.Envelope, error) { return f.stream.Recv() }

func dialGRPCFrames(_ context.Context, conn *grpc.ClientConn) (stub, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := mcpv1grpc.NewMCPClient(conn).Connect(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return newFrameStub(grpcFrames{stream}, func() {
		cancel()
		_ = conn.Close() // carries nothing any more
	}), nil
}
