// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

// Connect answers one message after the other. A session that is opened on the stream ends
// with it.
func (s *service) Connect(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope]) error {
	var session string
	defer func() { s.close(session) }()
	for {
		envelope, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind := envelope.GetKind().(type) {
		case *mcpv1.Envelope_Request:
			if envelope.GetMethod() == "initialize" && session == "" {
				session = s.open()
				if err := stream.SetHeader(metadata.Pairs("mcp-session-id", session)); err != nil {
					return err
				}
			}
			err = s.answer(stream, envelope.GetMethod(), kind.Request)
		case *mcpv1.Envelope_Notification, *mcpv1.Envelope_Response:
			// There is nothing to say to them: this server asks nothing.
		default: // a kind that came later, such as hello
			err = respond(stream, "", nil, &mcpv1.JsonRpcError{Code: -32600, Message: "envelope of an unknown kind"})
		}
		if err != nil {
			return err
		}
	}
}

func (s *service) answer(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope], method string, request *mcpv1.JsonRpcRequest) error {
	if request.GetId() == "" {
		return respond(stream, "", nil, &mcpv1.JsonRpcError{Code: -32600, Message: "request without id"})
	}
	if method == "initialize" {
		return respond(stream, request.GetId(), map[string]any{
			"protocolVersion": version,
			"capabilities":    capabilities().AsMap(),
			"serverInfo":      map[string]any{"name": "inherited", "title": "Inherited subset", "version": "0.1.0"},
			"instructions":    "Everything here is made up.",
		}, nil)
	}
	result, err := s.result(stream, method, request.GetParams())
	if err != nil {
		return respond(stream, request.GetId(), nil, detail(err))
	}
	return respond(stream, request.GetId(), result, nil)
}

func (s *service) close(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}

func respond(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope], id string, result map[string]any, failed *mcpv1.JsonRpcError) error {
	response := &mcpv1.JsonRpcResponse{Id: id}
	if failed != nil {
		response.Outcome = &mcpv1.JsonRpcResponse_Error{Error: failed}
	} else {
		response.Outcome = &mcpv1.JsonRpcResponse_Result{Result: object(result)}
	}
	return stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: response}})
}

// result gives the JSON-RPC result of a request.
func (s *service) result(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope], method string, params *structpb.Struct) (map[string]any, error) {
	text := func(name string) string { return params.GetFields()[name].GetStringValue() }
	arguments := params.GetFields()["arguments"].GetStructValue()
	switch method {
	case "ping":
		return map[string]any{}, nil
	case "tools/list":
		return listOf("tools", tools, toolMembers)
	case "tools/call":
		result, err := callTool(&mcpv1.CallToolRequest{Name: text("name"), Arguments: arguments}, s.reporter(stream, params))
		if err != nil {
			return nil, err
		}
		members := map[string]any{"content": blocks(result.GetContent()), "isError": result.GetIsError()}
		if result.GetStructuredContent() != nil {
			members["structuredContent"] = result.GetStructuredContent().AsMap()
		}
		return members, nil
	case "resources/list":
		return listOf("resources", resources, func(r *mcpv1.Resource) map[string]any {
			return map[string]any{"uri": r.GetUri(), "name": r.GetName(), "description": r.GetDescription(), "mimeType": r.GetMimeType()}
		})
	case "resources/read":
		return readMembers(text("uri"))
	case "prompts/list":
		return listOf("prompts", prompts, func(p *mcpv1.Prompt) map[string]any {
			return map[string]any{"name": p.GetName(), "description": p.GetDescription()}
		})
	case "prompts/get":
		response, err := getPrompt(&mcpv1.GetPromptRequest{Name: text("name"), Arguments: arguments})
		if err != nil {
			return nil, err
		}
		message := map[string]any{"role": "user", "content": blocks(response.GetMessages())[0]}
		return map[string]any{"description": response.GetDescription(), "messages": []any{message}}, nil
	}
	return nil, failure(codes.Unimplemented, -32601, fmt.Sprintf("unknown method %q", method))
}

// reporter sends progress to a client that asked for it.
func (s *service) reporter(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope], params *structpb.Struct) func(*mcpv1.CallToolProgress) error {
	token, wanted := params.GetFields()["_meta"].GetStructValue().GetFields()["progressToken"]
	return func(p *mcpv1.CallToolProgress) error {
		if !wanted {
			return nil
		}
		params := object(map[string]any{"progressToken": token.AsInterface(), "progress": float64(p.GetPercentage()), "total": 100.0, "message": p.GetMessage()})
		return stream.Send(&mcpv1.Envelope{
			Method: "notifications/progress",
			Kind:   &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{Params: params}},
		})
	}
}

func listOf[T any](name string, items []T, members func(T) map[string]any) (map[string]any, error) {
	list := []any{}
	for _, item := range items {
		list = append(list, members(item))
	}
	return map[string]any{name: list}, nil
}

func toolMembers(t *mcpv1.Tool) map[string]any {
	return map[string]any{"name": t.GetName(), "description": t.GetDescription(), "inputSchema": t.GetInputSchema().AsMap()}
}

// blocks gives the JSON of content blocks of kind text.
func blocks(contents []*mcpv1.Content) []any {
	list := []any{}
	for _, content := range contents {
		list = append(list, map[string]any{"type": "text", "text": content.GetText().GetText()})
	}
	return list
}

func readMembers(uri string) (map[string]any, error) {
	content, ok := readResource(uri)
	if !ok {
		return nil, failure(codes.NotFound, -32002, fmt.Sprintf("resource not found: %q", uri))
	}
	members := map[string]any{"uri": uri}
	if blob := content.GetBlob(); blob != nil {
		text, err := json.Marshal(blob.GetData()) // base64 in quotes
		if err != nil {
			return nil, err
		}
		members["mimeType"], members["blob"] = blob.GetMimeType(), string(text[1:len(text)-1])
	} else {
		members["mimeType"], members["text"] = content.GetText().GetMimeType(), content.GetText().GetText()
	}
	return map[string]any{"contents": []any{members}}, nil
}
