// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"iter"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// resultOf converts the answer of an RPC.
func resultOf[R mcp.Result](m proto.Message, res R) (R, error) {
	if err := mapping.SDKResult(m, res); err != nil {
		var none R
		return none, invalidAnswer(err)
	}
	return res, nil
}

// cursorField gives the field of a cursor; an empty one asks for the first page.
func cursorField(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}

// ListTools gives one page of the tools.
func (c *Client) ListTools(ctx context.Context, params *mcp.ListToolsParams) (*mcp.ListToolsResult, error) {
	if params == nil {
		params = &mcp.ListToolsParams{}
	}
	k := call{method: methodListTools, meta: params.Meta}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.ListToolsResponse, error) {
		return c.link.rpc.ListTools(ctx, &mcpv1.ListToolsRequest{Meta: meta, Cursor: cursorField(params.Cursor)})
	})
	if err != nil {
		return nil, err
	}
	res, err := mapping.SDKListTools(m)
	if err != nil {
		return nil, invalidAnswer(err)
	}
	return res, nil
}

// ListResources gives one page of the resources.
func (c *Client) ListResources(ctx context.Context, params *mcp.ListResourcesParams) (*mcp.ListResourcesResult, error) {
	if params == nil {
		params = &mcp.ListResourcesParams{}
	}
	k := call{method: methodListResources, meta: params.Meta}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.ListResourcesResponse, error) {
		return c.link.rpc.ListResources(ctx, &mcpv1.ListResourcesRequest{Meta: meta, Cursor: cursorField(params.Cursor)})
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.ListResourcesResult{})
}

// ListResourceTemplates gives one page of the templates of resources.
func (c *Client) ListResourceTemplates(ctx context.Context, params *mcp.ListResourceTemplatesParams) (*mcp.ListResourceTemplatesResult, error) {
	if params == nil {
		params = &mcp.ListResourceTemplatesParams{}
	}
	k := call{method: methodListTemplates, meta: params.Meta}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.ListResourceTemplatesResponse, error) {
		return c.link.rpc.ListResourceTemplates(ctx, &mcpv1.ListResourceTemplatesRequest{Meta: meta, Cursor: cursorField(params.Cursor)})
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.ListResourceTemplatesResult{})
}

// ListPrompts gives one page of the prompts.
func (c *Client) ListPrompts(ctx context.Context, params *mcp.ListPromptsParams) (*mcp.ListPromptsResult, error) {
	if params == nil {
		params = &mcp.ListPromptsParams{}
	}
	k := call{method: methodListPrompts, meta: params.Meta}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.ListPromptsResponse, error) {
		return c.link.rpc.ListPrompts(ctx, &mcpv1.ListPromptsRequest{Meta: meta, Cursor: cursorField(params.Cursor)})
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.ListPromptsResult{})
}

// pages goes through all pages of a list, from cursor on. An error is the last element.
func pages[T any](cursor string, list func(cursor string) (page []*T, next string, err error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for from := cursor; ; {
			page, next, err := list(from)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if from = next; from == "" {
				return
			}
		}
	}
}

// Tools gives all tools, from the cursor of params on, page by page as they are needed.
// An error is the last element.
func (c *Client) Tools(ctx context.Context, params *mcp.ListToolsParams) iter.Seq2[*mcp.Tool, error] {
	var p mcp.ListToolsParams
	if params != nil {
		p = *params
	}
	return pages(p.Cursor, func(cursor string) ([]*mcp.Tool, string, error) {
		res, err := c.ListTools(ctx, &mcp.ListToolsParams{Meta: p.Meta, Cursor: cursor})
		if err != nil {
			return nil, "", err
		}
		return res.Tools, res.NextCursor, nil
	})
}

// Resources gives all resources, as [Client.Tools] does tools.
func (c *Client) Resources(ctx context.Context, params *mcp.ListResourcesParams) iter.Seq2[*mcp.Resource, error] {
	var p mcp.ListResourcesParams
	if params != nil {
		p = *params
	}
	return pages(p.Cursor, func(cursor string) ([]*mcp.Resource, string, error) {
		res, err := c.ListResources(ctx, &mcp.ListResourcesParams{Meta: p.Meta, Cursor: cursor})
		if err != nil {
			return nil, "", err
		}
		return res.Resources, res.NextCursor, nil
	})
}

// ResourceTemplates gives all templates of resources, as [Client.Tools] does tools.
func (c *Client) ResourceTemplates(ctx context.Context, params *mcp.ListResourceTemplatesParams) iter.Seq2[*mcp.ResourceTemplate, error] {
	var p mcp.ListResourceTemplatesParams
	if params != nil {
		p = *params
	}
	return pages(p.Cursor, func(cursor string) ([]*mcp.ResourceTemplate, string, error) {
		res, err := c.ListResourceTemplates(ctx, &mcp.ListResourceTemplatesParams{Meta: p.Meta, Cursor: cursor})
		if err != nil {
			return nil, "", err
		}
		return res.ResourceTemplates, res.NextCursor, nil
	})
}

// Prompts gives all prompts, as [Client.Tools] does tools.
func (c *Client) Prompts(ctx context.Context, params *mcp.ListPromptsParams) iter.Seq2[*mcp.Prompt, error] {
	var p mcp.ListPromptsParams
	if params != nil {
		p = *params
	}
	return pages(p.Cursor, func(cursor string) ([]*mcp.Prompt, string, error) {
		res, err := c.ListPrompts(ctx, &mcp.ListPromptsParams{Meta: p.Meta, Cursor: cursor})
		if err != nil {
			return nil, "", err
		}
		return res.Prompts, res.NextCursor, nil
	})
}
