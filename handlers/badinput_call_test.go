// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const blockCall = `{"name":"block","arguments":{}}`

// blockedCalls are the ways to make a call that never ends by itself.
func (b *badClient) blockedCalls() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"InvokeTool": func(ctx context.Context) error {
			_, err := b.rpc.InvokeTool(ctx, badCall("block", `{}`))
			return err
		},
		"CallTool": func(ctx context.Context) error { return drainTool(ctx, b.rpc, badCall("block", `{}`)) },
		"Send": func(ctx context.Context) error {
			got, err := b.send(ctx, envelope(1, "tools/call", []byte(blockCall)))
			if err == nil && len(got) == 1 && got[0].GetResponse().GetError() != nil {
				return connect.NewError(connect.CodeDeadlineExceeded, wireError(got[0].GetResponse().GetError())) // the server was faster
			}
			return err
		},
		"Connect": func(ctx context.Context) error {
			if !b.wire.bidi() {
				return b.blockedCalls()["Send"](ctx)
			}
			stream, err := b.rpc.Connect(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = stream.CloseResponse() }()
			defer noticeCancel(ctx, stream)()
			// A stream that has failed says why when it is read.
			_ = stream.Send(envelope(1, "tools/call", []byte(blockCall)))
			_ = stream.Send(hello(true))
			for {
				e, err := stream.Receive()
				if err != nil {
					return err
				}
				if e.GetResponse().GetIntId() == 1 {
					return connect.NewError(connect.CodeDeadlineExceeded, wireError(e.GetResponse().GetError()))
				}
			}
		},
	}
}

// noticeCancel lets the client see the end of ctx: net/http does not while it waits for
// more of the request.
func noticeCancel(ctx context.Context, stream *connectStream) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = stream.CloseRequest() })
}

func TestABlockedCallEndsWithItsRPC(t *testing.T) {
	t.Parallel()
	e := everything.New(nil)
	url := badServer(t, e.MCP())
	for _, w := range wires {
		b := newBadClient(t, w, url)
		for name, call := range b.blockedCalls() {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- call(ctx) }()
			<-e.Blocked()
			if err := b.serves(); err != nil {
				t.Errorf("%s, %s: beside a blocked call: %v", w.name, name, err)
			}
			cancel()
			if err := <-ended; connect.CodeOf(err) != connect.CodeCanceled {
				t.Errorf("%s, %s: the cancelled call gave %v", w.name, name, err)
			}
			if cause := <-e.Unblocked(); cause == nil {
				t.Errorf("%s, %s: the tool was not cancelled", w.name, name)
			}
		}
	}
}

func TestABlockedCallEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	e := everything.New(nil)
	url := badServer(t, e.MCP())
	for _, w := range wires {
		b := newBadClient(t, w, url)
		for name, call := range b.blockedCalls() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if err := call(ctx); connect.CodeOf(err) != connect.CodeDeadlineExceeded {
				t.Errorf("%s, %s: got %v", w.name, name, err)
			}
			cancel()
		}
	}
	eventually(t, "no call blocks any more", func() bool { return e.Blocking() == 0 })
}

// A unary call without deadline gets one of the server.
func TestTheServerBoundsTheTimeOfUnaryCalls(t *testing.T) {
	t.Parallel()
	e := everything.New(nil)
	url := badServer(t, e.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{UnaryTime: 20 * time.Millisecond}))
	for _, w := range wires {
		b := newBadClient(t, w, url)
		_, err := b.rpc.InvokeTool(t.Context(), badCall("block", `{}`))
		b.expect(w.name, fails(connect.CodeDeadlineExceeded, -32603), nil, err, nil)
	}
	eventually(t, "no call blocks any more", func() bool { return e.Blocking() == 0 })
}

// TestNothingIsSentAfterACancellation has a tool that goes on talking, and one that does
// not, on a stream on which something follows.
func TestNothingIsSentAfterACancellation(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	cancelled := make(chan struct{})
	reported := make(chan error)
	server.AddTool(&mcp.Tool{Name: "stubborn", InputSchema: map[string]any{"type": "object"}}, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		cancelled <- struct{}{} // running
		<-ctx.Done()
		err := req.Session.NotifyProgress(context.WithoutCancel(ctx), &mcp.ProgressNotificationParams{ProgressToken: "p", Progress: 1})
		reported <- err
		return &mcp.CallToolResult{}, nil
	})
	url := badServer(t, server)
	call := `{"name":"stubborn","_meta":{"progressToken":"p"}}`
	token := &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: "p"}}
	request := badCall("stubborn", `{}`)
	request.Meta = &mcpv1.RequestMeta{ProgressToken: token}
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		stream := dial(t, w, url, "")
		ways := []struct{ begin, end *mcpv1.Envelope }{
			{envelope(1, "tools/call", []byte(call)), clientNote("notifications/cancelled", `{"requestId":1,"reason":"enough"}`)},
			{aFrame(&mcpv1.CallFrame{CallId: 1, Stream: true, Request: &mcpv1.CallFrame_CallTool{CallTool: request}}), cancelFrame(1)},
		}
		if err := stream.Send(hello(true)); err != nil {
			t.Fatal(err)
		}
		if e, err := stream.Receive(); err != nil || e.GetHello() == nil {
			t.Fatalf("%s: the hello was answered with %v, %v", w.name, e, err)
		}
		for _, way := range ways {
			if err := stream.Send(way.begin); err != nil {
				t.Fatal(err)
			}
			<-cancelled
			if err := stream.Send(way.end); err != nil {
				t.Fatal(err)
			}
			<-reported
		}
		if err := stream.Send(envelope(2, "tools/list", nil)); err != nil {
			t.Fatal(err)
		}
		_ = stream.CloseRequest()
		got, err := drain(stream)
		if err != nil || len(got) != 1 || got[0].GetResponse().GetIntId() != 2 {
			t.Errorf("%s: after the cancellations came %v, %v, want the list alone", w.name, got, err)
		}
	}
}

func TestAHalfClosedStreamAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	begun, release := make(chan struct{}), make(chan struct{})
	server.AddTool(&mcp.Tool{Name: "slow", InputSchema: map[string]any{"type": "object"}}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		begun <- struct{}{}
		<-release
		return &mcp.CallToolResult{Content: []mcp.Content{}}, nil
	})
	url := badServer(t, server)
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		stream := dial(t, w, url, "")
		for _, e := range []*mcpv1.Envelope{
			hello(true),
			envelope(1, "tools/call", []byte(`{"name":"slow"}`)),
			aToolFrame(1, "slow", `{}`),
		} {
			if err := stream.Send(e); err != nil {
				t.Fatal(err)
			}
		}
		<-begun
		<-begun
		if err := stream.CloseRequest(); err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(envelope(2, "tools/list", nil)); err == nil {
			t.Errorf("%s: a message after the half-close was sent", w.name)
		}
		release <- struct{}{}
		release <- struct{}{}
		got, err := drain(stream)
		if err != nil || len(summaries(got)) != 3 {
			t.Errorf("%s: got %v, %v, want hello and both answers", w.name, summaries(got), err)
		}
	}
}

// A request of the server that is not answered when the client half-closes fails for the
// tool, which goes on.
func TestAHalfClosedStreamFailsWhatTheServerAsked(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		stream := dial(t, w, url, "")
		if err := openSession(stream); err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(envelope(1, "tools/call", []byte(samplingCall))); err != nil {
			t.Fatal(err)
		}
		if e, err := stream.Receive(); err != nil || e.GetRequest() == nil {
			t.Fatalf("%s: got %v, %v, want a request of the server", w.name, e, err)
		}
		_ = stream.CloseRequest()
		got, err := drain(stream)
		if err != nil || len(got) != 1 || !strings.Contains(string(got[0].GetResponse().GetResultJson()), `"isError":true`) {
			t.Errorf("%s: got %v, %v, want the tool's error result", w.name, got, err)
		}
	}
}
