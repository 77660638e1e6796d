// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestCallToolStreamsProgressAndLogs(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	meta := modern(t, `{}`)
	meta.LogLevel = new("info")
	meta.ProgressToken = &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_IntValue{IntValue: 7}}
	tests := []struct {
		tool string
		want []string
	}{
		{"test_tool_with_progress", []string{"progress 7 0% Completed step 0 of 100", "progress 7 50% Completed step 50 of 100", "progress 7 100% Completed step 100 of 100", "result 7"}},
		{"test_tool_with_logging", []string{"log info", "log info", "log info", "result Tool with logging executed successfully"}},
		{"greet", []string{"result Hi Ada"}},
	}
	for _, test := range tests {
		t.Run(test.tool, func(t *testing.T) {
			stream, err := c.CallTool(ctx, &mcpv1.CallToolRequest{Name: new(test.tool), Arguments: object(t, `{"name":"Ada"}`), Meta: meta})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				event, err := stream.Recv()
				if err != nil {
					t.Fatalf("got %v, want %s", err, want)
				}
				if got := describeEvent(event); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the end", err)
			}
		})
	}
}

func describeEvent(e *mcpv1.CallToolEvent) string {
	switch kind := e.GetKind().(type) {
	case *mcpv1.CallToolEvent_Progress:
		return fmt.Sprintf("progress %d %d%% %s", kind.Progress.GetProgressToken().GetIntValue(), kind.Progress.GetPercentage(), kind.Progress.GetMessage())
	case *mcpv1.CallToolEvent_Log:
		return "log " + kind.Log.GetLevel()
	case *mcpv1.CallToolEvent_Result:
		return "result " + text(kind.Result)
	default:
		return e.String()
	}
}

func TestCallToolFailsWithDetails(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	stream, err := c.CallTool(ctx, &mcpv1.CallToolRequest{Name: new("error_jsonrpc"), Arguments: object(t, `{"message":"no","data":{"a":1}}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	e := wantStatus(t, err, codes.Unknown, everything.DefaultErrorCode)
	if d := diff(object(t, `{"a":1}`), e.GetData()); d != "" {
		t.Errorf("data differs (-want +got):\n%s", d)
	}
}

// TestCallToolAsksInRounds plays both rounds of a multi round-trip request.
func TestCallToolAsksInRounds(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	request := &mcpv1.CallToolRequest{Name: new("test_input_required_result_elicitation"), Meta: modern(t, `{"elicitation":{"form":{}}}`)}
	first := onlyEvent(ctx, t, c, request).GetInputRequired()
	request.InputResponses = map[string]*mcpv1.InputResponse{}
	for key, question := range first.GetInputRequests() {
		if question.GetElicitation().GetMessage() == "" {
			t.Errorf("%s: got %v, want a form", key, question)
		}
		request.InputResponses[key] = message(t, &mcpv1.InputResponse{}, `{"elicitation":{"action":"accept","content":{"name":"Ada"}}}`)
	}
	if len(request.InputResponses) != 1 {
		t.Fatalf("got %v, want one question", first)
	}
	request.RequestState = first.RequestState
	second := onlyEvent(ctx, t, c, request).GetResult()
	if second == nil || second.GetIsError() || text(second) != "Hello, Ada!" {
		t.Errorf("got %v", second)
	}
}

func onlyEvent(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, request *mcpv1.CallToolRequest) *mcpv1.CallToolEvent {
	t.Helper()
	stream, err := c.CallTool(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	event, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if more, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, %v after %v", more, err, event)
	}
	return event
}

// TestListen has two subscriptions at a time, and ends one.
func TestListen(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	listen := func(ctx context.Context, filter *mcpv1.SubscriptionFilter) mcpv1grpc.MCP_ListenClient {
		t.Helper()
		stream, err := c.Listen(ctx, &mcpv1.ListenRequest{Meta: modern(t, `{}`), Notifications: filter})
		if err != nil {
			t.Fatal(err)
		}
		first, err := stream.Recv()
		if err != nil || first.GetAcknowledged() == nil {
			t.Fatalf("got %v, %v; want an acknowledgement", first, err)
		}
		return stream
	}
	tools := listen(ctx, &mcpv1.SubscriptionFilter{ToolsListChanged: new(true)})
	short, cancel := context.WithCancel(ctx)
	resource := listen(short, &mcpv1.SubscriptionFilter{ResourceSubscriptions: []string{"test://watched-resource"}})
	invoke(ctx, t, c, "update_resource", `{"text":"new"}`)
	if got, err := resource.Recv(); err != nil || got.GetResourceUpdated().GetUri() != "test://watched-resource" {
		t.Errorf("got %v, %v; want an update", got, err)
	}
	cancel()
	_, err := resource.Recv()
	wantStatus(t, err, codes.Canceled, 0)
	invoke(ctx, t, c, "test_trigger_tool_change", `{}`)
	if got, err := tools.Recv(); err != nil || got.GetToolsListChanged() == nil {
		t.Errorf("got %v, %v; want a change of the tools", got, err)
	}
}

func invoke(ctx context.Context, t *testing.T, c mcpv1grpc.MCPClient, tool, args string) *mcpv1.CallToolResult {
	t.Helper()
	res, err := c.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new(tool), Arguments: object(t, args)})
	if err != nil || res.GetResult().GetIsError() {
		t.Fatalf("%s: got %v, %v", tool, res, err)
	}
	return res.GetResult()
}

// TestSubscribeResource relies on the headers: they come when the subscription stands.
func TestSubscribeResource(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	stream, err := c.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: new("test://watched-resource")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	invoke(ctx, t, c, "update_resource", `{"text":"fresh"}`)
	event, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	contents := event.GetUpdate().GetContents()
	if event.GetUri() != "test://watched-resource" || !event.GetAt().IsValid() || len(contents) != 1 || contents[0].GetText().GetText() != "fresh" {
		t.Errorf("got %v", event)
	}
}

// TestSend sends JSON-RPC messages one by one, without and with a session.
func TestSend(t *testing.T) {
	t.Parallel()
	c, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	send := func(text string) []*mcpv1.Envelope {
		t.Helper()
		stream, err := c.Send(ctx, message(t, &mcpv1.Envelope{}, text))
		if err != nil {
			t.Fatal(err)
		}
		var all []*mcpv1.Envelope
		for {
			e, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
	}
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"progressToken":"p"}`
	got := send(`{"method":"tools/call","request":{"id":"1","params":{"name":"test_tool_with_progress",` + meta + `}}}`)
	if len(got) != 4 || got[0].GetMethod() != "notifications/progress" || got[3].GetResponse().GetId() != "1" || got[3].GetResponse().GetResult() == nil {
		t.Errorf("got %v", got)
	}
	got = send(`{"method":"no/such","request":{"intId":"2"}}`)
	if len(got) != 1 || got[0].GetResponse().GetIntId() != 2 || got[0].GetResponse().GetError().GetCode() != -32601 {
		t.Errorf("got %v", got)
	}
	if got = send(`{"method":"notifications/cancelled","notification":{"params":{"requestId":"1"}}}`); len(got) != 0 {
		t.Errorf("got %v for a notification", got)
	}
}
