// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// startInheritedServer runs the server that knows the inherited subset alone, and gives its
// address.
func startInheritedServer(t testing.TB) string {
	t.Helper()
	p := start(t, build(t, "interop/inheritedserver"))
	addr, ok := strings.CutPrefix(p.line(), "listening on ")
	if !ok {
		t.Fatal("the server does not say where it listens")
	}
	t.Cleanup(func() { // before the kill of start
		if err := p.stdin.Close(); err != nil {
			t.Error(err)
		}
		if o := p.wait(); o.code != 0 {
			t.Errorf("the server ended with %+v", o)
		}
	})
	return addr
}

// TestInheritedPair has the two programs speak to each other, without any of our code.
func TestInheritedPair(t *testing.T) {
	t.Parallel()
	c := inheritedClient{t, build(t, "interop/inherited"), startInheritedServer(t)}
	wantJSON(t, "call-tool", `{"progress":{"percentage":25,"message":"1 of 4"}} {"progress":{"percentage":50,"message":"2 of 4"}}
		{"progress":{"percentage":75,"message":"3 of 4"}} {"progress":{"percentage":100,"message":"4 of 4"}}
		{"result":{"content":[{"text":{"text":"done","mimeType":"text/plain"}}]}}`, succeed(t, "", c.path, "--addr", c.addr, "call-tool", "steps", ""))
	session, _ := member(c.call("initialize")[0], "sessionId").(string)
	if got := c.call("shutdown", session); member(got[0], "accepted") != true {
		t.Errorf("shutdown: got %v", got)
	}
	if events := c.call("subscribe", "notes://today", "2"); len(events) != 2 {
		t.Errorf("subscribe: got %v", events)
	}
	o := succeed(t, `{"method":"initialize","request":{"id":"1","params":{}}}`+"\n"+
		`{"method":"tools/call","request":{"id":"2","params":{"name":"echo","arguments":{"a":1}}}}`+"\n"+
		`{"method":"no/such","request":{"id":"3"}}`+"\n", c.path, "--addr", c.addr, "connect")
	answers := values(t, o)
	if len(answers) != 3 || member(answers[1], "response", "result", "structuredContent", "a") != 1.0 || member(answers[2], "response", "error", "code") != -32601.0 {
		t.Errorf("connect: got %v", answers)
	}
}

// TestTypedClientMeetsAnInheritedServer calls everything that the server has with the typed
// client, by itself and with a session.
func TestTypedClientMeetsAnInheritedServer(t *testing.T) {
	t.Parallel()
	addr := startInheritedServer(t)
	for name, opts := range map[string][]mcpconnect.ClientOption{
		"modern": nil, "legacy": {mcpconnect.WithProtocolVersion("2025-06-18")},
	} {
		t.Run(name, func(t *testing.T) {
			var steps []string
			onProgress := mcpconnect.WithProgressHandler(func(_ context.Context, p *mcp.ProgressNotificationParams) { steps = append(steps, p.Message) })
			c := mcpconnect.NewClient("http://"+addr, append(opts, onProgress)...)
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			checkInheritedTools(t, c)
			if d := cmp.Diff([]string{"1 of 4", "2 of 4", "3 of 4", "4 of 4"}, steps); d != "" {
				t.Errorf("progress differs (-want +got):\n%s", d)
			}
			checkInheritedContent(t, c)
			checkInheritedUpdates(t, c)
		})
	}
}

func checkInheritedTools(t *testing.T, c *mcpconnect.Client) {
	t.Helper()
	ctx := testContext(t)
	var names []string
	for tool, err := range c.Tools(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	if d := cmp.Diff([]string{"echo", "steps", "broken"}, names); d != "" {
		t.Errorf("tools differ (-want +got):\n%s", d)
	}
	echoed, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"a": []any{1, "x", nil}}})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, "structured content", `{"a":[1,"x",null]}`, jsonOf(t, echoed.StructuredContent))
	if res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "steps"}); err != nil || len(res.Content) != 1 {
		t.Errorf("steps: got %v, %v", res, err)
	}
	if res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "broken"}); err != nil || !res.IsError {
		t.Errorf("broken: got %v, %v", res, err)
	}
	_, err = c.CallTool(ctx, &mcp.CallToolParams{Name: "nothing"})
	wantWireError(t, err, -32602)
	// What a Struct cannot hold cannot reach this server; the client must not round it.
	if _, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "echo", Arguments: json.RawMessage(`{"n":9007199254740993}`)}); err == nil {
		t.Error("got no error for a number that a Struct does not hold")
	}
}

func checkInheritedContent(t *testing.T, c *mcpconnect.Client) {
	t.Helper()
	ctx := testContext(t)
	if res, err := c.ListResources(ctx, nil); err != nil || len(res.Resources) != 2 || res.Resources[0].URI != "notes://today" {
		t.Errorf("ListResources: got %v, %v", res, err)
	}
	if res, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: "notes://today"}); err != nil || res.Contents[0].Text != "buy milk" {
		t.Errorf("ReadResource: got %v, %v", res, err)
	}
	if res, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: "notes://dot"}); err != nil || string(res.Contents[0].Blob) != "\xff\x00" {
		t.Errorf("ReadResource: got %v, %v", res, err)
	}
	_, err := c.ReadResource(ctx, &mcp.ReadResourceParams{URI: "no://such"})
	wantWireError(t, err, -32002)
	if res, err := c.ListPrompts(ctx, nil); err != nil || len(res.Prompts) != 1 || !res.Prompts[0].Arguments[0].Required {
		t.Errorf("ListPrompts: got %v, %v", res, err)
	}
	prompt, err := c.GetPrompt(ctx, &mcp.GetPromptParams{Name: "summary", Arguments: map[string]string{"topic": "notes"}})
	if err != nil || len(prompt.Messages) != 1 || prompt.Messages[0].Content.(*mcp.TextContent).Text != "Sum up my notes." {
		t.Errorf("GetPrompt: got %v, %v", prompt, err)
	}
	completed, err := c.Complete(ctx, &mcp.CompleteParams{
		Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "summary"}, Argument: mcp.CompleteParamsArgument{Name: "topic", Value: "me"},
	})
	if err != nil {
		t.Errorf("Complete: %v", err)
	} else if d := cmp.Diff([]string{"meetings", "messages"}, completed.Completion.Values); d != "" {
		t.Errorf("completion differs (-want +got):\n%s", d)
	}
	if at, err := c.Ping(ctx); err != nil || at.IsZero() {
		t.Errorf("Ping: got %v, %v", at, err)
	}
	_, err = c.ListResourceTemplates(ctx, nil) // the subset has no such RPC
	wantWireError(t, err, -32601)
}

func checkInheritedUpdates(t *testing.T, c *mcpconnect.Client) {
	t.Helper()
	updates, err := c.SubscribeResource(testContext(t), &mcp.SubscribeParams{URI: "notes://today"})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for update, err := range updates {
		if err != nil {
			t.Fatal(err)
		}
		if update.URI != "notes://today" || update.At.IsZero() || len(update.Contents.Contents) != 1 || update.Contents.Contents[0].Text != "buy milk" {
			t.Errorf("got update %+v", update)
		}
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("got %d updates, want 2", seen)
	}
}

// wantWireError checks the code of an error's JSON-RPC error.
func wantWireError(t testing.TB, err error, code int64) {
	t.Helper()
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || wire.Code != code {
		t.Errorf("got error %v, want code %d", err, code)
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
