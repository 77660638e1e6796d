// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// FromSDKMeta converts the `_meta` of a request of the SDK. It is never nil without an
// error. A lone progress token, which is what most calls have, skips JSON.
func FromSDKMeta(meta mcp.Meta) (*mcpv1.RequestMeta, error) {
	m := &mcpv1.RequestMeta{}
	if len(meta) == 0 {
		return m, nil
	}
	if token, ok := meta["progressToken"]; ok && len(meta) == 1 {
		if m.ProgressToken = progressToken(token); m.ProgressToken != nil {
			return m, nil
		}
	}
	if err := viaJSON(meta, m, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return nil, fmt.Errorf("_meta: %w", err)
	}
	return m, nil
}

// FromSDKCallTool converts the params of a tool call, without their `_meta`. Absent
// arguments are an empty object, as the SDK's client sends them.
func FromSDKCallTool(p *mcp.CallToolParams) (*mcpv1.CallToolRequest, error) {
	m := &mcpv1.CallToolRequest{Name: &p.Name}
	if len(p.InputResponses) > 0 {
		bare := *p
		bare.Meta, bare.Arguments = nil, nil
		if err := FromSDKParams(&bare, m); err != nil {
			return nil, err
		}
	} else if p.RequestState != "" {
		m.RequestState = &p.RequestState
	}
	var err error
	m.ArgumentsJson, err = Arguments(p)
	return m, err
}

// Arguments gives the arguments of a tool call as JSON text.
func Arguments(p *mcp.CallToolParams) (json.RawMessage, error) {
	switch args := p.Arguments.(type) {
	case nil:
		return json.RawMessage("{}"), nil
	case json.RawMessage:
		return args, nil
	}
	text, err := json.Marshal(p.Arguments)
	if err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	return text, nil
}

// FromSDKCapabilities converts the capabilities of a client.
func FromSDKCapabilities(c *mcp.ClientCapabilities) (*mcpv1.CapabilitySet, error) {
	// The SDK writes its field Roots always, since it is no pointer, and RootsV2 never.
	text, err := json.Marshal(struct {
		*mcp.ClientCapabilities
		Roots *mcp.RootCapabilities `json:"roots,omitempty"`
	}{c, c.RootsV2})
	if err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	return &mcpv1.CapabilitySet{ValuesJson: text}, nil
}

// FromSDKImplementation converts the name of a client.
func FromSDKImplementation(i *mcp.Implementation) (*mcpv1.ClientInfo, error) {
	if i == nil {
		return nil, nil
	}
	m := &mcpv1.ClientInfo{}
	if err := viaJSON(i, m, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return nil, fmt.Errorf("client info: %w", err)
	}
	return m, nil
}

// SDKNotification converts the message of a notification to the params of the SDK.
func SDKNotification(m proto.Message, p mcp.Params) error { return toSDKviaJSON(m, p) }
