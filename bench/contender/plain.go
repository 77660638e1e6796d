// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A plainService serves the messages of mcp.v1 as one would write it by hand for these
// tools: what the peers and the floors have in place of our handler.
type plainService struct {
	backend *tools.Backend
}

func newPlainService(setup Setup) (*plainService, error) {
	b, err := tools.NewBackend(setup.server())
	return &plainService{b}, err
}

func (s *plainService) InvokeTool(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error) {
	res, err := s.backend.Call(ctx, req.GetName(), req.GetArgumentsJson(), nil)
	if err != nil {
		return nil, err
	}
	m, err := resultMessage(res)
	return &mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Result{Result: m}}, err
}

// events runs a tool with its progress.
func (s *plainService) events(ctx context.Context, req *mcpv1.CallToolRequest, emit func(*mcpv1.CallToolEvent) error) error {
	var sink tools.Sink
	if req.GetMeta().GetProgressToken() != nil {
		sink = func(p *mcp.ProgressNotificationParams) error {
			return emit(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Progress{Progress: &mcpv1.CallToolProgress{
				Percentage:    uint32(100 * p.Progress / p.Total),
				Progress:      &p.Progress,
				Total:         &p.Total,
				ProgressToken: req.GetMeta().GetProgressToken(),
			}}})
		}
	}
	res, err := s.backend.Call(ctx, req.GetName(), req.GetArgumentsJson(), sink)
	if err != nil {
		return err
	}
	m, err := resultMessage(res)
	if err != nil {
		return err
	}
	return emit(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Result{Result: m}})
}

func (s *plainService) ReadResource(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	res, err := s.backend.Read(ctx, req.GetUri())
	if err != nil {
		return nil, err
	}
	m := &mcpv1.ReadResourceResponse{}
	for _, c := range res.Contents {
		m.Contents = append(m.Contents, &mcpv1.Content{Kind: &mcpv1.Content_Blob{Blob: &mcpv1.BlobContent{
			Uri: &c.URI, MimeType: &c.MIMEType, Data: c.Blob,
		}}})
	}
	return m, nil
}

func (s *plainService) ListTools(ctx context.Context, _ *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	res, err := s.backend.List(ctx)
	if err != nil {
		return nil, err
	}
	m := &mcpv1.ListToolsResponse{Tools: make([]*mcpv1.Tool, 0, len(res.Tools))}
	for _, t := range res.Tools {
		schema, err := json.Marshal(t.InputSchema)
		if err != nil {
			return nil, err
		}
		m.Tools = append(m.Tools, &mcpv1.Tool{Name: &t.Name, Description: &t.Description, InputSchemaJson: schema})
	}
	return m, nil
}

func resultMessage(res *mcp.CallToolResult) (*mcpv1.CallToolResult, error) {
	m := &mcpv1.CallToolResult{}
	for _, c := range res.Content {
		t, ok := c.(*mcp.TextContent)
		if !ok {
			return nil, fmt.Errorf("content of type %T", c)
		}
		m.Content = append(m.Content, &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: &t.Text}}})
	}
	if res.StructuredContent != nil {
		var err error
		if m.StructuredContentJson, err = json.Marshal(res.StructuredContent); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// A stub is what generated clients of mcp.v1 have in common.
type stub interface {
	invoke(ctx context.Context, req *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error)
	// events calls CallTool and hands on its events.
	events(ctx context.Context, req *mcpv1.CallToolRequest, take func(*mcpv1.CallToolEvent)) error
	list(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error)
	read(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error)
	close() error
}

// A stubClient is a client over a stub, for users that live with the messages.
type stubClient struct {
	stub stub
}

// pair is the JSON text of the arguments of add and sum.
func pair(a, b int64) json.RawMessage {
	text := make([]byte, 0, 64)
	text = strconv.AppendInt(append(text, `{"a":`...), a, 10)
	text = strconv.AppendInt(append(text, `,"b":`...), b, 10)
	return append(text, '}')
}

// plainMeta is what a caller without any wish sends: free-form JSON as text.
var plainMeta = &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES}

func callRequest(name string, arguments json.RawMessage) *mcpv1.CallToolRequest {
	return &mcpv1.CallToolRequest{Name: &name, ArgumentsJson: arguments, Meta: plainMeta}
}

func (c stubClient) Add(ctx context.Context, a, b int64) (string, error) {
	res, err := c.stub.invoke(ctx, callRequest(tools.Add, pair(a, b)))
	return textOf(res), err
}

func (c stubClient) Sum(ctx context.Context, a, b int64) (int64, error) {
	res, err := c.stub.invoke(ctx, callRequest(tools.Sum, pair(a, b)))
	if err != nil {
		return 0, err
	}
	var total tools.Total
	err = json.Unmarshal(res.GetResult().GetStructuredContentJson(), &total)
	return total.Sum, err
}

func (c stubClient) Text(ctx context.Context) (string, error) {
	res, err := c.stub.invoke(ctx, callRequest(tools.Text, nil))
	return textOf(res), err
}

func textOf(res *mcpv1.InvokeToolResponse) string {
	content := res.GetResult().GetContent()
	if len(content) != 1 {
		return ""
	}
	return content[0].GetText().GetText()
}

func (c stubClient) Blob(ctx context.Context) ([]byte, error) {
	uri := tools.BlobURI
	res, err := c.stub.read(ctx, &mcpv1.ReadResourceRequest{Uri: &uri, Meta: plainMeta})
	if err != nil || len(res.GetContents()) != 1 {
		return nil, err
	}
	return res.GetContents()[0].GetBlob().GetData(), nil
}

func (c stubClient) List(ctx context.Context) (int, error) {
	res, err := c.stub.list(ctx, &mcpv1.ListToolsRequest{Meta: plainMeta})
	return len(res.GetTools()), err
}

func (c stubClient) Progress(ctx context.Context) (int, error) {
	req := callRequest(tools.Progress, nil)
	req.Meta = &mcpv1.RequestMeta{
		JsonEncoding:  mcpv1.JsonEncoding_JSON_ENCODING_BYTES,
		ProgressToken: &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: "p"}},
	}
	n, done := 0, false
	err := c.stub.events(ctx, req, func(e *mcpv1.CallToolEvent) {
		switch e.Kind.(type) {
		case *mcpv1.CallToolEvent_Progress:
			n++
		case *mcpv1.CallToolEvent_Result:
			done = true
		}
	})
	if err == nil && !done {
		err = errors.New("no result")
	}
	return n, err
}

func (c stubClient) Close() error { return c.stub.close() }
