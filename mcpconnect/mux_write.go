// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// isSmall tells whether the call takes next to no time to write.
func (c *muxCall) isSmall() bool {
	return c.frame == nil && len(c.tool.Arguments)+len(c.tool.Name)+len(c.tool.Meta) <= wire.SmallBytes
}

// encode appends the call to a batch.
func (c *muxCall) encode(b []byte) ([]byte, error) {
	if c.frame == nil {
		return c.tool.Append(wire.AppendBatched(b, c.tool.Size())), nil
	}
	// The frame itself may be on its way on another stream.
	f := &mcpv1.CallFrame{CallId: c.tool.CallID, TimeoutMs: c.tool.TimeoutMs, Request: c.frame.GetRequest()}
	return appendEnvelope(b, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: f}})
}

func appendEnvelope(b []byte, e *mcpv1.Envelope) ([]byte, error) {
	options := proto.MarshalOptions{}
	b = wire.AppendBatched(b, options.Size(e))
	options.UseCachedSize = true
	return options.MarshalAppend(b, e)
}

// write sends a call, with all others that come while the stream is busy. A server that does
// not read makes that take forever, so a goroutine writes. Callers who would wait as long
// anyway, or whose call alone cannot fill what a server takes in without reading, mayBlock:
// they write by themselves if they find the stream idle, and the goroutine takes over from
// there. A lone call then pays for no other goroutine.
func (s *muxStream) write(c *muxCall, mayBlock bool) {
	s.outMu.Lock()
	c.place = len(s.out)
	s.out = append(s.out, c)
	idle := s.claimWriting()
	if !idle || !mayBlock {
		s.outMu.Unlock()
		if idle {
			s.more <- struct{}{} // has room: there is one writer at a time
		}
		return
	}
	calls, cancels := s.takeWaiting() // the call, and nothing else
	s.outMu.Unlock()
	if s.writeOut(calls, cancels) {
		s.more <- struct{}{} // as above
	}
}

// writeCancel tells the server that a call is given up.
func (s *muxStream) writeCancel(id uint64) {
	s.outMu.Lock()
	s.cancels = append(s.cancels, id)
	idle := s.claimWriting()
	s.outMu.Unlock()
	if idle {
		s.more <- struct{}{} // as above
	}
}

// claimWriting tells whether the caller must see to it that somebody writes.
func (s *muxStream) claimWriting() bool {
	idle := !s.writing
	s.writing = true
	return idle
}

// withdraw takes a call out of those that wait to be written.
func (s *muxStream) withdraw(c *muxCall) bool {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if c.place >= len(s.out) || s.out[c.place] != c {
		return false
	}
	s.out[c.place] = nil
	return true
}

// writeOn writes for callers who must not block, or have done their batch.
func (s *muxStream) writeOn() {
	for {
		select {
		case <-s.more:
			for more := true; more; {
				// Those who are about to call do so first: one batch for all costs much less
				// than one for each.
				runtime.Gosched()
				more = s.writeWaiting()
			}
		case <-s.done:
			return
		}
	}
}

// writeWaiting writes what waits, and tells whether more has come.
func (s *muxStream) writeWaiting() bool {
	s.outMu.Lock()
	calls, cancels := s.takeWaiting()
	s.outMu.Unlock()
	return s.writeOut(calls, cancels)
}

// takeWaiting gives what waits to who writes, with outMu held.
func (s *muxStream) takeWaiting() ([]*muxCall, []uint64) {
	calls, cancels := s.out, s.cancels
	s.out, s.cancels = s.buffers.calls[:0], nil
	s.buffers.calls = nil
	return calls, cancels
}

func (s *muxStream) writeOut(calls []*muxCall, cancels []uint64) (more bool) {
	// The reader learns why, and tells everybody. If the server has ended the stream, it has said
	// why, and that must not be lost.
	if err := s.emit(calls, cancels); err != nil && !errors.Is(err, io.EOF) {
		s.cancel()
	}
	clear(calls)
	s.outMu.Lock()
	defer s.outMu.Unlock()
	s.buffers.calls = calls
	s.writing = len(s.out)+len(s.cancels) > 0
	return s.writing
}

// muxBuffers are used again from one write to the next.
type muxBuffers struct {
	calls []*muxCall
	batch []byte
}

// emit writes cancellations, small calls and then others, in batches.
func (s *muxStream) emit(calls []*muxCall, cancels []uint64) error {
	b := batcher{stream: s, batch: s.buffers.batch[:0]}
	for _, id := range cancels {
		if err := b.addCancel(id); err != nil {
			return err
		}
	}
	large := 0
	for _, c := range calls {
		switch {
		case c == nil:
		case !c.isSmall():
			calls[large] = c
			large++
		default:
			if err := b.addCall(c); err != nil {
				return err
			}
		}
	}
	for _, c := range calls[:large] {
		if err := b.addCall(c); err != nil {
			return err
		}
	}
	err := b.flush()
	if s.buffers.batch = nil; cap(b.batch) <= 2*wire.BatchBytes {
		s.buffers.batch = b.batch
	}
	return err
}

// A batcher writes messages in batches, or one by one if the server does not read them.
type batcher struct {
	stream *muxStream
	batch  []byte
	n      int // messages in it
}

// addCall adds a call. One that cannot be encoded fails by itself.
func (b *batcher) addCall(c *muxCall) error {
	batch, err := c.encode(b.batch)
	if err != nil {
		b.stream.reply(c.id(), muxReply{err: connect.NewError(connect.CodeInternal, fmt.Errorf("marshal message: %w", err))})
		return nil
	}
	c.written.Store(true)
	return b.add(batch)
}

func (b *batcher) addCancel(id uint64) error {
	batch, err := appendEnvelope(b.batch, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Cancel{Cancel: &mcpv1.CancelFrame{CallId: id}}})
	if err != nil {
		return err
	}
	return b.add(batch)
}

// add takes the batch with one more message at its end. If that is one too many, it writes
// the others.
func (b *batcher) add(batch []byte) error {
	before := len(b.batch)
	b.batch = batch
	b.n++
	if b.n == 1 || b.stream.batch && len(batch) <= wire.BatchBytes {
		return nil
	}
	if err := b.send(batch[:before], b.n-1); err != nil {
		return err
	}
	b.batch = batch[:copy(batch, batch[before:])]
	b.n = 1
	return nil
}

func (b *batcher) flush() error {
	if b.n == 0 {
		return nil
	}
	return b.send(b.batch, b.n)
}

func (b *batcher) send(batch []byte, n int) error {
	if n == 1 {
		batch = wire.Unbatched(batch)
	}
	return b.stream.stream.Send(wire.Encoded(batch))
}
