// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A muxCall is one call on its way.
type muxCall struct {
	tool    wire.ToolCall    // the call
	frame   *mcpv1.CallFrame // the call if it is of another form; nil otherwise
	reply   chan muxReply    // has room for one
	written atomic.Bool      // nobody who writes has it any more
	place   int              // in the line of those that wait to be written
}

func (c *muxCall) id() uint64 { return c.tool.CallID }

// muxCalls are calls that got their reply: nothing else has them any more, and they have no
// channel.
var muxCalls = sync.Pool{New: func() any { return &muxCall{} }}

// A muxReply is the answer to a call, still encoded, or the error of its stream.
type muxReply struct {
	message []byte // the envelope
	kind    protowire.Number
	body    []byte
	err     error
}

// frame gives the reply as a message, or the error that it says.
func (r *muxReply) frame() (*mcpv1.ReplyFrame, error) {
	e, err := wire.Decode(r.message)
	if err != nil {
		return nil, err
	}
	f := e.GetReply()
	return f, replyError(f.GetError())
}

// A muxStream is one stream and the calls in flight on it.
type muxStream struct {
	stream *connect.BidiStreamForClientSimple[mcpv1.Envelope, mcpv1.Envelope]
	cancel context.CancelFunc
	batch  bool          // the server reads batches
	slots  slots         // one for each call in flight
	done   chan struct{} // closed when the stream is over
	// replies are the channels of calls that got their reply: they are empty. They are kept
	// by stream: one of testing/synctest is of use in one bubble only.
	replies sync.Pool

	mu      sync.Mutex
	calls   map[uint64]*muxCall
	givenUp int // calls that the server may still be busy with
	last    uint64
	err     error // why the stream is over
	retired bool  // nobody makes calls on it any more

	outMu sync.Mutex
	// out waits to be written. However long the server does not read, there are at most
	// two messages for each slot: the call that has it, and a cancellation of one that
	// had it when the write in progress began.
	out     []*muxCall    // nil for one that was withdrawn
	cancels []uint64      // calls of which the server is to be told that they are given up
	writing bool          // somebody writes, or will, and takes what waits along
	more    chan struct{} // tells writeOn to be that somebody
	buffers muxBuffers    // of who writes
}

func (s *muxStream) lost() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *muxStream) call(ctx context.Context, c *muxCall) (muxReply, error) {
	if err := s.slots.take(ctx, s); err != nil {
		return muxReply{}, err
	}
	defer s.slots.release()
	for refusals := 0; ; refusals++ {
		r, crowded, err := s.try(ctx, c)
		if !crowded || refusals == maxRefusals {
			return r, err
		}
		if err := s.backOff(ctx, refusals); err != nil {
			return muxReply{}, err
		}
	}
}

// try makes the call once. It is crowded if the server has refused it because it is still
// busy with calls that were given up.
func (s *muxStream) try(ctx context.Context, c *muxCall) (r muxReply, crowded bool, err error) {
	if err := c.setTimeout(ctx); err != nil {
		return r, false, err
	}
	var ok bool
	if c.reply, ok = s.replies.Get().(chan muxReply); !ok {
		c.reply = make(chan muxReply, 1)
	}
	s.mu.Lock()
	if s.err != nil || s.retired {
		err := cmp.Or(s.err, errRetired)
		s.mu.Unlock()
		return r, false, err
	}
	s.last++
	c.tool.CallID = s.last
	s.calls[s.last] = c
	inFlight := len(s.calls)
	alone := inFlight == 1 && s.givenUp == 0
	s.mu.Unlock()
	s.write(c, ctx.Done() == nil || alone && c.isSmall())
	select {
	case r := <-c.reply:
		s.replies.Put(c.reply) // nobody else has it any more
		return s.judge(r, inFlight)
	case <-ctx.Done():
		s.giveUp(c)
		return muxReply{}, false, ctx.Err()
	}
}

// judge looks at a reply.
func (s *muxStream) judge(r muxReply, inFlight int) (_ muxReply, crowded bool, err error) {
	if r.err != nil || r.kind != wire.FieldReplyError {
		return r, false, r.err
	}
	f, err := r.frame()
	return r, s.crowded(f.GetError(), inFlight), err
}

const (
	// maxRefusals is how often a call is refused before its caller learns of it, and
	// firstBackOff the time until it is sent again, which doubles each time up to
	// longestBackOff: about 20 s in all. A limit of the call itself, which has the same
	// codes, is met every time.
	maxRefusals    = 32
	firstBackOff   = 5 * time.Millisecond
	longestBackOff = time.Second
)

// crowded tells whether the server can have refused a call because it has too many. Calls
// alone that wait for their reply are never too many, but the server goes on with those
// that were given up until their tools notice. The code alone does not tell: free-form JSON
// has limits too.
func (s *muxStream) crowded(e *mcpv1.FrameError, inFlight int) bool {
	if connect.Code(e.GetCode()) != connect.CodeResourceExhausted || e.GetError().GetCode() != jsonrpc.CodeInvalidRequest {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	inFlight = max(inFlight, len(s.calls)+1) // calls may overtake each other
	return inFlight+s.givenUp > s.slots.n
}

// backOff waits before a refused call is sent again.
func (s *muxStream) backOff(ctx context.Context, refusals int) error {
	d := min(firstBackOff<<min(refusals, 16), longestBackOff)
	timer := time.NewTimer(d/2 + rand.N(d/2)) //nolint:gosec // keeps callers out of step, no secret depends on it
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return s.err
	}
}

// setTimeout tells the server how long the call may take.
func (c *muxCall) setTimeout(ctx context.Context) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(deadline)
	if left <= 0 {
		return context.DeadlineExceeded
	}
	// Rounded up: 0 would mean no end. Weeks need no precision.
	c.tool.TimeoutMs = uint32(min((left+time.Millisecond-1)/time.Millisecond, 1<<31))
	return nil
}

// giveUp ends a call that nobody waits for any more. One that was not written yet never
// will be; of any other the server is told.
func (s *muxStream) giveUp(c *muxCall) {
	withdrawn := s.withdraw(c)
	s.mu.Lock()
	_, open := s.calls[c.id()]
	delete(s.calls, c.id())
	s.endIfRetired()
	told := open && !withdrawn
	if told {
		s.givenUp++
	}
	s.mu.Unlock()
	if told {
		s.writeCancel(c.id())
	}
}

// read hands replies to their calls until the stream is over.
func (s *muxStream) read() {
	for {
		e, err := s.stream.Receive()
		if err == nil {
			err = s.take(e)
		}
		if err != nil {
			s.end(err)
			s.cancel()
			_ = s.stream.CloseResponse() // waits for the request to be over
			return
		}
	}
}

// take takes what one message of the stream holds. It comes encoded, unless the user has
// another codec.
func (s *muxStream) take(e *mcpv1.Envelope) error {
	raw, ok := wire.Raw(e)
	if !ok {
		var err error
		if raw, err = proto.Marshal(e); err != nil {
			return err
		}
	}
	return wire.Elements(raw, func(element []byte, _ bool) error {
		var r wire.Reply
		if r.Parse(element) {
			s.reply(r.CallID, muxReply{message: element, kind: r.Kind, body: r.Body})
			return nil
		}
		// Of a form that Parse does not know, or nothing for us.
		e, err := wire.Decode(element)
		if err == nil && e.GetReply() != nil {
			s.reply(e.GetReply().GetCallId(), muxReply{message: element})
		}
		return err
	})
}

func (s *muxStream) reply(id uint64, r muxReply) {
	s.mu.Lock()
	c := s.calls[id]
	delete(s.calls, id)
	if c == nil && s.givenUp > 0 {
		s.givenUp-- // the reply has crossed with the cancellation
	}
	s.endIfRetired()
	s.mu.Unlock()
	if c != nil {
		c.reply <- r
	}
}

// endIfRetired ends a stream that is of no more use. Its caller has mu.
func (s *muxStream) endIfRetired() {
	if s.retired && len(s.calls) == 0 {
		s.cancel()
	}
}

// end fails what is in flight: whether the server has done it cannot be known, but when it was
// drained.
func (s *muxStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isDrained(err) {
		s.fail(err)
		return
	}
	if connect.CodeOf(err) == connect.CodeResourceExhausted && !connect.IsWireError(err) && len(s.calls) == 1 && s.givenUp == 0 {
		s.fail(err) // the one answer that there can be is larger than we take
		return
	}
	code := connect.CodeUnavailable
	if own := connect.CodeOf(err); own == connect.CodeUnauthenticated || own == connect.CodePermissionDenied {
		code = own
	}
	s.fail(connect.NewError(code, fmt.Errorf("the stream was lost, and it is unknown whether the call was done: %w", err)))
}

// fail fails what is in flight. Its caller has mu.
func (s *muxStream) fail(err error) {
	s.err = err
	close(s.done) // before anybody makes a call again
	for _, c := range s.calls {
		c.reply <- muxReply{err: err} // has room
	}
	clear(s.calls)
}

// replyError gives the error of a call as that of its RPC.
func replyError(e *mcpv1.FrameError) error {
	if e == nil {
		return nil
	}
	err := connect.NewError(connect.Code(e.GetCode()), errors.New(e.GetMessage()))
	if e.GetError() != nil {
		if d, detailErr := connect.NewErrorDetail(e.GetError()); detailErr == nil {
			err.AddDetail(d)
		}
	}
	return err
}
