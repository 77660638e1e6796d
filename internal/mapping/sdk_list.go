// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// SDKListTools converts a page of tools to the SDK's result. Lists are long: what most tools
// have skips JSON, except for their schemas.
func SDKListTools(m *mcpv1.ListToolsResponse) (*mcp.ListToolsResult, error) {
	r := &mcp.ListToolsResult{}
	switch {
	case len(m.ExtraJson) > 0, m.ResultType != nil && m.GetResultType() != ResultComplete:
		return r, toSDKviaJSON(m, r)
	case m.ResultType != nil:
		r.ResultType = ResultComplete
	}
	r.NextCursor = m.GetNextCursor()
	r.TTLMs, r.CacheScope = int(m.GetTtlMs()), m.GetCacheScope()
	var err error
	if r.Meta, err = toSDKMeta(m.Meta); err != nil {
		return nil, err
	}
	r.Tools = make([]*mcp.Tool, len(m.Tools))
	tools := make([]mcp.Tool, len(m.Tools))
	for i, t := range m.Tools {
		r.Tools[i] = &tools[i]
		if err := toSDKTool(t, &tools[i]); err != nil {
			return nil, fmt.Errorf("tools[%d]: %w", i, err)
		}
	}
	return r, nil
}

func toSDKTool(m *mcpv1.Tool, t *mcp.Tool) (err error) {
	if m.Annotations != nil || len(m.Icons) > 0 || m.Execution != nil || len(m.ExtraJson) > 0 {
		return toSDKviaJSON(m, t)
	}
	t.Name, t.Title, t.Description = m.GetName(), m.GetTitle(), m.GetDescription()
	if t.Meta, err = toSDKMeta(m.Meta); err != nil {
		return err
	}
	if t.InputSchema, err = decodedFree(m.InputSchema, m.InputSchemaJson); err != nil {
		return fmt.Errorf("input_schema: %w", err)
	}
	if t.OutputSchema, err = decodedFree(m.OutputSchema, m.OutputSchemaJson); err != nil {
		return fmt.Errorf("output_schema: %w", err)
	}
	return nil
}

// decodedFree gives the value of a free-form field and its twin as the SDK decodes it.
func decodedFree(s *structpb.Struct, text []byte) (any, error) {
	value, err := JSONText(s, text)
	if err != nil || value == nil {
		return nil, err
	}
	return DecodeAny(value)
}
