// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Methods that no specification knows.
const (
	EchoMethod = "com.example/echo" // returns its value
	FailMethod = "com.example/fail" // fails with its value as the error's data
)

// EchoParams are the parameters of [EchoMethod] and [FailMethod].
type EchoParams struct {
	mcp.ParamsBase
	Value json.RawMessage `json:"value"`
}

// EchoResult is the result of [EchoMethod].
type EchoResult struct {
	mcp.ResultBase
	Value json.RawMessage `json:"value"`
}

func (s *Server) addCustomMethods() {
	mustAdd(mcp.AddReceivingCustomMethod(s.mcp, EchoMethod,
		func(_ context.Context, _ *mcp.ServerSession, params *EchoParams) (*EchoResult, error) {
			return &EchoResult{Value: valueOf(params)}, nil
		}))
	mustAdd(mcp.AddReceivingCustomMethod(s.mcp, FailMethod,
		func(_ context.Context, _ *mcp.ServerSession, params *EchoParams) (*EchoResult, error) {
			return nil, &jsonrpc.Error{Code: DefaultErrorCode, Message: "failed on request", Data: valueOf(params)}
		}))
}

// valueOf also takes the nil of a request without parameters, which the SDK lets
// through to custom methods.
func valueOf(params *EchoParams) json.RawMessage {
	if params == nil {
		return nil
	}
	return params.Value
}
