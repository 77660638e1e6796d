// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// errNoFrames says that the server does not speak typed frames: its RPCs have to do.
var errNoFrames = errors.New("the server has no multiplexed streams")

// errClientClosed is what calls get that come after Close.
var errClientClosed = connect.NewError(connect.CodeCanceled, errors.New("the client is closed"))

// A mux carries the unary calls of a client on one Connect stream (SPEC.md §4.6): setting
// up an HTTP/2 request costs more than most calls. It opens the stream with the first
// call, and again after it was lost. It is safe for concurrent use.
type mux struct {
	rpc mcpv1connect.MCPClient

	ctx    context.Context // ends with the client
	cancel context.CancelFunc
	ended  sync.WaitGroup // streams

	turn   chan struct{} // held by the one who opens a stream
	mu     sync.Mutex
	stream *muxStream
	none   bool // the server has no frames
}

func newMux(rpc mcpv1connect.MCPClient) *mux {
	m := &mux{rpc: rpc, turn: make(chan struct{}, 1)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// close ends the stream and what is in flight on it, and waits for that.
func (m *mux) close() {
	m.cancel()
	m.ended.Wait()
}

// roundTrip makes one call. The frame must not be used after it. Calls over the server's
// limit wait, also when it is calls given up that fill it. The error is errNoFrames, ctx's, or a *connect.Error as that of the RPC.
func (m *mux) roundTrip(ctx context.Context, f *mcpv1.CallFrame) (*mcpv1.ReplyFrame, error) {
	s, err := m.current(ctx)
	if err != nil {
		return nil, err
	}
	return s.call(ctx, f)
}

// current gives the stream that is open, or opens one.
func (m *mux) current(ctx context.Context) (*muxStream, error) {
	if s, none := m.known(); none {
		return nil, errNoFrames
	} else if s != nil {
		return s, nil
	}
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s, none := m.known(); s != nil || none {
		if none {
			return nil, errNoFrames
		}
		return s, nil // somebody else has opened it meanwhile
	}
	s, err := m.open(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stream, m.none = s, errors.Is(err, errNoFrames)
	return s, err
}

func (m *mux) known() (*muxStream, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stream != nil && m.stream.lost() {
		m.stream = nil
	}
	return m.stream, m.none
}

// open opens a stream and agrees with the server on what both read.
func (m *mux) open(ctx context.Context) (*muxStream, error) {
	if m.ctx.Err() != nil {
		return nil, errClientClosed
	}
	streamCtx, cancel := context.WithCancel(m.ctx)
	stop := context.AfterFunc(ctx, cancel) // until the stream stands
	s, err := m.greet(streamCtx)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		if s != nil {
			_ = s.stream.CloseResponse() // waits for the request to be over
		}
		return nil, noFramesOr(err)
	}
	s.cancel = cancel
	m.ended.Go(s.read)
	m.ended.Go(s.writeOn)
	return s, nil
}

func (m *mux) greet(ctx context.Context) (*muxStream, error) {
	stream, err := m.rpc.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// net/http looks at the context of a request only once its body has ended.
	context.AfterFunc(ctx, func() { _ = stream.CloseRequest() })
	s := &muxStream{stream: stream, calls: map[uint64]chan *mcpv1.ReplyFrame{}, done: make(chan struct{}), more: make(chan struct{}, 1)}
	if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true, Batch: true}}}); err != nil {
		_, err = stream.Receive() // has the server's reason
		return s, err
	}
	e, err := stream.Receive()
	if err != nil {
		return s, err
	}
	hello := e.GetHello()
	if !hello.GetFrames() || hello.GetMaxCalls() == 0 {
		return s, errNoFrames
	}
	s.batch = hello.GetBatch()
	s.slots = make(chan struct{}, min(hello.GetMaxCalls(), maxMuxCalls))
	return s, nil
}

// maxMuxCalls bounds what a server can make a client allocate.
const maxMuxCalls = 1 << 16

// noFramesOr tells servers and proxies without Connect streams from those that fail.
func noFramesOr(err error) error {
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return errNoFrames
	}
	return err
}

// A muxStream is one stream and the calls in flight on it.
type muxStream struct {
	stream *connect.BidiStreamForClientSimple[mcpv1.Envelope, mcpv1.Envelope]
	cancel context.CancelFunc
	batch  bool          // the server reads batches
	slots  chan struct{} // one for each call in flight
	done   chan struct{} // closed when the stream is over

	mu      sync.Mutex
	calls   map[uint64]chan *mcpv1.ReplyFrame
	givenUp int // calls that the server may still be busy with
	last    uint64
	err     error // why the stream is over

	outMu sync.Mutex
	// out waits to be written. However long the server does not read, there are at most
	// two envelopes for each slot: the call that has it, and a cancellation of one that
	// had it when the write in progress began.
	out     []*mcpv1.Envelope
	writing bool          // somebody writes, or will, and takes what waits along
	more    chan struct{} // tells writeOn to be that somebody
}

func (s *muxStream) lost() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *muxStream) call(ctx context.Context, f *mcpv1.CallFrame) (*mcpv1.ReplyFrame, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.done:
		return nil, s.err
	}
	for refusals := 0; ; refusals++ {
		r, crowded, err := s.try(ctx, f)
		if !crowded || refusals == maxRefusals {
			return r, err
		}
		if err := s.backOff(ctx, refusals); err != nil {
			return nil, err
		}
	}
}

// try makes the call once. It is crowded if the server has refused it because it is still
// busy with calls that were given up.
func (s *muxStream) try(ctx context.Context, f *mcpv1.CallFrame) (r *mcpv1.ReplyFrame, crowded bool, err error) {
	if err := setTimeout(ctx, f); err != nil {
		return nil, false, err
	}
	reply := make(chan *mcpv1.ReplyFrame, 1)
	s.mu.Lock()
	s.last++
	f.CallId = s.last
	s.calls[f.CallId] = reply
	inFlight := len(s.calls)
	s.mu.Unlock()
	e := &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: f}}
	s.write(e, ctx.Done() == nil)
	select {
	case r := <-reply:
		return r, s.crowded(r.GetError(), inFlight), replyError(r.GetError())
	case <-s.done:
		return nil, false, s.err
	case <-ctx.Done():
		s.giveUp(e)
		return nil, false, ctx.Err()
	}
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
	return inFlight+s.givenUp > cap(s.slots)
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
func setTimeout(ctx context.Context, f *mcpv1.CallFrame) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(deadline)
	if left <= 0 {
		return context.DeadlineExceeded
	}
	// Rounded up: 0 would mean no end. Weeks need no precision.
	f.TimeoutMs = uint32(min((left+time.Millisecond-1)/time.Millisecond, 1<<31))
	return nil
}

// giveUp ends a call that nobody waits for any more. One that was not written yet never
// will be; of any other the server is told.
func (s *muxStream) giveUp(e *mcpv1.Envelope) {
	withdrawn := s.withdraw(e)
	id := e.GetCall().GetCallId()
	s.mu.Lock()
	_, open := s.calls[id]
	delete(s.calls, id)
	told := open && !withdrawn
	if told {
		s.givenUp++
	}
	s.mu.Unlock()
	if told {
		s.write(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Cancel{Cancel: &mcpv1.CancelFrame{CallId: id}}}, false)
	}
}

// withdraw takes an envelope out of those that wait to be written.
func (s *muxStream) withdraw(e *mcpv1.Envelope) bool {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	i := slices.Index(s.out, e)
	if i < 0 {
		return false
	}
	s.out = slices.Delete(s.out, i, i+1)
	return true
}

// write sends an envelope, with all others that come while the stream is busy. A server
// that does not read makes that take forever, so a goroutine writes. Callers who would
// wait as long anyway, mayBlock, write by themselves if they find the stream idle: a lone
// call then pays for no other goroutine. One batch is what a caller does for the others;
// the goroutine takes over from there.
func (s *muxStream) write(e *mcpv1.Envelope, mayBlock bool) {
	s.outMu.Lock()
	s.out = append(s.out, e)
	idle := !s.writing
	s.writing = true
	s.outMu.Unlock()
	if idle && (!mayBlock || s.writeWaiting()) {
		s.more <- struct{}{} // has room: there is one writer at a time
	}
}

// writeOn writes for callers who must not block, or have done their batch.
func (s *muxStream) writeOn() {
	for {
		select {
		case <-s.more:
			for more := true; more; {
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
	all := s.out
	s.out = nil
	s.outMu.Unlock()
	if err := s.emit(all); err != nil {
		s.cancel() // the reader learns why, and tells everybody
	}
	s.outMu.Lock()
	defer s.outMu.Unlock()
	s.writing = len(s.out) > 0
	return s.writing
}

func (s *muxStream) emit(all []*mcpv1.Envelope) error {
	for len(all) > 0 {
		n := 1
		if s.batch {
			n = batchLen(all)
		}
		e := all[0]
		if n > 1 {
			e = &mcpv1.Envelope{Batch: all[:n]}
		}
		if err := s.stream.Send(e); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// batchBytes is about how large a batch may grow: far below any server's limit.
const batchBytes = 256 << 10

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

// read hands replies to their calls until the stream is over.
func (s *muxStream) read() {
	for {
		e, err := s.stream.Receive()
		if err != nil {
			s.end(err)
			s.cancel()
			_ = s.stream.CloseResponse() // waits for the request to be over
			return
		}
		s.reply(e)
		for _, e := range e.GetBatch() {
			s.reply(e)
		}
	}
}

func (s *muxStream) reply(e *mcpv1.Envelope) {
	r := e.GetReply()
	if r == nil {
		return // nothing else comes for us on this stream
	}
	s.mu.Lock()
	ch := s.calls[r.GetCallId()]
	delete(s.calls, r.GetCallId())
	if ch == nil && s.givenUp > 0 {
		s.givenUp-- // the reply has crossed with the cancellation
	}
	s.mu.Unlock()
	if ch != nil {
		ch <- r
	}
}

// end fails what is in flight: whether the server has done it cannot be known.
func (s *muxStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := connect.CodeUnavailable
	if own := connect.CodeOf(err); own == connect.CodeUnauthenticated || own == connect.CodePermissionDenied {
		code = own
	}
	s.err = connect.NewError(code, fmt.Errorf("the stream was lost, and it is unknown whether the call was done: %w", err))
	close(s.done)
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
