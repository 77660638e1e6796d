// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

var quiet = slog.New(slog.DiscardHandler)

// texts gives the texts of a result, and its error if it has one.
func texts(res *mcp.CallToolResult, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var all []string
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			all = append(all, text.Text)
		} else {
			all = append(all, fmt.Sprintf("%T", c))
		}
	}
	return strings.Join(all, "\n")
}

func call(t *testing.T, session *mcp.ClientSession, tool, args string) (*mcp.CallToolResult, error) {
	t.Helper()
	params := &mcp.CallToolParams{Name: tool}
	if args != "" {
		params.Arguments = json.RawMessage(args)
	}
	return session.CallTool(t.Context(), params)
}

func wait[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came within 20 s")
		panic("unreachable")
	}
}

func TestTransportListsAndReads(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		ctx := t.Context()
		tools, err := session.ListTools(ctx, nil)
		if err != nil || len(tools.Tools) < 20 {
			t.Fatalf("got %d tools, error %v", len(tools.Tools), err)
		}
		if _, err := session.ListPrompts(ctx, nil); err != nil {
			t.Error(err)
		}
		if _, err := session.ListResources(ctx, nil); err != nil {
			t.Error(err)
		}
		if _, err := session.ListResourceTemplates(ctx, nil); err != nil {
			t.Error(err)
		}
		text, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: "everything://text/grüß dich"})
		if err != nil || text.Contents[0].Text != "grüß dich" {
			t.Errorf("got %+v, error %v", text, err)
		}
		binary, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-binary"})
		if err != nil || !strings.HasPrefix(string(binary.Contents[0].Blob), "\x89PNG") {
			t.Errorf("got %+v, error %v", binary, err)
		}
		prompt, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "a", "arg2": "b"}})
		if err != nil || len(prompt.Messages) != 1 {
			t.Errorf("got %+v, error %v", prompt, err)
		}
	})
}

func TestTransportKeepsNumbers(t *testing.T) {
	t.Parallel()
	const numbers = `{"n":9007199254740993,"f":0.1,"z":-0}`
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		res, err := call(t, session, "structured_echo", numbers)
		if got := texts(res, err); got != numbers {
			t.Errorf("got %s, want %s", got, numbers)
		}
	})
}

func TestTransportErrors(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		_, err := call(t, session, "error_jsonrpc", `{"code":4711,"message":"no","data":{"n":9007199254740993}}`)
		wire, ok := errors.AsType[*jsonrpc.Error](err)
		if !ok {
			t.Fatalf("got %v, want a JSON-RPC error", err)
		}
		want := &jsonrpc.Error{Code: 4711, Message: "no", Data: json.RawMessage(`{"n":9007199254740993}`)}
		if diff := cmp.Diff(want, wire); diff != "" {
			t.Errorf("error differs (-want +got):\n%s", diff)
		}
		_, err = call(t, session, "no such tool", "")
		if e, ok := errors.AsType[*jsonrpc.Error](err); !ok || e.Code != jsonrpc.CodeInvalidParams {
			t.Errorf("got %v, want -32602", err)
		}
		if _, err := call(t, session, "structured_object", ""); err != nil {
			t.Errorf("the session did not go on: %v", err)
		}
	})
}

func TestTransportProgressAndLog(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		progress := make(chan *mcp.ProgressNotificationParams, 10)
		logs := make(chan *mcp.LoggingMessageParams, 10)
		session := connect(t, mcp.NewClient(implementation, &mcp.ClientOptions{
			ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { progress <- r.Params },
			LoggingMessageHandler:       func(_ context.Context, r *mcp.LoggingMessageRequest) { logs <- r.Params },
		}), url, w, version)
		params := &mcp.CallToolParams{Name: "test_tool_with_progress"}
		params.SetProgressToken("tok")
		if _, err := session.CallTool(t.Context(), params); err != nil {
			t.Fatal(err)
		}
		for _, want := range []float64{0, 50, 100} {
			if p := wait(t, progress); p.Progress != want || p.Total != 100 || p.ProgressToken != "tok" {
				t.Errorf("got %+v, want %v", p, want)
			}
		}
		params = &mcp.CallToolParams{Name: "test_tool_with_logging"}
		if version == modern {
			params.Meta = mcp.Meta{mcp.MetaKeyLogLevel: "info"}
		} else if err := session.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "info"}); err != nil {
			t.Fatal(err)
		}
		if _, err := session.CallTool(t.Context(), params); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if l := wait(t, logs); l.Level != "info" {
				t.Errorf("got %+v", l)
			}
		}
	})
}
