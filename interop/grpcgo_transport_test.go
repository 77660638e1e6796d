// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/stats"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestDeadlineReachesTheTool has the tool tell how much time it has.
func TestDeadlineReachesTheTool(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "deadline", Version: "1"}, nil)
	left := make(chan time.Duration, 2)
	mcp.AddTool(server, &mcp.Tool{Name: "left"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			left <- 0
		} else {
			left <- time.Until(deadline)
		}
		return nil, nil, nil
	})
	c := client(t, serve(t, server))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("left")}); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got <= 0 || got > patience {
		t.Errorf("the tool has %v, want less than %v", got, patience)
	}
	// A stream without a deadline has none; grpc-go sends none if the context has none.
	stream, err := c.CallTool(t.Context(), &mcpv1.CallToolRequest{Name: new("left")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got != 0 {
		t.Errorf("the tool of a stream without deadline has %v", got)
	}
}

func TestDeadlineEndsTheTool(t *testing.T) {
	t.Parallel()
	tools := everything.New(nil)
	c := client(t, serve(t, tools.MCP()))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("block")})
	if got := codeOf(err); got != codes.DeadlineExceeded {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	if receive(t, tools.Blocked(), "call of the tool"); receive(t, tools.Unblocked(), "end of the tool") == nil {
		t.Error("the tool ended without a reason")
	}
}

func TestCancelReachesTheTool(t *testing.T) {
	t.Parallel()
	tools := everything.New(nil)
	c := client(t, serve(t, tools.MCP()))
	block := &mcpv1.CallToolRequest{Name: new("block")}
	calls := map[string]func(context.Context) error{
		"unary": func(ctx context.Context) error { _, err := c.InvokeTool(ctx, block); return err },
		"server stream": func(ctx context.Context) error {
			stream, err := c.CallTool(ctx, block)
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
		"Connect stream": func(ctx context.Context) error {
			conversation := converse(ctx, t, c)
			conversation.send(`{"method":"tools/call","request":{"id":"1","params":{"name":"block"}}}`)
			_, err := conversation.stream.Recv()
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(testContext(t))
			ended := make(chan error, 1)
			go func() { ended <- call(ctx) }()
			receive(t, tools.Blocked(), "call of the tool")
			cancel()
			if err := receive(t, ended, "end of the RPC"); codeOf(err) != codes.Canceled {
				t.Errorf("got %v, want Canceled", err)
			}
			receive(t, tools.Unblocked(), "end of the tool")
		})
	}
}

// TestLargeMessages sends messages around the limit of 4 MiB, plain and compressed.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	const limit = 4 << 20
	send := func(size int, opts ...grpc.CallOption) error {
		_, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{
			Name: new("nothing"), ArgumentsJson: []byte(`{"message":"` + strings.Repeat("x", size) + `"}`),
		}, opts...)
		return err
	}
	if got := codeOf(send(limit - 100)); got != codes.NotFound { // there is no such tool, but it was read
		t.Errorf("a message below the limit: got %v", got)
	}
	if got := codeOf(send(limit)); got != codes.ResourceExhausted {
		t.Errorf("a message over the limit: got %v", got)
	}
	if got := codeOf(send(4*limit, grpc.UseCompressor(gzip.Name))); got != codes.ResourceExhausted {
		t.Errorf("a message that inflates beyond the limit: got %v", got)
	}
	if _, err := c.Ping(ctx, &mcpv1.PingRequest{}); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// A payloads notes what grpc-go saw of the messages of RPCs.
type payloads struct {
	mu          sync.Mutex
	compression string // of the response
	in          stats.InPayload
}

func (p *payloads) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (p *payloads) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (p *payloads) HandleConn(context.Context, stats.ConnStats)                       {}

func (p *payloads) HandleRPC(_ context.Context, s stats.RPCStats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s := s.(type) {
	case *stats.InHeader:
		p.compression = s.Compression
	case *stats.InPayload:
		p.in = *s
	}
}

// TestGzip compresses requests; large responses come back compressed, small ones do not.
func TestGzip(t *testing.T) {
	t.Parallel()
	seen := new(payloads)
	c := client(t, serve(t, everything.NewServer()), grpc.WithStatsHandler(seen), grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	ctx := testContext(t)
	long := strings.Repeat("long ", 10_000)
	if got := text(invoke(ctx, t, c, "greet", `{"name":"`+long+`"}`)); got != "Hi "+long {
		t.Errorf("got %d characters back", len(got))
	}
	if seen.compression != "gzip" || seen.in.CompressedLength >= seen.in.Length/10 {
		t.Errorf("large response: encoding %q, %d bytes of %d", seen.compression, seen.in.CompressedLength, seen.in.Length)
	}
	invoke(ctx, t, c, "greet", `{"name":"Ada"}`)
	if seen.in.CompressedLength != seen.in.Length {
		t.Errorf("small response: %d bytes of %d", seen.in.CompressedLength, seen.in.Length)
	}
}

// TestDrainLosesNoCall has two servers behind one name. The first one drains under load:
// what is in flight there is answered, everything after its GOAWAY goes to the second one, and
// no call fails.
func TestDrainLosesNoCall(t *testing.T) {
	t.Parallel()
	first, begun, finish := waitingServer()
	second, _, _ := waitingServer()
	a, b := serve(t, first), serve(t, second)
	names := manual.NewBuilderWithScheme("two")
	names.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: a.addr}, {Addr: b.addr}}})
	conn, err := grpc.NewClient("two:///servers", grpc.WithResolvers(names), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority("localhost")) // on loopback no other name is served without WithHosts
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, ctx := mcpv1grpc.NewMCPClient(conn), testContext(t)

	inFlight := make(chan error, 1)
	go func() {
		_, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("wait")})
		inFlight <- err
	}()
	receive(t, begun, "call of the tool")

	load, stopLoad := context.WithCancel(ctx)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for load.Err() == nil {
				if _, err := c.ListTools(ctx, &mcpv1.ListToolsRequest{}); err != nil {
					t.Errorf("a call during the drain: %v", err)
					return
				}
			}
		})
	}
	conversation := converse(ctx, t, c)
	conversation.send(`{"method":"tools/list","request":{"id":"1"}}`)
	conversation.result("1")
	drained := make(chan struct{})
	go func() { a.stop(t); close(drained) }()
	// The stream is told to end; the client would connect again.
	if _, err := conversation.stream.Recv(); codeOf(err) != codes.Unavailable {
		t.Errorf("the Connect stream ended with %v, want Unavailable", err)
	}
	// New calls go to the second server while the first one still has its call.
	if _, err := c.Ping(ctx, &mcpv1.PingRequest{}); err != nil {
		t.Errorf("a call to the second server: %v", err)
	}
	close(finish)
	if err := receive(t, inFlight, "answer to the call in flight"); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	receive(t, drained, "end of the first server")
	stopLoad()
	callers.Wait()
}

// waitingServer has a tool that waits until finish is closed.
func waitingServer() (server *mcp.Server, begun chan struct{}, finish chan struct{}) {
	begun, finish = make(chan struct{}, 1), make(chan struct{})
	server = mcp.NewServer(&mcp.Implementation{Name: "waiting", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "wait"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		begun <- struct{}{}
		select {
		case <-finish:
			return nil, nil, nil
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	})
	return server, begun, finish
}
