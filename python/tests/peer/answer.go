// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func implementation() *mcp.Implementation { return &mcp.Implementation{Name: "go-peer", Version: "1"} }

func root() *mcp.Root { return &mcp.Root{Name: "home", URI: "file:///home"} }

// telling are the options that tell what servers say beside the result. A client with one of them
// calls tools by the RPC CallTool.
func telling(out *lines) []mcpconnect.ClientOption {
	return []mcpconnect.ClientOption{
		mcpconnect.WithProgressHandler(func(_ context.Context, p *mcp.ProgressNotificationParams) {
			out.write(map[string]any{"event": "progress", "params": p})
		}),
		mcpconnect.WithLogHandler("debug", func(_ context.Context, p *mcp.LoggingMessageParams) {
			out.write(map[string]any{"event": "log", "params": p})
		}),
	}
}

// answering are the options that answer what servers ask.
func answering(version string) []mcpconnect.ClientOption {
	options := []mcpconnect.ClientOption{
		mcpconnect.WithProtocolVersion(version),
		mcpconnect.WithClientInfo(implementation()),
	}
	if version < "2026-07-28" {
		return options // no typed RPC of a legacy session carries questions
	}
	return append(options,
		mcpconnect.WithElicitationHandler(func(ctx context.Context, p *mcp.ElicitParams) (*mcp.ElicitResult, error) {
			return elicit(ctx, &mcp.ElicitRequest{Params: p})
		}),
		mcpconnect.WithSamplingHandler(func(ctx context.Context, p *mcp.CreateMessageWithToolsParams) (*mcp.CreateMessageWithToolsResult, error) {
			return complete(ctx, &mcp.CreateMessageWithToolsRequest{Params: p})
		}),
		mcpconnect.WithRoots(root()))
}

// elicit accepts, with a text for every property of the form that has to be there.
func elicit(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
	var schema struct {
		Properties map[string]struct{ Type string }
	}
	text, err := json.Marshal(r.Params.RequestedSchema)
	if err == nil && r.Params.RequestedSchema != nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		return nil, err
	}
	content := map[string]any{}
	for name, property := range schema.Properties {
		switch property.Type {
		case "boolean":
			content[name] = true
		case "string":
			content[name] = "Ada's " + name
		}
	}
	return &mcp.ElicitResult{Action: "accept", Content: content}, nil
}

func complete(context.Context, *mcp.CreateMessageWithToolsRequest) (*mcp.CreateMessageWithToolsResult, error) {
	return &mcp.CreateMessageWithToolsResult{
		Role: "assistant", Model: "model", StopReason: "endTurn",
		Content: []mcp.Content{&mcp.TextContent{Text: "completion"}},
	}, nil
}
