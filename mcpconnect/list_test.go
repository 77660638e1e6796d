// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	connectrpc "connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// listServer has many features, of all forms, on pages of 100.
func listServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "lists", Version: "1"}, &mcp.ServerOptions{PageSize: 100})
	call := func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{text("called")}}, nil
	}
	icons := []mcp.Icon{{Source: "https://example.com/i.png", MIMEType: "image/png", Sizes: []string{"48x48"}}}
	for i := range 350 {
		t := &mcp.Tool{
			Name: fmt.Sprintf("tool %03d", i), Title: "Tool", Description: strings.Repeat("It does ü. ", i%7),
			InputSchema: json.RawMessage(`{"type":"object","properties":{"n":{"const":9007199254740993,"maximum":1e21},"s":{"enum":["a",null]}}}`),
		}
		if i%2 == 0 {
			t.Icons = icons
		}
		if i%3 == 0 {
			t.Annotations = &mcp.ToolAnnotations{Title: "T", ReadOnlyHint: i%2 == 0, DestructiveHint: new(false)}
		}
		if i%5 == 0 {
			t.OutputSchema = json.RawMessage(`{"type":"object","properties":{"n":{"const":-9007199254740993}}}`)
		}
		if i%11 == 0 {
			t.Meta = mcp.Meta{"example.com/x": []any{map[string]any{"n": 1.5}}}
		}
		server.AddTool(t, call)
		r := &mcp.Resource{URI: fmt.Sprintf("test://r/%03d", i), Name: "r", Size: int64(i)}
		if i%2 == 0 {
			r.Icons, r.Annotations = icons, &mcp.Annotations{Priority: 0.25}
		}
		server.AddResource(r, nil)
		server.AddResourceTemplate(&mcp.ResourceTemplate{URITemplate: fmt.Sprintf("test://t/%03d/{a}", i), Name: "t", MIMEType: "text/plain"}, nil)
		server.AddPrompt(&mcp.Prompt{Name: fmt.Sprintf("prompt %03d", i), Arguments: []*mcp.PromptArgument{{Name: "a", Required: i%2 == 0}}}, nil)
	}
	return server
}

// everyPage gives the first pages of all lists, and all tools.
func everyPage(t *testing.T, c *mcpconnect.Client) (all []any) {
	t.Helper()
	ctx := t.Context()
	add := func(page any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page)
	}
	for tool, err := range c.Tools(ctx, nil) {
		add(tool, err)
	}
	for resource, err := range c.Resources(ctx, nil) {
		add(resource, err)
	}
	for template, err := range c.ResourceTemplates(ctx, nil) {
		add(template, err)
	}
	for prompt, err := range c.Prompts(ctx, nil) {
		add(prompt, err)
	}
	return all
}

// TestListsOnAStreamAreThoseOfRPCs: compressed, and made once.
func TestListsOnAStreamAreThoseOfRPCs(t *testing.T) {
	t.Parallel()
	url := serveMCP(t, listServer())
	for _, w := range muxedWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			want := everyPage(t, newClient(t, url, w, mcpconnect.WithoutMultiplexing()))
			if len(want) != 4*350 {
				t.Fatalf("got %d features", len(want))
			}
			c := newClient(t, url, w)
			if _, err := c.Discover(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if diff := cmp.Diff(want, everyPage(t, c), sdkFields); diff != "" {
					t.Errorf("-RPC +stream:\n%s", diff)
				}
			}
		})
	}
}

// TestListsShowEachCallerTheirOwn: middleware that filters, on a server whose list changes.
func TestListsShowEachCallerTheirOwn(t *testing.T) {
	t.Parallel()
	server := listServer()
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			res, err := next(ctx, method, req)
			list, ok := res.(*mcp.ListToolsResult)
			if !ok {
				return res, err
			}
			own := *list
			own.Tools = slices.DeleteFunc(slices.Clone(list.Tools), func(t *mcp.Tool) bool {
				return !strings.HasSuffix(t.Name, req.GetExtra().Header.Get("Caller"))
			})
			return &own, err
		}
	})
	url := serveMCP(t, server)
	for _, w := range muxedWires {
		clients := map[string]*mcpconnect.Client{}
		for _, caller := range []string{"1", "2", ""} {
			clients[caller] = newClient(t, url, w, mcpconnect.WithHeader("Caller", caller))
			if _, err := clients[caller].Discover(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			for caller, c := range clients {
				n := 0
				for tool, err := range c.Tools(t.Context(), nil) {
					if err != nil {
						t.Fatal(err)
					}
					if n++; !strings.HasSuffix(tool.Name, caller) {
						t.Errorf("%s: caller %q sees %q", w.name, caller, tool.Name)
					}
				}
				if want := map[string]int{"": 350}[caller]; n != max(want, 35) {
					t.Errorf("%s: caller %q sees %d tools", w.name, caller, n)
				}
			}
		}
	}
}

func TestListsSeeChanges(t *testing.T) {
	t.Parallel()
	server := listServer()
	url := serveMCP(t, server)
	c := newClient(t, url, muxedWires[0])
	description := func() string {
		for tool, err := range c.Tools(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			return tool.Description
		}
		return ""
	}
	for i := range 4 {
		want := fmt.Sprintf("version %d", i)
		server.AddTool(&mcp.Tool{Name: "tool 000", Description: want, InputSchema: json.RawMessage(`{"type":"object"}`)}, nil)
		for range 2 {
			if got := description(); got != want {
				t.Errorf("got the tool of %q, want %q", got, want)
			}
		}
	}
}

// TestListOverTheClientsLimitFailsAlone: it is small on the wire, and large after decompression.
func TestListOverTheClientsLimitFailsAlone(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(listServer(), mcpconnect.WithLogger(quiet))
	t.Cleanup(func() { _ = h.Close() })
	var streams atomic.Int32
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Connect") {
			streams.Add(1)
		}
		h.ServeHTTP(w, r)
	}))
	for _, w := range muxedWires {
		c := newClient(t, url, w, mcpconnect.WithMaxMessageBytes(16<<10))
		if _, err := c.Discover(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		before := streams.Load()
		for range 3 {
			var failure error
			for _, err := range c.Tools(t.Context(), nil) {
				failure = err
			}
			if e, ok := errors.AsType[*connectrpc.Error](failure); !ok || e.Code() != connectrpc.CodeResourceExhausted {
				t.Errorf("%s: the list gave %v, want resource_exhausted", w.name, failure)
			}
			if got := texts(c.CallTool(t.Context(), tool("tool 001", `{}`))); got != "called" {
				t.Errorf("%s: after the list, a call gave %s", w.name, got)
			}
		}
		if n := streams.Load() - before; n != 1 {
			t.Errorf("%s: %d streams were opened, want 1", w.name, n)
		}
	}
}
