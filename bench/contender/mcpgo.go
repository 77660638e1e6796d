// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// mark3labs is mcp-go's Streamable HTTP, server and client.
type mark3labs struct {
	name     string
	stateful bool
	version  string // empty for the newest
}

func mcpGo() []Contender {
	return []Contender{
		mark3labs{"mcpgo-stateful", true, ""},
		mark3labs{"mcpgo-stateless", false, ""},
		// As with the SDK, the version before the modern one is faster.
		mark3labs{"mcpgo-stateful-2025", true, "2025-11-25"},
		mark3labs{"mcpgo-stateless-2025", false, "2025-11-25"},
	}
}

func (m mark3labs) Name() string { return m.name }

// Serve registers the tools as mcp-go's documentation does.
func (m mark3labs) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	s := server.NewMCPServer("bench", "1")
	s.AddTool(rawTool(tools.Add, tools.PairSchema), func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		a, err := r.RequireInt("a")
		if err != nil {
			return nil, err
		}
		b, err := r.RequireInt("b")
		if err != nil {
			return nil, err
		}
		return mcpgo.NewToolResultText(strconv.Itoa(a + b)), nil
	})
	s.AddTool(rawTool(tools.Sum, tools.PairSchema), mcpgo.NewStructuredToolHandler(
		func(_ context.Context, _ mcpgo.CallToolRequest, p tools.Pair) (tools.Total, error) {
			return tools.Total{Sum: p.A + p.B}, nil
		}))
	longText := func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return mcpgo.NewToolResultText(tools.LongText), nil
	}
	s.AddTool(rawTool(tools.Text, tools.EmptySchema), longText)
	s.AddTool(rawTool(tools.Progress, tools.EmptySchema), markProgress)
	for i := tools.Few; i < setup.Tools; i++ {
		t := mcpgo.NewToolWithRawSchema(tools.FillerName(i), tools.FillerDescription(i), json.RawMessage(tools.FillerSchema))
		s.AddTool(t, longText)
	}
	s.AddResource(mcpgo.NewResource(tools.BlobURI, "blob", mcpgo.WithMIMEType("application/octet-stream")),
		func(context.Context, mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
			return []mcpgo.ResourceContents{mcpgo.BlobResourceContents{
				URI: tools.BlobURI, MIMEType: "application/octet-stream", Blob: base64.StdEncoding.EncodeToString(tools.Blob),
			}}, nil
		})
	return serveHTTP(ctx, ln, server.NewStreamableHTTPServer(s, server.WithStateLess(!m.stateful), server.WithStateful(m.stateful)))
}

func rawTool(name, schema string) mcpgo.Tool {
	return mcpgo.NewToolWithRawSchema(name, "", json.RawMessage(schema))
}

func markProgress(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	s := server.ServerFromContext(ctx)
	for i := range tools.Steps {
		err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
			"progressToken": r.Params.Meta.ProgressToken, "progress": float64(i + 1), "total": float64(tools.Steps),
		})
		if err != nil {
			return nil, err
		}
	}
	return mcpgo.NewToolResultText("done"), nil
}

func (m mark3labs) Dial(ctx context.Context, addr string, inFlight int) (Client, error) {
	connections := http1Client(inFlight)
	c, err := client.NewStreamableHttpClient("http://"+addr, transport.WithHTTPBasicClient(connections))
	if err != nil {
		return nil, err
	}
	progress := &tickets{}
	c.OnNotification(func(n mcpgo.JSONRPCNotification) { progress.count(n.Params.AdditionalFields["progressToken"]) })
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	var init mcpgo.InitializeRequest
	init.Params.ProtocolVersion = m.version
	init.Params.ClientInfo = mcpgo.Implementation{Name: "bench", Version: "1"}
	if _, err := c.Initialize(ctx, init); err != nil {
		return nil, err
	}
	return httpUser{&markClient{client: c, tickets: progress}, connections}, nil
}

type markClient struct {
	client  *client.Client
	tickets *tickets
	last    atomic.Int64
}

func (c *markClient) call(ctx context.Context, name string, arguments json.RawMessage) (*mcpgo.CallToolResult, error) {
	var r mcpgo.CallToolRequest
	r.Params.Name = name
	if arguments != nil {
		r.Params.Arguments = arguments
	}
	return c.client.CallTool(ctx, r)
}

func (c *markClient) Add(ctx context.Context, a, b int64) (string, error) {
	res, err := c.call(ctx, tools.Add, pair(a, b))
	return markText(res), err
}

func (c *markClient) Sum(ctx context.Context, a, b int64) (int64, error) {
	res, err := c.call(ctx, tools.Sum, pair(a, b))
	if err != nil {
		return 0, err
	}
	object, ok := res.StructuredContent.(map[string]any)
	if !ok {
		return 0, errors.New("no structured content")
	}
	sum, _ := object["sum"].(float64)
	return int64(sum), nil
}

func (c *markClient) Text(ctx context.Context) (string, error) {
	res, err := c.call(ctx, tools.Text, nil)
	return markText(res), err
}

func markText(res *mcpgo.CallToolResult) string {
	if res == nil || len(res.Content) != 1 {
		return ""
	}
	t, ok := res.Content[0].(mcpgo.TextContent)
	if !ok {
		return ""
	}
	return t.Text
}

func (c *markClient) Blob(ctx context.Context) ([]byte, error) {
	var r mcpgo.ReadResourceRequest
	r.Params.URI = tools.BlobURI
	res, err := c.client.ReadResource(ctx, r)
	if err != nil || len(res.Contents) != 1 {
		return nil, err
	}
	b, ok := res.Contents[0].(mcpgo.BlobResourceContents)
	if !ok {
		return nil, errors.New("no blob")
	}
	return base64.StdEncoding.DecodeString(b.Blob) // others give bytes, not base64
}

func (c *markClient) List(ctx context.Context) (int, error) {
	res, err := c.client.ListTools(ctx, mcpgo.ListToolsRequest{})
	if err != nil {
		return 0, err
	}
	return len(res.Tools), nil
}

func (c *markClient) Progress(ctx context.Context) (int, error) {
	token := strconv.FormatInt(c.last.Add(1), 10)
	ticket := c.tickets.open(token)
	var r mcpgo.CallToolRequest
	r.Params.Name = tools.Progress
	r.Params.Meta = &mcpgo.Meta{ProgressToken: token}
	if _, err := c.client.CallTool(ctx, r); err != nil {
		return 0, err
	}
	return c.tickets.wait(ctx, token, ticket)
}

func (c *markClient) Close() error { return c.client.Close() }
