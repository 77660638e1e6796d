// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// closeGrace is how long a closing connection waits for the server to end the stream in
// good order. Nothing is in flight then, except for what ignores its cancellation.
const closeGrace = time.Second

// A streamConn is a connection whose messages share one Connect stream at a time.
type streamConn struct {
	*inbox
	link   *link
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	mu       sync.Mutex
	current  *stream // nil before the first message, and after a loss
	session  string  // id of the legacy session
	closed   bool
	moves    int                             // to other streams, since the last answer
	moving   map[jsonrpc.ID]*jsonrpc.Request // between two streams
	closing  sync.Once
	routines sync.WaitGroup
}

var _ mcp.Connection = (*streamConn)(nil)

// A stream is one Connect RPC. One goroutine reads and one writes.
type stream struct {
	rpc    *connect.BidiStreamForClientSimple[mcpv1.Envelope, mcpv1.Envelope]
	cancel context.CancelFunc
	out    chan outgoing
	finish chan struct{} // closed to half-close
	lost   chan struct{} // closed when the RPC has ended

	// Guarded by the connection's mu.
	calls  map[jsonrpc.ID]*jsonrpc.Request // without answer
	legacy bool                            // a session was opened on the stream
}

type outgoing struct {
	message  jsonrpc.Message
	envelope *mcpv1.Envelope
}

// SessionID implements [mcp.Connection]. It is the id of a legacy session, if the server
// told it.
func (c *streamConn) SessionID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// Write implements [mcp.Connection]. It returns once the message is about to be sent; a
// failure comes as the answer to the call.
func (c *streamConn) Write(ctx context.Context, m jsonrpc.Message) error {
	e, err := envelopeOf(m)
	if err != nil {
		return rejection(err)
	}
	s, err := c.enlist(m)
	if err != nil {
		return err
	}
	select {
	case s.out <- outgoing{m, e}:
		return nil
	case <-s.lost:
		if r, ok := m.(*jsonrpc.Request); ok && r.IsCall() {
			return nil // answered by what lost the stream
		}
		return rejection(unavailable("the stream to the server was lost"))
	case <-c.inbox.closed:
		return mcp.ErrConnectionClosed
	case <-ctx.Done():
		c.retire(s, m)
		return ctx.Err()
	}
}

// enlist gives the stream for m, and notes what m starts or ends there.
func (c *streamConn) enlist(m jsonrpc.Message) (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.inbox.closed:
		return nil, mcp.ErrConnectionClosed
	default:
	}
	if c.current == nil {
		if err := c.open(); err != nil {
			return nil, rejection(newCallError(err))
		}
	}
	s := c.current
	r, ok := m.(*jsonrpc.Request)
	switch {
	case !ok:
	case r.IsCall():
		if _, ok := s.calls[r.ID]; ok {
			return nil, rejection(&jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "id is in flight already"})
		}
		s.calls[r.ID] = r
	case r.Method == methodCancelled:
		if id, ok := cancelledID(r.Params); ok {
			delete(s.calls, id) // nothing more comes for it
			delete(c.moving, id)
		}
	}
	return s, nil
}

// open starts a stream. It is called with mu held, and waits for nothing.
func (c *streamConn) open() error {
	if c.closed {
		return mcp.ErrConnectionClosed
	}
	ctx, cancel := context.WithCancel(c.ctx)
	rpc, err := c.link.rpc.Connect(ctx)
	if err != nil {
		cancel()
		return err
	}
	s := &stream{
		rpc:    rpc,
		cancel: cancel,
		out:    make(chan outgoing),
		finish: make(chan struct{}),
		lost:   make(chan struct{}),
		calls:  map[jsonrpc.ID]*jsonrpc.Request{},
	}
	c.current = s
	c.routines.Go(func() { c.send(s) })
	c.routines.Go(func() { c.receive(s) })
	return nil
}

// retire forgets a call that was not sent.
func (c *streamConn) retire(s *stream, m jsonrpc.Message) {
	if r, ok := m.(*jsonrpc.Request); ok && r.IsCall() {
		c.mu.Lock()
		delete(s.calls, r.ID)
		c.mu.Unlock()
	}
}

// send writes messages until the stream ends.
func (c *streamConn) send(s *stream) {
	for {
		select {
		case o := <-s.out:
			err := s.rpc.Send(o.envelope)
			if errors.Is(err, io.EOF) {
				continue // the stream has ended; its reader learns why
			}
			if err != nil {
				c.unsent(s, o.message, err)
			}
		case <-s.finish:
			_ = s.rpc.CloseRequest() // the reader learns of failures
			return
		case <-s.lost:
			_ = s.rpc.CloseRequest() // frees the pipe below
			return
		}
	}
}

// unsent answers a call that could not be put on the wire: one that is too large, or has
// text that is not UTF-8. The stream goes on.
func (c *streamConn) unsent(s *stream, m jsonrpc.Message, err error) {
	r, ok := m.(*jsonrpc.Request)
	if !ok || !r.IsCall() {
		return // nobody waits for it
	}
	c.mu.Lock()
	_, waiting := s.calls[r.ID]
	delete(s.calls, r.ID)
	c.mu.Unlock()
	if waiting {
		c.answer(r.ID, newCallError(err))
	}
}

// receive hands the server's messages on until the stream ends.
func (c *streamConn) receive(s *stream) {
	for first := true; ; first = false {
		e, err := s.rpc.Receive()
		if err != nil {
			c.lose(s, err)
			return
		}
		if first {
			c.mu.Lock()
			c.session = s.rpc.ResponseHeader().Get(headerSession)
			c.mu.Unlock()
		}
		m, err := messageOf(e)
		switch {
		case err != nil || m == nil:
		case c.expects(s, m):
			c.put(m)
		default:
			c.refused(s, m)
		}
	}
}

// refused ends all calls in flight if m is an error without id: the server could not read
// one of them, and will not answer it. So does a server of the inherited subset
// (SPEC.md §15.3), to which every call of ours is unreadable.
func (c *streamConn) refused(s *stream, m jsonrpc.Message) {
	res, ok := m.(*jsonrpc.Response)
	if !ok || res.ID.IsValid() || res.Error == nil {
		return
	}
	c.mu.Lock()
	calls := s.calls
	s.calls = map[jsonrpc.ID]*jsonrpc.Request{}
	c.mu.Unlock()
	for id := range calls {
		c.put(&jsonrpc.Response{ID: id, Error: res.Error})
	}
}

// expects tells whether m is for the SDK: responses to calls in flight, notifications,
// and the requests of a legacy session. A modern client answers no requests
// (SPEC.md §6.6).
func (c *streamConn) expects(s *stream, m jsonrpc.Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.(type) {
	case *jsonrpc.Response:
		call, ok := s.calls[m.ID]
		delete(s.calls, m.ID)
		c.moves = 0
		if ok && call.Method == methodInitialize && m.Error == nil {
			s.legacy = true
		}
		return ok
	case *jsonrpc.Request:
		return !m.IsCall() || s.legacy
	}
	return false
}

// lose ends a stream: it answers what is in flight there, or, if a session was on it,
// ends the connection.
func (c *streamConn) lose(s *stream, err error) {
	c.mu.Lock()
	if c.current == s {
		c.current = nil
	}
	calls, legacy := s.calls, s.legacy
	s.calls = map[jsonrpc.ID]*jsonrpc.Request{}
	move := !legacy && isDrained(err) && c.moves < maxMoves
	if move {
		c.moves++
		if c.moving == nil {
			c.moving = map[jsonrpc.ID]*jsonrpc.Request{}
		}
		maps.Copy(c.moving, calls) // some of another stream may be there still
	}
	close(s.lost)
	c.mu.Unlock()
	s.cancel()
	_ = s.rpc.CloseResponse() // there is nothing more to read

	if legacy {
		if errors.Is(err, io.EOF) {
			c.fail(fmt.Errorf("mcpconnect: the server ended the session: %w", io.EOF))
			return
		}
		c.fail(newCallError(err).because("the session was lost with its stream"))
		return
	}
	if move {
		c.again()
		return
	}
	failure := unavailable("the server ended the stream before it answered")
	if !errors.Is(err, io.EOF) {
		failure = newCallError(err).because("no answer came on the stream")
	}
	for id := range calls {
		c.answer(id, failure)
	}
}

// again makes the calls on another stream that nobody has cancelled meanwhile.
func (c *streamConn) again() {
	c.mu.Lock()
	pause := movePause << min(c.moves, maxMoves)
	c.mu.Unlock()
	if !sleepFor(c.ctx, pause) {
		return // the connection has ended
	}
	for call := c.nextMoving(); call != nil; call = c.nextMoving() {
		if err := c.Write(c.ctx, call); err != nil {
			c.answer(call.ID, newCallError(err))
		}
	}
}

// nextMoving takes one of the calls that are between two streams, nil if there is none.
func (c *streamConn) nextMoving() *jsonrpc.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, call := range c.moving {
		delete(c.moving, id)
		return call
	}
	return nil
}

// Close implements [mcp.Connection]. It ends the stream, and with it a legacy session,
// and waits until all is gone.
func (c *streamConn) Close() error {
	c.closing.Do(func() {
		c.end()
		c.mu.Lock()
		c.closed = true
		s := c.current
		c.mu.Unlock()
		if s != nil {
			close(s.finish)
			grace := time.NewTimer(closeGrace)
			defer grace.Stop()
			select {
			case <-s.lost:
			case <-grace.C:
			}
		}
		c.cancel()
		c.routines.Wait()
		c.link.close()
	})
	return nil
}
