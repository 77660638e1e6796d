// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//lint:file-ignore SA1019 sampling, roots and logging are deprecated, not gone

package everything

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// elicitationID is constant, where the SDK's example counts, to keep answers equal.
const elicitationID = "elicitation-1"

// addExampleTools adds the tools of the SDK's examples/server/everything. Some of their
// names are not valid tool names; that is taken over, because servers like that exist.
func (s *Server) addExampleTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "greet", Description: "say hi"}, greet)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "greet (structured)"}, greetStructured)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "greet (with Icons)", Icons: icons()}, greetStructured)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "greet (content with ResourceLink)"}, greetByLink)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "ping"}, pingClient)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "log"}, logOnce)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "sample"}, sampleNothing)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "elicit (form)"}, elicitForm)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "elicit (url)"}, elicitURL)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "roots"}, listRoots)
}

type greetInput struct {
	Name string `json:"name" jsonschema:"the name to say hi to"`
}

type greetOutput struct {
	Message string `json:"message" jsonschema:"the message to convey"`
}

func greet(_ context.Context, _ *mcp.CallToolRequest, in greetInput) (*mcp.CallToolResult, any, error) {
	return text("Hi " + in.Name), nil, nil
}

func greetStructured(_ context.Context, _ *mcp.CallToolRequest, in *greetInput) (*mcp.CallToolResult, *greetOutput, error) {
	return nil, &greetOutput{Message: "Hi " + in.Name}, nil
}

func greetByLink(_ context.Context, _ *mcp.CallToolRequest, in greetInput) (*mcp.CallToolResult, any, error) {
	return result(&mcp.ResourceLink{
		Name:     "greeting",
		Title:    "A friendly greeting",
		MIMEType: mimeText,
		URI:      "data:text/plain,Hi%20" + url.PathEscape(in.Name),
		Icons:    icons(),
	}), nil, nil
}

func pingClient(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	if err := req.Session.Ping(ctx, nil); err != nil {
		return nil, nil, errors.New("ping failed")
	}
	return nil, nil, nil
}

func logOnce(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	if err := req.Session.Log(ctx, &mcp.LoggingMessageParams{Data: "something happened!", Level: "error"}); err != nil {
		return nil, nil, errors.New("log failed")
	}
	return nil, nil, nil
}

func sampleNothing(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.CreateMessage(ctx, new(mcp.CreateMessageParams))
	if err != nil {
		return nil, nil, fmt.Errorf("sampling failed: %w", err)
	}
	return result(res.Content), nil, nil
}

func elicitForm(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.Elicit(ctx, &mcp.ElicitParams{
		Message: "provide a random string",
		RequestedSchema: &jsonschema.Schema{
			Type:       "object",
			Properties: map[string]*jsonschema.Schema{"random": {Type: "string"}},
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("eliciting failed: %w", err)
	}
	random, _ := res.Content["random"].(string) // absent unless accepted
	return text(random), nil, nil
}

func elicitURL(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	_, err := req.Session.Elicit(ctx, &mcp.ElicitParams{
		Message:       "submit a string",
		URL:           "http://localhost:6062?id=" + elicitationID,
		ElicitationID: elicitationID,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("eliciting failed: %w", err)
	}
	return text("(elicitation pending)"), nil, nil
}

func listRoots(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	res, err := req.Session.ListRoots(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("listing roots failed: %w", err)
	}
	var roots []string
	for _, root := range res.Roots {
		roots = append(roots, root.Name+":"+root.URI)
	}
	return text(strings.Join(roots, ",")), nil, nil
}
