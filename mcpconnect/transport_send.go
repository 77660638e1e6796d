// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const (
	// shutdownTimeout bounds the farewell to a server that may be gone.
	shutdownTimeout = 5 * time.Second

	// A session's stream that broke is opened again after minBackoff, then after twice
	// as long each time, up to maxBackoff.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 10 * time.Second
)

// A sendConn is a connection each of whose messages is an RPC of its own.
type sendConn struct {
	*inbox
	link   *link
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	mu        sync.Mutex
	calls     map[jsonrpc.ID]sentCall // requests in flight
	session   string                  // id of the legacy session
	version   string                  // of requests that name none
	listening bool                    // the session's stream is being kept open
	running   int                     // calls whose answer was not handed on
	quiet     chan struct{}           // closed when there are none; nil if nobody waits for that
	closed    bool
	closing   sync.Once
	closeErr  error
	routines  sync.WaitGroup
}

var _ mcp.Connection = (*sendConn)(nil)

// SessionID implements [mcp.Connection]. It is the id of the legacy session, if any.
func (c *sendConn) SessionID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// Write implements [mcp.Connection]. A request goes on by itself once it returns; a
// notification or a response has been taken by the server.
func (c *sendConn) Write(ctx context.Context, m jsonrpc.Message) error {
	e, err := envelopeOf(m)
	if err != nil {
		return rejection(err)
	}
	r, ok := m.(*jsonrpc.Request)
	switch {
	case !ok:
		return c.tell(ctx, e, c.header(nil))
	case r.IsCall():
		return c.start(ctx, r, e)
	case r.Method == methodCancelled:
		c.abort(r.Params) // the end of the RPC tells the server
		return nil
	}
	if err := c.tell(ctx, e, c.header(r)); err != nil {
		return err
	}
	if r.Method == methodInitialized {
		c.listen(ctx)
	}
	return nil
}

// header gives the metadata for a request or notification, nil for anything else.
func (c *sendConn) header(r *jsonrpc.Request) http.Header {
	c.mu.Lock()
	version, session := c.version, c.session
	c.mu.Unlock()
	if r == nil {
		return mirror(version, "", "", session)
	}
	m := mirrorOf(r.Method, r.Params)
	if m.version != "" {
		version = m.version
	}
	return mirror(version, r.Method, m.name, session)
}

// start runs the RPC of a request: with the values and the deadline of ctx, until it is
// answered, cancelled by a notification, or the connection closes.
func (c *sendConn) start(ctx context.Context, r *jsonrpc.Request, e *mcpv1.Envelope) error {
	header := c.header(r)
	call, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok {
		call, cancel = context.WithDeadline(call, deadline)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.failed() {
		cancel()
		return mcp.ErrConnectionClosed
	}
	if _, taken := c.calls[r.ID]; taken {
		cancel()
		return rejection(&jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "id is in flight already"})
	}
	c.calls[r.ID] = sentCall{r, cancel}
	stop := context.AfterFunc(c.ctx, cancel)
	c.running++
	c.routines.Go(func() {
		defer cancel()
		defer stop()
		defer c.over()
		err := c.call(withMetadata(call, header), r, e)
		if c.finish(r) && err != nil {
			c.answer(r.ID, err)
		}
	})
	return nil
}

// A sentCall is a call in flight.
type sentCall struct {
	request *jsonrpc.Request
	cancel  context.CancelFunc
}

// finish forgets a call. It is false if the call was cancelled or answered before: another one may
// have its id by now.
func (c *sendConn) finish(r *jsonrpc.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[r.ID].request != r {
		return false
	}
	delete(c.calls, r.ID)
	return true
}

// lastAnswers is how long the calls of a session that is gone may take to fail.
const lastAnswers = 5 * time.Second

// over notes the end of a call, whose answer was handed on.
func (c *sendConn) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 && c.quiet != nil {
		close(c.quiet)
		c.quiet = nil
	}
}

// failAfterCalls ends the connection when no call is in flight: each learns by itself whether the
// server has looked at it.
func (c *sendConn) failAfterCalls(err error) {
	timer := time.NewTimer(lastAnswers)
	defer timer.Stop()
	for waiting := true; ; {
		c.mu.Lock()
		if c.running == 0 || !waiting {
			c.fail(err) // and no call begins any more
			c.mu.Unlock()
			return
		}
		quiet := make(chan struct{})
		c.quiet = quiet
		c.mu.Unlock()
		select {
		case <-quiet:
		case <-timer.C:
			waiting = false
		case <-c.ctx.Done():
			waiting = false
		}
	}
}

func (c *sendConn) abort(params json.RawMessage) {
	id, ok := cancelledID(params)
	if !ok {
		return
	}
	c.mu.Lock()
	call, ok := c.calls[id]
	delete(c.calls, id)
	c.mu.Unlock()
	if ok {
		call.cancel()
	}
}

// call makes the RPC of a request and hands on what comes. The error is what went wrong
// if no answer came.
func (c *sendConn) call(ctx context.Context, r *jsonrpc.Request, e *mcpv1.Envelope) error {
	stream, err := c.link.rpc.Send(ctx, e)
	if err != nil {
		return newCallError(err)
	}
	defer stream.Close()
	for stream.Receive() {
		m, err := messageOf(stream.Msg())
		if err != nil || m == nil {
			continue // malformed; without an answer the call fails below
		}
		if res, ok := m.(*jsonrpc.Response); ok {
			if res.ID != r.ID {
				continue
			}
			if res.Error == nil {
				c.learn(r, res, stream.ResponseHeader().Get(headerSession))
			}
			if !c.finish(r) {
				return nil // cancelled
			}
		} else if !c.expects(m) {
			continue
		}
		c.put(m)
	}
	if err := stream.Err(); err != nil {
		return newCallError(err)
	}
	return unavailable("the server ended the call without an answer")
}

// expects tells whether the SDK may see a message that is not a response: a modern client
// answers no requests (SPEC.md §6.6).
func (c *sendConn) expects(m jsonrpc.Message) bool {
	r, ok := m.(*jsonrpc.Request)
	return ok && (!r.IsCall() || c.SessionID() != "")
}

// learn notes the version and the session of the connection: what initialize agreed on,
// or what server/discover was asked in.
func (c *sendConn) learn(r *jsonrpc.Request, res *jsonrpc.Response, session string) {
	var version string
	switch r.Method {
	case methodInitialize:
		var p struct {
			Version string `json:"protocolVersion"`
		}
		if mapping.DecodeSDK(res.Result, &p) == nil { // else the SDK refuses the result
			version = p.Version
		}
	case methodDiscover:
		version, session = mirrorOf(r.Method, r.Params).version, ""
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.version = session, version
}

// tell sends a message that has no answer, and waits until the server has taken it. When
// that fails the connection goes on.
func (c *sendConn) tell(ctx context.Context, e *mcpv1.Envelope, header http.Header) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	stream, err := c.link.rpc.Send(withMetadata(ctx, header), e)
	if err != nil {
		return rejection(newCallError(err))
	}
	defer stream.Close()
	for stream.Receive() { // nothing comes, but the end
	}
	if err := stream.Err(); err != nil {
		return rejection(newCallError(err))
	}
	return nil
}

// listen begins to keep the session's stream open, and waits until it stands for the
// first time, or cannot.
func (c *sendConn) listen(ctx context.Context) {
	c.mu.Lock()
	if c.session == "" || c.listening || c.closed {
		c.mu.Unlock()
		return
	}
	c.listening = true
	stands := make(chan struct{})
	c.routines.Go(func() { c.keepListening(sync.OnceFunc(func() { close(stands) })) })
	c.mu.Unlock()
	select {
	case <-stands:
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
}

// keepListening opens the session's stream, again and again, until the connection closes
// or the server has no session any more. tried is called after each attempt.
func (c *sendConn) keepListening(tried func()) {
	defer tried()
	backoff := minBackoff
	for {
		received, err := c.sessionStream(tried)
		tried()
		switch connect.CodeOf(err) {
		case connect.CodeNotFound:
			c.failAfterCalls(fmt.Errorf("mcpconnect: %w: %w", mcp.ErrSessionMissing, err))
			return
		case connect.CodeUnimplemented, connect.CodeInvalidArgument:
			return // a server without such streams: what it says of itself is lost
		}
		if received {
			backoff = minBackoff
		}
		// Clients of one server must not come in step.
		wait := time.NewTimer(backoff + rand.N(backoff)) //nolint:gosec // no secret depends on it
		select {
		case <-wait.C:
		case <-c.ctx.Done():
			wait.Stop()
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// sessionStream opens the session's stream and hands on what comes.
func (c *sendConn) sessionStream(stands func()) (received bool, err error) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	stream, err := c.link.rpc.Send(withMetadata(ctx, c.header(nil)), &mcpv1.Envelope{})
	if err != nil {
		return false, newCallError(err)
	}
	defer stream.Close()
	stands()
	for stream.Receive() {
		received = true
		if m, err := messageOf(stream.Msg()); err == nil && m != nil && c.expects(m) {
			c.put(m)
		}
	}
	if err := stream.Err(); err != nil {
		return received, newCallError(err)
	}
	return received, errors.New("the server ended the stream")
}

// Close implements [mcp.Connection]. It cancels what is in flight, ends a legacy session,
// and waits until all is gone. The error tells that the server did not hear of the end;
// the session then ends when it has been idle.
func (c *sendConn) Close() error {
	c.closing.Do(func() {
		c.end()
		c.mu.Lock()
		c.closed = true
		session := c.session
		c.mu.Unlock()
		c.cancel()
		if session != "" && !errors.Is(c.err, mcp.ErrSessionMissing) {
			c.closeErr = c.shutdown()
		}
		c.routines.Wait()
		c.link.close()
	})
	return c.closeErr
}

func (c *sendConn) shutdown() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), shutdownTimeout)
	defer cancel()
	if _, err := c.link.rpc.Shutdown(withMetadata(ctx, c.header(nil)), &mcpv1.ShutdownRequest{}); err != nil {
		return newCallError(err).because("the session was not ended")
	}
	return nil
}
