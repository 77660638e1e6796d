// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

// version is the only version of MCP that the server speaks.
const version = "2025-06-18"

// changeInterval is the time between two changes of the watched resource.
const changeInterval = 50 * time.Millisecond

// service implements service MCP. It is safe for concurrent use.
type service struct {
	mcpv1.UnimplementedMCPServer

	mu       sync.Mutex
	sessions map[string]bool
}

func newService() *service { return &service{sessions: map[string]bool{}} }

func (s *service) open() string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id] = true
	return id
}

func (s *service) Initialize(ctx context.Context, request *mcpv1.InitializeRequest) (*mcpv1.InitializeResponse, error) {
	if request.GetClientInfo().GetName() == "" {
		return nil, failure(codes.InvalidArgument, -32602, "initialize: client_info has no name")
	}
	id := s.open()
	if err := grpc.SetHeader(ctx, metadata.Pairs("mcp-session-id", id)); err != nil {
		return nil, err
	}
	return &mcpv1.InitializeResponse{
		ProtocolVersion: version,
		Capabilities:    &mcpv1.CapabilitySet{Values: capabilities()},
		ServerInfo:      &mcpv1.ServerInfo{Name: "inherited", Title: "Inherited subset", Version: "0.1.0"},
		Instructions:    "Everything here is made up.",
		SessionId:       id,
	}, nil
}

func capabilities() *structpb.Struct {
	return object(map[string]any{
		"tools": map[string]any{}, "prompts": map[string]any{}, "completions": map[string]any{},
		"resources": map[string]any{"subscribe": true},
	})
}

func (s *service) Ping(context.Context, *mcpv1.PingRequest) (*mcpv1.PingResponse, error) {
	return &mcpv1.PingResponse{ServerTime: timestamppb.Now()}, nil
}

func (s *service) Shutdown(ctx context.Context, _ *mcpv1.ShutdownRequest) (*mcpv1.ShutdownResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	accepted := false
	for _, id := range metadata.ValueFromIncomingContext(ctx, "mcp-session-id") {
		accepted = accepted || s.sessions[id]
		delete(s.sessions, id)
	}
	return &mcpv1.ShutdownResponse{Accepted: accepted}, nil
}

func (s *service) ListTools(context.Context, *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return &mcpv1.ListToolsResponse{Tools: tools}, nil
}

func (s *service) CallTool(request *mcpv1.CallToolRequest, stream grpc.ServerStreamingServer[mcpv1.CallToolEvent]) error {
	result, err := callTool(request, func(p *mcpv1.CallToolProgress) error {
		return stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Progress{Progress: p}})
	})
	if err != nil {
		// An event of kind error is what older servers send. Others end the RPC.
		return stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Error{Error: detail(err)}})
	}
	return stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Result{Result: result}})
}

func (s *service) ListResources(context.Context, *mcpv1.ListResourcesRequest) (*mcpv1.ListResourcesResponse, error) {
	return &mcpv1.ListResourcesResponse{Resources: resources}, nil
}

func (s *service) ReadResource(_ context.Context, request *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	content, ok := readResource(request.GetUri())
	if !ok {
		return nil, failure(codes.NotFound, -32002, fmt.Sprintf("resource not found: %q", request.GetUri()))
	}
	return &mcpv1.ReadResourceResponse{Contents: []*mcpv1.Content{content}}, nil
}

// SubscribeResource sends the resource at every change, until the client leaves.
func (s *service) SubscribeResource(request *mcpv1.SubscribeResourceRequest, stream grpc.ServerStreamingServer[mcpv1.ResourceEvent]) error {
	if _, ok := readResource(request.GetUri()); !ok {
		return failure(codes.NotFound, -32002, fmt.Sprintf("resource not found: %q", request.GetUri()))
	}
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	changes := time.NewTicker(changeInterval)
	defer changes.Stop()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case at := <-changes.C:
			content, _ := readResource(request.GetUri())
			if err := stream.Send(&mcpv1.ResourceEvent{
				Uri: request.GetUri(), At: timestamppb.New(at),
				Kind: &mcpv1.ResourceEvent_Update{Update: &mcpv1.ReadResourceResponse{Contents: []*mcpv1.Content{content}}},
			}); err != nil {
				return err
			}
		}
	}
}

func (s *service) ListPrompts(context.Context, *mcpv1.ListPromptsRequest) (*mcpv1.ListPromptsResponse, error) {
	return &mcpv1.ListPromptsResponse{Prompts: prompts}, nil
}

func (s *service) GetPrompt(_ context.Context, request *mcpv1.GetPromptRequest) (*mcpv1.GetPromptResponse, error) {
	return getPrompt(request)
}

func (s *service) Complete(_ context.Context, request *mcpv1.CompleteRequest) (*mcpv1.CompleteResponse, error) {
	return complete(request), nil
}

// authService implements service AuthDiscovery.
type authService struct {
	mcpv1.UnimplementedAuthDiscoveryServer
}

func (authService) GetMetadata(context.Context, *mcpv1.GetMetadataRequest) (*mcpv1.ProtectedResourceMetadata, error) {
	return &mcpv1.ProtectedResourceMetadata{
		Resource:               "https://mcp.example.com",
		AuthorizationServers:   []string{"https://issuer.example.com"},
		ScopesSupported:        []string{"tools"},
		BearerMethodsSupported: []string{"header"},
	}, nil
}

// failure is the error of an RPC with the JSON-RPC error in its details.
func failure(code codes.Code, rpcCode int32, message string) error {
	state, err := status.New(code, message).WithDetails(&mcpv1.JsonRpcError{Code: rpcCode, Message: message})
	if err != nil {
		return err
	}
	return state.Err()
}

// detail is the JSON-RPC error of an error that failure made.
func detail(err error) *mcpv1.JsonRpcError {
	for _, d := range status.Convert(err).Details() {
		if e, ok := d.(*mcpv1.JsonRpcError); ok {
			return e
		}
	}
	return &mcpv1.JsonRpcError{Code: -32603, Message: "internal error"}
}
