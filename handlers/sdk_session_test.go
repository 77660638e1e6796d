// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

func sdkID(t testing.TB, v any) jsonrpc.ID {
	t.Helper()
	id, err := jsonrpc.MakeID(v)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const pinMeta = `"_meta":{` + modernMeta + `}`

// A request that goes through a Connection is recognised by the pointer of its Extra. If
// this fails, its progress and its trace are lost, and a panic in it ends the process.
func TestSDKExtraKeepsItsIdentity(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	got := make(chan *mcp.RequestExtra, 1)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			got <- req.GetExtra()
			return next(ctx, method, req)
		}
	})
	answers := make(chan jsonrpc.Message, 1)
	c := newScripted(func(_ context.Context, m jsonrpc.Message) error { answers <- m; return nil })
	sdkSession(t, server, c, modernVersion)
	extra := &mcp.RequestExtra{}
	c.deliver(t, &jsonrpc.Request{ID: sdkID(t, "a"), Method: "com.example/echo", Params: json.RawMessage(`{` + pinMeta + `,"value":1}`), Extra: extra})
	if e := <-got; e != extra {
		t.Errorf("the middleware got another Extra: %p, want %p", e, extra)
	}
	if res, ok := (<-answers).(*jsonrpc.Response); !ok || res.Error != nil || res.ID.Raw() != "a" {
		t.Errorf("got %v", res)
	}
}

// A refused message is told by an error with code -32005, which fails that message alone.
// If this fails, one message that cannot be sent ends its whole session.
func TestSDKRejectedWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		lives bool
	}{
		"rejection":   {&jsonrpc.Error{Code: -32005, Message: "rejected"}, true},
		"other error": {errors.New("broken pipe"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := newScripted(func(context.Context, jsonrpc.Message) error { return c.err })
			server := everything.NewServer()
			ss := sdkSession(t, server, pipe, legacyVersion)
			ended := make(chan struct{})
			go func() {
				_ = ss.Wait()
				close(ended)
			}()
			if _, err := ss.Elicit(testContext(t), &mcp.ElicitParams{Message: "m"}); err == nil {
				t.Error("a request that was refused gave no error")
			}
			if c.lives {
				pipe.write = ignore
				if err := ss.NotifyProgress(testContext(t), &mcp.ProgressNotificationParams{}); err != nil {
					t.Errorf("the session is dead: %v", err)
				}
				select {
				case <-ended:
					t.Error("the session has ended")
				default:
				}
				return
			}
			// Why we need it. If this side changes, rejection can go.
			if err := ss.NotifyProgress(testContext(t), &mcp.ProgressNotificationParams{}); err == nil {
				t.Error("the session outlived an error of Write")
			}
		})
	}
}

func listenOn(t testing.TB, server *mcp.Server, id string) (c *scripted, out chan jsonrpc.Message) {
	t.Helper()
	out = make(chan jsonrpc.Message, 64)
	c = newScripted(func(_ context.Context, m jsonrpc.Message) error { out <- m; return nil })
	sdkSession(t, server, c, modernVersion)
	c.deliver(t, &jsonrpc.Request{ID: sdkID(t, id), Method: "subscriptions/listen", Params: json.RawMessage(`{` + pinMeta + `,"notifications":{"toolsListChanged":true}}`)})
	return c, out
}

func nextMessage(t testing.TB, out chan jsonrpc.Message) string {
	t.Helper()
	select {
	case m := <-out:
		text, err := jsonrpc.EncodeMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return ""
}

// A listen runs through a Connection: first the acknowledgement, then changes; a
// cancellation gives the last message. Each has a session of its own, since the SDK keeps
// one of a kind per session. If this fails, Listen and SubscribeResource are wrong.
func TestSDKListen(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	type stream struct {
		c   *scripted
		out chan jsonrpc.Message
	}
	streams := map[string]stream{}
	for _, id := range []string{"one", "two"} {
		c, out := listenOn(t, server, id)
		streams[id] = stream{c, out}
		if m := nextMessage(t, out); !strings.Contains(m, "notifications/subscriptions/acknowledged") || !strings.Contains(m, `"io.modelcontextprotocol/subscriptionId":"`+id+`"`) {
			t.Errorf("the first message of listen %s is %s", id, m)
		}
	}
	server.AddTool(&mcp.Tool{Name: "new", InputSchema: json.RawMessage(`{"type":"object"}`)}, nil)
	for id, s := range streams {
		if m := nextMessage(t, s.out); !strings.Contains(m, "notifications/tools/list_changed") || !strings.Contains(m, `"`+id+`"`) {
			t.Errorf("listen %s got %s, want the change", id, m)
		}
	}
	for id, s := range streams {
		s.c.deliver(t, &jsonrpc.Request{Method: "notifications/cancelled", Params: json.RawMessage(`{"requestId":"` + id + `"}`)})
		if m := nextMessage(t, s.out); !strings.Contains(m, `"result"`) || !strings.Contains(m, `"id":"`+id+`"`) {
			t.Errorf("after its cancellation listen %s got %s, want its result", id, m)
		}
	}
}

// Sessions that only stand for a kind of client answer the SDK's pings with "method not
// found", upon which it stops to ping. If this fails, servers with KeepAlive lose their
// shared sessions.
func TestSDKKeepaliveStopsWhenPingIsUnknown(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "pin", Version: "1"}, &mcp.ServerOptions{KeepAlive: time.Millisecond})
	pings := make(chan struct{}, 1024)
	c := newScripted(func(_ context.Context, m jsonrpc.Message) error {
		if r, ok := m.(*jsonrpc.Request); ok && r.Method == "ping" {
			pings <- struct{}{}
			return rejectedError{}
		}
		return nil
	})
	ss, err := server.Connect(context.Background(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ss.Close()
		_ = ss.Wait()
	})
	h := capture(server)
	for method, req := range map[string]mcp.Request{
		"initialize": &mcp.ServerRequest[*mcp.InitializeParams]{Session: ss, Params: clientParams(legacyVersion), Extra: &mcp.RequestExtra{}},
	} {
		if _, err := h(t.Context(), method, req); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h(t.Context(), "notifications/initialized", &mcp.ServerRequest[*mcp.InitializedParams]{Session: ss, Params: &mcp.InitializedParams{}, Extra: &mcp.RequestExtra{}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-pings:
	case <-time.After(patience):
		t.Fatal("no ping came")
	}
	// With an interval of a millisecond, more would have come by now, or the end.
	ended := make(chan struct{})
	go func() {
		_ = ss.Wait()
		close(ended)
	}()
	select {
	case <-pings:
		t.Error("the SDK pings on")
	case <-ended:
		t.Error("the session has ended")
	case <-time.After(50 * time.Millisecond):
	}
}

// rejectedError is like the rejection of package handlers: rejected, method not found.
type rejectedError struct{}

func (rejectedError) Error() string { return "method not found" }
func (rejectedError) Is(target error) bool {
	wire, ok := target.(*jsonrpc.Error)
	return ok && (wire.Code == -32005 || wire.Code == jsonrpc.CodeMethodNotFound)
}
func (rejectedError) Unwrap() error {
	return &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "method not found"}
}

// A result that asks for input says so by NeedsInput; on a modern session nobody acts on
// it before us. If this fails, questions of tools look like empty results.
func TestSDKNeedsInput(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	res, err := capture(server)(t.Context(), "tools/call", callRequest(ss, "test_input_required_result_request_state", `{}`))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := res.(*mcp.CallToolResult)
	if !ok || !r.NeedsInput() || len(r.InputRequests) != 1 || r.RequestState != "request_state" {
		t.Errorf("got %+v", res)
	}
	req := callRequest(ss, "test_input_required_result_request_state", `{}`)
	req.Params.RequestState = r.RequestState
	req.Params.InputResponses = mcp.InputResponseMap{"confirm": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"ok": true}}}
	res, err = capture(server)(t.Context(), "tools/call", req)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := res.(*mcp.CallToolResult); !ok || r.NeedsInput() {
		t.Errorf("with answers, got %+v", res)
	}
}

// Handlers run on the context that they are called with. If this fails, neither
// cancellation nor deadline reaches a tool.
func TestSDKHandlersRunOnTheContextOfTheCall(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("the caller has gone")
	cancel(cause)
	if _, err := capture(server)(ctx, "tools/call", callRequest(ss, "block", `{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the call was cancelled", err)
	}
}
