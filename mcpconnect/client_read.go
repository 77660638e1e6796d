// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// ReadResource reads a resource. It answers questions of the server as [Client.CallTool]
// does.
func (c *Client) ReadResource(ctx context.Context, params *mcp.ReadResourceParams) (*mcp.ReadResourceResult, error) {
	if params == nil {
		params = &mcp.ReadResourceParams{}
	}
	return inRounds(ctx, c, rounds[mcp.ReadResourceResult]{
		try: func(answers mcp.InputResponseMap, state string) (*mcp.ReadResourceResult, error) {
			p := *params
			if answers != nil {
				p.InputResponses, p.RequestState = answers, state
			}
			return c.readOnce(ctx, &p)
		},
		question: func(r *mcp.ReadResourceResult) (mcp.InputRequestMap, string, bool) {
			return r.InputRequests, r.RequestState, r.NeedsInput()
		},
	})
}

func (c *Client) readOnce(ctx context.Context, p *mcp.ReadResourceParams) (*mcp.ReadResourceResult, error) {
	k := call{method: methodReadResource, name: p.URI, meta: p.Meta}
	p.Meta = nil // written by unary
	req := &mcpv1.ReadResourceRequest{}
	if err := mapping.FromSDKParams(p, req); err != nil {
		return nil, invalidCall(err)
	}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.ReadResourceResponse, error) {
		req.Meta = meta
		return c.link.rpc.ReadResource(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.ReadResourceResult{})
}

// GetPrompt gives the messages of a prompt. It answers questions of the server as
// [Client.CallTool] does.
func (c *Client) GetPrompt(ctx context.Context, params *mcp.GetPromptParams) (*mcp.GetPromptResult, error) {
	if params == nil {
		params = &mcp.GetPromptParams{}
	}
	return inRounds(ctx, c, rounds[mcp.GetPromptResult]{
		try: func(answers mcp.InputResponseMap, state string) (*mcp.GetPromptResult, error) {
			p := *params
			if answers != nil {
				p.InputResponses, p.RequestState = answers, state
			}
			return c.promptOnce(ctx, &p)
		},
		question: func(r *mcp.GetPromptResult) (mcp.InputRequestMap, string, bool) {
			return r.InputRequests, r.RequestState, r.NeedsInput()
		},
	})
}

func (c *Client) promptOnce(ctx context.Context, p *mcp.GetPromptParams) (*mcp.GetPromptResult, error) {
	k := call{method: methodGetPrompt, name: p.Name, meta: p.Meta}
	p.Meta = nil // written by unary
	req := &mcpv1.GetPromptRequest{}
	if err := mapping.FromSDKParams(p, req); err != nil {
		return nil, invalidCall(err)
	}
	if len(req.ArgumentsJson) > 0 {
		inherited, err := c.speaksInherited(ctx)
		if err != nil {
			return nil, err
		}
		if inherited {
			if req.Arguments, err = structOf(req.ArgumentsJson); err != nil {
				return nil, err
			}
			req.ArgumentsJson = nil
		}
	}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.GetPromptResponse, error) {
		req.Meta = meta
		return c.link.rpc.GetPrompt(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.GetPromptResult{})
}

// Complete completes an argument of a prompt or of a template.
func (c *Client) Complete(ctx context.Context, params *mcp.CompleteParams) (*mcp.CompleteResult, error) {
	var p mcp.CompleteParams
	if params != nil {
		p = *params
	}
	k := call{method: methodComplete, meta: p.Meta}
	p.Meta = nil // written by unary
	req := &mcpv1.CompleteRequest{}
	if err := mapping.FromSDKParams(&p, req); err != nil {
		return nil, invalidCall(err)
	}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.CompleteResponse, error) {
		req.Meta = meta
		return c.link.rpc.Complete(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.CompleteResult{})
}
