// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// saying serves tools, and prompts of the same names, that say whose they are.
func saying(t *testing.T, name string, tools ...string) gateway.Upstream {
	t.Helper()
	s := mcp.NewServer(&mcp.Implementation{Name: name, Version: "1"}, &mcp.ServerOptions{PageSize: 1})
	for _, tool := range tools {
		says := &mcp.TextContent{Text: name + "'s " + tool}
		s.AddTool(&mcp.Tool{Name: tool, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{says}}, nil
		})
		s.AddPrompt(&mcp.Prompt{Name: tool}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: says}}}, nil
		})
	}
	return gateway.Upstream{Name: name, Transport: mcpconnect.NewTransport(serve(t, mcpconnect.NewHandler(s, mcpconnect.WithLogger(quiet))))}
}

// TestPrefixesThatBeginAlike: a call goes to the server whose list shows what is called, whether the
// client has seen the list from here or not.
func TestPrefixesThatBeginAlike(t *testing.T) {
	t.Parallel()
	for _, listed := range []bool{true, false} {
		g := open(t, gateway.Config{Upstreams: []gateway.Upstream{
			saying(t, "git", "hub_list", "hub_both", "log"), saying(t, "git_hub", "both", "star"),
		}})
		c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
		call := func(method, params string) string {
			return c.Call(rpctest.Context(t), method, `{"_meta":{`+modernMeta+`}`+params+`}`).String()
		}
		for _, method := range []string{"tools/list", "prompts/list"} {
			for next := ""; listed; {
				page := call(method, next)
				cursor := between(page, `"nextCursor": "`, `"`)
				if cursor == "" {
					break
				}
				next = `,"cursor":"` + cursor + `"`
			}
		}
		for name, want := range map[string]string{
			"git_hub_list": "git's hub_list", "git_hub_both": "git_hub's both", "git_hub_star": "git_hub's star", "git_log": "git's log",
			"git_hub_nobody": "error -32602", "gi_log": "error -32602",
		} {
			for _, method := range []string{"tools/call", "prompts/get"} {
				if got := call(method, `,"name":"`+name+`"`); !strings.Contains(got, want) {
					t.Errorf("listed %t: %s %s gave %s, want %s", listed, method, name, got, want)
				}
			}
		}
	}
}

// TestPrefixesMustDiffer, since nobody could tell whose a name is.
func TestPrefixesMustDiffer(t *testing.T) {
	t.Parallel()
	prefix, none := "a_", ""
	for name, ups := range map[string][]gateway.Upstream{
		"two that are set":     {{Name: "x", Prefix: &prefix, URL: "http://x"}, {Name: "y", Prefix: &prefix, URL: "http://y"}},
		"one that is a name's": {{Name: "a", URL: "http://x"}, {Name: "y", Prefix: &prefix, URL: "http://y"}},
		"two without":          {{Name: "a", Prefix: &none, URL: "http://x"}, {Name: "y", Prefix: &none, URL: "http://y"}},
	} {
		if _, err := gateway.New(t.Context(), gateway.Config{Upstreams: ups}); err == nil || !strings.Contains(err.Error(), "one prefix") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
