// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestToolsAnswer(t *testing.T) {
	t.Parallel()
	type outcome struct {
		Text       string
		Structured string
		IsError    bool
	}
	tests := []struct {
		name string
		tool string
		args string
		want outcome
	}{
		{"echo returns the message", "echo", `{"message":"grüß dich"}`, outcome{Text: "grüß dich"}},
		{"echo returns an empty message", "echo", `{"message":""}`, outcome{}},
		{"add returns the sum twice", "add", `{"a":2,"b":3.5}`, outcome{Text: `{"sum":5.5}`, Structured: `{"sum":5.5}`}},
		{"countdown from nothing is over at once", "countdown", `{"from":0}`, outcome{Text: "lift-off"}},
		{"countdown without interval does not wait", "countdown", `{"from":3,"interval_ms":0}`, outcome{Text: "lift-off"}},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: test.tool, Arguments: json.RawMessage(test.args)})
				if err != nil {
					t.Fatal(err)
				}
				got := outcome{Text: onlyText(t, res), IsError: res.IsError}
				if res.StructuredContent != nil {
					structured, err := json.Marshal(res.StructuredContent)
					if err != nil {
						t.Fatal(err)
					}
					got.Structured = string(structured)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("result differs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestToolsRefuseBadArguments(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, tool, args string }{
		{"echo without message", "echo", `{}`},
		{"echo of a number", "echo", `{"message":1}`},
		{"add with one summand", "add", `{"a":1}`},
		{"countdown from below zero", "countdown", `{"from":-1}`},
		{"countdown from too far", "countdown", `{"from":1001}`},
		{"countdown from half a step", "countdown", `{"from":1.5}`},
		{"countdown with an endless interval", "countdown", `{"from":1,"interval_ms":60001}`},
		{"an argument nobody asked for", "echo", `{"message":"a","loud":true}`},
	}
	cs := connect(t, NewServer("v9"), "2026-07-28", nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: test.tool, Arguments: json.RawMessage(test.args)})
			if err != nil {
				t.Fatal(err)
			}
			if !res.IsError {
				t.Errorf("got %q, want an error", onlyText(t, res))
			}
		})
	}
}

func TestPixelIsAPicture(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "pixel"})
		if err != nil {
			t.Fatal(err)
		}
		image, ok := res.Content[0].(*mcp.ImageContent)
		if !ok || len(res.Content) != 1 || image.MIMEType != "image/png" {
			t.Fatalf("got content %+v, want one PNG", res.Content)
		}
		assertPNG(t, image.Data, 8)
	})
}

func TestCountdownReportsProgress(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testCountdown(t, version) })
		})
	}
}

func testCountdown(t *testing.T, version string) {
	var got []*mcp.ProgressNotificationParams
	cs := connect(t, NewServer("v9"), version, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
			got = append(got, req.Params)
		},
	})
	start := time.Now()
	params := &mcp.CallToolParams{Name: "countdown", Arguments: map[string]any{"from": 2}}
	params.SetProgressToken("t-1")
	if _, err := cs.CallTool(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	if got, want := time.Since(start), 2*time.Second; got != want {
		t.Errorf("took %v, want %v: the default interval is a second", got, want)
	}
	synctest.Wait() // the handlers have run
	want := []*mcp.ProgressNotificationParams{
		{ProgressToken: "t-1", Progress: 1, Total: 2, Message: "1 to go"},
		{ProgressToken: "t-1", Progress: 2, Total: 2, Message: "0 to go"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress differs (-want +got):\n%s", diff)
	}
	got = nil
	if _, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "countdown", Arguments: map[string]any{"from": 1}}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if len(got) > 0 {
		t.Errorf("a call without token got progress: %+v", got)
	}
}

func TestCountdownStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := NewServer("v9")
				var toolTook time.Duration
				srv.MCP().AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
					return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
						if method != "tools/call" {
							return next(ctx, method, req)
						}
						start := time.Now()
						defer func() { toolTook = time.Since(start) }()
						return next(ctx, method, req)
					}
				})
				cs := connect(t, srv, version, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				_, err := cs.CallTool(ctx, &mcp.CallToolParams{Name: "countdown", Arguments: map[string]any{"from": 1000}})
				if err == nil {
					t.Error("got no error from a cancelled call")
				}
				synctest.Wait()
				if want := 1500 * time.Millisecond; toolTook != want {
					t.Errorf("the tool ran for %v, want %v", toolTook, want)
				}
			})
		})
	}
}

func onlyText(t *testing.T, res *mcp.CallToolResult) string {
	t.Helper()
	if len(res.Content) != 1 {
		t.Fatalf("got %d blocks of content, want 1", len(res.Content))
	}
	block, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		t.Fatalf("got content %T, want text", res.Content[0])
	}
	return block.Text
}
