// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// blockingCalls are the ways to call the tool "block" until ctx ends.
var blockingCalls = map[string]func(context.Context, mcpv1connect.MCPClient) error{
	"InvokeTool": func(ctx context.Context, c mcpv1connect.MCPClient) error {
		_, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("block")})
		return err
	},
	"CallTool": func(ctx context.Context, c mcpv1connect.MCPClient) error {
		stream, err := c.CallTool(ctx, &mcpv1.CallToolRequest{Name: new("block")})
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }()
		for stream.Receive() {
		}
		return stream.Err()
	},
	"Send": func(ctx context.Context, c mcpv1connect.MCPClient) error {
		stream, err := c.Send(ctx, envelope(1, "tools/call", json.RawMessage(`{"name":"block","arguments":{}}`)))
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }()
		o, err := read(sendStream{stream})
		if o.err != nil {
			return o.err
		}
		return err
	},
}

// TestEndOfAnRPCCancelsItsTool on every wire, in both eras.
func TestEndOfAnRPCCancelsItsTool(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		for name, call := range blockingCalls {
			for _, version := range []string{modernVersion, legacyVersion} {
				t.Run(w.name+"/"+name+"/"+version, func(t *testing.T) {
					t.Parallel()
					all := everything.New(nil)
					rpc := w.client(t, serve(t, all.MCP()))
					session := ""
					if version < modernVersion {
						session = initializeTyped(t, rpc, version)
					}
					ctx, cancel := context.WithCancel(inSession(testContext(t), session))
					done := make(chan error, 1)
					go func() { done <- call(ctx, rpc) }()
					<-all.Blocked()
					cancel()
					if err := <-done; connect.CodeOf(err) != connect.CodeCanceled {
						t.Errorf("the call ended with %v", err)
					}
					if cause := <-all.Unblocked(); cause == nil {
						t.Error("the tool was not told")
					}
				})
			}
		}
	}
}

// TestDeadlineReachesTheTool: the tool sees the time that is left, and the call ends when
// it is over.
func TestDeadlineReachesTheTool(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	server := askingServer(func(ctx context.Context, _ *mcp.ServerSession) error {
		deadline, ok := ctx.Deadline()
		if !ok {
			left <- 0
			return nil
		}
		left <- time.Until(deadline)
		return nil
	})
	url := serve(t, server)
	for _, w := range wires {
		rpc := w.client(t, url)
		for _, version := range []string{modernVersion, legacyVersion} {
			session := ""
			if version < modernVersion {
				session = initializeTyped(t, rpc, version)
			}
			for name, call := range map[string]func(context.Context) error{
				"InvokeTool": func(ctx context.Context) error {
					_, err := rpc.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("ask")})
					return err
				},
				"CallTool": func(ctx context.Context) error {
					return callToolStream(ctx, rpc, json.RawMessage(`{"name":"ask"}`), 0, func(proto.Message) {}).failure()
				},
			} {
				ctx, cancel := context.WithTimeout(inSession(context.Background(), session), time.Minute)
				if err := call(ctx); err != nil {
					t.Errorf("%s %s %s: %v", w.name, name, version, err)
				}
				cancel()
				if d := <-left; d <= 0 || d > time.Minute {
					t.Errorf("%s %s %s: the tool saw %v left of a minute", w.name, name, version, d)
				}
			}
		}
	}
	// A call without a deadline has the one of the server's limit, if it is unary.
	if _, err := wires[0].client(t, url).InvokeTool(context.Background(), &mcpv1.CallToolRequest{Name: new("ask")}); err != nil {
		t.Error(err)
	}
	if d := <-left; d < 9*time.Minute || d > 10*time.Minute {
		t.Errorf("without a deadline the tool saw %v, want 10 minutes", d)
	}
}

func TestDeadlineEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		for name, call := range blockingCalls {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				all := everything.New(nil)
				rpc := w.client(t, serve(t, all.MCP()))
				ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
				defer cancel()
				err := call(ctx, rpc)
				wire, envelope := errors.AsType[*jsonrpc.Error](err)
				if (!envelope || wire.Code != jsonrpc.CodeInternalError) && connect.CodeOf(err) != connect.CodeDeadlineExceeded {
					t.Errorf("the call ended with %v", err)
				}
				if cause := <-all.Unblocked(); cause == nil {
					t.Error("the tool was not told")
				}
			})
		}
	}
}

// TestCancelledRequestIsNotAnswered: notifications/cancelled on Connect, by either kind of
// id, in both eras; and by another Send in a legacy session.
func TestCancelledRequestIsNotAnswered(t *testing.T) {
	t.Parallel()
	const block = `{"name":"block","arguments":{}}`
	for _, w := range bidiWires {
		for _, legacy := range []bool{false, true} {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				all := everything.New(nil)
				stream := dial(t, w, serve(t, all.MCP()), "")
				if legacy {
					handshake(t, stream)
				}
				text := "7"
				mustSend(t, stream, &mcpv1.Envelope{Method: "tools/call", Kind: &mcpv1.Envelope_Request{
					Request: &mcpv1.JsonRpcRequest{Id: &text, ParamsJson: []byte(block)},
				}})
				mustSend(t, stream, envelope(7, "tools/call", json.RawMessage(block)))
				<-all.Blocked()
				<-all.Blocked()
				mustSend(t, stream, clientNote("notifications/cancelled", `{"requestId":8}`)) // unknown
				mustSend(t, stream, clientNote("notifications/cancelled", `{"requestId":"7","reason":"test"}`))
				<-all.Unblocked()
				if n := all.Blocking(); n != 1 {
					t.Errorf("%d calls go on, want the one with the integer", n)
				}
				mustSend(t, stream, clientNote("notifications/cancelled", `{"requestId":7}`))
				<-all.Unblocked()
				// Nothing of them is sent: the next message answers the next request.
				mustSend(t, stream, envelope(9, "tools/call", json.RawMessage(`{"name":"greet","arguments":{"name":"you"}}`)))
				if e := mustReceive(t, stream, ""); e.GetResponse().GetIntId() != 9 {
					t.Errorf("got %v, want the answer to request 9", e)
				}
				if err := stream.CloseRequest(); err != nil {
					t.Fatal(err)
				}
				if e, err := stream.Receive(); !errors.Is(err, io.EOF) {
					t.Errorf("got %v, %v, want the end", e, err)
				}
			})
		}
	}
	for _, w := range wires {
		t.Run(w.name+"/Send", func(t *testing.T) {
			t.Parallel()
			all := everything.New(nil)
			s := newSender(t, peer{wire: w, url: serve(t, all.MCP()), version: legacyVersion, capabilities: noneDeclared})
			done := make(chan error, 1)
			go func() {
				stream, err := s.open(testContext(t), envelope(7, "tools/call", json.RawMessage(block)))
				if err == nil {
					for stream.Receive() {
						t.Errorf("after the cancellation came %v", stream.Msg())
					}
					err = errors.Join(stream.Err(), stream.Close())
				}
				done <- err
			}()
			<-all.Blocked()
			// HTTP/1.1 gives headers with the first message only: another client, then.
			other := &sender{peer: s.peer, t: t, rpc: w.client(t, s.url), session: s.session}
			if err := other.tell(testContext(t), clientNote("notifications/cancelled", `{"requestId":7}`)); err != nil {
				t.Error(err)
			}
			<-all.Unblocked()
			if err := <-done; err != nil {
				t.Errorf("the cancelled Send ended with %v, want status OK", err)
			}
		})
	}
}

// TestServerCancelsItsRequest: the client is told by the id that it knows.
func TestServerCancelsItsRequest(t *testing.T) {
	t.Parallel()
	url := serve(t, askingServer(func(ctx context.Context, ss *mcp.ServerSession) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := ss.Elicit(ctx, &mcp.ElicitParams{Message: "m"})
		return err
	}))
	for _, w := range bidiWires {
		stream := dial(t, w, url, "")
		handshake(t, stream)
		mustSend(t, stream, envelope(2, "tools/call", json.RawMessage(`{"name":"ask","arguments":{}}`)))
		asked := mustReceive(t, stream, "elicitation/create").GetRequest().GetId()
		cancelled := ""
		for range 2 { // the SDK sends the cancellation beside the result, in either order
			e, err := stream.Receive()
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if e.Method == "notifications/cancelled" {
				var p struct{ RequestID string }
				if err := json.Unmarshal(e.GetNotification().GetParamsJson(), &p); err != nil {
					t.Error(err)
				}
				cancelled = p.RequestID
			} else if e.GetResponse().GetIntId() != 2 || e.GetResponse().GetError() != nil {
				t.Errorf("%s: got %v, want the result of the call", w.name, e)
			}
		}
		if cancelled != asked || asked == "" {
			t.Errorf("%s: request %q was cancelled, want %q", w.name, cancelled, asked)
		}
		// An answer that comes too late does no harm.
		mustSend(t, stream, response(&asked, json.RawMessage(`{"action":"accept"}`)))
		mustSend(t, stream, envelope(3, "ping", json.RawMessage(`{}`)))
		if o, err := read(stream); err != nil || o.err != nil {
			t.Errorf("%s: afterwards, ping gave %v, %v", w.name, o, err)
		}
	}
}

// failure gives the error of an outcome as an error, nil for none.
func (o outcome) failure() error {
	if o.err == nil {
		return nil
	}
	return o.err
}
