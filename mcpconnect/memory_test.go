// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"github.com/mcpconnect/mcpconnect/internal/health"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A memoryListener accepts connections that have no kernel in between, so that synctest sees
// when all sides wait: minutes of idling then cost nothing, and all times are exact.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// client returns a client over HTTP/1.1 or h2c. Its connections must be closed.
func (l *memoryListener) client(http1 bool) (*http.Client, *http.Transport) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
		Protocols:   new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(http1)
	transport.Protocols.SetUnencryptedHTTP2(!http1)
	return &http.Client{Transport: transport}, transport
}

// A fakeMCP is something to serve: two RPCs as the test wants them, a bidi stream that
// echoes, and health.
type fakeMCP struct {
	mcpv1connect.UnimplementedMCPHandler

	ping   func(ctx context.Context) error
	listen func(ctx context.Context, stream *connect.ServerStream[mcpv1.ListenResponse]) error
	health *health.Server

	draining chan struct{}
	events   chan string // told the calls of Drainer, if there is room
}

func newFakeMCP() *fakeMCP {
	return &fakeMCP{
		health:   health.New("mcp.v1.MCP"),
		draining: make(chan struct{}),
		events:   make(chan string, 2),
	}
}

func (f *fakeMCP) Ping(ctx context.Context, _ *mcpv1.PingRequest) (*mcpv1.PingResponse, error) {
	if f.ping != nil {
		if err := f.ping(ctx); err != nil {
			return nil, err
		}
	}
	return &mcpv1.PingResponse{}, nil
}

func (f *fakeMCP) Listen(ctx context.Context, _ *mcpv1.ListenRequest, stream *connect.ServerStream[mcpv1.ListenResponse]) error {
	if f.listen != nil {
		return f.listen(ctx, stream)
	}
	if err := stream.Send(&mcpv1.ListenResponse{}); err != nil {
		return err
	}
	select {
	case <-f.draining:
		return connect.NewError(connect.CodeUnavailable, errors.New("server is shutting down"))
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeMCP) Connect(_ context.Context, stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) error {
	for {
		message, err := stream.Receive()
		if err != nil {
			return err
		}
		if err := stream.Send(message); err != nil {
			return err
		}
	}
}

func (f *fakeMCP) NotServing() {
	f.health.SetAllNotServing()
	f.events <- "not serving"
}

func (f *fakeMCP) Drain() {
	close(f.draining)
	f.health.Close()
	f.events <- "drain"
}

// handler mounts all that f serves.
func (f *fakeMCP) handler(opts ...connect.HandlerOption) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(mcpv1connect.NewMCPHandler(f, opts...))
	mux.Handle(f.health.Handler(opts...))
	return mux
}

// bodyIsOneMessage is the predicate of guard for the procedures of a fakeMCP.
func bodyIsOneMessage(r *http.Request) bool { return r.URL.Path != mcpv1connect.MCPConnectProcedure }
