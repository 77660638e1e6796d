// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// muxServer serves two tools: echo, and one that blocks until it is cancelled or released.
type muxServer struct {
	url       string
	handler   *Handler
	stop      func()
	blocked   chan struct{} // a token for each call that blocks
	unblocked chan struct{} // a token for each of them that was cancelled
}

func newMuxServer(t testing.TB, limits Limits) *muxServer {
	t.Helper()
	m := &muxServer{blocked: make(chan struct{}, 100), unblocked: make(chan struct{}, 100)}
	server := mcp.NewServer(&mcp.Implementation{Name: "mux", Version: "1"}, nil)
	schema := json.RawMessage(`{"type":"object"}`)
	server.AddTool(&mcp.Tool{Name: "echo", InputSchema: schema}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(req.Params.Arguments)}}}, nil
	})
	server.AddTool(&mcp.Tool{Name: "block", InputSchema: schema}, func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		m.blocked <- struct{}{}
		<-ctx.Done()
		m.unblocked <- struct{}{}
		return nil, ctx.Err()
	})
	m.handler = NewHandler(server, WithLogger(slog.New(slog.DiscardHandler)), WithLimits(limits))
	m.serve(t)
	return m
}

func (m *muxServer) serve(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.url = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = Serve(ctx, ln, m.handler, WithGracePeriod(0), WithServeLogger(slog.New(slog.DiscardHandler)))
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		<-served
		_ = m.handler.Close()
	})
	t.Cleanup(m.stop)
}

func (m *muxServer) mux(t testing.TB, opts ...ClientOption) *mux {
	t.Helper()
	l, err := newClientConfig(opts).dial(m.url)
	if err != nil {
		t.Fatal(err)
	}
	x := newMux(l.stream, defaultMessageBytes)
	t.Cleanup(func() {
		x.close()
		l.close()
	})
	return x
}

func callFrame(tool, args string) *mcpv1.CallFrame {
	return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_CallTool{CallTool: &mcpv1.CallToolRequest{
		Name:          &tool,
		ArgumentsJson: []byte(args),
		Meta:          &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES},
	}}}
}

func (m *muxServer) wait(t testing.TB, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(30 * time.Second):
		t.Fatal("the tool was not reached")
	}
}

func muxContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestMuxGivesEachCallItsOwnReply(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{ProtocolGRPC, ProtocolConnect} {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			s := newMuxServer(t, Limits{})
			m := s.mux(t, WithProtocol(p))
			ctx := muxContext(t)
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					for j := range 20 {
						args := fmt.Sprintf(`{"i":%d,"j":%d}`, i, j)
						r, err := m.roundTrip(ctx, callFrame("echo", args))
						if err != nil {
							t.Errorf("call %s: %v", args, err)
							return
						}
						if got := r.GetCallTool().GetResult().GetContent()[0].GetText().GetText(); got != args {
							t.Errorf("got the reply %s, want %s", got, args)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestMuxDoesNotDelayCallsBehindOnesThatBlock(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{})
	m := s.mux(t)
	ctx, cancel := context.WithCancel(muxContext(t))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := m.roundTrip(ctx, callFrame("block", "{}")); !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled call gave %v", err)
			}
		})
		s.wait(t, s.blocked)
	}
	if _, err := m.roundTrip(muxContext(t), callFrame("echo", "{}")); err != nil {
		t.Error(err)
	}
	cancel()
	wg.Wait()
	for range 20 {
		s.wait(t, s.unblocked) // the cancellation reached the tool
	}
	if _, err := m.roundTrip(muxContext(t), callFrame("echo", "{}")); err != nil {
		t.Errorf("after the cancellations: %v", err)
	}
}

func TestMuxTellsTheDeadline(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{})
	m := s.mux(t)
	// A deadline that passes before the call has reached the tool proves nothing, and how
	// long that takes is the machine's affair.
	for timeout := 50 * time.Millisecond; ; timeout *= 2 {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		_, err := m.roundTrip(ctx, callFrame("block", "{}"))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) && connect.CodeOf(err) != connect.CodeDeadlineExceeded {
			t.Fatalf("got %v, want that the deadline passed", err)
		}
		select {
		case <-s.blocked:
			s.wait(t, s.unblocked)
			return
		default:
			if timeout > 30*time.Second {
				t.Fatal("the tool was not reached")
			}
		}
	}
}

func TestMuxReportsErrorsAsRPCsDo(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{})
	_, err := s.mux(t).roundTrip(muxContext(t), callFrame("no such tool", "{}"))
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("got %v, want not_found", err)
	}
	var ce *connect.Error
	if !errors.As(err, &ce) || len(ce.Details()) != 1 {
		t.Errorf("got %v, want the JSON-RPC error as detail", err)
	}
}

func TestMuxWaitsWhenTheServerTakesNoMore(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{StreamCalls: 2})
	m := s.mux(t)
	ctx, cancel := context.WithCancel(muxContext(t))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { _, _ = m.roundTrip(ctx, callFrame("block", "{}")) })
		s.wait(t, s.blocked)
	}
	short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	if _, err := m.roundTrip(short, callFrame("echo", "{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third call gave %v, want that it waits", err)
	}
	cancel()
	wg.Wait()
}

func TestMuxOpensAnotherStreamAfterALoss(t *testing.T) {
	t.Parallel()
	s := newMuxServer(t, Limits{})
	m := s.mux(t)
	lost := make(chan error, 1)
	go func() {
		_, err := m.roundTrip(context.Background(), callFrame("block", "{}"))
		lost <- err
	}()
	s.wait(t, s.blocked)
	m.mu.Lock()
	m.stream.cancel()
	m.mu.Unlock()
	if err := <-lost; connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("the call in flight got %v, want unavailable", err)
	}
	if _, err := m.roundTrip(muxContext(t), callFrame("echo", "{}")); err != nil {
		t.Errorf("the next call: %v", err)
	}
	s.stop()
	if _, err := m.roundTrip(muxContext(t), callFrame("echo", "{}")); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("without a server: got %v, want unavailable", err)
	}
}

// TestMuxTellsWhatIsTooLarge: of an answer that the client does not take it is known whose it is
// if nobody else waits for one. The stream cannot go on: connect reads no more of it.
func TestMuxTellsWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	large := `"` + strings.Repeat("x", 2*limit) + `"`
	for name, protocol := range map[string]Protocol{"gRPC": ProtocolGRPC, "Connect": ProtocolConnect} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMuxServer(t, Limits{})
			m := s.mux(t, WithProtocol(protocol), WithMaxMessageBytes(limit))
			_, err := m.roundTrip(muxContext(t), callFrame("echo", large))
			if connect.CodeOf(err) != connect.CodeResourceExhausted {
				t.Errorf("got %v, want resource_exhausted", err)
			}
			if _, err := m.roundTrip(muxContext(t), callFrame("echo", "{}")); err != nil {
				t.Errorf("the next call: %v", err)
			}
			other := make(chan error, 1)
			go func() {
				_, err := m.roundTrip(context.Background(), callFrame("block", "{}"))
				other <- err
			}()
			s.wait(t, s.blocked)
			if _, err := m.roundTrip(muxContext(t), callFrame("echo", large)); connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("beside another call: got %v, want unavailable", err)
			}
			if err := <-other; connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("the other call got %v, want unavailable", err)
			}
		})
	}
}

// BenchmarkMux measures small calls, client and server in one process.
func BenchmarkMux(b *testing.B) {
	for _, inFlight := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("%d in flight", inFlight), func(b *testing.B) {
			m := newMuxServer(b, Limits{}).mux(b)
			ctx := context.Background()
			calls := make(chan struct{})
			var wg sync.WaitGroup
			for range inFlight {
				wg.Go(func() {
					for range calls {
						if _, err := m.roundTrip(ctx, callFrame("echo", `{"a":1,"b":2}`)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				calls <- struct{}{}
			}
			close(calls)
			wg.Wait()
		})
	}
}
