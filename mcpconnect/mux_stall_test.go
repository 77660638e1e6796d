// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// stallCalls is how many calls a stalledServer says it takes.
const stallCalls = 8

// A stalledServer says hello and then reads no more, until it is told to.
type stalledServer struct {
	mcpv1connect.UnimplementedMCPHandler
	goOn chan struct{}
	got  chan *mcpv1.Envelope
}

func (s *stalledServer) Connect(ctx context.Context, stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) error {
	if _, err := stream.Receive(); err != nil {
		return err
	}
	hello := &mcpv1.Hello{Frames: true, MaxCalls: stallCalls}
	if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: hello}}); err != nil {
		return err
	}
	select {
	case <-s.goOn:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		e, err := stream.Receive()
		if err != nil {
			return err
		}
		s.got <- e
	}
}

func newStalledMux(t *testing.T) (*mux, *stalledServer) {
	t.Helper()
	stalled := &stalledServer{goOn: make(chan struct{}), got: make(chan *mcpv1.Envelope, 1000)}
	_, h := mcpv1connect.NewMCPHandler(stalled)
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return (&muxServer{url: server.URL}).mux(t), stalled
}

// large fills what the connection holds without a reader.
var large = `{"text":"` + strings.Repeat("x", 8<<20) + `"}`

// stall makes a call that the server does not take, and waits until it is being written.
func stall(ctx context.Context, t *testing.T, m *mux, calls *sync.WaitGroup) *muxStream {
	t.Helper()
	s, err := m.current(ctx)
	if err != nil {
		t.Fatal(err)
	}
	calls.Go(func() { _, _ = m.roundTrip(ctx, callFrame("echo", large)) })
	until(t, "the call is being written", func() bool {
		s.outMu.Lock()
		defer s.outMu.Unlock()
		return s.writing && len(s.out) == 0
	})
	return s
}

// until polls.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func waiting(s *muxStream) int {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	n := len(s.cancels)
	for _, c := range s.out {
		if c != nil {
			n++
		}
	}
	return n
}

func TestMuxKeepsDeadlinesWhenTheServerDoesNotRead(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"the first call has a deadline", "the first call has none"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			m, _ := newStalledMux(t)
			var calls sync.WaitGroup
			ctx := context.Background()
			if strings.HasSuffix(first, "deadline") {
				ctx = muxContext(t)
			}
			s := stall(ctx, t, m, &calls)
			for range 50 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				_, err := m.roundTrip(ctx, callFrame("echo", "{}"))
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v, want that the deadline passed", err)
				}
			}
			if n := waiting(s); n != 0 {
				t.Errorf("%d envelopes of calls that nobody waits for are queued", n)
			}
			m.close()
			calls.Wait()
		})
	}
}

func TestMuxReturnsFromTheCallThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	m, _ := newStalledMux(t)
	ctx, cancel := context.WithCancel(muxContext(t))
	var calls sync.WaitGroup
	s := stall(ctx, t, m, &calls)
	cancel()
	calls.Wait()
	if n := waiting(s); n != 1 {
		t.Errorf("%d envelopes are queued, want the cancellation", n)
	}
	m.close()
}

func TestMuxNeverSendsACallThatWasGivenUp(t *testing.T) {
	t.Parallel()
	m, server := newStalledMux(t)
	ctx, cancel := context.WithCancel(muxContext(t))
	var calls sync.WaitGroup
	s := stall(ctx, t, m, &calls)
	for range stallCalls - 1 {
		calls.Go(func() { _, _ = m.roundTrip(ctx, callFrame("echo", "{}")) })
	}
	until(t, "all calls are queued", func() bool { return waiting(s) == stallCalls-1 })
	cancel()
	calls.Wait()
	close(server.goOn)
	if e := <-server.got; e.GetCall() == nil {
		t.Errorf("got %v, want the call that was being written", e)
	}
	if e := <-server.got; e.GetCancel() == nil {
		t.Errorf("got %v, want its cancellation", e)
	}
	calls.Go(func() { _, _ = m.roundTrip(muxContext(t), callFrame("next", "{}")) })
	if e := <-server.got; e.GetCall().GetCallTool().GetName() != "next" {
		t.Errorf("got %v, want the next call", e)
	}
	m.close()
	calls.Wait()
}

func TestMuxWaitsForCallsThatWereGivenUp(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}, 10), make(chan struct{})
	server := mcp.NewServer(&mcp.Implementation{Name: "deaf", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "deaf", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			begun <- struct{}{}
			<-end
			return &mcp.CallToolResult{Content: []mcp.Content{}}, nil
		})
	refused := make(chan struct{}, 10)
	s := &muxServer{handler: NewHandler(server, WithLogger(slog.New(slog.DiscardHandler)), WithLimits(Limits{StreamCalls: 2}))}
	s.serve(t)
	m := s.mux(t, WithClientConnectOptions(connect.WithInterceptors(refusals{refused})))

	ctx, cancel := context.WithCancel(muxContext(t))
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() { _, _ = m.roundTrip(ctx, callFrame("deaf", "{}")) })
		s.wait(t, begun)
	}
	cancel()
	calls.Wait() // given up; the server is still busy with them

	calls.Go(func() {
		if _, err := m.roundTrip(muxContext(t), callFrame("deaf", "{}")); err != nil {
			t.Errorf("got %v, want that the call waits", err)
		}
	})
	s.wait(t, refused)
	short, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := m.roundTrip(short, callFrame("deaf", "{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that the deadline passed", err)
	}
	close(end)
	calls.Wait()
}

func TestMuxDoesNotRepeatACallThatBreaksALimitItself(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{StreamCalls: 2, JSONDepth: 2})
	refused := make(chan struct{}, 10)
	m := s.mux(t, WithClientConnectOptions(connect.WithInterceptors(refusals{refused})))
	_, err := m.roundTrip(muxContext(t), callFrame("echo", `{"a":[[[]]]}`))
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("got %v, want resource_exhausted", err)
	}
	if n := len(refused); n != 1 {
		t.Errorf("the call was sent %d times", n)
	}
}

// refusals tells of replies with resource_exhausted.
type refusals struct{ seen chan<- struct{} }

func (refusals) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

func (refusals) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (r refusals) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return refusalConn{next(ctx, spec), r.seen}
	}
}

type refusalConn struct {
	connect.StreamingClientConn
	seen chan<- struct{}
}

func (c refusalConn) Receive(m any) error {
	err := c.StreamingClientConn.Receive(m)
	e, _ := m.(*mcpv1.Envelope)
	if raw, ok := wire.Raw(e); ok && err == nil {
		e, _ = wire.Decode(raw)
	}
	if connect.Code(e.GetReply().GetError().GetCode()) == connect.CodeResourceExhausted {
		select {
		case c.seen <- struct{}{}:
		default: // enough
		}
	}
	return err
}

func TestMuxSendsBatchesThatTheServerReads(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{MessageBytes: 600 << 10})
	m := s.mux(t)
	ctx := muxContext(t)
	args := `{"text":"` + strings.Repeat("x", 100<<10) + `"}`
	var calls sync.WaitGroup
	for range 100 {
		calls.Go(func() {
			if _, err := m.roundTrip(ctx, callFrame("echo", args)); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
}
