// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/wire"
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
		crew:   &crew{workers: &s.workers},
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
	err := x.serveStream(ctx, cancel, stream)
	switch {
	case credentialEnded(ctx):
		err = errCredentialEnded
	case err == nil && s.drain.Err() != nil:
		err = errDraining
		if n := x.current(); ctx.Err() == nil && (n == nil || n.ctx.Err() == nil) { // nobody has cut calls off
			err = errDrained
		}
	}
	return s.fail(ctx, "Connect", err, x.encoding())
}

// serveStream serves the stream to its end. cancel cancels what is in flight on it.
func (x *exchange) serveStream(ctx context.Context, cancel func(), stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) error {
	out := &outbox{
		stream:  stream,
		ordered: x.out,
		limit:   wire.BatchBytes,
		begin:   func() { x.announce(stream.ResponseHeader()) },
		full:    x.crew.said,
		binary:  isBinary(x.header),
	}
	if limit := x.srv.cfg.MaxMessageBytes; limit >= 0 {
		out.limit = min(out.limit, limit/4) // a batch may exceed it by a message or two
	}
	x.out.full = x.crew.said
	r := newReader(x, out)
	c := x.crew
	c.write = out.write
	c.take = func(e *mcpv1.Envelope) error { return r.takeAll(ctx, e) }
	c.failed = func(err error) {
		out.close(err)
		cancel() // nobody hears the answers
		x.wake()
		x.leave() // a handler that does not heed its end must not keep the session
	}
	c.start()
	defer context.AfterFunc(x.srv.drain, x.stop)()
	defer context.AfterFunc(ctx, x.wake)() // Receive does not heed it
	c.abort(x.read(stream))
	c.takenIn() // the last message may be the client's response to a request
	x.hush()
	return c.finish()
}

// read reads messages until the client has no more, or the stream is stopped: neither is an
// error.
func (x *exchange) read(stream *connect.BidiStream[mcpv1.Envelope, mcpv1.Envelope]) error {
	for {
		e, err := stream.Receive()
		switch {
		case err == nil:
			if err := x.crew.deliver(e); err != nil {
				return err
			}
		case x.stopped.Load(), errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// isBinary tells whether the messages of a stream are in protobuf, by its metadata.
func isBinary(header http.Header) bool {
	_, codec, ok := strings.Cut(header.Get("Content-Type"), "+")
	return !ok || codec == "proto"
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
