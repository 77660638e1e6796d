// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

type searchIn struct {
	Query string         `json:"query" jsonschema:"what to look for"`
	Limit int            `json:"limit,omitempty"`
	Tags  []string       `json:"tags,omitempty"`
	Since time.Time      `json:"since,omitzero"`
	Deep  map[string]any `json:"deep,omitempty"`
}

type searchOut struct {
	Hits  []string `json:"hits"`
	Total int64    `json:"total"`
}

// addBoth registers the same tool with the SDK's AddTool on one server and with ours on
// another.
func addBoth[In, Out any](sdk, ours *mcp.Server, t *mcp.Tool, h mcp.ToolHandlerFor[In, Out]) {
	mcp.AddTool(sdk, t, h)
	mcpconnect.AddTool(ours, t, h)
}

func withDefaults() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type: "object",
		Properties: map[string]*jsonschema.Schema{
			"query": {Type: "string", Default: json.RawMessage(`"all"`)},
			"limit": {Type: "integer", Default: json.RawMessage("10"), Maximum: new(100.0)},
		},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
}

func TestAddToolGivesWhatTheSDKGives(t *testing.T) {
	t.Parallel()
	impl := &mcp.Implementation{Name: "both", Version: "1"}
	sdk, ours := mcp.NewServer(impl, nil), mcp.NewServer(impl, nil)
	echo := func(_ context.Context, _ *mcp.CallToolRequest, in searchIn) (*mcp.CallToolResult, searchOut, error) {
		return nil, searchOut{Hits: append([]string{in.Query}, in.Tags...), Total: int64(in.Limit)}, nil
	}
	addBoth(sdk, ours, &mcp.Tool{Name: "inferred"}, echo)
	addBoth(sdk, ours, &mcp.Tool{Name: "defaults", InputSchema: withDefaults()}, echo)
	addBoth(sdk, ours, &mcp.Tool{Name: "raw_schema", InputSchema: json.RawMessage(`{"type":"object","required":["query"]}`)}, echo)
	addBoth(sdk, ours, &mcp.Tool{Name: "any_to_any"}, func(_ context.Context, _ *mcp.CallToolRequest, in any) (*mcp.CallToolResult, any, error) {
		return nil, in, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "slice"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, []int, error) {
		return nil, []int{1, 2}, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "number_beside_content"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, float64, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "half"}}}, 0.5, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "nil_pointer"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, *searchOut, error) {
		return nil, nil, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "nil_map"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, map[string]int, error) {
		return nil, nil, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "wrong_output", OutputSchema: withDefaults()}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, map[string]any, error) {
		return nil, map[string]any{"limit": "many"}, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "output_defaults", OutputSchema: withDefaults()}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, map[string]any, error) {
		return nil, map[string]any{"limit": 3}, nil
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "fails"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return nil, nil, errors.New("out of luck")
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "fails_by_protocol"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return nil, nil, &jsonrpc.Error{Code: 4001, Message: "no", Data: json.RawMessage(`{"a":1}`)}
	})
	addBoth(sdk, ours, &mcp.Tool{Name: "asks"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, searchOut, error) {
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"q": &mcp.ElicitParams{Message: "?"}}}, searchOut{}, nil
	})

	a, b := rawSession(t, sdk), rawSession(t, ours)
	if diff := cmp.Diff(a("tools/list", `{}`), b("tools/list", `{}`)); diff != "" {
		t.Errorf("tools/list: SDK's (-) and ours (+) differ:\n%s", diff)
	}
	for _, call := range []struct{ tool, args string }{
		{"inferred", `{"query":"x","limit":3,"tags":["a"]}`},
		{"inferred", `{"query":"x","since":"2026-07-28T00:00:00Z","deep":{"a":[1,{"b":null}]}}`},
		{"inferred", `{"query":"x","since":"yesterday"}`},
		{"inferred", `{"query":7}`},
		{"inferred", `{"query":"x","limit":1.5}`},
		{"inferred", `{"query":"x","unknown":true}`},
		{"inferred", `{"QUERY":"x"}`},
		{"inferred", `{}`},
		{"inferred", `null`},
		{"inferred", `[]`},
		{"inferred", `"text"`},
		{"inferred", ``},
		{"defaults", `{}`},
		{"defaults", ``},
		{"defaults", `{"query":"x"}`},
		{"defaults", `{"limit":101}`},
		{"defaults", `{"other":1}`},
		{"raw_schema", `{"query":"x","more":{"a":1}}`},
		{"raw_schema", `{}`},
		{"any_to_any", `{"a":[1,2],"b":"é\u0000"}`},
		{"any_to_any", ``},
		{"slice", `{}`},
		{"slice", `{"extra":1}`},
		{"number_beside_content", `{}`},
		{"nil_pointer", `{}`},
		{"nil_map", `{}`},
		{"wrong_output", `{}`},
		{"output_defaults", `{}`},
		{"fails", `{}`},
		{"fails_by_protocol", `{}`},
	} {
		params := `{"name":"` + call.tool + `"}`
		if call.args != "" {
			params = `{"name":"` + call.tool + `","arguments":` + call.args + `}`
		}
		if diff := cmp.Diff(a("tools/call", params), b("tools/call", params)); diff != "" {
			t.Errorf("%s(%s): SDK's (-) and ours (+) differ:\n%s", call.tool, call.args, diff)
		}
	}
}

// rawSession gives a function that runs requests of a legacy session over the SDK's
// in-memory transport and tells the response.
func rawSession(t *testing.T, server *mcp.Server) func(method, params string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	ct, st := mcp.NewInMemoryTransports()
	ss, err := server.Connect(ctx, st, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ct.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = ss.Wait()
	})
	n := 0.0
	call := func(method, params string) string {
		n++
		id, err := jsonrpc.MakeID(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(ctx, &jsonrpc.Request{ID: id, Method: method, Params: json.RawMessage(params)}); err != nil {
			t.Fatal(err)
		}
		for {
			m, err := conn.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if res, ok := m.(*jsonrpc.Response); ok {
				text, err := jsonrpc.EncodeMessage(res)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
		}
	}
	call("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`)
	return call
}

func TestAddToolKeepsTheLastDigit(t *testing.T) {
	t.Parallel()
	type number struct {
		N int64 `json:"n"`
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "exact", Version: "1"}, nil)
	mcpconnect.AddTool(server, &mcp.Tool{Name: "same"}, func(_ context.Context, _ *mcp.CallToolRequest, in number) (*mcp.CallToolResult, number, error) {
		return nil, in, nil
	})
	got := rawSession(t, server)("tools/call", `{"name":"same","arguments":{"n":9007199254740993}}`)
	want := `{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"{\"n\":9007199254740993}"}],"structuredContent":{"n":9007199254740993}}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkAddTool(b *testing.B) {
	type in struct{ A, B int }
	type out struct {
		Sum int `json:"sum"`
	}
	add := func(_ context.Context, _ *mcp.CallToolRequest, in in) (*mcp.CallToolResult, out, error) {
		return nil, out{in.A + in.B}, nil
	}
	register := map[string]func(*mcp.Server){
		"sdk":        func(s *mcp.Server) { mcp.AddTool(s, &mcp.Tool{Name: "add"}, add) },
		"mcpconnect": func(s *mcp.Server) { mcpconnect.AddTool(s, &mcp.Tool{Name: "add"}, add) },
	}
	for _, name := range []string{"sdk", "mcpconnect"} {
		b.Run(name, func(b *testing.B) {
			server := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
			register[name](server)
			var chain mcp.MethodHandler
			server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
				chain = next
				return next
			})
			ct, st := mcp.NewInMemoryTransports()
			ss, err := server.Connect(b.Context(), st, nil)
			if err != nil {
				b.Fatal(err)
			}
			conn, err := ct.Connect(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = conn.Close(); _ = ss.Wait() }()
			req := &mcp.CallToolRequest{Session: ss, Params: &mcp.CallToolParamsRaw{Name: "add", Arguments: json.RawMessage(`{"A":1,"B":2}`)}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := chain(b.Context(), "tools/call", req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
