// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
)

// throughConnection runs a modern request through a session and connection of its own,
// as the SDK's transports do: for methods that users registered, whose params only the
// SDK can decode. params and the result pass as they are. peer says who calls; nil
// takes it from params.
func (s *Server) throughConnection(ctx context.Context, c *call, peer *mcp.InitializeParams, params json.RawMessage) (json.RawMessage, error) {
	answer := make(chan *jsonrpc.Response, 1)
	p := newPipe("")
	p.write = func(_ context.Context, m jsonrpc.Message) error {
		switch m := m.(type) {
		case *jsonrpc.Response:
			answer <- m // there is but one request
		case *jsonrpc.Request:
			if m.IsCall() {
				return rejection{methodNotFound(m.Method)}
			}
		}
		return nil
	}
	var state *mcp.ServerSessionOptions
	if peer != nil {
		state = modernState(peer)
	}
	ss, err := s.server.Connect(context.Background(), p, state)
	if err != nil {
		return nil, err
	}
	defer closeSession(ss)
	id, err := jsonrpc.MakeID(float64(1))
	if err != nil {
		return nil, err
	}
	r := &jsonrpc.Request{ID: id, Method: c.method, Params: params}
	defer s.expect(ctx, c, r)()
	res, err := await(ctx, p, r, answer, func() {})
	return outcome(res, err)
}

// throughSession is throughConnection for a legacy session.
func (s *Server) throughSession(ctx context.Context, c *call, params json.RawMessage) (json.RawMessage, error) {
	r := &jsonrpc.Request{Method: c.method, Params: params}
	defer s.expect(ctx, c, r)()
	return outcome(c.scope.session.inject(ctx, r))
}

func outcome(res *jsonrpc.Response, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return res.Result, res.Error
}

// expect lets our receiving middleware recognise r as the call c: the SDK runs it on a
// context of its own, and hands over just Extra.
func (s *Server) expect(ctx context.Context, c *call, r *jsonrpc.Request) (done func()) {
	s.beOutermost()
	c.caller = authn.FromContext(ctx)
	if c.extra == nil {
		c.extra = &mcp.RequestExtra{}
	}
	r.Extra = c.extra
	s.injected.Store(c.extra, c)
	return func() {
		s.injected.Delete(c.extra)
		c.end()
	}
}

// expected gives the call that a request with extra stands for, nil for a stranger's.
func (s *Server) expected(extra *mcp.RequestExtra) *call {
	known, ok := s.injected.Load(extra)
	if !ok {
		return nil
	}
	c, _ := known.(*call)
	return c
}

// modernState gives a session the state of a modern client: no handshake to wait for.
func modernState(peer *mcp.InitializeParams) *mcp.ServerSessionOptions {
	p := *peer
	if p.ProtocolVersion < firstModern {
		p.ProtocolVersion = firstModern
	}
	return &mcp.ServerSessionOptions{State: &mcp.ServerSessionState{
		InitializeParams:  &p,
		InitializedParams: &mcp.InitializedParams{},
		// Lets every message through to our sending middleware, which knows the level
		// that each request asked for.
		LogLevel: "debug",
	}}
}
