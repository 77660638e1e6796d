// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A session is the state of one legacy client: what `initialize` agreed, and the ways
// to reach the client (SPEC.md §6).
type session struct {
	id      string
	user    string // who opened it; nobody else may use it
	version string // set by initialize
	ss      *mcp.ServerSession
	pipe    *pipe
	srv     *Server

	ctx    context.Context // ends with the session
	cancel context.CancelCauseFunc
	quiet  context.Context // ends when the session takes no more calls
	hush   context.CancelFunc
	calls  inflight

	mu       sync.Mutex
	stream   outlet                   // the client's stream for what belongs to no call
	requests map[string]serverRequest // of the server, waiting for the client's answer
	waiting  map[jsonrpc.ID]chan *jsonrpc.Response
	lastID   int64
	users    int           // calls and streams that use the session now
	unused   chan struct{} // closed when the session is quiet and has no users
	idle     *time.Timer
}

var errSessionEnded = newError(connect.CodeNotFound, jsonrpc.CodeInvalidRequest, "the session has ended")

// errNoSession tells a client to open a new session.
var errNoSession = newError(connect.CodeNotFound, jsonrpc.CodeInvalidRequest, "session not found: initialize again")

// errNoStream is what a handler gets that wants to ask a client that listens nowhere.
var errNoStream = newError(connect.CodeFailedPrecondition, jsonrpc.CodeInvalidRequest,
	"client has no open stream for server requests: open Connect, or Send without a message")

// A serverRequest is a request of the server to the client, on its way.
type serverRequest struct {
	id     string // its name on the wire
	rpcID  jsonrpc.ID
	method string
	params json.RawMessage
	via    asker // where it went out
}

// sessions are all legacy sessions of a handler.
type sessions struct {
	mu     sync.Mutex
	byID   map[string]*session
	http   map[string]*httpSession // those over Streamable HTTP
	closed bool
	ending sync.WaitGroup // sessions being closed
}

// open makes a session for an initialize request. It is not listed before list.
func (s *Server) open(ctx context.Context) (*session, error) {
	if err := s.hasRoom(); err != nil {
		return nil, err
	}
	n := &session{
		id:       rand.Text(),
		user:     userOf(ctx),
		srv:      s,
		requests: map[string]serverRequest{},
		waiting:  map[jsonrpc.ID]chan *jsonrpc.Response{},
		users:    1, // the initialize call
	}
	n.pipe = newPipe(n.id)
	n.pipe.write = n.write
	n.ctx, n.cancel = context.WithCancelCause(context.Background())
	n.quiet, n.hush = context.WithCancel(n.ctx)
	n.unused = make(chan struct{})
	var err error
	n.ss, err = s.server.Connect(context.Background(), n.pipe, nil)
	return n, err
}

// list makes the session known by its id.
func (s *Server) list(n *session) error {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if err := s.hasRoomLocked(); err != nil {
		return err
	}
	s.sessions.byID[n.id] = n
	return nil
}

// hasRoom tells early that there is no place for another session; list has the last word.
func (s *Server) hasRoom() error {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.hasRoomLocked()
}

func (s *Server) hasRoomLocked() error {
	if s.sessions.closed {
		return errDraining
	}
	if len(s.sessions.byID)+len(s.sessions.http) >= s.cfg.MaxSessions {
		return exhausted("too many sessions: the limit is %d", s.cfg.MaxSessions)
	}
	return nil
}

// sessionOf gives the session of a request, nil for none.
func (s *Server) sessionOf(ctx context.Context, h head) (*session, error) {
	id, ok, err := single(h.header, headerSession)
	if err != nil {
		return nil, err
	}
	if !ok || (h.stream != nil && h.stream.id == id) {
		return h.stream, nil
	}
	return s.session(ctx, id)
}

func (s *Server) session(ctx context.Context, id string) (*session, error) {
	s.sessions.mu.Lock()
	n := s.sessions.byID[id]
	s.sessions.mu.Unlock()
	// A session of somebody else is no session: that it exists is not for the caller.
	if n == nil || n.user != userOf(ctx) {
		return nil, errNoSession
	}
	return n, nil
}

// use keeps the session from expiring until the returned function is called, and ties
// ctx to the session's life.
func (n *session) use(ctx context.Context) (context.Context, func(), error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.quiet.Err() != nil {
		return ctx, nil, errSessionEnded
	}
	n.users++
	if n.idle != nil {
		n.idle.Stop()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.ctx, func() { cancel(context.Cause(n.ctx)) })
	return ctx, func() {
		stop()
		cancel(nil)
		n.release()
	}, nil
}

// release ends a use; the last one starts the idle clock.
func (n *session) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users--
	if n.users > 0 || n.ctx.Err() != nil {
		return
	}
	if n.quiet.Err() != nil {
		n.signalUnused()
		return
	}
	if n.idle == nil {
		n.idle = time.AfterFunc(n.srv.cfg.SessionIdle, n.expire)
		return
	}
	n.idle.Reset(n.srv.cfg.SessionIdle)
}

func (n *session) signalUnused() {
	select {
	case <-n.unused:
	default:
		close(n.unused)
	}
}

// quiesce lets the session take no more calls and its streams end, and waits until what
// is in flight is done or ctx ends.
func (n *session) quiesce(ctx context.Context) {
	n.hush()
	n.mu.Lock()
	if n.users == 0 {
		n.signalUnused()
	}
	n.mu.Unlock()
	select {
	case <-n.unused:
	case <-n.ctx.Done():
	case <-ctx.Done():
	}
}

// expire ends the session if it is still idle: a call may have come in while the timer
// fired.
func (n *session) expire() {
	n.mu.Lock()
	idle := n.users == 0
	if idle {
		n.hush()
	}
	n.mu.Unlock()
	if idle {
		n.srv.log.Info("legacy session expired", "session", n.id[:6])
		n.srv.end(n, errSessionEnded)
	}
}

// end ends a session; it tells whether it was there. Calls in flight fail with why.
func (s *Server) end(n *session, why error) bool {
	s.sessions.mu.Lock()
	listed := s.sessions.byID[n.id] == n
	delete(s.sessions.byID, n.id)
	if !s.sessions.closed { // or Close, which may wait already, has counted what it ends
		s.sessions.ending.Add(1)
		defer s.sessions.ending.Done()
	}
	s.sessions.mu.Unlock()

	n.mu.Lock()
	n.cancel(why)
	if n.idle != nil {
		n.idle.Stop()
	}
	n.mu.Unlock()
	n.failRequests(nil)
	closeSession(n.ss)
	return listed
}

// attach makes out the stream for what belongs to no call.
func (n *session) attach(out outlet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.quiet.Err() != nil:
		return errSessionEnded
	case n.stream != nil:
		return newError(connect.CodeAlreadyExists, jsonrpc.CodeInvalidRequest, "the session has an open stream already")
	}
	n.stream = out
	n.users++ // a session with a stream is not idle
	if n.idle != nil {
		n.idle.Stop()
	}
	return nil
}

// detach undoes attach: it fails the server's requests that went out on out, whose
// answers cannot come any more.
func (n *session) detach(out outlet) {
	n.failRequests(out)
	n.mu.Lock()
	n.stream = nil
	n.mu.Unlock()
	n.release()
}

// write takes what the SDK's session sends.
func (n *session) write(ctx context.Context, m jsonrpc.Message) error {
	switch m := m.(type) {
	case *jsonrpc.Response:
		n.mu.Lock()
		ch := n.waiting[m.ID]
		delete(n.waiting, m.ID)
		n.mu.Unlock()
		if ch != nil {
			ch <- m
		}
		return nil
	case *jsonrpc.Request:
		if m.IsCall() {
			return n.ask(ctx, m)
		}
		return n.tell(m)
	}
	return nil
}

// tell sends a notification that belongs to no call. A client without a stream misses
// it, as it does over Streamable HTTP.
func (n *session) tell(m *jsonrpc.Request) error {
	if m.Method == methodCancelled {
		return n.giveUp(m.Params)
	}
	n.mu.Lock()
	out := n.stream
	n.mu.Unlock()
	if out != nil {
		n.push(out, m.Method, m.Params)
	}
	return nil
}

// push sends a notification of the session. That a stream has ended, or its client is too
// slow for it, ends the stream and not the session: the SDK would take an error for the
// end of all.
func (n *session) push(out outlet, method string, params json.RawMessage) {
	if err := out.push(method, params); err != nil {
		n.srv.log.Debug("a notification was lost with its stream", "method", method, "error", err)
	}
}

// giveUp cancels a request of the server that waits for the client's answer: on the
// stream that it went out on, by the id that it had there.
func (n *session) giveUp(params json.RawMessage) error {
	var p struct {
		RequestID int64 `json:"requestId"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return err
	}
	n.mu.Lock()
	var via asker
	for id, r := range n.requests {
		if r.rpcID.Raw() == p.RequestID {
			delete(n.requests, id)
			via = r.via
			params = fmt.Appendf(nil, `{"requestId":%q,"reason":%q}`, id, "the server no longer needs the answer")
		}
	}
	n.mu.Unlock()
	if out, ok := via.(outlet); ok {
		n.push(out, methodCancelled, params)
	}
	return nil
}

// ask sends a request of the server: on the stream of the call that it belongs to, or
// on the session's own.
func (n *session) ask(ctx context.Context, m *jsonrpc.Request) error {
	r := serverRequest{rpcID: m.ID, method: m.Method, params: m.Params}
	n.mu.Lock()
	n.lastID++
	r.id = "server-" + strconv.FormatInt(n.lastID, 10)
	out := n.stream
	n.mu.Unlock()

	var err error = errNoStream
	if c := callFrom(ctx); c != nil {
		if c.cancelled() != nil {
			return rejection{errStreamClosed}
		}
		if to := c.output(); to != nil {
			err = to.ask(ctx, n.sent(&r, to))
		}
	}
	if errors.Is(err, errNoStream) && out != nil {
		err = out.ask(ctx, n.sent(&r, out))
	}
	if err != nil {
		n.mu.Lock()
		delete(n.requests, r.id)
		n.mu.Unlock()
		if e, ok := errors.AsType[*rpcError](err); ok {
			return rejection{e}
		}
		return rejection{errNoStream}
	}
	return nil
}

// sent notes a request before it goes out, so that no answer can come too early.
func (n *session) sent(r *serverRequest, via asker) *serverRequest {
	r.via = via
	n.mu.Lock()
	n.requests[r.id] = *r
	n.mu.Unlock()
	return r
}

// answer gives the server the client's response to one of its requests.
func (n *session) answer(ctx context.Context, id string, res *jsonrpc.Response) error {
	n.mu.Lock()
	r, ok := n.requests[id]
	delete(n.requests, id)
	n.mu.Unlock()
	if !ok {
		return invalidRequest("response to an unknown request %q", id)
	}
	res.ID = r.rpcID
	return n.pipe.deliver(ctx, res)
}

// failRequests answers the server's requests that went out on via, or all if via is
// nil, with an error: their handlers would wait for ever.
func (n *session) failRequests(via asker) {
	n.mu.Lock()
	var lost []serverRequest
	for id, r := range n.requests {
		if via == nil || r.via == via {
			lost = append(lost, r)
			delete(n.requests, id)
		}
	}
	n.mu.Unlock()
	for _, r := range lost {
		wire := *errNoStream.wire
		wire.Message = "the client's stream ended before it answered"
		if n.pipe.deliver(context.Background(), &jsonrpc.Response{ID: r.rpcID, Error: &wire}) != nil {
			return // the session is gone, and with it whoever waits
		}
	}
}

// inject sends a request through the SDK's session as a client would, for methods that
// need a JSON-RPC id or whose params only the SDK can decode.
func (n *session) inject(ctx context.Context, r *jsonrpc.Request) (*jsonrpc.Response, error) {
	ch := make(chan *jsonrpc.Response, 1)
	n.mu.Lock()
	n.lastID++
	id, err := jsonrpc.MakeID(float64(n.lastID))
	if err == nil {
		n.waiting[id] = ch
	}
	n.mu.Unlock()
	if err != nil {
		return nil, err
	}
	r.ID = id
	return await(ctx, n.pipe, r, ch, func() {
		n.mu.Lock()
		delete(n.waiting, id)
		n.mu.Unlock()
	})
}

// await delivers r and waits for its response on ch. When ctx ends first it cancels r
// and drops the response.
func await(ctx context.Context, p *pipe, r *jsonrpc.Request, ch <-chan *jsonrpc.Response, forget func()) (*jsonrpc.Response, error) {
	if err := p.deliver(ctx, r); err != nil {
		forget()
		return nil, err
	}
	select {
	case res := <-ch:
		return res, nil
	case <-p.done:
		return nil, errSessionEnded
	case <-ctx.Done():
		forget()
		return nil, errors.Join(ctx.Err(), p.deliver(context.WithoutCancel(ctx), cancelled(r.ID)))
	}
}

// cancelled gives the notification that cancels a request inside the SDK.
func cancelled(id jsonrpc.ID) *jsonrpc.Request {
	params, err := json.Marshal(map[string]any{"requestId": id.Raw()})
	if err != nil {
		panic("handlers: id is not JSON: " + err.Error()) //nolint:forbidigo // ids are strings and integers
	}
	return &jsonrpc.Request{Method: methodCancelled, Params: params}
}
