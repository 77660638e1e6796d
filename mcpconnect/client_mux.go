// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"sync/atomic"

	"connectrpc.com/connect"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// muxedRPC makes unary RPCs as frames of a multiplexed stream, once it is switched on, and
// the others as they are. Requests are the same, and so are responses and errors.
type muxedRPC struct {
	mcpv1connect.MCPClient
	mux *mux
	// state begins at muxUnknown: a server that knows just the inherited fields may never
	// answer a hello, so it must have shown that it knows more.
	state atomic.Int32
}

// States of a muxedRPC.
const (
	muxUnknown = iota
	muxOn
	muxOff // the server has no frames
)

func (m *muxedRPC) enable() { m.state.CompareAndSwap(muxUnknown, muxOn) }

func newMuxedRPC(l *link, limit int) *muxedRPC {
	return &muxedRPC{MCPClient: l.rpc, mux: newMux(l.stream, limit)}
}

// muxed makes a call by its frame, or by rpc if the server has no frames.
func muxed[Req, Res any](ctx context.Context, m *muxedRPC, req Req, frame func(Req) *mcpv1.CallFrame, reply func(*mcpv1.ReplyFrame) *Res, rpc func(context.Context, Req) (*Res, error)) (*Res, error) {
	if m.state.Load() != muxOn {
		return rpc(ctx, req)
	}
	r, err := m.mux.roundTrip(ctx, frame(req))
	switch {
	case errors.Is(err, errNoFrames):
		m.state.Store(muxOff)
		return rpc(ctx, req)
	case errors.Is(err, errMoreScope):
		return rpc(ctx, req)
	case err != nil:
		return nil, asConnectError(err)
	}
	res := reply(r)
	if res == nil {
		return nil, errAnotherKind
	}
	return res, nil
}

// asConnectError gives the end of a context the form that connect's own clients give it.
func asConnectError(err error) error {
	if _, ok := errors.AsType[*connect.Error](err); ok {
		return err
	}
	code := connect.CodeCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		code = connect.CodeDeadlineExceeded
	}
	return connect.NewError(code, err)
}

func (m *muxedRPC) InvokeTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.CallToolRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_CallTool{CallTool: r}}
	}, (*mcpv1.ReplyFrame).GetCallTool, m.MCPClient.InvokeTool)
}

func (m *muxedRPC) ListTools(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.ListToolsRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ListTools{ListTools: r}}
	}, (*mcpv1.ReplyFrame).GetListTools, m.MCPClient.ListTools)
}

func (m *muxedRPC) ListResources(ctx context.Context, req *mcpv1.ListResourcesRequest) (*mcpv1.ListResourcesResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.ListResourcesRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ListResources{ListResources: r}}
	}, (*mcpv1.ReplyFrame).GetListResources, m.MCPClient.ListResources)
}

func (m *muxedRPC) ListResourceTemplates(ctx context.Context, req *mcpv1.ListResourceTemplatesRequest) (*mcpv1.ListResourceTemplatesResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.ListResourceTemplatesRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ListResourceTemplates{ListResourceTemplates: r}}
	}, (*mcpv1.ReplyFrame).GetListResourceTemplates, m.MCPClient.ListResourceTemplates)
}

func (m *muxedRPC) ReadResource(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.ReadResourceRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ReadResource{ReadResource: r}}
	}, (*mcpv1.ReplyFrame).GetReadResource, m.MCPClient.ReadResource)
}

func (m *muxedRPC) ListPrompts(ctx context.Context, req *mcpv1.ListPromptsRequest) (*mcpv1.ListPromptsResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.ListPromptsRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ListPrompts{ListPrompts: r}}
	}, (*mcpv1.ReplyFrame).GetListPrompts, m.MCPClient.ListPrompts)
}

func (m *muxedRPC) GetPrompt(ctx context.Context, req *mcpv1.GetPromptRequest) (*mcpv1.GetPromptResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.GetPromptRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_GetPrompt{GetPrompt: r}}
	}, (*mcpv1.ReplyFrame).GetGetPrompt, m.MCPClient.GetPrompt)
}

func (m *muxedRPC) Complete(ctx context.Context, req *mcpv1.CompleteRequest) (*mcpv1.CompleteResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.CompleteRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_Complete{Complete: r}}
	}, (*mcpv1.ReplyFrame).GetComplete, m.MCPClient.Complete)
}

func (m *muxedRPC) GetTask(ctx context.Context, req *mcpv1.GetTaskRequest) (*mcpv1.GetTaskResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.GetTaskRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_GetTask{GetTask: r}}
	}, (*mcpv1.ReplyFrame).GetGetTask, m.MCPClient.GetTask)
}

func (m *muxedRPC) UpdateTask(ctx context.Context, req *mcpv1.UpdateTaskRequest) (*mcpv1.UpdateTaskResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.UpdateTaskRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_UpdateTask{UpdateTask: r}}
	}, (*mcpv1.ReplyFrame).GetUpdateTask, m.MCPClient.UpdateTask)
}

func (m *muxedRPC) CancelTask(ctx context.Context, req *mcpv1.CancelTaskRequest) (*mcpv1.CancelTaskResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.CancelTaskRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_CancelTask{CancelTask: r}}
	}, (*mcpv1.ReplyFrame).GetCancelTask, m.MCPClient.CancelTask)
}

func (m *muxedRPC) Ping(ctx context.Context, req *mcpv1.PingRequest) (*mcpv1.PingResponse, error) {
	return muxed(ctx, m, req, func(r *mcpv1.PingRequest) *mcpv1.CallFrame {
		return &mcpv1.CallFrame{Request: &mcpv1.CallFrame_Ping{Ping: r}}
	}, (*mcpv1.ReplyFrame).GetPing, m.MCPClient.Ping)
}
