// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//lint:file-ignore SA1019 sampling is deprecated, not gone

package everything

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// addClientTools adds the tools that send requests to the client while they run. Only a
// legacy session allows that; in a modern one they return an error result.
func (s *Server) addClientTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_sampling",
		Description: "Tests server-initiated sampling (LLM completion request)",
	}, sample)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "sample_with_tools",
		Description: "Requests a completion with tools from the client and describes the blocks it got.",
	}, sampleWithTools)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_elicitation",
		Description: "Tests server-initiated elicitation (user input request)",
	}, func(ctx context.Context, req *mcp.CallToolRequest, in elicitInput) (*mcp.CallToolResult, any, error) {
		return elicit(ctx, req, in.Message, usernameSchema())
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_elicitation_sep1034_defaults",
		Description: "Tests elicitation with default values per SEP-1034",
	}, func(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		return elicit(ctx, req, "Test defaults for primitives", json.RawMessage(defaultsSchema))
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_elicitation_sep1330_enums",
		Description: "Tests elicitation with enum schema improvements per SEP-1330",
	}, func(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		return elicit(ctx, req, "Test enum schemas", json.RawMessage(enumsSchema))
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "complete_url_elicitation",
		Description: "Tells the client that the elicitation of the tool elicit (url) is complete.",
	}, completeURLElicitation)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "require_url_elicitation",
		Description: "Fails with the error -32042 of protocol version 2025-11-25, which asks for a URL elicitation.",
	}, requireURLElicitation)
}

type sampleInput struct {
	Prompt string `json:"prompt" jsonschema:"The prompt to send to the LLM"`
}

func sample(ctx context.Context, req *mcp.CallToolRequest, in sampleInput) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.CreateMessage(ctx, &mcp.CreateMessageParams{
		Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: in.Prompt}}},
		MaxTokens: 100,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sampling failed: %w", err)
	}
	response := "(non-text response)"
	if block, ok := res.Content.(*mcp.TextContent); ok {
		response = block.Text
	}
	return text("LLM response: " + response), nil, nil
}

// toolSampling is a sampling request that uses every member.
func toolSampling() *mcp.CreateMessageWithToolsParams {
	return &mcp.CreateMessageWithToolsParams{
		Messages: []*mcp.SamplingMessageV2{
			{Role: "user", Content: []mcp.Content{&mcp.TextContent{Text: "What is the weather in Paris and in Rome?"}}},
			{Role: "assistant", Content: []mcp.Content{
				&mcp.ToolUseContent{ID: "use-1", Name: "weather", Input: map[string]any{"city": "Paris"}},
			}},
			{Role: "user", Content: []mcp.Content{
				&mcp.ToolResultContent{
					ToolUseID:         "use-1",
					Content:           []mcp.Content{&mcp.TextContent{Text: "sunny"}},
					StructuredContent: map[string]any{"sky": "clear"},
				},
			}},
		},
		Tools: []*mcp.Tool{{
			Name:        "weather",
			Description: "The weather of a city.",
			InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
		}},
		ToolChoice: &mcp.ToolChoice{Mode: "auto"},
		ModelPreferences: &mcp.ModelPreferences{
			Hints:        []*mcp.ModelHint{{Name: "small"}},
			CostPriority: 0.75,
		},
		SystemPrompt:  "Be brief.",
		Temperature:   0.5,
		StopSequences: []string{"END"},
		Metadata:      map[string]any{"trace": "t-1"},
		MaxTokens:     200,
	}
}

func sampleWithTools(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.CreateMessageWithTools(ctx, toolSampling())
	if err != nil {
		return nil, nil, fmt.Errorf("sampling failed: %w", err)
	}
	return text(describeSampling(res)), nil, nil
}

// describeSampling names model, reason and blocks of an answer.
func describeSampling(res *mcp.CreateMessageWithToolsResult) string {
	out := fmt.Sprintf("%s by %s, stopped by %s:", res.Role, res.Model, res.StopReason)
	for _, block := range res.Content {
		switch block := block.(type) {
		case *mcp.TextContent:
			out += fmt.Sprintf(" text %q", block.Text)
		case *mcp.ToolUseContent:
			input, err := json.Marshal(block.Input)
			if err != nil {
				input = []byte("?")
			}
			out += fmt.Sprintf(" use %s of %s with %s", block.ID, block.Name, input)
		default:
			out += fmt.Sprintf(" %T", block)
		}
	}
	return out
}

type elicitInput struct {
	Message string `json:"message" jsonschema:"The message to show the user"`
}

func elicit(ctx context.Context, req *mcp.CallToolRequest, message string, schema any) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: message, RequestedSchema: schema})
	if err != nil {
		return nil, nil, fmt.Errorf("elicitation failed: %w", err)
	}
	content := []byte("{}")
	if res.Content != nil {
		if content, err = json.Marshal(res.Content); err != nil {
			return nil, nil, err
		}
	}
	return text(fmt.Sprintf("Elicitation result: action=%s, content=%s", res.Action, content)), nil, nil
}

func completeURLElicitation(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	err := req.Session.NotifyElicitationComplete(ctx, &mcp.ElicitationCompleteParams{ElicitationID: elicitationID})
	if err != nil {
		return nil, nil, err
	}
	return text("told the client"), nil, nil
}

func requireURLElicitation(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
	return nil, nil, mcp.URLElicitationRequiredError([]*mcp.ElicitParams{{
		Mode:          "url",
		Message:       "sign in first",
		URL:           "https://example.com/sign-in",
		ElicitationID: elicitationID,
	}})
}

func usernameSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:       "object",
		Properties: map[string]*jsonschema.Schema{"username": {Type: "string", Description: "Your preferred username"}},
		Required:   []string{"username"},
	}
}

// defaultsSchema has a default in a field of every primitive type (SEP-1034).
const defaultsSchema = `{
	"type": "object",
	"properties": {
		"name": {"type": "string", "description": "User name", "default": "John Doe"},
		"age": {"type": "integer", "description": "User age", "default": 30},
		"score": {"type": "number", "description": "User score", "default": 95.5},
		"status": {
			"type": "string", "description": "User status",
			"enum": ["active", "inactive", "pending"], "default": "active"
		},
		"verified": {"type": "boolean", "description": "Verification status", "default": true}
	}
}`

// enumsSchema has every form of choice: one or many, with titles or without, and the
// enumNames of old (SEP-1330). Unlike in the SDK's own conformance server, the items with
// titles have no type: the schema of the specification has none, and the SDK's client
// refuses it.
const enumsSchema = `{
	"type": "object",
	"properties": {
		"untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
		"titledSingle": {
			"type": "string",
			"oneOf": [
				{"const": "value1", "title": "First Option"},
				{"const": "value2", "title": "Second Option"},
				{"const": "value3", "title": "Third Option"}
			]
		},
		"legacyEnum": {
			"type": "string",
			"enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]
		},
		"untitledMulti": {
			"type": "array", "minItems": 1, "maxItems": 3,
			"items": {"type": "string", "enum": ["option1", "option2", "option3"]}
		},
		"titledMulti": {
			"type": "array", "minItems": 1, "maxItems": 3,
			"items": {
				"anyOf": [
					{"const": "value1", "title": "First Option"},
					{"const": "value2", "title": "Second Option"},
					{"const": "value3", "title": "Third Option"}
				]
			}
		}
	}
}`
