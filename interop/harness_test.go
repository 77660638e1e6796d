// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := removePrograms(); err != nil && code == 0 {
			code = 1
		}
		os.Exit(code)
	}))
}

// patience bounds every wait of the tests: for a machine that is busy, not for a server
// that is slow.
const patience = time.Minute

const (
	modernVersion = "2026-07-28"
	legacyVersion = "2025-11-25"
)

// A served is a handler that is being served.
type served struct {
	addr    string // host:port
	handler *mcpconnect.Handler
	cancel  context.CancelFunc
	done    chan error
}

func (s *served) url() string { return "http://" + s.addr }

// stop drains the server and waits for its end. It may be called once; the end of the test
// calls it otherwise.
func (s *served) stop(t testing.TB) {
	t.Helper()
	s.cancel()
	if err, ok := <-s.done; ok {
		close(s.done)
		if err != nil {
			t.Errorf("serving ended with %v", err)
		}
		if err := s.handler.Close(); err != nil {
			t.Error(err)
		}
	}
}

// serve runs a handler for server, on a port of its own, until the test ends.
func serve(t testing.TB, server *mcp.Server, opts ...mcpconnect.HandlerOption) *served {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler) // tests provoke what gets logged
	h := mcpconnect.NewHandler(server, append([]mcpconnect.HandlerOption{mcpconnect.WithLogger(quiet)}, opts...)...)
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{addr: ln.Addr().String(), handler: h, cancel: cancel, done: make(chan error, 1)}
	go func() {
		s.done <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(patience))
	}()
	t.Cleanup(func() { s.stop(t) })
	return s
}

// dial connects grpc-go to an address until the test ends.
func dial(t testing.TB, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// client is the plain stub of service MCP, connected to s.
func client(t testing.TB, s *served, opts ...grpc.DialOption) mcpv1grpc.MCPClient {
	t.Helper()
	return mcpv1grpc.NewMCPClient(dial(t, s.addr, opts...))
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// modern gives the metadata of a modern request whose client has the capabilities, a JSON
// object.
func modern(t testing.TB, capabilities string) *mcpv1.RequestMeta {
	t.Helper()
	return &mcpv1.RequestMeta{
		ProtocolVersion:    new(modernVersion),
		ClientInfo:         &mcpv1.ClientInfo{Name: new("interop"), Version: new("1.0.0")},
		ClientCapabilities: &mcpv1.CapabilitySet{Values: object(t, capabilities)},
	}
}

// object gives the Struct of the text of a JSON object.
func object(t testing.TB, text string) *structpb.Struct {
	t.Helper()
	s := new(structpb.Struct)
	if err := protojson.Unmarshal([]byte(text), s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// message reads a protobuf message in its JSON form.
func message[M proto.Message](t testing.TB, m M, text string) M {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// diff compares messages, floats by value.
func diff(want, got proto.Message) string { return cmp.Diff(want, got, protocmp.Transform()) }

// wantStatus checks the code of a failed RPC, and the code of the JSON-RPC error in its
// details; 0 means that there is none. It returns that detail.
func wantStatus(t testing.TB, err error, code codes.Code, rpcCode int32) *mcpv1.JsonRpcError {
	t.Helper()
	state, ok := status.FromError(err)
	if !ok || state.Code() != code {
		t.Errorf("got error %v, want %v", err, code)
		return nil
	}
	var found *mcpv1.JsonRpcError
	for _, d := range state.Details() {
		if e, ok := d.(*mcpv1.JsonRpcError); ok {
			found = e
		}
	}
	if found.GetCode() != rpcCode {
		t.Errorf("%v: got JSON-RPC error %v, want code %d", err, found, rpcCode)
	}
	if found != nil && found.GetMessage() != state.Message() {
		t.Errorf("status says %q, its detail %q", state.Message(), found.GetMessage())
	}
	return found
}

func codeOf(err error) codes.Code { return status.Code(err) }

// text is the text of the first block of a tool's result.
func text(r *mcpv1.CallToolResult) string {
	if len(r.GetContent()) == 0 {
		return ""
	}
	return r.GetContent()[0].GetText().GetText()
}

// receive waits for a value, for as long as patience lasts.
func receive[T any](t testing.TB, ch <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return v
}
