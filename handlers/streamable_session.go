// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The SDK keeps the sessions of Streamable HTTP. It neither bounds how many there are or
// what goes on in one, nor can it close them; and it takes one for idle whose client does
// nothing but listen. That is done here.

// An httpSession is a legacy session over Streamable HTTP. Its fields are guarded by the mu
// of sessions.
type httpSession struct {
	ss *mcp.ServerSession
	// closing ends when the server does not wait for the session's calls any more: the SDK
	// waits for all of them before it closes a session.
	closing context.Context //nolint:containedctx // it is the session's
	cancel  context.CancelCauseFunc
	user    string // who opened it; nobody else may use it
	users   int    // HTTP requests in it
	calls   int    // in flight; with none to answer to, when their client has left
	idle    *time.Timer
}

// listHTTP makes a session known. It counts from now on, until it ends.
func (s *Server) listHTTP(of mcp.Session, user string) error {
	ss, ok := of.(*mcp.ServerSession)
	if !ok || ss.ID() == "" {
		return nil // the server has none: it ends with its request
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if err := s.hasRoomLocked(); err != nil {
		return err
	}
	n := &httpSession{ss: ss, user: user}
	n.closing, n.cancel = context.WithCancelCause(context.Background())
	n.idle = time.AfterFunc(s.cfg.SessionIdle, func() { closeSession(ss) })
	s.sessions.http[ss.ID()] = n
	s.sessions.ending.Go(func() {
		_ = ss.Wait() // however it ends
		s.sessions.mu.Lock()
		defer s.sessions.mu.Unlock()
		n.idle.Stop()
		n.cancel(errSessionEnded)
		delete(s.sessions.http, ss.ID())
	})
	return nil
}

// useHTTP keeps the user's session with that id from expiring, until release is called.
func (l *sessions) useHTTP(id, user string, idle time.Duration) (release func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.http[id]
	if n == nil || n.user != user {
		return nil, false
	}
	n.users++
	n.idle.Stop()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n.users--; n.users == 0 && l.http[id] == n {
			n.idle.Reset(idle)
		}
	}, true
}

// httpSession gives a session that inSession has found to be the caller's, nil for none.
func (l *sessions) httpSession(id string) *mcp.ServerSession {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.http[id]; n != nil {
		return n.ss
	}
	return nil
}

// callHTTP counts a call in a session, until release is called, and ends its context when the
// server closes. Calls outlive the HTTP request that they came with, so that their client can
// come back for the answer.
func (l *sessions) callHTTP(ctx context.Context, of mcp.Session, most int) (_ context.Context, release func(), err error) {
	if of.ID() == "" {
		return ctx, func() {}, nil // the session is just for this call
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.http[of.ID()]
	if n == nil {
		return ctx, func() {}, nil
	}
	if n.calls >= most {
		return nil, nil, exhausted("too many calls in flight in the session: the limit is %d", most)
	}
	n.calls++
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.closing, func() { cancel(context.Cause(n.closing)) })
	return ctx, func() {
		stop()
		cancel(nil)
		l.mu.Lock()
		defer l.mu.Unlock()
		n.calls--
	}, nil
}
