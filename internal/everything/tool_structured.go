// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// bigNumbers are numbers that a double does not hold, or that a careless printer
// changes.
const bigNumbers = `{"above":9007199254740993,"below":-9007199254740993,"max":18446744073709551615,` +
	`"decimal":0.1,"small":1e-7,"negativeZero":-0.0,"digits":3.141592653589793238}`

// anyObject is the input schema of the tools that look at their arguments themselves.
var anyObject = json.RawMessage(`{"type":"object"}`)

func (s *Server) addStructuredTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "structured_object",
		Description: "Returns an object as structured output.",
	}, structuredObject)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "structured_array",
		Description: "Returns an array as structured output.",
	}, structuredArray)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "structured_number",
		Description: "Returns a number as structured output.",
	}, structuredNumber)
	s.mcp.AddTool(&mcp.Tool{
		Name:         "structured_big_numbers",
		Description:  "Returns numbers beyond what a double holds.",
		InputSchema:  anyObject,
		OutputSchema: anyObject,
	}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return exactly(json.RawMessage(bigNumbers)), nil
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "structured_echo",
		Description: "Returns its arguments, to the last digit, as structured output and as text.",
		InputSchema: anyObject,
	}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if len(req.Params.Arguments) == 0 {
			return text("no arguments"), nil
		}
		return exactly(req.Params.Arguments), nil
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "inspect_request",
		Description: "Returns what the server knows of the request: version, client, metadata, and the headers named in the argument headers.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"headers":{"type":"array","items":{"type":"string"}}}}`),
	}, inspectRequest)
}

// exactly returns a result that carries raw as it is.
func exactly(raw json.RawMessage) *mcp.CallToolResult {
	res := text(string(raw))
	res.StructuredContent = raw
	return res
}

type structuredOutput struct {
	Name   string         `json:"name"`
	Count  int            `json:"count"`
	Ratio  float64        `json:"ratio"`
	Ready  bool           `json:"ready"`
	Tags   []string       `json:"tags"`
	Nested map[string]int `json:"nested"`
}

func structuredObject(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, structuredOutput, error) {
	return nil, structuredOutput{
		Name:   "everything",
		Count:  3,
		Ratio:  0.5,
		Ready:  true,
		Tags:   []string{"a", "b"},
		Nested: map[string]int{"x": 1, "y": -1},
	}, nil
}

func structuredArray(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, []string, error) {
	return nil, []string{"one", "two", "three"}, nil
}

func structuredNumber(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, int, error) {
	return nil, 42, nil
}

// inspectedRequest is the structured output of inspect_request.
type inspectedRequest struct {
	ProtocolVersion    string                  `json:"protocolVersion"`
	ClientInfo         *mcp.Implementation     `json:"clientInfo,omitempty"`
	ClientCapabilities *mcp.ClientCapabilities `json:"clientCapabilities,omitempty"`
	Meta               map[string]any          `json:"meta,omitempty"`
	Headers            map[string][]string     `json:"headers,omitempty"`
}

// inspectRequest has no text form of what it returns: members of the metadata may come
// in any order, and texts would differ where the objects do not.
func inspectRequest(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct{ Headers []string }
	if len(req.Params.Arguments) > 0 {
		if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
			return nil, invalidParams("inspect_request: %v", err)
		}
	}
	out := inspectedRequest{
		ProtocolVersion:    req.ProtocolVersion(),
		ClientInfo:         req.ClientInfo(),
		ClientCapabilities: req.ClientCapabilities(),
		Meta:               req.Params.GetMeta(),
	}
	if extra := req.GetExtra(); extra != nil {
		for _, name := range in.Headers {
			if values := extra.Header.Values(name); len(values) > 0 {
				if out.Headers == nil {
					out.Headers = map[string][]string{}
				}
				out.Headers[name] = values
			}
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	res := text("see structuredContent")
	res.StructuredContent = json.RawMessage(raw)
	return res, nil
}
