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
	"sync"

	"connectrpc.com/connect"
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
	// stepUp: a call that needs more scopes than the token has is worth trying as an RPC.
	stepUp bool

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
	if c.written.Load() { // a server may answer what it was not asked yet
		c.tool = wire.ToolCall{}
		c.written.Store(false)
		muxCalls.Put(c)
	}
	if r.kind != wire.FieldReplyTool {
		_, err := r.frame() // has the error of the call, if it is one
		return nil, cmp.Or(err, errAnotherKind)
	}
	return r.body, nil
}

// send makes a call, on another stream if the server that has this one goes without having done it.
func (m *mux) send(ctx context.Context, c *muxCall) (muxReply, error) {
	for moves := 0; ; moves++ {
		r, err := m.sendOnce(ctx, c)
		drained := err != nil && isDrained(err)
		if err == nil || moves == maxMoves || !drained && !errors.Is(err, errRetired) {
			return r, err
		}
		if drained && !sleepFor(ctx, movePause<<moves) {
			return muxReply{}, ctx.Err()
		}
		c = &muxCall{tool: c.tool, frame: c.frame} // something may still have the other
	}
}

// errRetired says that a stream is not for new calls.
var errRetired error = connect.NewError(connect.CodeUnavailable, errors.New("the stream is not for new calls"))

func (m *mux) sendOnce(ctx context.Context, c *muxCall) (muxReply, error) {
	s, err := m.current(ctx)
	if err != nil {
		return muxReply{}, err
	}
	r, err := s.call(ctx, c)
	if err != nil && m.stepUp && needsMoreScope(err) {
		m.retire(s)
		return muxReply{}, errMoreScope
	}
	return r, err
}

// retire makes calls from now on open another stream, with the token of that moment. s ends when
// what is in flight there is done.
func (m *mux) retire(s *muxStream) {
	m.mu.Lock()
	if m.stream == s {
		m.stream = nil
	}
	m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
	s.endIfRetired()
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
