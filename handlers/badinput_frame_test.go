// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

func hello(frames bool) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: frames}}}
}

func aFrame(f *mcpv1.CallFrame) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: f}}
}

func batchOf(es ...*mcpv1.Envelope) *mcpv1.Envelope { return &mcpv1.Envelope{Batch: es} }

// aToolFrame calls a tool by a frame.
func aToolFrame(id uint64, tool, args string) *mcpv1.Envelope {
	return aFrame(&mcpv1.CallFrame{CallId: id, Request: &mcpv1.CallFrame_CallTool{CallTool: badCall(tool, args)}})
}

func cancelFrame(id uint64) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Cancel{Cancel: &mcpv1.CancelFrame{CallId: id}}}
}

// unknownCall is a call frame of a later version.
func unknownCall(id uint64) *mcpv1.Envelope {
	f := &mcpv1.CallFrame{CallId: id}
	f.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), []byte("later")))
	return aFrame(f)
}

// summary is what matters of an envelope from the server, in so few words that a row can
// say it.
func summary(e *mcpv1.Envelope) string {
	if e.GetHello() != nil {
		return "hello"
	}
	if r := e.GetReply(); r != nil {
		if f := r.GetError(); f != nil {
			return fmt.Sprintf("call %d fails: %v %d", r.CallId, connect.Code(f.Code), f.GetError().GetCode())
		}
		return fmt.Sprintf("call %d ends", r.CallId)
	}
	id := "nobody"
	switch r := e.GetResponse(); {
	case r.GetId() != "":
		id = r.GetId()
	case r != nil && r.IntId != nil:
		id = strconv.FormatInt(r.GetIntId(), 10)
	}
	if f := e.GetResponse().GetError(); f != nil {
		return fmt.Sprintf("error for %s: %d", id, f.Code)
	}
	return "result for " + id
}

func summaries(got []*mcpv1.Envelope) []string {
	all := make([]string, 0, len(got))
	for _, e := range got {
		if len(e.GetBatch()) > 0 {
			all = append(all, summaries(e.Batch)...)
			continue
		}
		all = append(all, summary(e))
	}
	slices.Sort(all)
	return all
}

func TestBadFramesAreRefused(t *testing.T) {
	t.Parallel()
	const good = "test_simple_text"
	list := func(id int64) *mcpv1.Envelope { return envelope(id, "tools/list", nil) }
	rows := []struct {
		name string
		sent []*mcpv1.Envelope
		want []string // sorted
	}{
		{"a call without hello", []*mcpv1.Envelope{aToolFrame(1, good, `{}`)}, []string{"call 1 fails: invalid_argument -32600"}},
		{"a call of a client that does not read frames", []*mcpv1.Envelope{hello(false), aToolFrame(1, good, `{}`)}, []string{"call 1 fails: invalid_argument -32600", "hello"}},
		{"a hello that is not first", []*mcpv1.Envelope{list(1), hello(true), aToolFrame(1, good, `{}`)}, []string{"call 1 fails: invalid_argument -32600", "error for nobody: -32600", "result for 1"}},
		{"a hello after something malformed", []*mcpv1.Envelope{{}, hello(true)}, []string{"error for nobody: -32600", "error for nobody: -32600"}},
		{"a second hello", []*mcpv1.Envelope{hello(true), hello(true), aToolFrame(1, good, `{}`)}, []string{"call 1 ends", "error for nobody: -32600", "hello"}},
		{"a second hello in a batch", []*mcpv1.Envelope{{Kind: hello(true).Kind, Batch: []*mcpv1.Envelope{hello(false), aToolFrame(1, good, `{}`)}}}, []string{"call 1 ends", "error for nobody: -32600", "hello"}},
		{"a call without request", []*mcpv1.Envelope{hello(true), aFrame(&mcpv1.CallFrame{CallId: 3})}, []string{"call 3 fails: unimplemented -32601", "hello"}},
		{"a call of an unknown kind", []*mcpv1.Envelope{hello(true), unknownCall(3)}, []string{"call 3 fails: unimplemented -32601", "hello"}},
		{"a call of an unknown tool", []*mcpv1.Envelope{hello(true), aToolFrame(3, "none", `{}`)}, []string{"call 3 fails: not_found -32602", "hello"}},
		{"a call of a tool that panics", []*mcpv1.Envelope{hello(true), aToolFrame(3, "panic", `{}`), aToolFrame(4, "error_plain", `{}`)}, []string{"call 3 fails: internal -32603", "call 4 fails: internal -32603", "hello"}},
		{"a call with both twins", []*mcpv1.Envelope{hello(true), aFrame(&mcpv1.CallFrame{CallId: 3, Request: &mcpv1.CallFrame_CallTool{CallTool: &mcpv1.CallToolRequest{Name: proto.String(good), Arguments: &structpb.Struct{}, ArgumentsJson: []byte(`{}`)}}})}, []string{"call 3 fails: invalid_argument -32602", "hello"}},
		{"a call with deep JSON", []*mcpv1.Envelope{hello(true), aToolFrame(3, good, nested(40))}, []string{"call 3 fails: resource_exhausted -32600", "hello"}},
		{"a call with bad JSON", []*mcpv1.Envelope{hello(true), aToolFrame(3, good, `{`)}, []string{"call 3 fails: invalid_argument -32700", "hello"}},
		{"a call of an unsupported version", []*mcpv1.Envelope{hello(true), aFrame(&mcpv1.CallFrame{CallId: 3, Request: &mcpv1.CallFrame_ListTools{ListTools: &mcpv1.ListToolsRequest{Meta: named("1999-01-01")}}})}, []string{"call 3 fails: failed_precondition -32022", "hello"}},
		{"a call whose time is over", []*mcpv1.Envelope{hello(true), aFrame(&mcpv1.CallFrame{CallId: 3, TimeoutMs: 1, Request: &mcpv1.CallFrame_CallTool{CallTool: badCall("block", `{}`)}})}, []string{"call 3 fails: deadline_exceeded -32603", "hello"}},
		{"a streamed call whose time is over", []*mcpv1.Envelope{hello(true), aFrame(&mcpv1.CallFrame{CallId: 3, TimeoutMs: 1, Stream: true, Request: &mcpv1.CallFrame_CallTool{CallTool: badCall("block", `{}`)}})}, []string{"call 3 fails: deadline_exceeded -32603", "hello"}},
		{"a reply of a client", []*mcpv1.Envelope{hello(true), {Kind: &mcpv1.Envelope_Reply{Reply: &mcpv1.ReplyFrame{CallId: 1}}}}, []string{"error for nobody: -32600", "hello"}},
		{"a cancellation of nothing", []*mcpv1.Envelope{hello(true), cancelFrame(99), aToolFrame(1, good, `{}`)}, []string{"call 1 ends", "hello"}},
		{"a batch in a batch", []*mcpv1.Envelope{hello(true), batchOf(list(1), batchOf(list(2), list(3)), list(4))}, []string{"error for nobody: -32600", "hello", "result for 1", "result for 4"}},
		{"a batch with one bad message", []*mcpv1.Envelope{hello(true), batchOf(list(1), &mcpv1.Envelope{}, envelope(3, "tools/call", []byte(`{`)), list(4))}, []string{"error for 3: -32700", "error for nobody: -32600", "hello", "result for 1", "result for 4"}},
		{"a message whose batch is bad", []*mcpv1.Envelope{hello(true), {Method: "tools/list", Kind: list(1).Kind, Batch: []*mcpv1.Envelope{envelope(2, "tools/call", []byte(nested(40)))}}}, []string{"error for 2: -32600", "hello", "result for 1"}},
		{"a batch without hello", []*mcpv1.Envelope{batchOf(list(1), list(2)), list(3)}, []string{"error for nobody: -32600", "result for 3"}},
	}
	url := badServer(t, everything.NewServer())
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBadClient(t, w, url)
			for _, row := range rows {
				if diff := cmp.Diff(row.want, b.converse(row.sent)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", row.name, diff)
				}
				if err := b.serves(); err != nil {
					t.Fatalf("%s: afterwards the server does not serve others: %v", row.name, err)
				}
			}
		})
	}
}

// converse sends messages on a stream and gives the summaries of all that comes back.
func (b *badClient) converse(sent []*mcpv1.Envelope) []string {
	b.t.Helper()
	stream, err := b.rpc.Connect(testContext(b.t))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = stream.CloseResponse() }()
	for _, e := range sent {
		if err := stream.Send(e); err != nil {
			b.t.Fatal(err)
		}
	}
	_ = stream.CloseRequest()
	got, err := drain(stream)
	if err != nil {
		b.t.Errorf("the stream failed: %v", err)
	}
	if e := leaked(got, err); e != "" {
		b.t.Errorf("the server's secret leaked: %s", e)
	}
	return summaries(got)
}

// Of the calls in flight on a stream, JSON-RPC and frames count together.
func TestTooManyCallsOnAStreamAreRefused(t *testing.T) {
	t.Parallel()
	e := everything.New(nil)
	url := badServer(t, e.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: 2}))
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		stream := dial(t, w, url, "")
		send := func(es ...*mcpv1.Envelope) {
			for _, e := range es {
				if err := stream.Send(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		receive := func() string {
			e, err := stream.Receive()
			if err != nil {
				t.Fatal(err)
			}
			return summary(e)
		}
		send(hello(true), envelope(1, "tools/call", []byte(`{"name":"block"}`)), aToolFrame(1, "block", `{}`))
		<-e.Blocked()
		<-e.Blocked()
		got := []string{receive()}
		send(aToolFrame(1, "block", `{}`)) // with the id of a call in flight: that comes first
		got = append(got, receive())
		send(aToolFrame(2, "block", `{}`))
		got = append(got, receive())
		send(envelope(2, "tools/list", nil))
		got = append(got, receive())
		send(cancelFrame(1))
		<-e.Unblocked()
		eventually(t, "the cancelled call has left its place", func() bool {
			send(envelope(3, "tools/list", nil))
			return receive() == "result for 3"
		})
		send(clientNote("notifications/cancelled", `{"requestId":1}`))
		<-e.Unblocked()
		_ = stream.CloseRequest()
		rest, err := drain(stream)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: of the cancelled calls came %v, %v", w.name, rest, err)
		}
		want := []string{"hello", "call 1 fails: invalid_argument -32600", "call 2 fails: resource_exhausted -32600", "error for 2: -32600"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.name, diff)
		}
	}
}

// TestABatchThatCannotBeDecoded fails the RPC, whether or not it may be there (SPEC.md §11.4).
func TestABatchThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for name, first := range map[string][]*mcpv1.Envelope{"before a hello": nil, "after it": {hello(true)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream, err := mcpv1connect.NewMCPClient(httpClient(t, false), url, connect.WithGRPC()).Connect(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			var malformed mcpv1.Envelope
			malformed.ProtoReflect().SetUnknown([]byte{0x52, 1, 0x0a}) // a batch of an envelope of a field without its length
			for _, e := range append(first, &malformed) {
				if err := stream.Send(e); err != nil {
					t.Fatal(err)
				}
			}
			for err == nil {
				_, err = stream.Receive()
			}
			if connect.CodeOf(err) != connect.CodeInvalidArgument {
				t.Errorf("got %v", err)
			}
		})
	}
}
