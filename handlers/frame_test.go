// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

var bidiWires = slices.DeleteFunc(slices.Clone(wires), func(w wire) bool { return !w.bidi() })

func helloEnvelope(h *mcpv1.Hello) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: h}}
}

func callEnvelope(f *mcpv1.CallFrame) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: f}}
}

func cancelEnvelope(id uint64) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Cancel{Cancel: &mcpv1.CancelFrame{CallId: id}}}
}

// toolFrame calls a tool, for exact JSON in the answer.
func toolFrame(id uint64, tool, args string) *mcpv1.CallFrame {
	return &mcpv1.CallFrame{CallId: id, Request: &mcpv1.CallFrame_CallTool{CallTool: &mcpv1.CallToolRequest{
		Name: &tool, ArgumentsJson: []byte(args), Meta: &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES},
	}}}
}

// A framer is the client of a Connect stream with frames. It reads one message at a time,
// batches taken apart.
type framer struct {
	t       testing.TB
	stream  *connectStream
	waiting []*mcpv1.Envelope
	batches int // messages that held more than one envelope
}

// newFramer says hello and checks the server's.
func newFramer(t testing.TB, w wire, url string, hello *mcpv1.Hello) *framer {
	t.Helper()
	f := &framer{t: t, stream: dial(t, w, url, "")}
	mustSend(t, f.stream, helloEnvelope(hello))
	h := f.next().GetHello()
	if !h.GetFrames() || !h.GetBatch() || h.GetMaxCalls() == 0 {
		t.Fatalf("the server's hello is %v", h)
	}
	return f
}

func (f *framer) send(e *mcpv1.Envelope) {
	f.t.Helper()
	mustSend(f.t, f.stream, e)
}

func (f *framer) next() *mcpv1.Envelope {
	f.t.Helper()
	if len(f.waiting) == 0 {
		e, err := f.stream.Receive()
		if err != nil {
			f.t.Fatal(err)
		}
		if e.Kind != nil || len(e.Batch) == 0 {
			f.waiting = append(f.waiting, e)
		}
		if len(e.Batch) > 0 {
			f.batches++
		}
		f.waiting = append(f.waiting, e.Batch...)
	}
	e := f.waiting[0]
	f.waiting = f.waiting[1:]
	return e
}

// reply takes the next message, which must answer the call.
func (f *framer) reply(id uint64) *mcpv1.ReplyFrame {
	f.t.Helper()
	e := f.next()
	if r := e.GetReply(); r != nil && r.CallId == id {
		return r
	}
	f.t.Fatalf("got %v, want a reply to call %d", e, id)
	return nil
}

func (f *framer) fails(id uint64, code connect.Code, rpcCode int32) {
	f.t.Helper()
	if e := f.reply(id).GetError(); e == nil || e.Code != uint32(code) || e.GetError().GetCode() != rpcCode {
		f.t.Errorf("call %d gave %v, want %v and %d", id, e, code, rpcCode)
	}
}

var bothOffered = &mcpv1.Hello{Frames: true, Batch: true}

// TestTypedCallsInFrames makes every typed request as a frame; the outcome must be the one
// of the SDK's own transport.
func TestTypedCallsInFrames(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	want := suite{server: everything.NewServer, cases: cases, capabilities: noneDeclared}.native(t, modernVersion)
	for _, w := range bidiWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			f := newFramer(t, w, url, bothOffered)
			id := uint64(1) << 63 // call ids are unsigned
			for _, c := range cases {
				if c.only == "legacy" {
					continue
				}
				for _, stream := range []bool{false, true} {
					frame, err := frameOf(c.method, c.paramsFor(modernVersion, noneDeclared))
					if frame == nil || stream && c.method != "tools/call" {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					id++
					frame.CallId, frame.Stream = id, stream
					f.send(callEnvelope(frame))
					wanted := want[c.name]
					if !stream {
						wanted.notes = nil
					}
					if got := normal(f.outcome(id, stream)); got.String() != wanted.String() {
						t.Errorf("%s (stream %t): got %v, want %v", c.name, stream, got, wanted)
					}
				}
			}
			id++
			f.send(callEnvelope(&mcpv1.CallFrame{CallId: id, Request: &mcpv1.CallFrame_Ping{Ping: &mcpv1.PingRequest{}}}))
			if r := f.reply(id).GetPing(); !r.GetServerTime().IsValid() {
				t.Errorf("ping gave %v", r)
			}
		})
	}
}

// outcome reads a call to its end.
func (f *framer) outcome(id uint64, stream bool) (o outcome) {
	f.t.Helper()
	for {
		r := f.reply(id)
		if e := r.GetError(); e != nil {
			o.err = wireError(e.GetError())
			return o
		}
		if !stream {
			return asJSON(answerOf(r))
		}
		o = o.with(r.GetEvent())
		if o.result != nil {
			return o
		}
	}
}

// answerOf gives the response message of a reply.
func answerOf(r *mcpv1.ReplyFrame) proto.Message {
	m := r.ProtoReflect()
	fd := m.WhichOneof(m.Descriptor().Oneofs().ByName("reply"))
	return m.Get(fd).Message().Interface()
}

// frameOf gives the frame of a request, nil for a method that has none.
func frameOf(method string, params json.RawMessage) (*mcpv1.CallFrame, error) {
	f := &mcpv1.CallFrame{}
	field := map[string]string{
		"tools/call": "call_tool", "tools/list": "list_tools", "resources/list": "list_resources",
		"resources/templates/list": "list_resource_templates", "resources/read": "read_resource",
		"prompts/list": "list_prompts", "prompts/get": "get_prompt", "completion/complete": "complete",
		"server/discover": "discover", "tasks/get": "get_task", "tasks/update": "update_task", "tasks/cancel": "cancel_task",
	}[method]
	fd := f.ProtoReflect().Descriptor().Fields().ByTextName(field)
	if fd == nil {
		return nil, nil
	}
	req := f.ProtoReflect().Mutable(fd).Message().Interface()
	if err := mapping.FromJSON(params, req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return f, err
	}
	askFor(req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES)
	return f, nil
}

// TestFramesDoNotWaitForEachOther: a call that blocks delays no other, and a cancelled one
// is not answered any more.
func TestFramesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	for _, w := range bidiWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			all := everything.New(nil)
			f := newFramer(t, w, serve(t, all.MCP()), bothOffered)
			f.send(callEnvelope(toolFrame(1, "block", `{}`)))
			f.send(envelope(1, "tools/call", json.RawMessage(`{"name":"block","arguments":{}}`))) // another id 1
			for range 2 {
				<-all.Blocked()
			}
			for id := uint64(2); id < 50; id++ {
				f.send(callEnvelope(toolFrame(id, "greet", `{"name":"you"}`)))
				if f.reply(id).GetCallTool() == nil {
					t.Errorf("call %d gave no result", id)
				}
			}
			f.send(callEnvelope(toolFrame(1, "greet", `{"name":"you"}`)))
			f.fails(1, connect.CodeInvalidArgument, jsonrpc.CodeInvalidRequest) // the id is in flight
			f.send(cancelEnvelope(99))                                          // unknown: ignored
			f.send(cancelEnvelope(1))
			if cause := <-all.Unblocked(); cause == nil {
				t.Error("the tool was not cancelled")
			}
			f.send(callEnvelope(toolFrame(50, "greet", `{"name":"you"}`)))
			f.reply(50) // and nothing for call 1
			f.send(clientNote("notifications/cancelled", `{"requestId":1}`))
			<-all.Unblocked()
			if err := f.stream.CloseRequest(); err != nil {
				t.Fatal(err)
			}
			if e, err := f.stream.Receive(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last call came %v, %v; want the end", e, err)
			}
		})
	}
}

func TestTimeOfAFrameReachesTheTool(t *testing.T) {
	t.Parallel()
	all := everything.New(nil)
	f := newFramer(t, wires[0], serve(t, all.MCP()), bothOffered)
	frame := toolFrame(1, "block", `{}`)
	frame.TimeoutMs = 20
	f.send(callEnvelope(frame))
	f.fails(1, connect.CodeDeadlineExceeded, jsonrpc.CodeInternalError)
	if cause := <-all.Unblocked(); !errors.Is(cause, context.DeadlineExceeded) {
		t.Errorf("the tool was stopped by %v, want its deadline", cause)
	}
}

// TestCallsInFlightAreBounded counts frames and requests together; the others go on.
func TestCallsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	all := everything.New(nil)
	f := newFramer(t, wires[0], serve(t, all.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: 2})), bothOffered)
	f.send(callEnvelope(toolFrame(1, "block", `{}`)))
	f.send(envelope(7, "tools/call", json.RawMessage(`{"name":"block","arguments":{}}`)))
	for range 2 {
		<-all.Blocked()
	}
	f.send(callEnvelope(toolFrame(2, "greet", `{"name":"you"}`)))
	f.fails(2, connect.CodeResourceExhausted, jsonrpc.CodeInvalidRequest)
	f.send(envelope(8, "tools/list", nil))
	if e := f.next().GetResponse(); e.GetIntId() != 8 || e.GetError().GetCode() != jsonrpc.CodeInvalidRequest {
		t.Errorf("a request over the limit gave %v", e)
	}
	f.send(cancelEnvelope(1))
	<-all.Unblocked()
	// The slot is free once the call has ended, which nobody is told.
	for id := uint64(3); ; id++ {
		f.send(callEnvelope(toolFrame(id, "greet", `{"name":"you"}`)))
		if f.reply(id).GetCallTool() != nil {
			break
		}
		if id > 1_000_000 {
			t.Fatal("the slot of a cancelled call never became free")
		}
	}
}

// TestBatchesGoToWhoAskedForThem: a batch of calls is answered call by call, in batches if
// the client reads them.
func TestBatchesGoToWhoAskedForThem(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	const n = 300
	for _, w := range bidiWires {
		for _, hello := range []*mcpv1.Hello{bothOffered, {Frames: true}} {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				f := newFramer(t, w, url, hello)
				batch := callEnvelope(toolFrame(1, "greet", `{"name":"you"}`))
				for id := uint64(2); id <= n; id++ {
					batch.Batch = append(batch.Batch, callEnvelope(toolFrame(id, "greet", `{"name":"you"}`)))
				}
				f.send(batch)
				seen := map[uint64]bool{}
				for range n {
					r := f.next().GetReply()
					if r.GetCallTool() == nil || seen[r.GetCallId()] {
						t.Errorf("got %v", r)
					}
					seen[r.GetCallId()] = true
				}
				if !hello.Batch && f.batches > 0 {
					t.Errorf("got %d batches without asking for them", f.batches)
				}
				// An inner batch is not read; the others around it are.
				ping := func(id uint64) *mcpv1.Envelope {
					return callEnvelope(&mcpv1.CallFrame{CallId: id, Request: &mcpv1.CallFrame_Ping{Ping: &mcpv1.PingRequest{}}})
				}
				f.send(&mcpv1.Envelope{Batch: []*mcpv1.Envelope{{Batch: []*mcpv1.Envelope{ping(1)}}}})
				if e := f.next().GetResponse(); e.GetError().GetCode() != jsonrpc.CodeInvalidRequest || e.Id != nil || e.IntId != nil {
					t.Errorf("a batch in a batch gave %v", e)
				}
				f.send(&mcpv1.Envelope{Batch: []*mcpv1.Envelope{ping(2)}})
				f.reply(2)
			})
		}
	}
}
