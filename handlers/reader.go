// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A reader takes in the messages of a Connect stream, one at a time, and makes tasks of them for
// its crew, so that none delays another; notifications run one after the other.
type reader struct {
	x      *exchange
	crew   *crew
	out    *outbox
	header http.Header  // of the stream, for calls in frames
	calls  atomic.Int32 // in flight
	ending atomic.Int32 // that are done and whose answers wait for room
	notes  notes
	frames frames // typed calls in flight

	// What follows is for the goroutine that takes in a message.
	hello  bool   // the client said hello
	framed bool   // it reads frames
	gzip   bool   // it reads compressed replies
	first  bool   // the message read is the first
	scopes scopes // of calls in frames
	texts  scopes // of calls in JSON-RPC
}

func newReader(x *exchange, out *outbox) *reader {
	return &reader{
		x:      x,
		crew:   x.crew,
		out:    out,
		header: withoutMirror(x.header),
		first:  true,
	}
}

// takeAll takes what one message of the stream holds. Envelopes come encoded, unless the
// stream has another codec.
func (r *reader) takeAll(ctx context.Context, e *mcpv1.Envelope) error {
	if raw, ok := wire.Raw(e); ok {
		refused := false
		return wire.Elements(raw, func(element []byte, batched bool) error {
			if batched && !r.hello {
				if !refused {
					// What cannot be decoded fails the RPC, wherever it stands.
					if _, err := wire.Decode(raw); err != nil {
						return err
					}
					r.refuseBatch(ctx)
				}
				refused = true
				return nil
			}
			return r.takeRaw(ctx, element, batched)
		})
	}
	batch := e.GetBatch()
	e.Batch = nil // each is judged by itself
	if e.Kind != nil || len(batch) == 0 {
		r.take(ctx, e)
	}
	if len(batch) > 0 && !r.hello {
		r.refuseBatch(ctx)
		return nil
	}
	for _, e := range batch {
		r.takeBatched(ctx, e)
	}
	return nil
}

func (r *reader) takeRaw(ctx context.Context, raw []byte, batched bool) error {
	var call wire.ToolCall
	if r.framed && call.Parse(raw) {
		r.first = false
		if r.toolCall(ctx, &call) {
			return nil
		}
	}
	var request wire.Request
	if request.Parse(raw) && string(request.Method) == methodCallTool && r.jsonCall(ctx, &request) {
		r.first = false
		return nil
	}
	e, err := wire.Decode(raw)
	switch {
	case err != nil:
		return err
	case batched:
		r.takeBatched(ctx, e)
	default:
		r.take(ctx, e)
	}
	return nil
}

func (r *reader) refuseBatch(ctx context.Context) {
	r.x.refuse(ctx, nil, invalidRequest("a batch needs a hello first"))
}

func (r *reader) takeBatched(ctx context.Context, e *mcpv1.Envelope) {
	if len(e.GetBatch()) > 0 {
		r.x.refuse(ctx, nil, invalidRequest("a batch holds a batch"))
		return
	}
	r.take(ctx, e)
}

// take starts what one message asks for.
func (r *reader) take(ctx context.Context, e *mcpv1.Envelope) {
	first := r.first
	r.first = false
	if err := r.x.srv.checkEnvelope(e); err != nil {
		r.x.spoil(ctx, e.GetResponse())
		r.refuse(ctx, e, err)
		return
	}
	r.x.learn(e)
	switch k := e.Kind.(type) {
	case *mcpv1.Envelope_Request:
		r.request(ctx, e)
	case *mcpv1.Envelope_Notification:
		if e.Method == methodCancelled {
			r.note(ctx, e)
			return
		}
		if r.notes.add(ctx, e, r.crew.release) {
			r.crew.add(&noteTask{r, ctx})
		}
	case *mcpv1.Envelope_Response:
		// One that nobody waits for may have crossed with a cancellation.
		_ = r.x.response(ctx, k.Response)
	case *mcpv1.Envelope_Hello:
		r.greet(ctx, k.Hello, first)
	case *mcpv1.Envelope_Call:
		r.frame(ctx, k.Call)
	case *mcpv1.Envelope_Cancel:
		r.frames.abort(k.Cancel.GetCallId())
	default:
		r.refuse(ctx, e, errUnknownKind)
	}
}

func (r *reader) request(ctx context.Context, e *mcpv1.Envelope) {
	if e.Method == methodInitialize {
		r.crew.release()
		_ = r.x.request(ctx, e) // what follows is part of the session
		return
	}
	if err := r.claim(); err != nil {
		r.refuse(ctx, e, err)
		return
	}
	request := r.x.begin(ctx, e)
	if request == nil {
		r.free()
		return
	}
	r.crew.add(&requestTask{r, request})
}

// A requestTask is a request in JSON-RPC.
type requestTask struct {
	r *reader
	*request
}

func (t *requestTask) run() {
	_ = t.request.run() // never fails here
	t.r.free()
}

func (t *requestTask) abandon(panicked any) {
	ctx := t.ctx.parent
	t.r.abandoned(ctx, t.method, panicked)
	cancelled := t.calls.end(t.own)
	t.r.free()
	if !cancelled {
		t.r.x.refuse(ctx, &t.own.id, errInternal)
	}
}

// A noteTask runs the notifications of the client that wait.
type noteTask struct {
	r   *reader
	ctx context.Context
}

func (t *noteTask) run() {
	t.r.notes.run(func(e *mcpv1.Envelope) { t.r.note(t.ctx, e) })
}

// abandon drops the notification that is at fault, and goes on with the others.
func (t *noteTask) abandon(panicked any) {
	t.r.abandoned(t.ctx, "notifications", panicked)
	t.r.crew.later(t)
}

// claim takes a slot for a call, if there is one. The call frees it itself: before its answer
// goes out, so that a client that counts finds room when it has the answer.
//
// Answers that wait for a client that does not read count by themselves, or the calls of such
// a client would never end.
func (r *reader) claim() error {
	limit := r.x.srv.cfg.MaxCalls
	if int(r.calls.Add(1)) > limit || int(r.ending.Load()) > limit+maxEnding {
		r.free()
		return exhausted("too many calls in flight on this stream: the limit is %d", limit)
	}
	return nil
}

// maxEnding is how many more answers may wait than calls may be in flight: those of a client
// that reads are under way for a moment.
const maxEnding = 64

func (r *reader) free() { r.calls.Add(-1) }

// abandoned logs why a call was abandoned.
func (r *reader) abandoned(ctx context.Context, method string, panicked any) {
	if panicked == nil {
		panicked = "the handler has ended its goroutine"
	}
	r.x.srv.log.ErrorContext(ctx, "handler panicked", "method", method, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
}

func (r *reader) note(ctx context.Context, e *mcpv1.Envelope) {
	if err := r.x.notification(ctx, e); err != nil {
		r.x.refuse(ctx, nil, r.x.srv.toRPCError(ctx, e.Method, err))
	}
}

// refuse answers a message that cannot be served, by its id if it is a request or a call.
func (r *reader) refuse(ctx context.Context, e *mcpv1.Envelope, err error) {
	if k := e.GetCall(); k != nil {
		r.reply(ctx, frameError(k.GetCallId(), err))
		return
	}
	r.x.refuse(ctx, idOf(e), err)
}
