// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// maxNotifications is how many notifications of a client wait for the one before.
const maxNotifications = 64

// A reader takes in the messages of a Connect stream. Each call runs on a goroutine of
// its own, so that none delays another; notifications run one after the other.
type reader struct {
	x      *exchange
	stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]
	slots  chan struct{}  // one for each call in flight
	calls  sync.WaitGroup // calls, and the notifier
	notes  chan *mcpv1.Envelope
	frames inflight    // typed calls
	batch  atomic.Bool // the client reads batches
	begun  bool        // something was written
	hello  bool        // the client said hello
	framed bool        // it reads frames
	first  bool        // the message read is the first
}

func newReader(x *exchange, stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) *reader {
	return &reader{
		x:      x,
		stream: stream,
		slots:  make(chan struct{}, x.srv.cfg.MaxCalls),
		notes:  make(chan *mcpv1.Envelope, maxNotifications),
	}
}

// run takes in messages until the client has no more, or the stream is stopped: neither
// is an error.
func (r *reader) run(ctx context.Context) error {
	r.calls.Go(func() { r.notify(ctx) })
	defer close(r.notes)
	err := r.read(ctx)
	r.x.hush()
	if r.x.stopped.Load() {
		return nil
	}
	return err
}

func (r *reader) read(ctx context.Context) error {
	r.first = true
	for {
		e, err := r.stream.Receive()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		r.takeAll(ctx, e)
	}
}

func (r *reader) takeAll(ctx context.Context, e *mcpv1.Envelope) {
	batch := e.GetBatch()
	e.Batch = nil // each is judged by itself
	if e.Kind != nil || len(batch) == 0 {
		r.take(ctx, e)
	}
	if len(batch) > 0 && !r.hello {
		r.x.refuse(ctx, nil, invalidRequest("a batch needs a hello first"))
		return
	}
	for _, e := range batch {
		if len(e.GetBatch()) > 0 {
			r.x.refuse(ctx, nil, invalidRequest("a batch holds a batch"))
			continue
		}
		r.take(ctx, e)
	}
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
		if e.Method == methodInitialize {
			_ = r.x.request(ctx, e) // what follows is part of the session
			return
		}
		r.start(func(free func()) {
			defer free()
			_ = r.x.request(ctx, e) // never fails here
		}, func(err error) { r.refuse(ctx, e, err) })
	case *mcpv1.Envelope_Notification:
		if e.Method == methodCancelled {
			r.note(ctx, e)
			return
		}
		select {
		case r.notes <- e:
		case <-ctx.Done():
		}
	case *mcpv1.Envelope_Response:
		// One that nobody waits for may have crossed with a cancellation.
		_ = r.x.response(ctx, k.Response)
	case *mcpv1.Envelope_Hello:
		r.greet(ctx, k.Hello, first)
	case *mcpv1.Envelope_Call:
		r.frame(ctx, k.Call)
	case *mcpv1.Envelope_Cancel:
		r.frames.abort(frameID(k.Cancel.GetCallId()))
	default:
		r.refuse(ctx, e, errUnknownKind)
	}
}

// start runs a call if there is a slot for it. The call frees its slot itself: before its
// answer goes out, so that a client that counts finds room when it has the answer.
func (r *reader) start(call func(free func()), refuse func(error)) {
	select {
	case r.slots <- struct{}{}:
	default:
		refuse(exhausted("too many calls in flight on this stream: the limit is %d", cap(r.slots)))
		return
	}
	r.calls.Go(func() { call(func() { <-r.slots }) })
}

// notify runs the client's notifications in order.
func (r *reader) notify(ctx context.Context) {
	for e := range r.notes {
		r.note(ctx, e)
	}
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

// batchBytes is about how large a batch may grow: far below any peer's limit, and far
// above what one write of the connection takes.
const batchBytes = 256 << 10

// emit writes what is queued: in batches if the client reads them.
func (r *reader) emit(all []*mcpv1.Envelope) error {
	if !r.begun {
		r.begun = true
		r.x.announce(r.stream.ResponseHeader())
	}
	for len(all) > 0 {
		n := 1
		if r.batch.Load() {
			n = batchLen(all)
		}
		e := all[0]
		if n > 1 {
			e = &mcpv1.Envelope{Batch: all[:n]}
		}
		if err := r.stream.Send(e); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// batchLen is how many of the envelopes go into one batch.
func batchLen(all []*mcpv1.Envelope) int {
	size := 0
	for i, e := range all {
		if size += proto.Size(e); size > batchBytes && i > 0 {
			return i
		}
	}
	return len(all)
}
