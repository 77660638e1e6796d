// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// errNoFrames says that the server does not speak typed frames: its RPCs have to do.
var errNoFrames = errors.New("the server has no multiplexed streams")

// errAnotherKind says that a server has not answered what it was asked.
var errAnotherKind error = connect.NewError(connect.CodeInternal, errors.New("the reply is of another kind than the call"))

// errClientClosed is what calls get that come after Close.
var errClientClosed = connect.NewError(connect.CodeCanceled, errors.New("the client is closed"))

// A mux carries the unary calls of a client on one Connect stream (SPEC.md §4.6): setting
// up an HTTP/2 request costs more than most calls. It opens the stream with the first
// call, and again after it was lost. It is safe for concurrent use.
type mux struct {
	rpc   mcpv1connect.MCPClient
	limit int64 // of the bytes of a message after decompression

	ctx    context.Context // ends with the client
	cancel context.CancelFunc
	ended  sync.WaitGroup // streams

	turn   chan struct{} // held by the one who opens a stream
	mu     sync.Mutex
	stream *muxStream
	none   bool // the server has no frames
}

func newMux(rpc mcpv1connect.MCPClient, limit int) *mux {
	m := &mux{rpc: rpc, limit: int64(limit), turn: make(chan struct{}, 1)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// close ends the stream and what is in flight on it, and waits for that.
func (m *mux) close() {
	m.cancel()
	m.ended.Wait()
}

// roundTrip makes one call. The frame must not be used after it. Calls over the server's
// limit wait, also when it is calls given up that fill it. The error is errNoFrames, ctx's, or
// a *connect.Error as that of the RPC.
func (m *mux) roundTrip(ctx context.Context, f *mcpv1.CallFrame) (*mcpv1.ReplyFrame, error) {
	r, err := m.send(ctx, &muxCall{frame: f})
	if err != nil {
		return nil, err
	}
	reply, err := r.frame()
	if zipped := reply.GetGzip(); zipped != nil && err == nil {
		return m.inflate(zipped)
	}
	return reply, err
}

// inflate gives the reply that a server has compressed.
func (m *mux) inflate(zipped []byte) (*mcpv1.ReplyFrame, error) {
	z := &boundedGunzip{limit: m.limit}
	if err := z.Reset(bytes.NewReader(zipped)); err != nil {
		return nil, connect.NewError(connect.CodeInternal, fmt.Errorf("decompress: %w", err))
	}
	// The end tells the size, if it is to be believed.
	size := int64(binary.LittleEndian.Uint32(zipped[max(0, len(zipped)-4):]))
	text := bytes.NewBuffer(make([]byte, 0, min(size, m.limit)+bytes.MinRead))
	if _, err := text.ReadFrom(z); err != nil {
		return nil, connect.NewError(connect.CodeOf(err), fmt.Errorf("decompress: %w", err))
	}
	reply := &mcpv1.ReplyFrame{}
	if err := proto.Unmarshal(text.Bytes(), reply); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("unmarshal message: %w", err))
	}
	return reply, nil
}

// callTool makes one call of a tool. It is roundTrip without messages, for the common form of
// calls: outcome is an encoded InvokeToolResponse, a part of a larger buffer.
func (m *mux) callTool(ctx context.Context, name string, arguments, meta []byte) (outcome []byte, err error) {
	c := muxCalls.Get().(*muxCall) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	c.tool = wire.ToolCall{Name: name, Arguments: arguments, Meta: meta}
	r, err := m.send(ctx, c)
	if err != nil {
		return nil, err // something may still have c
	}
	c.tool = wire.ToolCall{}
	muxCalls.Put(c)
	if r.kind != wire.FieldReplyTool {
		_, err := r.frame() // has the error of the call, if it is one
		return nil, cmp.Or(err, errAnotherKind)
	}
	return r.body, nil
}

func (m *mux) send(ctx context.Context, c *muxCall) (muxReply, error) {
	s, err := m.current(ctx)
	if err != nil {
		return muxReply{}, err
	}
	return s.call(ctx, c)
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
	s := &muxStream{stream: stream, calls: map[uint64]*muxCall{}, done: make(chan struct{}), more: make(chan struct{}, 1)}
	if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true, Batch: true, Gzip: true}}}); err != nil {
		_, err = stream.Receive() // has the server's reason
		return s, err
	}
	e, err := stream.Receive()
	if err != nil {
		return s, err
	}
	if raw, ok := wire.Raw(e); ok {
		if e, err = wire.Decode(raw); err != nil {
			return s, err
		}
	}
	hello := e.GetHello()
	if !hello.GetFrames() || hello.GetMaxCalls() == 0 {
		return s, errNoFrames
	}
	s.batch = hello.GetBatch()
	s.slots.n = int(min(hello.GetMaxCalls(), maxMuxCalls))
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

// A muxCall is one call on its way.
type muxCall struct {
	tool  wire.ToolCall    // the call
	frame *mcpv1.CallFrame // the call if it is of another form; nil otherwise
	reply chan muxReply    // has room for one
	place int              // in the line of those that wait to be written
}

func (c *muxCall) id() uint64 { return c.tool.CallID }

// muxCalls are calls that got their reply: nothing else has them any more.
var muxCalls = sync.Pool{New: func() any { return &muxCall{} }}

// replies are the channels of calls that got their reply: they are empty.
var replies = sync.Pool{New: func() any { return make(chan muxReply, 1) }}

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

	mu      sync.Mutex
	calls   map[uint64]*muxCall
	givenUp int // calls that the server may still be busy with
	last    uint64
	err     error // why the stream is over

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
	c.reply = replies.Get().(chan muxReply) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return r, false, s.err
	}
	s.last++
	c.tool.CallID = s.last
	s.calls[s.last] = c
	inFlight := len(s.calls)
	s.mu.Unlock()
	s.write(c, ctx.Done() == nil || inFlight == 1 && c.isSmall())
	select {
	case r := <-c.reply:
		replies.Put(c.reply) // nobody else has it any more
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
	s.mu.Unlock()
	if c != nil {
		c.reply <- r
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
	for _, c := range s.calls {
		c.reply <- muxReply{err: s.err} // has room
	}
	clear(s.calls)
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
