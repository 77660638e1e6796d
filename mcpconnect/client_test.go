// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	connectrpc "connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// newClient gives a typed client over w until the test ends.
func newClient(t *testing.T, url string, w wire, opts ...mcpconnect.ClientOption) *mcpconnect.Client {
	t.Helper()
	client := mcpconnect.NewClient(url, slices.Concat(w.opts, opts)...)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return client
}

// eachTypedEra runs test with a typed client on each wire with each version.
func eachTypedEra(t *testing.T, test func(t *testing.T, server *everything.Server, c *mcpconnect.Client, version string), opts ...mcpconnect.ClientOption) {
	t.Helper()
	eachEra(t, func(t *testing.T, w wire, version string) {
		server, url := serveEverything(t)
		opts := append([]mcpconnect.ClientOption{mcpconnect.WithProtocolVersion(version)}, opts...)
		test(t, server, newClient(t, url, w, opts...), version)
	})
}

func tool(name, args string) *mcp.CallToolParams {
	p := &mcp.CallToolParams{Name: name}
	if args != "" {
		p.Arguments = json.RawMessage(args)
	}
	return p
}

func TestClientCallsEveryMethod(t *testing.T) {
	t.Parallel()
	eachTypedEra(t, func(t *testing.T, _ *everything.Server, c *mcpconnect.Client, version string) {
		ctx := t.Context()
		if now, err := c.Ping(ctx); err != nil || time.Since(now).Abs() > time.Hour {
			t.Errorf("Ping: %v, %v", now, err)
		}
		discovered, err := c.Discover(ctx, nil)
		if version == modern {
			if err != nil || !slices.Contains(discovered.SupportedVersions, modern) {
				t.Errorf("Discover: %+v, %v", discovered, err)
			}
		} else if e, ok := errors.AsType[*jsonrpc.Error](err); !ok || e.Code != jsonrpc.CodeMethodNotFound {
			t.Errorf("Discover: got %v, want -32601", err)
		}
		if got := texts(c.CallTool(ctx, tool("structured_echo", `{"n":9007199254740993,"s":"ü"}`))); got != `{"n":9007199254740993,"s":"ü"}` {
			t.Errorf("CallTool: got %s", got)
		}
		text, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: "everything://text/grüß dich"})
		if err != nil || text.Contents[0].Text != "grüß dich" {
			t.Errorf("ReadResource: %+v, %v", text, err)
		}
		binary, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-binary"})
		if err != nil || !strings.HasPrefix(string(binary.Contents[0].Blob), "\x89PNG") {
			t.Errorf("ReadResource: %+v, %v", binary, err)
		}
		prompt, err := c.GetPrompt(ctx, &mcp.GetPromptParams{Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "a", "arg2": "b"}})
		if err != nil || len(prompt.Messages) != 1 {
			t.Errorf("GetPrompt: %+v, %v", prompt, err)
		}
		unusual, err := c.GetPrompt(ctx, &mcp.GetPromptParams{Name: "grüß dich"})
		if err != nil || len(unusual.Messages) != 1 {
			t.Errorf("GetPrompt: %+v, %v", unusual, err)
		}
		completed, err := c.Complete(ctx, &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: "test_prompt_with_arguments"},
			Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "p"},
		})
		if err != nil {
			t.Errorf("Complete: %+v, %v", completed, err)
		}
	})
}

func TestClientGivesAllPages(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		url := serveMCP(t, everything.New(&everything.Options{PageSize: 3}).MCP())
		c := newClient(t, url, w)
		ctx := t.Context()
		all := map[string]int{}
		for item, err := range c.Tools(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			all["tool "+item.Name]++
		}
		for item, err := range c.Resources(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			all["resource "+item.URI]++
		}
		for item, err := range c.ResourceTemplates(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			all["template "+item.URITemplate]++
		}
		for item, err := range c.Prompts(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			all["prompt "+item.Name]++
		}
		if len(all) < 40 {
			t.Errorf("got %d items only", len(all))
		}
		for name, n := range all {
			if n != 1 {
				t.Errorf("got %s %d times", name, n)
			}
		}
		for range c.Tools(ctx, nil) {
			break // leaving early is fine
		}
		for _, err := range c.Tools(ctx, &mcp.ListToolsParams{Cursor: "no such cursor"}) {
			if e, ok := errors.AsType[*jsonrpc.Error](err); !ok || e.Code != jsonrpc.CodeInvalidParams {
				t.Errorf("wrong cursor: got %v, want -32602", err)
			}
		}
	})
}

func TestClientErrorsSayWhat(t *testing.T) {
	t.Parallel()
	eachTypedEra(t, func(t *testing.T, _ *everything.Server, c *mcpconnect.Client, _ string) {
		_, err := c.CallTool(t.Context(), tool("error_jsonrpc", `{"code":4711,"message":"no","data":{"n":9007199254740993}}`))
		e, ok := errors.AsType[*jsonrpc.Error](err)
		if !ok {
			t.Fatalf("got %v, want a JSON-RPC error", err)
		}
		want := &jsonrpc.Error{Code: 4711, Message: "no", Data: json.RawMessage(`{"n":9007199254740993}`)}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("error differs (-want +got):\n%s", diff)
		}
		if got := connectrpc.CodeOf(err); got != connectrpc.CodeUnknown {
			t.Errorf("got code %v", got)
		}
		_, err = c.CallTool(t.Context(), tool("no such tool", ""))
		if e, ok := errors.AsType[*jsonrpc.Error](err); !ok || e.Code != jsonrpc.CodeInvalidParams || connectrpc.CodeOf(err) != connectrpc.CodeNotFound {
			t.Errorf("got %v, code %v, want -32602 and not_found", err, connectrpc.CodeOf(err))
		}
	})
}

func TestClientTellsProgressAndLogs(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		var progress []float64
		var tokens []any
		var logs []any
		c := newClient(t, url, w,
			mcpconnect.WithProgressHandler(func(_ context.Context, p *mcp.ProgressNotificationParams) {
				progress, tokens = append(progress, p.Progress), append(tokens, p.ProgressToken)
			}),
			mcpconnect.WithLogHandler("info", func(_ context.Context, m *mcp.LoggingMessageParams) { logs = append(logs, m.Data) }))
		if _, err := c.CallTool(t.Context(), tool("test_tool_with_progress", "")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float64{0, 50, 100}, progress); diff != "" {
			t.Errorf("progress differs (-want +got):\n%s", diff)
		}
		own := tool("test_tool_with_progress", "")
		own.SetProgressToken("own")
		if got := texts(c.CallTool(t.Context(), own)); got != "own" || tokens[len(tokens)-1] != "own" {
			t.Errorf("got token %q and %v, want own", got, tokens)
		}
		if _, err := c.CallTool(t.Context(), tool("test_tool_with_logging", "")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{"Tool execution started", "Tool processing data", "Tool execution completed"}, logs); diff != "" {
			t.Errorf("logs differ (-want +got):\n%s", diff)
		}
	})
}

func TestClientAnswersQuestions(t *testing.T) {
	t.Parallel()
	opts := []mcpconnect.ClientOption{
		mcpconnect.WithCapabilities(&mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{
			Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{},
		}}),
		mcpconnect.WithElicitationHandler(elicited),
		mcpconnect.WithSamplingHandler(sampled),
		mcpconnect.WithRoots(&mcp.Root{Name: "home", URI: "file:///home"}),
	}
	tests := []struct{ tool, want string }{
		{"test_input_required_result_elicitation", "Hello, Ada's name!"},
		{"test_input_required_result_sampling", "Sampling response: completion"},
		{"test_input_required_result_list_roots", "Client exposed 1 root(s): file:///home"},
		{"test_input_required_result_request_state", "state-ok: requestState received and confirmation accepted"},
		{"test_input_required_result_multiple_inputs", "completion Ada's name — 1 root(s) visible"},
		{"test_input_required_result_multi_round", "Multi-round complete: Ada's name likes Ada's color"},
		{"test_input_required_result_capabilities", "Capability-aware input requests fulfilled"},
		{"roundtrip_url", "URL elicitation: accept"},
		{"roundtrip_sampling_tools", `assistant by model, stopped by toolUse: text "completion" use use-2 of weather with {"city":"Rome"}`},
		{"roundtrip_busy", "no longer busy"},
	}
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		c := newClient(t, url, w, opts...)
		for _, test := range tests {
			if got := texts(c.CallTool(t.Context(), tool(test.tool, ""))); got != test.want {
				t.Errorf("%s: got %q, want %q", test.tool, got, test.want)
			}
		}
		prompt, err := c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "test_input_required_result_prompt"})
		if err != nil || prompt.Messages[0].Content.(*mcp.TextContent).Text != "Context: Ada's context" {
			t.Errorf("prompt: got %+v, %v", prompt, err)
		}
		resource, err := c.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "everything://question"})
		if err != nil || resource.Contents[0].Text != "This is about Ada's name" {
			t.Errorf("resource: got %+v, %v", resource, err)
		}
	})
}

func TestClientWithoutHandlersReturnsQuestions(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		c := newClient(t, url, w)
		res, err := c.CallTool(t.Context(), tool("test_input_required_result_request_state", ""))
		if err != nil || !res.NeedsInput() || res.RequestState != "request_state" {
			t.Fatalf("got %+v, %v", res, err)
		}
		again := tool("test_input_required_result_request_state", "")
		again.InputResponses = mcp.InputResponseMap{"confirm": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"ok": true}}}
		again.RequestState = res.RequestState
		if got := texts(c.CallTool(t.Context(), again)); got != "state-ok: requestState received and confirmation accepted" {
			t.Errorf("got %q", got)
		}
		busy, err := c.CallTool(t.Context(), tool("roundtrip_busy", ""))
		if err != nil || !busy.NeedsInput() || len(busy.InputRequests) != 0 {
			t.Errorf("got %+v, %v", busy, err)
		}
	})
}

func TestClientBoundsRounds(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(implementation, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "curious"}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"q": &mcp.ElicitParams{Message: "?"}}}, nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "busy"}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{}, RequestState: "s"}, nil, nil
	})
	asked := 0
	c := newClient(t, serveMCP(t, server), wires[0], mcpconnect.WithElicitationHandler(
		func(context.Context, *mcp.ElicitParams) (*mcp.ElicitResult, error) {
			asked++
			return &mcp.ElicitResult{Action: "decline"}, nil
		}))
	if _, err := c.CallTool(t.Context(), tool("curious", "")); err == nil || !strings.Contains(err.Error(), "10 rounds") || asked != 9 {
		t.Errorf("got %v after %d questions", err, asked)
	}
	if _, err := c.CallTool(t.Context(), tool("busy", "")); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("got %v", err)
	}
}

func TestClientCancelsAndHasDeadlines(t *testing.T) {
	t.Parallel()
	eachTypedEra(t, func(t *testing.T, server *everything.Server, c *mcpconnect.Client, _ string) {
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := c.CallTool(ctx, tool("block", ""))
			failed <- err
		}()
		wait(t, server.Blocked())
		cancel()
		if err := wait(t, failed); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		wait(t, server.Unblocked())
		ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := c.CallTool(ctx, tool("block", "")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		wait(t, server.Unblocked())
	})
}

func TestClientListens(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		c := newClient(t, url, w)
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		for e, err := range c.Listen(ctx, &mcp.SubscriptionsListenParams{Notifications: &mcp.NotificationSubscriptions{
			ToolsListChanged: true, ResourceSubscriptions: []string{"test://watched-resource"},
		}}) {
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Acknowledged != nil:
				got = append(got, "acknowledged")
				if _, err := c.CallTool(ctx, tool("add_tool", `{"name":"x"}`)); err != nil {
					t.Fatal(err)
				}
			case e.ToolsChanged != nil:
				got = append(got, "tools")
				if _, err := c.CallTool(ctx, tool("update_resource", `{"text":"new"}`)); err != nil {
					t.Fatal(err)
				}
			case e.ResourceUpdated != nil:
				got = append(got, e.ResourceUpdated.URI)
				cancel()
			}
		}
		cancel()
		if diff := cmp.Diff([]string{"acknowledged", "tools", "test://watched-resource"}, got); diff != "" {
			t.Errorf("events differ (-want +got):\n%s", diff)
		}
	})
}

func TestClientWatchesAResource(t *testing.T) {
	t.Parallel()
	eachTypedEra(t, func(t *testing.T, _ *everything.Server, c *mcpconnect.Client, _ string) {
		updates, err := c.SubscribeResource(t.Context(), &mcp.SubscribeParams{URI: "test://watched-resource"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.CallTool(t.Context(), tool("update_resource", `{"text":"new"}`)); err != nil {
			t.Fatal(err)
		}
		for u, err := range updates {
			if err != nil || u.Err != nil {
				t.Fatal(err, u)
			}
			if got := u.Contents.Contents[0].Text; got != "new" || u.URI != "test://watched-resource" {
				t.Errorf("got %q of %s", got, u.URI)
			}
			break
		}
	})
}

func TestClientFollowsTasks(t *testing.T) {
	t.Parallel()
	caps := &mcp.ClientCapabilities{}
	caps.AddExtension(everything.TasksExtension, nil)
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		c := newClient(t, url, w, mcpconnect.WithCapabilities(caps))
		_, err := c.CallTool(t.Context(), tool("start_task", `{"mode":"input"}`))
		started, ok := errors.AsType[*mcpconnect.TaskStartedError](err)
		if !ok {
			t.Fatalf("got %v, want a task", err)
		}
		id := started.Task.TaskId
		got, err := c.GetTask(t.Context(), &mcpv1.GetTaskRequest{TaskId: id})
		if err != nil || got.GetTask().GetStatus() != "input_required" {
			t.Errorf("got %v, %v", got, err)
		}
		if _, err := c.UpdateTask(t.Context(), &mcpv1.UpdateTaskRequest{TaskId: id, InputResponses: map[string]*mcpv1.InputResponse{}}); err != nil {
			t.Errorf("UpdateTask: %v", err)
		}
		if _, err := c.CancelTask(t.Context(), &mcpv1.CancelTaskRequest{TaskId: id}); err != nil {
			t.Errorf("CancelTask: %v", err)
		}
	})
}

func elicited(_ context.Context, p *mcp.ElicitParams) (*mcp.ElicitResult, error) {
	if p.URL != "" {
		return &mcp.ElicitResult{Action: "accept"}, nil
	}
	schema, _ := p.RequestedSchema.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	content := map[string]any{}
	for name := range properties {
		switch name {
		case "ok":
			content[name] = true
		case "name", "username", "random", "context", "color":
			content[name] = "Ada's " + name
		}
	}
	return &mcp.ElicitResult{Action: "accept", Content: content}, nil
}

func sampled(_ context.Context, p *mcp.CreateMessageWithToolsParams) (*mcp.CreateMessageWithToolsResult, error) {
	res := &mcp.CreateMessageWithToolsResult{Role: "assistant", Model: "model", StopReason: "endTurn"}
	res.Content = []mcp.Content{&mcp.TextContent{Text: "completion"}}
	if len(p.Tools) > 0 {
		res.StopReason = "toolUse"
		res.Content = append(res.Content, &mcp.ToolUseContent{ID: "use-2", Name: "weather", Input: map[string]any{"city": "Rome"}})
	}
	return res, nil
}
