// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Names of the tools by which a changing server is told to change.
const (
	Change = "change" // a tool is registered anew: the list of tools has changed
	Update = "update" // the resource BlobURI has been updated
)

// NewChangingServer gives a server with n tools, Few+2 at least, that takes subscriptions
// and has the tools Change and Update. The SDK tells of a changed list 10 ms later, and has
// told everybody of an updated resource when Update returns.
func NewChangingServer(how Registration, n int) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, &mcp.ServerOptions{
		PageSize:           Page,
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	addAll(s, how, n-2)
	var change mcp.ToolHandler
	register := func() {
		s.AddTool(&mcp.Tool{Name: Change, InputSchema: json.RawMessage(EmptySchema)}, change)
	}
	change = func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		register()
		return textResult("done"), nil
	}
	register()
	s.AddTool(&mcp.Tool{Name: Update, InputSchema: json.RawMessage(EmptySchema)},
		func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return textResult("done"), s.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: BlobURI})
		})
	return s
}
