// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// plainCalls make calls of tools that have arguments and nothing else, which nearly all are,
// on the multiplexed stream. Such calls and their results are written and read as bytes.
type plainCalls struct {
	meta    []byte    // the encoded `_meta` of each call
	results metaCache // by the encoded Meta
}

// isPlain tells whether a call is one of them. Until the server has shown that it has frames,
// none is.
func (c *Client) isPlain(p *mcp.CallToolParams) bool {
	return c.err == nil && c.muxed != nil && c.muxed.state.Load() == muxOn &&
		len(p.Meta) == 0 && len(p.InputResponses) == 0 && p.RequestState == "" && utf8.ValidString(p.Name) &&
		c.cfg.typed.progress == nil && c.cfg.typed.log == nil
}

// callPlain makes a call for which isPlain is true.
func (c *Client) callPlain(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error) {
	arguments, err := mapping.Arguments(p)
	if err != nil {
		return nil, invalidCall(err)
	}
	outcome, err := c.muxed.mux.callTool(ctx, p.Name, arguments, c.plain.meta)
	if err != nil {
		if errors.Is(err, errNoFrames) || errors.Is(err, errMoreScope) {
			return nil, err
		}
		return nil, newCallError(asConnectError(err))
	}
	var text wire.TextResult
	if text.Parse(outcome) {
		return c.plain.result(&text)
	}
	var m mcpv1.InvokeToolResponse
	if err := proto.Unmarshal(outcome, &m); err != nil {
		return nil, invalidAnswer(err)
	}
	return c.toolOutcome(&m)
}

// result gives a result of plain text.
func (c *plainCalls) result(t *wire.TextResult) (*mcp.CallToolResult, error) {
	r := mapping.TextResult(t.Texts, t.Type)
	r.IsError = t.IsError
	if len(t.Structured) > 0 {
		var err error
		if r.StructuredContent, err = mapping.DecodeAny(t.Structured); err != nil {
			return nil, invalidAnswer(fmt.Errorf("structured_content: %w", err))
		}
	}
	if t.Meta == nil {
		return r, nil
	}
	meta, err := c.results.get(t.Meta, func() (mcp.Meta, error) { return decodeMeta(t.Meta) })
	if err != nil {
		return nil, invalidAnswer(err)
	}
	r.Meta = meta
	return r, nil
}

func decodeMeta(encoded []byte) (mcp.Meta, error) {
	var m mcpv1.Meta
	if err := proto.Unmarshal(encoded, &m); err != nil {
		return nil, err
	}
	return mapping.SDKResultMeta(&m)
}
