// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// describe puts a result into one line: the text of every block or its type.
func describe(res *mcp.CallToolResult, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var parts []string
	if res.IsError {
		parts = append(parts, "isError")
	}
	for _, block := range res.Content {
		switch block := block.(type) {
		case *mcp.TextContent:
			parts = append(parts, block.Text)
		case *mcp.EmbeddedResource:
			parts = append(parts, fmt.Sprintf("resource(%s)", block.Resource.URI))
		case *mcp.ResourceLink:
			parts = append(parts, fmt.Sprintf("link(%s)", block.URI))
		default:
			parts = append(parts, strings.TrimPrefix(fmt.Sprintf("%T", block), "*mcp."))
		}
	}
	return strings.Join(parts, " | ")
}

func TestToolsAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, args, want string }{
		{"greet", `{"name":"Ada"}`, "Hi Ada"},
		{"greet (structured)", `{"name":"Ada"}`, `{"message":"Hi Ada"}`},
		{"greet (content with ResourceLink)", `{"name":"A B"}`, "link(data:text/plain,Hi%20A%20B)"},
		{"ping", `{}`, ""},
		{"test_simple_text", "", "This is a simple text response for testing."},
		{"test_image_content", "", "ImageContent"},
		{"test_audio_content", "", "AudioContent"},
		{"test_embedded_resource", "", "resource(test://embedded-resource)"},
		{"test_multiple_content_types", "", "This is text content | ImageContent | resource(test://embedded-in-multiple)"},
		{"content_none", "", ""},
		{"structured_object", "", `{"count":3,"name":"everything","nested":{"x":1,"y":-1},"ratio":0.5,"ready":true,"tags":["a","b"]}`},
		{"structured_array", "", `["one","two","three"]`},
		{"structured_number", "", `42`},
		{"structured_big_numbers", "", bigNumbers},
		{"structured_echo", `{"n":9007199254740993}`, `{"n":9007199254740993}`},
		{"test_error_handling", "", "isError | this tool intentionally returns an error for testing"},
		{"error_result", "", "isError | it did not work | ImageContent"},
		{"test_tool_with_progress", "", "no progress token"},
		{"flood_progress", `{"count":1}`, "no progress token"},
		{"test_reconnection", "", "Reconnection test completed successfully. If you received this, the client properly reconnected after stream closure."},
		{"json_schema_2020_12_tool", `{"email":"a@example.com"}`, `JSON Schema 2020-12 tool called with: {"email":"a@example.com"}`},
		{"test_x_mcp_header", `{"region":"eu"}`, "region=eu"},
		{"x_mcp_header_types", `{"shard":7}`, `{"shard":7}`},
		{"start_task", `{"mode":"working"}`, "done at once: working"},
		{"add_tool", `{"name":"x"}`, "add_tool x"},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, nil)
		for _, test := range tests {
			t.Run(test.tool, func(t *testing.T) {
				if diff := cmp.Diff(test.want, describe(call(t, cs, test.tool, test.args))); diff != "" {
					t.Errorf("answer differs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestBadArgumentsAreErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, tool, args string }{
		{"a name that is no name", "add_tool", `{"name":"../x"}`},
		{"a missing name", "greet", `{}`},
		{"neither phone nor email", "json_schema_2020_12_tool", `{}`},
		{"a resource that does not change", "update_resource", `{"uri":"test://static-text","text":"x"}`},
	}
	cs := connect(t, New(nil), modern, nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(call(t, cs, test.tool, test.args)); !strings.HasPrefix(got, "isError") {
				t.Errorf("got %q, want an error result", got)
			}
		})
	}
}

func TestToolsFailAsTheyShould(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, args, want string }{
		{"error_jsonrpc", `{"code":-5,"message":"m","data":{"n":9007199254740993}}`, `error -5 "m" {"n":9007199254740993}`},
		{"error_jsonrpc", "", `error 4001 "" `},
		{"error_plain", "", fmt.Sprintf("error 0 %q ", Secret)},
		{"test_missing_capability", "", `error -32021 "sampling capability required but not declared by client" {"requiredCapabilities":{"roots":{},"sampling":{}}}`},
		{"roundtrip_both", "", `error -32603 "server bug: result has both content and inputRequests" `},
		{"require_url_elicitation", "", `error -32042 "URL elicitation required" {"elicitations":[{"mode":"url","message":"sign in first","url":"https://example.com/sign-in","elicitationId":"elicitation-1"}]}`},
		{"nothing", "", `error -32602 "unknown tool \"nothing\"" `},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, nil)
		for _, test := range tests {
			t.Run(test.tool, func(t *testing.T) {
				res, err := call(t, cs, test.tool, test.args)
				if diff := cmp.Diff(test.want, outcome(t, res, err)); diff != "" {
					t.Errorf("outcome differs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// The SDK's transports do not recover, so a middleware has to.
func TestPanicPanics(t *testing.T) {
	t.Parallel()
	srv := New(nil)
	srv.MCP().AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (_ mcp.Result, err error) {
			defer func() {
				if cause := recover(); cause != nil {
					err = fmt.Errorf("panic: %v", cause)
				}
			}()
			return next(ctx, method, req)
		}
	})
	got := describe(call(t, connect(t, srv, modern, nil), "panic", ""))
	if want := "panic: " + Secret; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBlockWaitsForTheEndOfItsCall(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		srv := New(nil)
		cs := connect(t, srv, version, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := cs.CallTool(ctx, &mcp.CallToolParams{Name: "block"})
			done <- err
		}()
		<-srv.Blocked()
		if got := srv.Blocking(); got != 1 {
			t.Errorf("got %d calls, want 1", got)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want it cancelled", err)
		}
		if cause := <-srv.Unblocked(); cause == nil {
			t.Error("got no cause")
		}
		if got := srv.Blocking(); got != 0 {
			t.Errorf("got %d calls, want none", got)
		}
	})
}

func TestProgressAndLogsArrive(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testNotifications(t, version) })
		})
	}
}

// testNotifications runs in a bubble to know when all notifications have been handled.
func testNotifications(t *testing.T, version string) {
	var mu sync.Mutex
	var got []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf(format, args...))
	}
	cs := connect(t, New(nil), version, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
			note("progress %v: %v of %v, %q", req.Params.ProgressToken, req.Params.Progress, req.Params.Total, req.Params.Message)
		},
		LoggingMessageHandler: func(_ context.Context, req *mcp.LoggingMessageRequest) {
			note("%s %s %v", req.Params.Level, req.Params.Logger, req.Params.Data)
		},
	})
	level := mcp.Meta{}
	if version >= modern {
		level[mcp.MetaKeyLogLevel] = "critical"
	} else if err := cs.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "critical"}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		tool   string
		token  any
		answer string
		want   []string
	}{
		{"log_levels", nil, "8 levels", []string{
			"critical everything map[level:critical number:5]",
			"alert everything map[level:alert number:6]",
			"emergency everything map[level:emergency number:7]",
		}},
		{"test_tool_with_logging", nil, "Tool with logging executed successfully", nil}, // below the level
		{"test_tool_with_progress", "tok", "tok", []string{
			`progress tok: 0 of 100, "Completed step 0 of 100"`,
			`progress tok: 50 of 100, "Completed step 50 of 100"`,
			`progress tok: 100 of 100, "Completed step 100 of 100"`,
		}},
		{"flood_progress", 7, "2 notifications", []string{
			`progress 7: 1 of 0, ""`,
			`progress 7: 2 of 0, ""`,
		}},
	}
	for _, test := range tests {
		params := &mcp.CallToolParams{Name: test.tool, Arguments: json.RawMessage(`{"count":2}`)}
		if test.tool != "flood_progress" {
			params.Arguments = nil
		}
		params.Meta = mcp.Meta{}
		maps.Copy(params.Meta, level)
		if test.token != nil {
			params.SetProgressToken(test.token)
		}
		if answer := describe(cs.CallTool(t.Context(), params)); answer != test.answer {
			t.Errorf("%s: got %q, want %q", test.tool, answer, test.answer)
		}
		synctest.Wait()
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: notifications differ (-want +got):\n%s", test.tool, diff)
		}
		got = nil
	}
}

func TestInspectRequestShowsTheCaller(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, answers())
		res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{
			Name: "inspect_request",
			Meta: mcp.Meta{"com.example/key": "value"},
		})
		if err != nil {
			t.Fatal(err)
		}
		var got inspectedRequest
		raw, err := json.Marshal(res.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if got.ProtocolVersion != version || got.ClientInfo.Name != "test" ||
			got.ClientCapabilities.Elicitation == nil || got.Meta["com.example/key"] != "value" {
			t.Errorf("got %s", raw)
		}
	})
}
