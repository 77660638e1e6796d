// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// An outbox is what goes out on a Connect stream. Messages wait in their order, except for
// small replies to calls in frames, which depend on nothing else: they are encoded at once, as
// a batch, and go before the others.
type outbox struct {
	stream  *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]
	ordered *queue[*mcpv1.Envelope]
	limit   int    // bytes of a batch
	begin   func() // called before the first message
	full    func() // called before one waits for room
	begun   bool

	mu      sync.Mutex
	offered bool   // the client reads batches
	batches bool   // it does, and has our hello
	open    bool   // the same, and the stream is in protobuf: small replies may go first
	binary  bool   // the stream is in protobuf
	batch   []byte // of small replies
	n       int    // how many
	spare   []byte // for the next batch
	room    chan struct{}
	closed  bool
}

// An encodable is a message that can be encoded.
type encodable interface {
	Size() int
	Append([]byte) []byte
}

// reply adds the reply to a call if it is small and the client reads batches, waiting for
// room. It reports whether that is so.
func (o *outbox) reply(ctx context.Context, r encodable) bool {
	size := r.Size()
	if size > min(wire.SmallBytes, o.limit) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.open && len(o.batch) > o.limit && !o.closed {
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		o.full()
		select {
		case <-room:
		case <-ctx.Done():
		}
		o.mu.Lock()
		if ctx.Err() != nil {
			return true // nobody hears it
		}
	}
	if !o.open {
		return false
	}
	o.n++
	o.batch = r.Append(wire.AppendBatched(o.batch, size))
	return true
}

// write writes what waits, until nothing does.
func (o *outbox) write() error {
	if !o.begun {
		o.begun = true
		o.begin()
	}
	for {
		written, err := o.writeReplies()
		if err != nil {
			return err
		}
		entries, closed, why := o.ordered.take()
		if len(entries) == 0 {
			if closed && why != nil {
				return why
			}
			if !written {
				return nil
			}
			continue
		}
		if err := o.writeOrdered(entries); err != nil {
			return err
		}
	}
}

// writeReplies writes the small replies that wait, and tells whether there were any.
func (o *outbox) writeReplies() (bool, error) {
	o.mu.Lock()
	batch, n := o.batch, o.n
	o.batch, o.spare, o.n = o.spare[:0], nil, 0
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
	o.mu.Unlock()
	if n == 0 {
		o.recycle(batch)
		return false, nil
	}
	message := batch
	if n == 1 {
		message = wire.Unbatched(batch)
	}
	err := o.stream.Send(wire.Encoded(message))
	o.recycle(batch)
	return true, err
}

// recycle keeps a buffer for the next batch: connect has copied it.
func (o *outbox) recycle(batch []byte) {
	if cap(batch) > 2*wire.BatchBytes {
		return // of a client that reads slowly
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = batch
}

func (o *outbox) writeOrdered(entries []entry[*mcpv1.Envelope]) error {
	for len(entries) > 0 {
		n := 1
		if o.batching() {
			n = batchLen(entries, o.limit)
		}
		e := entries[0].item
		if n > 1 {
			e = &mcpv1.Envelope{Batch: make([]*mcpv1.Envelope, n)}
			for i := range n {
				e.Batch[i] = entries[i].item
			}
		}
		if err := o.stream.Send(e); err != nil {
			return err
		}
		o.said(e)
		entries = entries[n:]
		if _, err := o.writeReplies(); err != nil {
			return err
		}
	}
	return nil
}

func (o *outbox) batching() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.batches
}

// offer is told that the client reads batches.
func (o *outbox) offer() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.offered = true
}

// said is told what was written: nothing goes before our hello, or together with it.
func (o *outbox) said(e *mcpv1.Envelope) {
	if e.GetHello() == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches = o.offered
	o.open = o.offered && o.binary
}

// batchLen is how many of the messages go into one batch of about limit bytes.
func batchLen(entries []entry[*mcpv1.Envelope], limit int) int {
	size := 0
	for i, e := range entries {
		if size += proto.Size(e.item); size > limit && i > 0 {
			return i
		}
	}
	return len(entries)
}

// close lets nobody wait for room any more.
func (o *outbox) close(err error) {
	o.ordered.close(err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}
