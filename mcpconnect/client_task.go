// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// The SDK has no types for tasks; their methods take those of the proto. What the client
// adds to `_meta` it adds to copies.

// GetTask tells how a task stands, with its result, its error or its questions.
func (c *Client) GetTask(ctx context.Context, req *mcpv1.GetTaskRequest) (*mcpv1.GetTaskResponse, error) {
	r := cloneOf(req)
	return task(ctx, c, methodGetTask, r.GetTaskId(), r.GetMeta(), func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.GetTaskResponse, error) {
		r.Meta = meta
		return c.link.rpc.GetTask(ctx, r)
	})
}

// UpdateTask answers questions of a task.
func (c *Client) UpdateTask(ctx context.Context, req *mcpv1.UpdateTaskRequest) (*mcpv1.UpdateTaskResponse, error) {
	r := cloneOf(req)
	return task(ctx, c, methodUpdateTask, r.GetTaskId(), r.GetMeta(), func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.UpdateTaskResponse, error) {
		r.Meta = meta
		return c.link.rpc.UpdateTask(ctx, r)
	})
}

// CancelTask asks a task to stop.
func (c *Client) CancelTask(ctx context.Context, req *mcpv1.CancelTaskRequest) (*mcpv1.CancelTaskResponse, error) {
	r := cloneOf(req)
	return task(ctx, c, methodCancelTask, r.GetTaskId(), r.GetMeta(), func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.CancelTaskResponse, error) {
		r.Meta = meta
		return c.link.rpc.CancelTask(ctx, r)
	})
}

// cloneOf gives a copy of req, an empty message for nil.
func cloneOf[T any, M interface {
	*T
	proto.Message
}](req M) M {
	if req == nil {
		return new(T)
	}
	return proto.CloneOf(req)
}

func task[Res any](ctx context.Context, c *Client, method, id string, own *mcpv1.RequestMeta, rpc func(context.Context, *mcpv1.RequestMeta) (*Res, error)) (*Res, error) {
	var meta mcp.Meta
	if own != nil {
		var err error
		if meta, err = mapping.SDKMeta(own, nil, nil); err != nil {
			return nil, invalidCall(err)
		}
	}
	return unary(ctx, c, call{method: method, name: id, meta: meta}, rpc)
}
