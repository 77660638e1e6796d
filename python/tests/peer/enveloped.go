// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// enveloped calls by the SDK's client, whose messages are JSON-RPC in envelopes.
type enveloped struct{ session *mcp.ClientSession }

func newEnveloped(ctx context.Context, url, version string, options []mcpconnect.ClientOption, out *lines) (*enveloped, error) {
	client := mcp.NewClient(implementation(), &mcp.ClientOptions{
		CreateMessageWithToolsHandler: complete,
		ElicitationHandler:            elicit,
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) {
			out.write(map[string]any{"event": "log", "params": r.Params})
		},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			out.write(map[string]any{"event": "progress", "params": r.Params})
		},
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			out.write(map[string]any{"event": "tools_changed"})
		},
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
			out.write(map[string]any{"event": "resource_updated", "params": r.Params})
		},
	})
	client.AddRoots(root())
	session, err := client.Connect(ctx, mcpconnect.NewTransport(url, options...), &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return nil, err
	}
	return &enveloped{session}, nil
}

func (e *enveloped) close() error { return e.session.Close() }

func (e *enveloped) call(ctx context.Context, k command, _ func(any)) (any, error) {
	if res, known, err := common(ctx, e.session, k); known {
		return res, err
	}
	switch k.Method {
	case "ping":
		return struct{}{}, e.session.Ping(ctx, nil)
	case "resources/subscribe":
		return with(ctx, k, func(ctx context.Context, p *mcp.SubscribeParams) (*struct{}, error) {
			return &struct{}{}, e.session.Subscribe(ctx, p)
		})
	case "logging/setLevel":
		return with(ctx, k, func(ctx context.Context, p *mcp.SetLoggingLevelParams) (*struct{}, error) {
			return &struct{}{}, e.session.SetLoggingLevel(ctx, p)
		})
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: k.Method + ": the peer has no such call"}
}
