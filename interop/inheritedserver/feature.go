// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

// What the server has. The tables never change.
var (
	tools = []*mcpv1.Tool{
		{Name: "echo", Description: "Returns its arguments.", InputSchema: object(map[string]any{"type": "object"})},
		{Name: "steps", Description: "Reports progress four times.", InputSchema: object(map[string]any{"type": "object"})},
		{Name: "broken", Description: "Gives a result that is an error.", InputSchema: object(map[string]any{"type": "object"})},
	}
	resources = []*mcpv1.Resource{
		{Uri: "notes://today", Name: "today", Description: "A note that changes all the time.", MimeType: "text/plain"},
		{Uri: "notes://dot", Name: "dot", MimeType: "application/octet-stream"},
	}
	prompts = []*mcpv1.Prompt{{
		Name: "summary", Description: "Asks for a summary.",
		Arguments: []*mcpv1.PromptArgument{{Name: "topic", Description: "of what", Required: true}},
	}}
	topics = []string{"meetings", "messages", "notes"}
)

// object makes a Struct of values that are known to fit into one.
func object(members map[string]any) *structpb.Struct {
	s, err := structpb.NewStruct(members)
	if err != nil {
		panic("inheritedserver: " + err.Error()) //nolint:forbidigo // a table of this file is wrong
	}
	return s
}

func textContent(text string) *mcpv1.Content {
	return &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: text, MimeType: "text/plain"}}}
}

func readResource(uri string) (*mcpv1.Content, bool) {
	switch uri {
	case "notes://today":
		return textContent("buy milk"), true
	case "notes://dot":
		blob := &mcpv1.BlobContent{Data: []byte{0xff, 0x00}, MimeType: "application/octet-stream"}
		return &mcpv1.Content{Kind: &mcpv1.Content_Blob{Blob: blob}}, true
	}
	return nil, false
}

func callTool(request *mcpv1.CallToolRequest, progress func(*mcpv1.CallToolProgress) error) (*mcpv1.CallToolResult, error) {
	switch request.GetName() {
	case "echo":
		return &mcpv1.CallToolResult{
			Content:           []*mcpv1.Content{textContent("see the structured content")},
			StructuredContent: request.GetArguments(),
		}, nil
	case "steps":
		for percentage := uint32(25); percentage <= 100; percentage += 25 {
			if err := progress(&mcpv1.CallToolProgress{Percentage: percentage, Message: fmt.Sprintf("%d of 4", percentage/25)}); err != nil {
				return nil, err
			}
		}
		return &mcpv1.CallToolResult{Content: []*mcpv1.Content{textContent("done")}}, nil
	case "broken":
		return &mcpv1.CallToolResult{Content: []*mcpv1.Content{textContent("it did not work")}, IsError: true}, nil
	}
	return nil, failure(codes.NotFound, -32602, fmt.Sprintf("unknown tool %q", request.GetName()))
}

func getPrompt(request *mcpv1.GetPromptRequest) (*mcpv1.GetPromptResponse, error) {
	if request.GetName() != "summary" {
		return nil, failure(codes.NotFound, -32602, fmt.Sprintf("unknown prompt %q", request.GetName()))
	}
	topic := request.GetArguments().GetFields()["topic"].GetStringValue()
	if topic == "" {
		return nil, failure(codes.InvalidArgument, -32602, "summary needs a topic")
	}
	return &mcpv1.GetPromptResponse{
		Description: "A summary of " + topic,
		Messages:    []*mcpv1.Content{textContent("Sum up my " + topic + ".")},
	}, nil
}

func complete(request *mcpv1.CompleteRequest) *mcpv1.CompleteResponse {
	response := &mcpv1.CompleteResponse{}
	if request.GetRef() != "summary" || request.GetArgumentName() != "topic" {
		return response
	}
	for _, topic := range topics {
		if strings.HasPrefix(topic, request.GetValue()) {
			response.Values = append(response.Values, topic)
		}
	}
	response.Total = uint32(len(response.GetValues()))
	return response
}
