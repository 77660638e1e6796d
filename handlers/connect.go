// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/authn"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// Connect implements the Connect RPC: JSON-RPC messages and typed frames both ways
// (SPEC.md §4).
func (s *Server) Connect(ctx context.Context, stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) error {
	ctx, end := authn.UntilEnd(ctx)
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{
		srv:    s,
		header: stream.RequestHeader(),
		out:    newQueue[*mcpv1.Envelope](),
		wake:   func() { stopReading(ctx) },
	}
	if err := x.join(ctx); err != nil {
		return s.fail(ctx, "Connect", err, x.encoding())
	}
	defer x.leave()
	if x.current() != nil {
		// Headers: the session's stream stands. Without a session they wait for the first
		// message, which may open one.
		if err := stream.Send(nil); err != nil {
			return err
		}
	}
	defer context.AfterFunc(s.drain, x.stop)()
	r := newReader(x, stream)
	written := make(chan error, 1)
	go func() {
		err := x.out.write(ctx, r.emit)
		if err != nil {
			cancel() // nobody hears the answers
			x.wake()
		}
		written <- err
	}()
	readErr := r.run(ctx)
	if readErr != nil {
		cancel()
		x.leave() // a handler that does not heed its end must not keep the session
	}
	r.calls.Wait()
	switch {
	case credentialEnded(ctx):
		readErr = errCredentialEnded
	case readErr == nil && s.drain.Err() != nil:
		readErr = errDraining
	}
	x.out.close(readErr)
	if err := <-written; err != nil && readErr == nil {
		readErr = err
	}
	return s.fail(ctx, "Connect", readErr, x.encoding())
}

// join takes part in the session that the stream's metadata names, if it names one.
func (x *exchange) join(ctx context.Context) error {
	n, err := x.srv.sessionOf(ctx, head{header: x.header})
	if err != nil || n == nil {
		return err
	}
	return x.take(n, false)
}

// take makes this stream the one for what the session says outside of calls. An owned
// session ends with the stream.
func (x *exchange) take(n *session, owned bool) error {
	if err := n.attach(x); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.session, x.owned = n, owned
	x.unhook = context.AfterFunc(n.quiet, x.stop)
	return nil
}

// stop ends the stream in good order: no more is read, what is in flight is answered.
func (x *exchange) stop() {
	x.stopped.Store(true)
	x.wake()
}

// hush is told that no more is read from the client: it answers no more requests.
func (x *exchange) hush() {
	x.deaf.Store(true)
	if n := x.current(); n != nil {
		n.failRequests(x)
	}
}

// leave undoes take. It may be called again.
func (x *exchange) leave() {
	x.mu.Lock()
	n, owned, unhook := x.session, x.owned, x.unhook
	x.unhook = nil
	x.mu.Unlock()
	if unhook == nil {
		return
	}
	unhook()
	n.detach(x)
	if owned {
		x.srv.end(n, errSessionEnded)
	}
}
