// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func isNotification(method string) bool { return strings.HasPrefix(method, "notifications/") }

// notification takes a client's notification. There is no answer to it; errors are for
// streams whose end tells them.
func (x *exchange) notification(ctx context.Context, e *mcpv1.Envelope) error {
	n := e.GetNotification()
	params, err := mapping.JSONText(n.GetParams(), n.GetParamsJson())
	if err != nil {
		return envelopeError(err)
	}
	if e.Method == methodCancelled {
		if id, ok := cancelledID(params); ok {
			x.abort(ctx, id)
		}
		return nil // unknown ids are ignored (MCP, patterns/cancellation)
	}
	m, ok := methods[e.Method]
	if !ok || !isNotification(e.Method) {
		return nil // JSON-RPC 2.0 §4.1: nobody is told of a notification that fails
	}
	meta, err := metaOf(params)
	if err != nil {
		return err
	}
	sc, err := x.srv.scopeOf(ctx, head{header: x.header, meta: meta, stream: x.current()})
	if err != nil || sc.session == nil {
		return err // a modern client has nothing to notify
	}
	ctx, done, err := sc.session.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	return x.srv.dispatchNotification(ctx, m, e.Method, sc, params)
}

func (s *Server) dispatchNotification(ctx context.Context, m method, name string, sc scope, params json.RawMessage) (err error) {
	p, err := decodeParams(name, params)
	if err != nil {
		return err
	}
	defer s.recovered(ctx, name, &err)
	c := &call{method: name, scope: sc}
	_, err = s.chain()(context.WithValue(ctx, callKey{}, c), name, m.request(sc.ss, p, extraOf(ctx, nil)))
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, told := errors.AsType[*jsonrpc.Error](err); told {
		return err
	}
	s.log.ErrorContext(ctx, "handler failed", "method", name, "error", err)
	return nil // JSON-RPC 2.0 §4.1: nobody is told of a notification that fails
}

// abort cancels a request of the client, wherever it came in.
func (x *exchange) abort(ctx context.Context, id callID) {
	x.calls.abort(id)
	n, err := x.srv.sessionOf(ctx, head{header: x.header, stream: x.current()})
	if err == nil && n != nil {
		n.calls.abort(id)
	}
}

// response takes a client's response to a request of the server.
func (x *exchange) response(ctx context.Context, r *mcpv1.JsonRpcResponse) error {
	id, ok, err := requestID(r.Id, r.IntId)
	if err != nil {
		return err
	}
	if !ok || !id.isText {
		return invalidRequest("response to an unknown request")
	}
	n, err := x.srv.sessionOf(ctx, head{header: x.header, stream: x.current()})
	if err != nil {
		return err
	}
	if n == nil {
		return invalidRequest("response to an unknown request %s: there is no session", id)
	}
	res, err := responseOf(r)
	if err != nil {
		x.spoil(ctx, r)
		return err
	}
	return n.answer(ctx, id.text, res)
}

// spoil tells the handler that waits for a response that it is unusable; nil is none.
func (x *exchange) spoil(ctx context.Context, r *mcpv1.JsonRpcResponse) {
	n, err := x.srv.sessionOf(ctx, head{header: x.header, stream: x.current()})
	if err != nil || n == nil || r.GetId() == "" {
		return
	}
	wire := &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "malformed response"}
	// If nobody waits, nobody is to be told.
	_ = n.answer(ctx, r.GetId(), &jsonrpc.Response{Error: wire})
}
