// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A TaskStartedError says that the server made a task of a tool call. It can do so only
// if the client declares the tasks extension (see [WithCapabilities]). The call goes on;
// [Client.GetTask] tells how.
type TaskStartedError struct {
	Task *mcpv1.Task
}

// Error names the task.
func (e *TaskStartedError) Error() string {
	return fmt.Sprintf("mcpconnect: the call goes on as task %q", e.Task.GetTaskId())
}

// CallTool calls a tool. Arguments may be anything that is a JSON object; a
// [json.RawMessage] goes to the server as it is. A tool that fails by itself gives a result
// with IsError, not an error.
//
// If the server needs input, CallTool asks the handlers of the client and calls again, as
// often as 10 times. If there is no handler for what is asked, it returns the question: a
// result whose NeedsInput is true. CallTool with InputResponses and the RequestState goes
// on from there.
//
// A server that makes a task of the call gives a [*TaskStartedError].
func (c *Client) CallTool(ctx context.Context, params *mcp.CallToolParams) (*mcp.CallToolResult, error) {
	if params == nil {
		params = &mcp.CallToolParams{}
	}
	return inRounds(ctx, c, rounds[mcp.CallToolResult]{
		try: func(answers mcp.InputResponseMap, state string) (*mcp.CallToolResult, error) {
			p := *params
			if answers != nil {
				p.InputResponses, p.RequestState = answers, state
			}
			return c.callToolOnce(ctx, &p)
		},
		question: func(r *mcp.CallToolResult) (mcp.InputRequestMap, string, bool) {
			return r.InputRequests, r.RequestState, r.NeedsInput()
		},
	})
}

// callToolOnce makes one round of a call: by InvokeTool, or by the CallTool stream if
// somebody wants to hear more than the outcome.
func (c *Client) callToolOnce(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error) {
	if c.isPlain(p) {
		if res, err := c.callPlain(ctx, p); !errors.Is(err, errNoFrames) && !errors.Is(err, errMoreScope) {
			return res, err
		}
	}
	req, err := mapping.FromSDKCallTool(p)
	if err != nil {
		return nil, invalidCall(err)
	}
	inherited, err := c.speaksInherited(ctx)
	if err != nil {
		return nil, err
	}
	if inherited {
		if err := structArguments(req); err != nil {
			return nil, err
		}
	}
	meta := c.wanted(p.Meta)
	k := call{method: methodCallTool, name: p.Name, meta: meta}
	if inherited || meta["progressToken"] != nil || meta[mcp.MetaKeyLogLevel] != nil || c.cfg.typed.log != nil {
		return c.streamTool(ctx, k, req)
	}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.InvokeToolResponse, error) {
		req.Meta = meta
		return c.link.rpc.InvokeTool(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return c.toolOutcome(m)
}

func (c *Client) toolOutcome(m *mcpv1.InvokeToolResponse) (*mcp.CallToolResult, error) {
	switch k := m.GetOutcome().(type) {
	case *mcpv1.InvokeToolResponse_Result:
		return c.toolResult(k.Result)
	case *mcpv1.InvokeToolResponse_InputRequired:
		return resultOf(k.InputRequired, &mcp.CallToolResult{})
	case *mcpv1.InvokeToolResponse_Task:
		return nil, &TaskStartedError{k.Task}
	}
	return nil, invalidAnswer(errors.New("no outcome"))
}

// wanted adds to the `_meta` of a tool call what the handlers of the client want to hear.
func (c *Client) wanted(meta mcp.Meta) mcp.Meta {
	t := &c.cfg.typed
	token := t.progress != nil && meta["progressToken"] == nil
	level := t.log != nil && !c.legacy() && meta[mcp.MetaKeyLogLevel] == nil
	if !token && !level {
		return meta
	}
	meta = maps.Clone(meta)
	if meta == nil {
		meta = mcp.Meta{}
	}
	if token {
		meta["progressToken"] = c.tokens.Add(1)
	}
	if level {
		meta[mcp.MetaKeyLogLevel] = string(t.logLevel)
	}
	return meta
}

// toolResult gives a result, whose message is of no use after that.
func (c *Client) toolResult(m *mcpv1.CallToolResult) (*mcp.CallToolResult, error) {
	meta := m.GetMeta()
	known := meta.GetValues() == nil && len(meta.GetValuesJson()) > 0 && len(m.GetExtraJson()) == 0
	if known {
		m.Meta = nil
	}
	res, err := mapping.SDKCallToolResult(m)
	if err == nil && known {
		res.Meta, err = c.metas.get(meta.GetValuesJson(), func() (mcp.Meta, error) { return mapping.SDKResultMeta(meta) })
	}
	if err != nil {
		return nil, invalidAnswer(err)
	}
	return res, nil
}

// streamTool calls a tool by the CallTool RPC, once more if the session was lost.
func (c *Client) streamTool(ctx context.Context, k call, req *mcpv1.CallToolRequest) (*mcp.CallToolResult, error) {
	for again := false; ; again = true {
		ctx, meta, s, err := c.prepare(ctx, k)
		if err != nil {
			return nil, err
		}
		req.Meta = meta
		res, err := c.followTool(ctx, req)
		if e, ok := err.(*callError); ok && c.lost(s, e) && !again { //nolint:errorlint // never wrapped
			continue
		}
		return res, err
	}
}

// followTool hears a call out.
func (c *Client) followTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcp.CallToolResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of a handler that panics, and of what the server still sends
	stream, err := c.link.rpc.CallTool(ctx, req)
	if err != nil {
		return nil, newCallError(err)
	}
	defer stream.Close()
	for stream.Receive() {
		switch k := stream.Msg().GetKind().(type) {
		case *mcpv1.CallToolEvent_Progress:
			if h := c.cfg.typed.progress; h != nil {
				h(ctx, progressOf(k.Progress, req))
			}
		case *mcpv1.CallToolEvent_Log:
			if err := c.tellLog(ctx, k.Log); err != nil {
				return nil, err
			}
		case nil: // of a kind that is not known
		default:
			last := stream.Msg()
			stream.Receive() // the end: without it the RPC would count as cancelled
			return c.outcomeOf(last)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, newCallError(err)
	}
	return nil, unavailable("the server ended the call without an outcome")
}

func (c *Client) outcomeOf(e *mcpv1.CallToolEvent) (*mcp.CallToolResult, error) {
	switch k := e.GetKind().(type) {
	case *mcpv1.CallToolEvent_Result:
		return c.toolResult(k.Result)
	case *mcpv1.CallToolEvent_InputRequired:
		return resultOf(k.InputRequired, &mcp.CallToolResult{})
	case *mcpv1.CallToolEvent_Task:
		return nil, &TaskStartedError{k.Task}
	default:
		return nil, eventError(e.GetError())
	}
}

// progressOf gives the notification; a server of the inherited fields names no token.
func progressOf(m *mcpv1.CallToolProgress, req *mcpv1.CallToolRequest) *mcp.ProgressNotificationParams {
	p := mapping.SDKProgress(m)
	if m.GetProgressToken() == nil {
		p.ProgressToken = mapping.SDKProgressToken(req.GetMeta().GetProgressToken())
	}
	return p
}

func (c *Client) tellLog(ctx context.Context, m *mcpv1.LogMessage) error {
	h := c.cfg.typed.log
	if h == nil {
		return nil
	}
	p, err := mapping.SDKLog(m)
	if err != nil {
		return invalidAnswer(err)
	}
	h(ctx, p)
	return nil
}

// eventError gives the error of an event: it has no status of its own (SPEC.md §11.2).
func eventError(m *mcpv1.JsonRpcError) error {
	wire := wireError(m)
	code := connect.CodeUnknown
	switch wire.Code {
	case jsonrpc.CodeParseError, jsonrpc.CodeInvalidRequest, jsonrpc.CodeInvalidParams:
		code = connect.CodeInvalidArgument
	case jsonrpc.CodeMethodNotFound:
		code = connect.CodeUnimplemented
	case jsonrpc.CodeInternalError:
		code = connect.CodeInternal
	}
	return &callError{text: wire.Message, wire: wire, rpc: connect.NewError(code, errors.New(wire.Message))}
}
