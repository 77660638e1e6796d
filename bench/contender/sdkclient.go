// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// An sdkCaller calls by the types of the SDK: its own session, and our typed client.
type sdkCaller interface {
	CallTool(ctx context.Context, params *mcp.CallToolParams) (*mcp.CallToolResult, error)
	ReadResource(ctx context.Context, params *mcp.ReadResourceParams) (*mcp.ReadResourceResult, error)
	ListTools(ctx context.Context, params *mcp.ListToolsParams) (*mcp.ListToolsResult, error)
	Close() error
}

// An sdkClient is a client over an sdkCaller.
type sdkClient struct {
	sdkCaller

	tickets *tickets
	last    atomic.Int64 // progress token
}

// dialSDK connects the SDK's client over a transport, at the newest version that both
// have, or at the one given.
func dialSDK(ctx context.Context, t mcp.Transport, version string) (Client, error) {
	progress := &tickets{}
	client := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			progress.count(r.Params.ProgressToken)
		},
	})
	session, err := client.Connect(ctx, t, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return nil, err
	}
	return &sdkClient{sdkCaller: session, tickets: progress}, nil
}

func (c *sdkClient) Add(ctx context.Context, a, b int64) (string, error) {
	res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: tools.Add, Arguments: pair(a, b)})
	return sdkText(res), err
}

func (c *sdkClient) Sum(ctx context.Context, a, b int64) (int64, error) {
	res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: tools.Sum, Arguments: pair(a, b)})
	if err != nil {
		return 0, err
	}
	switch v := res.StructuredContent.(type) {
	case map[string]any:
		sum, _ := v["sum"].(float64)
		return int64(sum), nil
	case json.RawMessage:
		var total tools.Total
		err := json.Unmarshal(v, &total)
		return total.Sum, err
	}
	return 0, errors.New("no structured content")
}

func (c *sdkClient) Text(ctx context.Context) (string, error) {
	res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: tools.Text})
	return sdkText(res), err
}

func sdkText(res *mcp.CallToolResult) string {
	if res == nil || len(res.Content) != 1 {
		return ""
	}
	t, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		return ""
	}
	return t.Text
}

func (c *sdkClient) Blob(ctx context.Context) ([]byte, error) {
	res, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: tools.BlobURI})
	if err != nil || len(res.Contents) != 1 {
		return nil, err
	}
	return res.Contents[0].Blob, nil
}

func (c *sdkClient) List(ctx context.Context) (int, error) {
	for n, cursor := 0, ""; ; {
		res, err := c.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
		if err != nil {
			return n, err
		}
		if n += len(res.Tools); res.NextCursor == "" {
			return n, nil
		}
		cursor = res.NextCursor
	}
}

// Do implements [Caller].
func (c *sdkClient) Do(ctx context.Context, tool string) (string, error) {
	res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: tool})
	if err == nil && res.IsError {
		err = fmt.Errorf("the tool %s failed: %s", tool, sdkText(res))
	}
	return sdkText(res), err
}

func (c *sdkClient) Progress(ctx context.Context) (int, error) {
	token := strconv.FormatInt(c.last.Add(1), 10)
	ticket := c.tickets.open(token)
	params := &mcp.CallToolParams{Name: tools.Progress}
	params.SetProgressToken(token)
	if _, err := c.CallTool(ctx, params); err != nil {
		return 0, err
	}
	return c.tickets.wait(ctx, token, ticket)
}
