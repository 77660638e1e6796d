// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	connectrpc "connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A rollout is a server that is replaced, again and again, as a mesh does it: connections go to
// the new one before the old one drains.
type rollout struct {
	t    *testing.T
	addr atomic.Value // string
	stop func()
}

func newRollout(t *testing.T) *rollout {
	t.Helper()
	r := &rollout{t: t, stop: func() {}}
	r.replace()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rollout) replace() {
	r.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	h := mcpconnect.NewHandler(everything.New(nil).MCP(), mcpconnect.WithLogger(quiet))
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet)) }()
	old := r.stop
	r.stop = func() {
		cancel()
		if err := <-served; err != nil {
			r.t.Errorf("Serve: %v", err)
		}
	}
	r.addr.Store(ln.Addr().String())
	old()
}

// client gives an HTTP client whose connections go to the server of the moment.
func (r *rollout) client() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, r.addr.Load().(string))
	}}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestARolloutLosesNoCall, on streams: their ends tell which calls were not done.
func TestARolloutLosesNoCall(t *testing.T) {
	t.Parallel()
	for _, w := range []wire{wires[0], wires[3]} {
		for name, dial := range map[string]func(t *testing.T, r *rollout) func(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error){
			"typed": func(t *testing.T, r *rollout) func(context.Context, *mcp.CallToolParams) (*mcp.CallToolResult, error) {
				c := mcpconnect.NewClient("http://localhost", append([]mcpconnect.ClientOption{mcpconnect.WithHTTPClient(r.client())}, w.opts...)...)
				t.Cleanup(func() { _ = c.Close() })
				return func(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error) {
					return c.CallTool(ctx, p)
				}
			},
			"of the SDK": func(t *testing.T, r *rollout) func(context.Context, *mcp.CallToolParams) (*mcp.CallToolResult, error) {
				c := connect(t, mcp.NewClient(implementation, nil), "http://localhost",
					wire{w.name, append([]mcpconnect.ClientOption{mcpconnect.WithHTTPClient(r.client())}, w.opts...)}, modern)
				return c.CallTool
			},
		} {
			t.Run(w.name+", client "+name, func(t *testing.T) {
				t.Parallel()
				r := newRollout(t)
				call := dial(t, r)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				stop := make(chan struct{})
				var calls sync.WaitGroup
				var answered atomic.Int64
				for i := range 8 {
					calls.Go(func() {
						for n := 0; ; n++ {
							select {
							case <-stop:
								return
							default:
							}
							who := fmt.Sprintf("%d-%d", i, n)
							res, err := call(ctx, &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": who}})
							if err != nil || len(res.Content) != 1 || res.Content[0].(*mcp.TextContent).Text != "Hi "+who {
								t.Errorf("call %s gave %v, %v", who, res, err)
								return
							}
							answered.Add(1)
						}
					})
				}
				look := time.NewTicker(time.Millisecond)
				defer look.Stop()
				for range 5 {
					for before := answered.Load(); answered.Load() < before+50 && !t.Failed(); {
						<-look.C
					}
					r.replace()
				}
				close(stop)
				calls.Wait()
			})
		}
	}
}

// TestACallThatIsCutOffIsNotMadeAgain: the server may have done it. It is answered all the same:
// browsers make calls again that end without an answer.
func TestACallThatIsCutOffIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		server := everything.New(nil)
		h := mcpconnect.NewHandler(server.MCP(), mcpconnect.WithLogger(quiet))
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		served := make(chan error, 1)
		go func() {
			served <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(time.Millisecond))
		}()
		c, err := mcp.NewClient(implementation, nil).Connect(t.Context(), mcpconnect.NewTransport("http://"+ln.Addr().String(), w.opts...),
			&mcp.ClientSessionOptions{ProtocolVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }() // the server has ended it
		cut := make(chan error, 1)
		go func() {
			_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "block"})
			cut <- err
		}()
		wait(t, server.Blocked())
		stop()
		if err := wait(t, served); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve: %v", err)
		}
		e, ok := errors.AsType[*jsonrpc.Error](wait(t, cut))
		if !ok || e.Code != jsonrpc.CodeInternalError || !strings.Contains(e.Message, "shutting down") {
			t.Errorf("got %v, want the server's word", e)
		}
		select {
		case <-server.Blocked():
			t.Error("the call was made again")
		default:
		}
	})
}

// TestStreamsThatDrainOneAfterTheOther: a call waits to go to another stream while that drains, too.
// All calls have answers in the end.
func TestStreamsThatDrainOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var streams atomic.Int64
	taken := make(chan struct{}, 2)
	drained := connectrpc.NewError(connectrpc.CodeUnavailable, errors.New("drained"))
	detail, err := connectrpc.NewErrorDetail(&mcpv1.JsonRpcError{Code: jsonrpc.CodeInternalError, Message: "drained", DataJson: []byte(`{"drained":true}`)})
	if err != nil {
		t.Fatal(err)
	}
	drained.AddDetail(detail)
	url := serveRPC(t, &rudeServer{connect: func(_ context.Context, stream *bidiStream) error {
		n := streams.Add(1)
		for {
			e, err := stream.Receive()
			if err != nil {
				return nil //nolint:nilerr // the client has ended it
			}
			if n <= 2 {
				taken <- struct{}{}
				return drained
			}
			if err := stream.Send(reply(e)); err != nil {
				return err
			}
		}
	}})
	conn := open(t, url)
	write(t, conn, request(t, 1.0, "tools/list", "{}"))
	wait(t, taken)
	// The end of the first stream comes soon, and its call waits for a while after that.
	calls := 1
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for streams.Load() < 2 {
		calls++
		write(t, conn, request(t, float64(calls), "tools/list", "{}"))
		<-tick.C
	}
	for range calls {
		if res := read[*jsonrpc.Response](t, conn); res.Error != nil {
			t.Errorf("got %v", res.Error)
		}
	}
}
