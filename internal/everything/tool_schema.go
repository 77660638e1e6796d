// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// schema202012 uses the parts of JSON Schema 2020-12 that the conformance suite looks
// for in tools/list (SEP-1613, SEP-2106).
const schema202012 = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"$defs": {
		"address": {
			"$anchor": "addressDef",
			"type": "object",
			"properties": {"street": {"type": "string"}, "city": {"type": "string"}}
		}
	},
	"properties": {
		"name": {"type": "string"},
		"address": {"$ref": "#/$defs/address"},
		"contactMethod": {"type": "string", "enum": ["phone", "email"]},
		"phone": {"type": "string"},
		"email": {"type": "string"}
	},
	"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
	"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
	"then": {"required": ["phone"]},
	"else": {"required": ["email"]},
	"additionalProperties": false
}`

// regionSchema marks one argument as mirrored into the header Mcp-Param-Region
// (SEP-2243).
const regionSchema = `{
	"type": "object",
	"properties": {
		"region": {"type": "string", "description": "mirrored into Mcp-Param-Region", "x-mcp-header": "Region"},
		"level": {"type": "integer", "description": "non-mirrored argument"}
	}
}`

// headersSchema marks arguments of every type that can be mirrored, one of them nested.
const headersSchema = `{
	"type": "object",
	"properties": {
		"tenant": {"type": "string", "x-mcp-header": "Tenant"},
		"shard": {"type": "integer", "x-mcp-header": "Shard"},
		"dry_run": {"type": "boolean", "x-mcp-header": "Dry-Run"},
		"place": {
			"type": "object",
			"properties": {"zone": {"type": "string", "x-mcp-header": "Zone"}}
		},
		"note": {"type": "string"}
	}
}`

func (s *Server) addSchemaTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "json_schema_2020_12_tool",
		Description: "Tool with JSON Schema 2020-12 features for conformance testing (SEP-1613, SEP-2106)",
		InputSchema: json.RawMessage(schema202012),
	}, func(_ context.Context, _ *mcp.CallToolRequest, in json.RawMessage) (*mcp.CallToolResult, any, error) {
		return text(fmt.Sprintf("JSON Schema 2020-12 tool called with: %s", in)), nil, nil
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_x_mcp_header",
		Description: "Tests SEP-2243 Mcp-Param-* server-side validation",
		InputSchema: json.RawMessage(regionSchema),
	}, func(_ context.Context, _ *mcp.CallToolRequest, in regionInput) (*mcp.CallToolResult, any, error) {
		return text("region=" + in.Region), nil, nil
	})
	s.mcp.AddTool(&mcp.Tool{
		Name:        "x_mcp_header_types",
		Description: "Has arguments of every type that can be mirrored into a header; returns them as text.",
		InputSchema: json.RawMessage(headersSchema),
	}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return text(string(req.Params.Arguments)), nil
	})
}

type regionInput struct {
	Region string `json:"region,omitempty"`
	Level  int    `json:"level,omitempty"`
}
