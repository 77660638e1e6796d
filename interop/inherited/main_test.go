// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/interop/inherited/gen/mcp/v1"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	addr := serve(t)
	tests := []struct {
		name   string
		args   []string
		stdin  string
		stdout string
	}{
		{"initialize sends its version", []string{"initialize", "2025-06-18"}, "", `{"protocolVersion":"2025-06-18","serverInfo":{"name":"for inherited"},"sessionId":"s1"}` + "\n"},
		{"list-tools prints one line", []string{"list-tools"}, "", `{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}` + "\n"},
		{"call-tool prints every event", []string{"call-tool", "echo", `{"message":"hi"}`}, "", `{"progress":{"percentage":50}}` + "\n" + `{"result":{"content":[{"text":{"text":"hi"}}]}}` + "\n"},
		{"subscribe leaves after the events it was asked for", []string{"subscribe", "demo://clock", "2"}, "", strings.Repeat(`{"uri":"demo://clock"}`+"\n", 2)},
		{"connect sends each line and prints each answer", []string{"connect"}, `{"method":"ping","request":{"id":"1"}}` + "\n" + `{"method":"ping","request":{"id":"2"}}` + "\n", `{"response":{"id":"1","result":{}}}` + "\n" + `{"response":{"id":"2","result":{}}}` + "\n"},
		{"shutdown names the session in the metadata", []string{"shutdown", "s1"}, "", `{"accepted":true}` + "\n"},
		{"metadata asks the other service", []string{"metadata"}, "", `{"resource":"https://mcp.example.com"}` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout strings.Builder
			args := append([]string{"--addr", addr}, test.args...)
			if err := run(t.Context(), args, strings.NewReader(test.stdin), &stdout); err != nil {
				t.Fatalf("run %q: %v", test.args, err)
			}
			if got := stdout.String(); got != test.stdout {
				t.Errorf("run %q printed\n%swant\n%s", test.args, got, test.stdout)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	addr := serve(t)
	tests := []struct {
		name  string
		args  []string
		stdin string
		usage bool
		want  string // what describe gives, or a part of the text for wrong usage
	}{
		{"no command", nil, "", true, `unknown command ""`},
		{"too few arguments", []string{"call-tool", "echo"}, "", true, "call-tool takes: NAME ARGSJSON"},
		{"arguments that are no JSON", []string{"call-tool", "echo", "{"}, "", true, "ARGSJSON"},
		{"an envelope that is no JSON", []string{"connect"}, "{\n", true, "envelope"},
		{"the status of a failed RPC with its details", []string{"read", "demo://none"}, "", false, `{"code":"NotFound","message":"no such resource","details":[{"code":-32602,"message":"no such resource"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--addr", addr}, test.args...)
			err := run(t.Context(), args, strings.NewReader(test.stdin), io.Discard)
			if got := errors.Is(err, errUsage); got != test.usage {
				t.Fatalf("run %q is wrong usage: got %v, want %v: %v", test.args, got, test.usage, err)
			}
			if test.usage {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("run %q: got %q, want it to contain %q", test.args, err, test.want)
				}
			} else if got := describe(err); got != test.want {
				t.Errorf("run %q: got %s, want %s", test.args, got, test.want)
			}
		})
	}
}

// serve runs a server of the subset on a free port until the test and its subtests end.
func serve(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	server := grpc.NewServer()
	mcpv1.RegisterMCPServer(server, mcpServer{})
	mcpv1.RegisterAuthDiscoveryServer(server, authServer{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

type mcpServer struct {
	mcpv1.UnimplementedMCPServer
}

func (mcpServer) Initialize(_ context.Context, request *mcpv1.InitializeRequest) (*mcpv1.InitializeResponse, error) {
	return &mcpv1.InitializeResponse{
		ProtocolVersion: request.GetProtocolVersion(),
		ServerInfo:      &mcpv1.ServerInfo{Name: "for " + request.GetClientInfo().GetName()},
		SessionId:       "s1",
	}, nil
}

func (mcpServer) ListTools(context.Context, *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	schema := &structpb.Struct{Fields: map[string]*structpb.Value{"type": structpb.NewStringValue("object")}}
	return &mcpv1.ListToolsResponse{Tools: []*mcpv1.Tool{{Name: "echo", InputSchema: schema}}}, nil
}

func (mcpServer) CallTool(request *mcpv1.CallToolRequest, stream grpc.ServerStreamingServer[mcpv1.CallToolEvent]) error {
	progress := &mcpv1.CallToolProgress{Percentage: 50}
	if err := stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Progress{Progress: progress}}); err != nil {
		return err
	}
	text := &mcpv1.TextContent{Text: request.GetArguments().GetFields()["message"].GetStringValue()}
	result := &mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Text{Text: text}}}}
	return stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Result{Result: result}})
}

func (mcpServer) ReadResource(context.Context, *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	detail := &mcpv1.JsonRpcError{Code: -32602, Message: "no such resource"}
	state, err := status.New(codes.NotFound, detail.GetMessage()).WithDetails(detail)
	if err != nil {
		return nil, err
	}
	return nil, state.Err()
}

// SubscribeResource sends events until the client leaves.
func (mcpServer) SubscribeResource(request *mcpv1.SubscribeResourceRequest, stream grpc.ServerStreamingServer[mcpv1.ResourceEvent]) error {
	for {
		if err := stream.Send(&mcpv1.ResourceEvent{Uri: request.GetUri()}); err != nil {
			return err
		}
	}
}

func (mcpServer) Connect(stream grpc.BidiStreamingServer[mcpv1.Envelope, mcpv1.Envelope]) error {
	for {
		envelope, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		response := &mcpv1.JsonRpcResponse{
			Id:      envelope.GetRequest().GetId(),
			Outcome: &mcpv1.JsonRpcResponse_Result{Result: &structpb.Struct{}},
		}
		if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: response}}); err != nil {
			return err
		}
	}
}

func (mcpServer) Shutdown(ctx context.Context, _ *mcpv1.ShutdownRequest) (*mcpv1.ShutdownResponse, error) {
	sent := metadata.ValueFromIncomingContext(ctx, "mcp-session-id")
	return &mcpv1.ShutdownResponse{Accepted: len(sent) == 1 && sent[0] == "s1"}, nil
}

type authServer struct {
	mcpv1.UnimplementedAuthDiscoveryServer
}

func (authServer) GetMetadata(context.Context, *mcpv1.GetMetadataRequest) (*mcpv1.ProtectedResourceMetadata, error) {
	return &mcpv1.ProtectedResourceMetadata{Resource: "https://mcp.example.com"}, nil
}
