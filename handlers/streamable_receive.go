// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// receive is what our receiving middleware does for a request over Streamable HTTP: what
// dispatch does for the others.
func (h *streamable) receive(ctx context.Context, next mcp.MethodHandler, method string, req mcp.Request) (_ mcp.Result, err error) {
	s := h.srv
	if isNotification(method) {
		// Its HTTP request may have been answered by now. The session is its caller's own.
		defer s.recovered(ctx, method, &err)
		return next(ctx, method, req)
	}
	p := h.postOf(req)
	if p == nil {
		// The client has left before its message was looked at: nobody knows any more
		// who it was.
		return nil, ended(context.Canceled).wire
	}
	if caller := authn.FromContext(p.caller); caller != nil {
		ctx = authn.NewContext(ctx, caller)
	}
	ctx, cancel := authn.UntilEnd(ctx)
	defer cancel()
	if p.params != nil {
		ctx = context.WithValue(ctx, raw.Key{}, raw.Text(p.params))
	}
	if method == methodListen {
		drained, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(s.drain, end)()
		ctx = drained
	}
	res, err := h.run(ctx, next, method, req, p)
	if err == nil {
		return res, nil
	}
	wire := s.toRPCError(ctx, method, err)
	if wire.code == connect.CodePermissionDenied {
		p.deny(wire.wire)
	}
	return nil, wire.wire
}

// unknown serves a request of a method that the server does not know, in the session of p.
func (h *streamable) unknown(method string, p *post) (_ json.RawMessage, failed *jsonrpc.Error) {
	s := h.srv
	ss := s.sessions.httpSession(p.header.Get(headerSession))
	if !s.cfg.UnknownMethods || ss == nil || p.id == nil || legacyOnly[method] || isNotification(method) {
		return nil, methodNotFound(method).wire
	}
	// It goes by receive, as those do that the SDK hands over.
	res, err := s.calling(p.caller, method, &mcp.ServerRequest[*raw.UnknownParams]{
		Session: ss, Params: &raw.UnknownParams{JSON: p.params}, Extra: extraOf(p.caller, p.header),
	})
	var text json.RawMessage
	if err == nil {
		text, err = mapping.EncodeSDK(res)
	}
	if err != nil {
		return nil, s.toRPCError(p.caller, method, err).wire
	}
	return text, nil
}

// run lets the server serve a request that its caller may make.
func (h *streamable) run(ctx context.Context, next mcp.MethodHandler, method string, req mcp.Request, p *post) (res mcp.Result, err error) {
	s := h.srv
	if s.cfg.Policy != nil {
		if err := s.allowParams(ctx, method, req.GetParams()); err != nil {
			return nil, err
		}
	}
	ctx, release, err := s.sessions.callHTTP(ctx, req.GetSession(), s.cfg.MaxCalls)
	if err != nil {
		return nil, err
	}
	defer release()
	if method == methodInitialize {
		if err := s.hasRoom(); err != nil {
			return nil, err
		}
	}
	if s.cfg.Tracer != nil {
		// What the SDK made of the context may belong to the request that opened the session.
		ctx = trace.ContextWithSpan(ctx, trace.SpanFromContext(p.caller))
	}
	ctx, endSpan := s.startSpan(ctx, method, p.header, requestMeta(req))
	defer func() { endSpan(err) }()
	defer s.recovered(ctx, method, &err)
	res, err = next(ctx, method, req)
	switch {
	case err != nil:
		return nil, err
	case isNil(res):
		return nil, errNoResult
	case method == methodInitialize:
		if err := s.listHTTP(req.GetSession(), userOf(p.caller)); err != nil {
			return nil, err
		}
	}
	if s.cfg.Policy != nil {
		return s.visible(ctx, method, res)
	}
	return res, nil
}

// postOf finds the HTTP request that a message came in.
func (h *streamable) postOf(req mcp.Request) *post {
	extra := req.GetExtra()
	if extra == nil || extra.Header == nil {
		return nil
	}
	p, _ := h.posts.Load(headerAddress(extra.Header))
	found, _ := p.(*post)
	return found
}

// headerAddress tells one header from another.
func headerAddress(header http.Header) uintptr { return reflect.ValueOf(header).Pointer() }

func requestMeta(req mcp.Request) map[string]any {
	params := req.GetParams()
	if isNil(params) {
		return nil
	}
	return params.GetMeta()
}

// allowMessage is allow for a message that has not been decoded.
func (s *Server) allowMessage(ctx context.Context, method string, params json.RawMessage) error {
	if _, ok := methods[method]; !ok {
		return s.allowJSON(ctx, method, params)
	}
	p, err := decodeParams(method, params)
	if err != nil {
		return err
	}
	return s.allow(ctx, &call{method: method, params: p})
}

// allowParams is allow for params that the SDK has decoded.
func (s *Server) allowParams(ctx context.Context, method string, params mcp.Params) error {
	if _, ok := methods[method]; ok {
		return s.allow(ctx, &call{method: method, params: params})
	}
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return s.allowJSON(ctx, method, text)
}
