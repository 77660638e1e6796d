// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A caller calls the methods of a server in one form.
type caller interface {
	// call gives the result of a command; tell hears what comes before it.
	call(ctx context.Context, k command, tell func(any)) (any, error)
	close() error
}

// methods are what the typed client and the SDK's session have in common.
type methods interface {
	ListTools(context.Context, *mcp.ListToolsParams) (*mcp.ListToolsResult, error)
	ListResources(context.Context, *mcp.ListResourcesParams) (*mcp.ListResourcesResult, error)
	ListResourceTemplates(context.Context, *mcp.ListResourceTemplatesParams) (*mcp.ListResourceTemplatesResult, error)
	ListPrompts(context.Context, *mcp.ListPromptsParams) (*mcp.ListPromptsResult, error)
	CallTool(context.Context, *mcp.CallToolParams) (*mcp.CallToolResult, error)
	ReadResource(context.Context, *mcp.ReadResourceParams) (*mcp.ReadResourceResult, error)
	GetPrompt(context.Context, *mcp.GetPromptParams) (*mcp.GetPromptResult, error)
	Complete(context.Context, *mcp.CompleteParams) (*mcp.CompleteResult, error)
}

// with reads the params of a command and makes its call.
func with[P any, R any](ctx context.Context, k command, do func(context.Context, *P) (*R, error)) (any, error) {
	var params P
	if len(k.Params) > 0 {
		if err := json.Unmarshal(k.Params, &params); err != nil {
			return nil, err
		}
	}
	res, err := do(ctx, &params)
	if err != nil {
		return nil, err // not a nil *R in an interface
	}
	return res, nil
}

// common makes the calls of methods; false for others.
func common(ctx context.Context, m methods, k command) (res any, known bool, err error) {
	switch k.Method {
	case "tools/list":
		res, err = with(ctx, k, m.ListTools)
	case "resources/list":
		res, err = with(ctx, k, m.ListResources)
	case "resources/templates/list":
		res, err = with(ctx, k, m.ListResourceTemplates)
	case "prompts/list":
		res, err = with(ctx, k, m.ListPrompts)
	case "tools/call":
		res, err = with(ctx, k, func(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error) {
			if p.Arguments != nil {
				var exact struct{ Arguments json.RawMessage }
				if err := json.Unmarshal(k.Params, &exact); err != nil {
					return nil, err
				}
				p.Arguments = exact.Arguments
			}
			return m.CallTool(ctx, p)
		})
	case "resources/read":
		res, err = with(ctx, k, m.ReadResource)
	case "prompts/get":
		res, err = with(ctx, k, m.GetPrompt)
	case "completion/complete":
		res, err = with(ctx, k, m.Complete)
	default:
		return nil, false, nil
	}
	return res, true, err
}

func (f *calling) connect(ctx context.Context, url string, options []mcpconnect.ClientOption, out *lines) (caller, error) {
	switch f.form {
	case "envelope":
		return newEnveloped(ctx, url, f.version, options, out)
	case "typed":
		options = append(append(options, mcpconnect.WithoutMultiplexing()), telling(out)...)
	case "multiplexed":
	default:
		return nil, fmt.Errorf("-form %s: want typed, multiplexed or envelope", f.form)
	}
	return &typed{mcpconnect.NewClient(url, append(options, answering(f.version)...)...)}, nil
}

// typed calls the typed RPCs, or sends them as frames.
type typed struct{ client *mcpconnect.Client }

func (t *typed) close() error { return t.client.Close() }

func (t *typed) call(ctx context.Context, k command, tell func(any)) (any, error) {
	if res, known, err := common(ctx, t.client, k); known {
		return res, err
	}
	switch k.Method {
	case "server/discover":
		return with(ctx, k, t.client.Discover)
	case "ping":
		_, err := t.client.Ping(ctx)
		return struct{}{}, err
	case "subscriptions/listen":
		return with(ctx, k, func(ctx context.Context, p *mcp.SubscriptionsListenParams) (*struct{}, error) {
			for event, err := range t.client.Listen(ctx, p) {
				if err != nil {
					return nil, err
				}
				tell(event)
			}
			return &struct{}{}, nil
		})
	case "watch": // the RPC SubscribeResource
		return with(ctx, k, func(ctx context.Context, p *mcp.SubscribeParams) (*struct{}, error) {
			updates, err := t.client.SubscribeResource(ctx, p)
			if err != nil {
				return nil, err
			}
			tell("standing")
			for update, err := range updates {
				if err != nil {
					return nil, err
				}
				tell(update)
			}
			return &struct{}{}, nil
		})
	case "tasks/get":
		return with(ctx, k, func(ctx context.Context, p *mcpv1.GetTaskRequest) (*mcpv1.GetTaskResponse, error) {
			return t.client.GetTask(ctx, p)
		})
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: k.Method + ": the peer has no such call"}
}
