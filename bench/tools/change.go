// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Names of the tools of a changing server.
const (
	Change   = "change"   // registers a tool anew: the list of tools has changed
	Update   = "update"   // says that the resource BlobURI has been updated
	Sessions = "sessions" // gives how many sessions the SDK has
)

// Changing is the least number of tools on a changing server.
const Changing = Few + 3

// NewChangingServer gives a server with n tools, Changing at least, that takes subscriptions.
// The SDK tells of a changed list 10 ms later, and has told everybody of an updated resource
// when Update returns.
func NewChangingServer(how Registration, n int) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, &mcp.ServerOptions{
		PageSize:           Page,
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	addAll(s, how, n-(Changing-Few))
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
	s.AddTool(&mcp.Tool{Name: Sessions, InputSchema: json.RawMessage(EmptySchema)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			n := 0
			for range s.Sessions() {
				n++
			}
			return textResult(strconv.Itoa(n)), nil
		})
	return s
}
