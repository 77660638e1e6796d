// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	connectrpc "connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// An inheritedServer knows the fields and RPCs alone that mcp.v1 inherits.
type inheritedServer struct {
	mcpv1connect.UnimplementedMCPHandler
	probes atomic.Int64
}

func (s *inheritedServer) Discover(context.Context, *mcpv1.DiscoverRequest) (*mcpv1.DiscoverResponse, error) {
	s.probes.Add(1)
	return nil, connectrpc.NewError(connectrpc.CodeUnimplemented, errors.New("unknown method Discover"))
}

func (*inheritedServer) CallTool(_ context.Context, r *mcpv1.CallToolRequest, stream *connectrpc.ServerStream[mcpv1.CallToolEvent]) error {
	if r.GetName() == "fail" {
		return stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Error{Error: &mcpv1.JsonRpcError{
			Code: -32602, Message: "no", Data: &structpb.Struct{},
		}}})
	}
	return errors.Join(
		stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Progress{Progress: &mcpv1.CallToolProgress{Percentage: 50}}}),
		stream.Send(&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Result{Result: &mcpv1.CallToolResult{
			Content:           []*mcpv1.Content{{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: new("hello")}}}},
			StructuredContent: r.GetArguments(),
		}}}))
}

func (*inheritedServer) GetPrompt(_ context.Context, r *mcpv1.GetPromptRequest) (*mcpv1.GetPromptResponse, error) {
	text := r.GetArguments().GetFields()["a"].GetStringValue()
	return &mcpv1.GetPromptResponse{Messages: []*mcpv1.Content{{
		Role: new("user"), Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: &text}},
	}}}, nil
}

func TestClientOfAServerWithTheInheritedFields(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		server := &inheritedServer{}
		var progress []*mcp.ProgressNotificationParams
		c := newClient(t, serveRPC(t, server), w, mcpconnect.WithProgressHandler(
			func(_ context.Context, p *mcp.ProgressNotificationParams) { progress = append(progress, p) }))
		res, err := c.CallTool(t.Context(), tool("echo", `{"a":[1,"x",null]}`))
		if got := texts(res, err); got != "hello" {
			t.Fatalf("got %q", got)
		}
		if diff := cmp.Diff(map[string]any{"a": []any{1.0, "x", nil}}, res.StructuredContent); diff != "" {
			t.Errorf("arguments differ (-want +got):\n%s", diff)
		}
		want := []*mcp.ProgressNotificationParams{{ProgressToken: 1.0, Progress: 50, Total: 100}}
		if diff := cmp.Diff(want, progress); diff != "" {
			t.Errorf("progress differs (-want +got):\n%s", diff)
		}
		_, err = c.CallTool(t.Context(), tool("fail", ""))
		e, ok := errors.AsType[*jsonrpc.Error](err)
		if !ok || e.Code != -32602 || string(e.Data) != "{}" || connectrpc.CodeOf(err) != connectrpc.CodeInvalidArgument {
			t.Errorf("got %v, code %v", err, connectrpc.CodeOf(err))
		}
		_, err = c.CallTool(t.Context(), tool("echo", `{"n":9007199254740993}`))
		if connectrpc.CodeOf(err) != connectrpc.CodeInvalidArgument {
			t.Errorf("a number that no Struct holds: got %v", err)
		}
		prompt, err := c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "p", Arguments: map[string]string{"a": "b"}})
		if err != nil || prompt.Messages[0].Content.(*mcp.TextContent).Text != "b" {
			t.Errorf("got %+v, %v", prompt, err)
		}
		if n := server.probes.Load(); n != 1 {
			t.Errorf("the server was probed %d times", n)
		}
	})
}

func TestClientOpensOneSessionAndAnotherWhenItIsLost(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		server := everything.New(nil)
		var opened atomic.Int64
		server.MCP().AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				if method == "initialize" {
					opened.Add(1)
				}
				return next(ctx, method, req)
			}
		})
		url := serveMCP(t, server.MCP())
		c := newClient(t, url, w, mcpconnect.WithProtocolVersion("2025-11-25"))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := c.ListTools(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := opened.Load(); n != 1 {
			t.Errorf("%d sessions were opened, want 1", n)
		}
		// The session ends behind the client's back.
		res, err := c.CallTool(t.Context(), tool("inspect_request", `{"headers":["Mcp-Session-Id"]}`))
		id := inspected(t, res, err)["Mcp-Session-Id"].([]any)[0].(string)
		if err := shutdown(t, url, id); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CallTool(t.Context(), tool("structured_number", "")); err != nil {
			t.Error(err)
		}
		if n := opened.Load(); n != 2 {
			t.Errorf("%d sessions were opened, want 2", n)
		}
	})
}

// shutdown ends a session by the RPC.
func shutdown(t *testing.T, url, id string) error {
	t.Helper()
	ctx, info := connectrpc.NewClientContext(t.Context())
	info.RequestHeader().Set("mcp-session-id", id)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	_, err := mcpv1connect.NewMCPClient(client, url).Shutdown(ctx, &mcpv1.ShutdownRequest{})
	return err
}
