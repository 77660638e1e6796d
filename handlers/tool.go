// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"fmt"
	"sync"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// InvokeTool implements the InvokeTool RPC: a call whose outcome alone matters.
func (s *Server) InvokeTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	outcome, err := s.callTool(ctx, req, nil)
	if err != nil {
		return nil, s.fail(ctx, methodCallTool, err, req.GetMeta().GetJsonEncoding())
	}
	return invoked(outcome), nil
}

func invoked(outcome proto.Message) *mcpv1.InvokeToolResponse {
	r := &mcpv1.InvokeToolResponse{}
	switch m := outcome.(type) {
	case *mcpv1.CallToolResult:
		r.Outcome = &mcpv1.InvokeToolResponse_Result{Result: m}
	case *mcpv1.InputRequired:
		r.Outcome = &mcpv1.InvokeToolResponse_InputRequired{InputRequired: m}
	case *mcpv1.Task:
		r.Outcome = &mcpv1.InvokeToolResponse_Task{Task: m}
	}
	return r
}

// CallTool implements the CallTool RPC: a call with its progress and log.
func (s *Server) CallTool(ctx context.Context, req *mcpv1.CallToolRequest, stream *connect.ServerStream[mcpv1.CallToolEvent]) error {
	return s.callToolEvents(ctx, req, func(e *mcpv1.CallToolEvent) error {
		if s.isOverLimit(e) {
			return s.errTooLarge()
		}
		return stream.Send(e)
	})
}

// callToolEvents runs a tool and emits its events, the outcome last.
func (s *Server) callToolEvents(ctx context.Context, req *mcpv1.CallToolRequest, emit func(*mcpv1.CallToolEvent) error) error {
	ctx, cancel := authn.UntilEnd(ctx)
	defer cancel()
	events := &toolEvents{emit: emit, enc: req.GetMeta().GetJsonEncoding()}
	defer events.close()
	outcome, err := s.callTool(ctx, req, events)
	if err == nil {
		err = events.send(lastEvent(outcome))
	}
	return s.fail(ctx, methodCallTool, err, events.enc)
}

// callTool runs a tool and gives one of *CallToolResult, *InputRequired and *Task.
func (s *Server) callTool(ctx context.Context, req *mcpv1.CallToolRequest, out sink) (proto.Message, error) {
	c, ctx, done, err := s.begin(ctx, methodCallTool, req)
	if err != nil {
		return nil, err
	}
	defer done()
	if c.params, err = mapping.SDKParams(req, c.scope.meta); err != nil {
		return nil, jsonError(err)
	}
	if err := s.checkParamHeaders(ctx, c, false); err != nil {
		return nil, err
	}
	c.sink = out
	res, err := s.dispatch(ctx, c)
	if err != nil {
		return nil, err
	}
	return mapping.ToolOutcome(res, s.resultOptions(&c.scope))
}

// toolEvents is the sink of a typed call: it writes to the call's own stream.
type toolEvents struct {
	enc mcpv1.JsonEncoding

	mu     sync.Mutex // streams take one message at a time
	emit   func(*mcpv1.CallToolEvent) error
	closed bool
}

func (t *toolEvents) notify(_ context.Context, method string, params mcp.Params) error {
	var e mcpv1.CallToolEvent
	switch method {
	case methodProgress:
		m, err := progress(params, t.enc)
		if err != nil {
			return err
		}
		e.Kind = &mcpv1.CallToolEvent_Progress{Progress: m}
	case methodMessage:
		m, err := mapping.Log(params, t.enc)
		if err != nil {
			return err
		}
		e.Kind = &mcpv1.CallToolEvent_Log{Log: m}
	default:
		return nil // there is no event for it
	}
	return t.send(&e)
}

func progress(params mcp.Params, enc mcpv1.JsonEncoding) (*mcpv1.CallToolProgress, error) {
	switch p := params.(type) {
	case *mcp.ProgressNotificationParams:
		return mapping.Progress(p, enc)
	case *raw.Notification:
		return mapping.RawProgress(p, enc)
	}
	return nil, fmt.Errorf("progress of type %T", params)
}

// ask fails: a typed stream has no place for requests to the client.
func (t *toolEvents) ask(context.Context, *serverRequest) error { return errNoStream }

// lastEvent gives the event that ends a call.
func lastEvent(outcome proto.Message) *mcpv1.CallToolEvent {
	e := &mcpv1.CallToolEvent{}
	switch m := outcome.(type) {
	case *mcpv1.CallToolResult:
		e.Kind = &mcpv1.CallToolEvent_Result{Result: m}
	case *mcpv1.InputRequired:
		e.Kind = &mcpv1.CallToolEvent_InputRequired{InputRequired: m}
	case *mcpv1.Task:
		e.Kind = &mcpv1.CallToolEvent_Task{Task: m}
	}
	return e
}

func (t *toolEvents) send(e *mcpv1.CallToolEvent) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errStreamClosed
	}
	return t.emit(e)
}

// close makes later events fail: the stream is gone once its handler returned.
func (t *toolEvents) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}
