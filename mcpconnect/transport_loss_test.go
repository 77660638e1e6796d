// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	connectrpc "connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

type (
	bidiStream   = connectrpc.BidiStream[mcpv1.Envelope, mcpv1.Envelope]
	serverStream = connectrpc.ServerStream[mcpv1.Envelope]
)

// A rudeServer does on its streams what a good server does not.
type rudeServer struct {
	mcpv1connect.UnimplementedMCPHandler
	connect func(ctx context.Context, stream *bidiStream) error
	send    func(ctx context.Context, e *mcpv1.Envelope, stream *serverStream) error
}

func (s *rudeServer) Connect(ctx context.Context, stream *bidiStream) error {
	return s.connect(ctx, stream)
}

func (s *rudeServer) Send(ctx context.Context, e *mcpv1.Envelope, stream *serverStream) error {
	return s.send(ctx, e, stream)
}

func (s *rudeServer) Shutdown(context.Context, *mcpv1.ShutdownRequest) (*mcpv1.ShutdownResponse, error) {
	return &mcpv1.ShutdownResponse{Accepted: true}, nil
}

func serveRPC(t *testing.T, h mcpv1connect.MCPHandler) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(mcpv1connect.NewMCPHandler(h))
	return serve(t, mux)
}

// open opens a bare connection until the test ends.
func open(t *testing.T, url string, opts ...mcpconnect.ClientOption) mcp.Connection {
	t.Helper()
	conn, err := mcpconnect.NewTransport(url, opts...).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return conn
}

func request(t *testing.T, id any, method, params string) *jsonrpc.Request {
	t.Helper()
	r := &jsonrpc.Request{Method: method, Params: []byte(params)}
	var err error
	if r.ID, err = jsonrpc.MakeID(id); err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, conn mcp.Connection, m jsonrpc.Message) {
	t.Helper()
	if err := conn.Write(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func read[M jsonrpc.Message](t *testing.T, conn mcp.Connection) M {
	t.Helper()
	m, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, ok := m.(M)
	if !ok {
		t.Fatalf("got %#v, want a %T", m, want)
	}
	return want
}

// reply answers a request with an empty object.
func reply(e *mcpv1.Envelope) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: &mcpv1.JsonRpcResponse{
		Id: e.GetRequest().Id, IntId: e.GetRequest().IntId,
		Outcome: &mcpv1.JsonRpcResponse_Result{Result: &structpb.Struct{}},
	}}}
}

func note(method string) *mcpv1.Envelope {
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{}}}
}

func TestAModernStreamThatIsLostIsReplaced(t *testing.T) {
	t.Parallel()
	var streams atomic.Int64
	url := serveRPC(t, &rudeServer{connect: func(_ context.Context, stream *bidiStream) error {
		n := streams.Add(1)
		e, err := stream.Receive()
		if err != nil {
			return err
		}
		if n == 1 {
			return connectrpc.NewError(connectrpc.CodeUnavailable, errors.New("gone for lunch"))
		}
		if err := stream.Send(reply(e)); err != nil {
			return err
		}
		_, err = stream.Receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}})
	conn := open(t, url)
	write(t, conn, request(t, "7", "tools/list", "{}"))
	res := read[*jsonrpc.Response](t, conn)
	e, ok := errors.AsType[*jsonrpc.Error](res.Error)
	if !ok || e.Code != jsonrpc.CodeInternalError || !strings.Contains(e.Message, "gone for lunch") || res.ID.Raw() != "7" {
		t.Errorf("got %v for %v", res.Error, res.ID.Raw())
	}
	if got := connectrpc.CodeOf(res.Error); got != connectrpc.CodeUnavailable {
		t.Errorf("got code %v", got)
	}
	write(t, conn, request(t, 7.0, "tools/list", "{}"))
	if res := read[*jsonrpc.Response](t, conn); res.Error != nil || res.ID.Raw() != int64(7) || string(res.Result) != "{}" {
		t.Errorf("got %s, %v for %v", res.Result, res.Error, res.ID.Raw())
	}
}

func TestALegacyStreamThatIsLostEndsTheConnection(t *testing.T) {
	t.Parallel()
	url := serveRPC(t, &rudeServer{connect: func(_ context.Context, stream *bidiStream) error {
		e, err := stream.Receive()
		if err != nil {
			return err
		}
		stream.ResponseHeader().Set("mcp-session-id", "id")
		return stream.Send(reply(e))
	}})
	conn := open(t, url)
	write(t, conn, request(t, 1.0, "initialize", "{}"))
	read[*jsonrpc.Response](t, conn)
	if got := conn.SessionID(); got != "id" {
		t.Errorf("got session %q", got)
	}
	if _, err := conn.Read(t.Context()); !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "ended the session") {
		t.Errorf("Read: got %v", err)
	}
	if err := conn.Write(t.Context(), request(t, 2.0, "tools/list", "{}")); !errors.Is(err, mcp.ErrConnectionClosed) {
		t.Errorf("Write: got %v", err)
	}
}

func TestAModernClientAnswersNoRequests(t *testing.T) {
	t.Parallel()
	ask := &mcpv1.Envelope{Method: "roots/list", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{Id: new("server-1")}}}
	url := serveRPC(t, &rudeServer{
		connect: func(_ context.Context, stream *bidiStream) error {
			e, err := stream.Receive()
			if err != nil {
				return err
			}
			return errors.Join(stream.Send(ask), stream.Send(note("n")), stream.Send(reply(e)))
		},
		send: func(_ context.Context, e *mcpv1.Envelope, stream *serverStream) error {
			return errors.Join(stream.Send(ask), stream.Send(note("n")), stream.Send(reply(e)))
		},
	})
	eachWire(t, func(t *testing.T, w wire) {
		conn := open(t, url, w.opts...)
		write(t, conn, request(t, 1.0, "tools/list", "{}"))
		if r := read[*jsonrpc.Request](t, conn); r.Method != "n" {
			t.Errorf("got request %q", r.Method)
		}
		if res := read[*jsonrpc.Response](t, conn); res.Error != nil {
			t.Error(res.Error)
		}
	})
}

func TestACallThatTheServerCannotReadFails(t *testing.T) {
	t.Parallel()
	url := serveRPC(t, &rudeServer{connect: func(_ context.Context, stream *bidiStream) error {
		for {
			if _, err := stream.Receive(); err != nil {
				return err
			}
			if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: &mcpv1.JsonRpcResponse{
				Outcome: &mcpv1.JsonRpcResponse_Error{Error: &mcpv1.JsonRpcError{Code: -32600, Message: "request without id"}},
			}}}); err != nil {
				return err
			}
		}
	}})
	_, err := mcp.NewClient(implementation, nil).Connect(t.Context(), mcpconnect.NewTransport(url), nil)
	if wire, ok := errors.AsType[*jsonrpc.Error](err); !ok || wire.Code != -32600 {
		t.Errorf("got %v, want the server's error", err)
	}
}

func TestACallWithoutAnswerFails(t *testing.T) {
	t.Parallel()
	url := serveRPC(t, &rudeServer{
		connect: func(_ context.Context, stream *bidiStream) error {
			_, err := stream.Receive()
			return err
		},
		send: func(context.Context, *mcpv1.Envelope, *serverStream) error { return nil },
	})
	eachWire(t, func(t *testing.T, w wire) {
		conn := open(t, url, w.opts...)
		write(t, conn, request(t, 1.0, "tools/list", "{}"))
		res := read[*jsonrpc.Response](t, conn)
		if connectrpc.CodeOf(res.Error) != connectrpc.CodeUnavailable {
			t.Errorf("got %v", res.Error)
		}
	})
}

func TestASessionStreamThatBreaksIsOpenedAgain(t *testing.T) {
	t.Parallel()
	var streams atomic.Int64
	url := serveRPC(t, &rudeServer{send: func(ctx context.Context, e *mcpv1.Envelope, stream *serverStream) error {
		info, _ := connectrpc.CallInfoForHandlerContext(ctx)
		switch {
		case e.GetRequest() != nil:
			stream.ResponseHeader().Set("mcp-session-id", "id")
			return stream.Send(reply(e))
		case e.GetNotification() != nil:
			return nil
		case info.RequestHeader().Get("mcp-session-id") != "id":
			return connectrpc.NewError(connectrpc.CodeInternal, errors.New("no session id"))
		}
		switch streams.Add(1) {
		case 1:
			return connectrpc.NewError(connectrpc.CodeUnavailable, errors.New("gone for lunch"))
		case 2:
			return stream.Send(note("back"))
		default:
			return connectrpc.NewError(connectrpc.CodeNotFound, errors.New("session not found"))
		}
	}})
	conn := open(t, url, mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb))
	write(t, conn, request(t, 1.0, "initialize", "{}"))
	read[*jsonrpc.Response](t, conn)
	write(t, conn, &jsonrpc.Request{Method: "notifications/initialized"})
	if r := read[*jsonrpc.Request](t, conn); r.Method != "back" {
		t.Errorf("got %q", r.Method)
	}
	if _, err := conn.Read(t.Context()); !errors.Is(err, mcp.ErrSessionMissing) {
		t.Errorf("got %v, want ErrSessionMissing", err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		url := "http://127.0.0.1:1"
		conn := open(t, url, w.opts...)
		for range 2 {
			write(t, conn, request(t, 1.0, "tools/list", "{}"))
			if res := read[*jsonrpc.Response](t, conn); connectrpc.CodeOf(res.Error) != connectrpc.CodeUnavailable {
				t.Errorf("got %v", res.Error)
			}
		}
		_, err := mcp.NewClient(implementation, nil).Connect(t.Context(), mcpconnect.NewTransport(url, w.opts...), nil)
		if connectrpc.CodeOf(err) != connectrpc.CodeUnavailable {
			t.Errorf("SDK client: got %v", err)
		}
		if _, err := newClient(t, url, w).Ping(t.Context()); connectrpc.CodeOf(err) != connectrpc.CodeUnavailable {
			t.Errorf("typed client: got %v", err)
		}
	})
}
