// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// Send implements the Send RPC: one JSON-RPC message, and what belongs to it
// (SPEC.md §4).
func (s *Server) Send(ctx context.Context, e *mcpv1.Envelope, stream *connect.ServerStream[mcpv1.Envelope]) error {
	ctx, cancel := authn.UntilEnd(ctx)
	defer cancel()
	x := &exchange{
		srv:    s,
		single: true,
		header: requestHeader(ctx),
		out:    newQueue[*mcpv1.Envelope](),
	}
	x.learn(e)
	return s.fail(ctx, e.GetMethod(), s.send(ctx, x, e, stream), x.encoding())
}

func (s *Server) send(ctx context.Context, x *exchange, e *mcpv1.Envelope, stream *connect.ServerStream[mcpv1.Envelope]) error {
	if len(e.GetBatch()) > 0 {
		return invalidRequest("Send takes one message, not a batch")
	}
	if err := x.admit(ctx, e); err != nil {
		if id := idOf(e); id != nil {
			return stream.Send(errorEnvelope(id, s.toRPCError(ctx, e.GetMethod(), err), x.encoding()))
		}
		return err
	}
	// A session that is not there matters to legacy messages only, which say so.
	x.session, _ = s.sessionOf(ctx, head{header: x.header})
	emit := func(all []*mcpv1.Envelope) error {
		x.announce(stream.ResponseHeader()) // has no effect after the first message
		for _, e := range all {
			if err := stream.Send(e); err != nil {
				return err
			}
		}
		return nil
	}
	switch k := e.Kind.(type) {
	case *mcpv1.Envelope_Request:
		return pump(ctx, x.out, func(ctx context.Context) error {
			defer x.hush() // the stream ends
			return x.request(ctx, e)
		}, emit)
	case *mcpv1.Envelope_Notification:
		return x.notification(ctx, e)
	case *mcpv1.Envelope_Response:
		return x.response(ctx, k.Response)
	case nil:
		return s.sessionStream(ctx, x, stream, emit)
	}
	return errUnknownKind
}

// admit refuses a message that is malformed, or that its metadata contradicts.
func (x *exchange) admit(ctx context.Context, e *mcpv1.Envelope) error {
	if err := x.srv.checkEnvelope(e); err != nil {
		x.spoil(ctx, e.GetResponse())
		return err
	}
	return checkMirror(x.header, e.GetMethod(), nameOf(e))
}

// sessionStream serves a session's stream of messages from the server, until the
// client, the session or the server goes.
func (s *Server) sessionStream(ctx context.Context, x *exchange, stream *connect.ServerStream[mcpv1.Envelope], emit func([]*mcpv1.Envelope) error) error {
	n, err := s.sessionOf(ctx, head{header: x.header})
	if err != nil {
		return err
	}
	if n == nil {
		return errUnknownKind
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x.wake = func() { x.out.close(nil) }
	if err := x.take(n, false); err != nil {
		return err
	}
	defer x.leave()
	defer context.AfterFunc(s.drain, func() { x.out.close(errDraining) })()
	if err := stream.Send(nil); err != nil { // headers: the stream stands
		return err
	}
	return x.out.write(ctx, emit)
}

// nameOf gives what Mcp-Name mirrors of an envelope.
func nameOf(e *mcpv1.Envelope) string {
	r := e.GetRequest()
	if r == nil {
		return ""
	}
	var p struct {
		Name   string `json:"name"`
		URI    string `json:"uri"`
		TaskID string `json:"taskId"`
	}
	params, err := mapping.JSONText(r.GetParams(), r.GetParamsJson())
	if err != nil || mapping.DecodeSDK(params, &p) != nil {
		return "" // refused when it is served
	}
	switch e.GetMethod() {
	case methodCallTool, methodGetPrompt:
		return p.Name
	case methodReadResource:
		return p.URI
	case methodGetTask, methodUpdateTask, methodCancelTask:
		return p.TaskID
	}
	return ""
}
