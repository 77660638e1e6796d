// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Secret is the text of the errors and panics that are nobody's business but the
// server's: mcpconnect must not send it to a client.
const Secret = "secret: the password is swordfish"

// DefaultErrorCode is the code of error_jsonrpc. It lies outside of what JSON-RPC and
// MCP reserve, as the codes of applications should.
const DefaultErrorCode = 4001

func (s *Server) addErrorTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_error_handling",
		Description: "Tests error response handling",
	}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
		return nil, nil, errors.New("this tool intentionally returns an error for testing")
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "error_result",
		Description: "Returns a result with content, structured output and isError.",
	}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, map[string]string, error) {
		res := result(&mcp.TextContent{Text: "it did not work"}, image())
		res.IsError = true
		return res, map[string]string{"reason": "testing"}, nil
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "error_jsonrpc",
		Description: "Fails with a JSON-RPC error of the given code, message and data.",
		InputSchema: json.RawMessage(errorSchema),
	}, failJSONRPC)
	s.mcp.AddTool(&mcp.Tool{
		Name:        "error_plain",
		Description: "Fails with an error that is not one of JSON-RPC.",
		InputSchema: anyObject,
	}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New(Secret)
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "error_wrapped",
		Description: "Fails with a JSON-RPC error inside of another error.",
		InputSchema: anyObject,
	}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, fmt.Errorf("%s: %w", Secret, &jsonrpc.Error{Code: DefaultErrorCode, Message: "wrapped"})
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "error_nil_result",
		Description: "Returns neither a result nor an error, which is a bug. Ends the process of a modern server over the SDK's transports.",
		InputSchema: anyObject,
	}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, nil //nolint:nilnil // the bug that this tool exists to show
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "panic",
		Description: "Panics. Ends the process if the transport does not recover; the SDK's do not.",
		InputSchema: anyObject,
	}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		panic(Secret)
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_missing_capability",
		Description: "Requires the sampling client capability; used to verify MissingRequiredClientCapabilityError (-32021) (SEP-2575)",
	}, requireSampling)
}

const errorSchema = `{
	"type": "object",
	"properties": {
		"code": {"type": "integer", "description": "the code; 4001 if absent"},
		"message": {"type": "string", "description": "the message; empty if absent"},
		"data": {"description": "the data, any JSON value"}
	}
}`

// failJSONRPC reads its arguments itself, to hand on the data to the last digit.
func failJSONRPC(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	in := struct {
		Code    int64
		Message string
		Data    json.RawMessage
	}{Code: DefaultErrorCode}
	if len(req.Params.Arguments) > 0 {
		if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
			return nil, invalidParams("error_jsonrpc: %v", err)
		}
	}
	return nil, &jsonrpc.Error{Code: in.Code, Message: in.Message, Data: in.Data}
}

// requireSampling does what a tool has to do that cannot work without a capability.
func requireSampling(_ context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	if caps := req.ClientCapabilities(); caps != nil && caps.Sampling != nil {
		return text("Client declared the sampling capability; tool executed."), nil, nil
	}
	data, err := json.Marshal(mcp.MissingRequiredClientCapabilityData{
		RequiredCapabilities: &mcp.ClientCapabilities{Sampling: &mcp.SamplingCapabilities{}},
	})
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, &jsonrpc.Error{
		Code:    mcp.CodeMissingRequiredClientCapabilities,
		Message: "sampling capability required but not declared by client",
		Data:    data,
	}
}

func invalidParams(format string, args ...any) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}
