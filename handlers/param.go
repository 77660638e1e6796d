// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// checkParamHeaders refuses Mcp-Param-* metadata that says something else than the
// argument it mirrors (MCP 2026-07-28, `x-mcp-header`). Metadata that no property of
// the tool's schema is bound to is ignored.
func (s *Server) checkParamHeaders(ctx context.Context, c *call) error {
	sent := paramHeaders(c)
	if len(sent) == 0 {
		return nil
	}
	p, ok := c.params.(*mcp.CallToolParamsRaw)
	if !ok {
		return nil
	}
	tool, err := s.findTool(ctx, c, p.Name)
	if err != nil || tool == nil {
		return err // an unknown tool is refused when it is called
	}
	schema, err := json.Marshal(tool.InputSchema)
	if err != nil {
		return err
	}
	return checkBoundParams(schema, p.Arguments, sent)
}

func paramHeaders(c *call) map[string][]string {
	var sent map[string][]string
	for key, values := range c.extra.Header {
		if strings.HasPrefix(key, headerParam) {
			if sent == nil {
				sent = map[string][]string{}
			}
			sent[key] = values
		}
	}
	return sent
}

// maxToolPages ends the search on a server whose pages never do.
const maxToolPages = 1000

// findTool looks the tool up as the caller sees it: through the server's middleware.
func (s *Server) findTool(ctx context.Context, c *call, name string) (*mcp.Tool, error) {
	cursor := ""
	for range maxToolPages {
		res, err := s.dispatch(ctx, &call{
			method: methodListTools,
			scope:  c.scope,
			params: &mcp.ListToolsParams{Meta: c.scope.meta, Cursor: cursor},
			extra:  c.extra,
		})
		if err != nil {
			return nil, err
		}
		list, ok := res.(*mcp.ListToolsResult)
		if !ok {
			return nil, nil
		}
		for _, t := range list.Tools {
			if t.Name == name {
				return t, nil
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			break
		}
	}
	return nil, nil
}

// A boundSchema is the part of a JSON Schema that binds properties to metadata.
type boundSchema struct {
	Header     json.RawMessage        `json:"x-mcp-header"`
	Properties map[string]boundSchema `json:"properties"`
}

func checkBoundParams(schema, args json.RawMessage, sent map[string][]string) error {
	var root boundSchema
	if mapping.DecodeSDK(schema, &root) != nil {
		root = boundSchema{} // not a schema that could bind anything
	}
	return root.check(args, sent)
}

func (b boundSchema) check(args json.RawMessage, sent map[string][]string) error {
	if len(b.Properties) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if mapping.DecodeSDK(args, &members) != nil {
		members = nil // arguments that are no object are refused by the tool
	}
	for name, property := range b.Properties {
		value := members[name]
		var header string
		if json.Unmarshal(property.Header, &header) == nil && header != "" {
			key := textproto.CanonicalMIMEHeaderKey(headerParam + header)
			if values, ok := sent[key]; ok && !mirrors(values, value) {
				return headerMismatch("%s does not mirror the argument %q", key, name)
			}
		}
		if err := property.check(value, sent); err != nil {
			return err
		}
	}
	return nil
}

// maxSafeInteger bounds the integers that may be mirrored: those that every JSON reader
// gets right.
const maxSafeInteger = 1<<53 - 1

// mirrors tells whether header values are the one value of an argument: a string, a
// boolean, or an integer, which is compared as a number.
func mirrors(values []string, arg json.RawMessage) bool {
	if len(values) != 1 || arg == nil {
		return false
	}
	text, err := decodeHeaderValue(values[0])
	if err != nil {
		return false
	}
	var s string
	if json.Unmarshal(arg, &s) == nil {
		return s == text
	}
	var b bool
	if json.Unmarshal(arg, &b) == nil {
		return strconv.FormatBool(b) == text
	}
	var f float64
	if json.Unmarshal(arg, &f) != nil || f != float64(int64(f)) || f > maxSafeInteger || f < -maxSafeInteger {
		return false
	}
	sent, err := strconv.ParseFloat(text, 64)
	return err == nil && sent == f
}
