// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
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
	meta []byte // the encoded `_meta` of each call
	// last is the `_meta` of a result lately read: nearly all results of a server have the
	// same.
	last atomic.Pointer[decodedMeta]
}

type decodedMeta struct {
	encoded []byte
	meta    *jsonTemplate
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
	return toolOutcome(&m)
}

// result gives a result of plain text.
func (c *plainCalls) result(t *wire.TextResult) (*mcp.CallToolResult, error) {
	r := mapping.TextResult(t.Texts, t.Type)
	r.IsError = t.IsError
	if len(t.Structured) > 0 {
		if err := json.Unmarshal(t.Structured, &r.StructuredContent); err != nil {
			return nil, invalidAnswer(fmt.Errorf("structured_content: %w", err))
		}
	}
	if t.Meta == nil {
		return r, nil
	}
	last := c.last.Load()
	if last == nil || !bytes.Equal(last.encoded, t.Meta) {
		meta, err := decodeMeta(t.Meta)
		if err != nil {
			return nil, invalidAnswer(err)
		}
		last = &decodedMeta{encoded: bytes.Clone(t.Meta), meta: newJSONTemplate(meta)}
		c.last.Store(last)
	}
	r.Meta = last.meta.object()
	return r, nil
}

func decodeMeta(encoded []byte) (mcp.Meta, error) {
	var m mcpv1.Meta
	if err := proto.Unmarshal(encoded, &m); err != nil {
		return nil, err
	}
	return mapping.SDKResultMeta(&m)
}

// A jsonTemplate makes copies of a decoded JSON object that share nothing that can be changed:
// results belong to their callers.
type jsonTemplate struct {
	flat    map[string]any
	objects map[string]*jsonTemplate
	arrays  map[string][]any
}

func newJSONTemplate(object map[string]any) *jsonTemplate {
	// A decoder makes maps with room for more, which would be copied each time.
	t := &jsonTemplate{flat: make(map[string]any, len(object))}
	maps.Copy(t.flat, object)
	for key, value := range object {
		switch value := value.(type) {
		case map[string]any:
			if t.objects == nil {
				t.objects = map[string]*jsonTemplate{}
			}
			t.objects[key] = newJSONTemplate(value)
		case []any:
			if t.arrays == nil {
				t.arrays = map[string][]any{}
			}
			t.arrays[key] = value
		}
	}
	return t
}

// object gives a copy.
func (t *jsonTemplate) object() map[string]any {
	c := maps.Clone(t.flat)
	for key, object := range t.objects {
		c[key] = object.object()
	}
	for key, array := range t.arrays {
		c[key] = cloneArray(array)
	}
	return c
}

func cloneArray(array []any) []any {
	c := slices.Clone(array)
	for i, value := range c {
		switch value := value.(type) {
		case map[string]any:
			c[i] = newJSONTemplate(value).object()
		case []any:
			c[i] = cloneArray(value)
		}
	}
	return c
}
