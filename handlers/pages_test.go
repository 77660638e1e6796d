// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func manyTools(n int) []*mcp.Tool {
	tools := make([]*mcp.Tool, n)
	for i := range tools {
		tools[i] = &mcp.Tool{Name: fmt.Sprintf("tool %d", i), InputSchema: map[string]any{"type": "object"}}
	}
	return tools
}

func toolsPage(t *testing.T, p *pages, r *mcp.ListToolsResult, o mapping.ResultOptions) *page {
	t.Helper()
	got, err := p.get(r, &mcpv1.ListToolsResponse{}, o)
	if err != nil {
		t.Fatal(err)
	}
	want := &mcpv1.ListToolsResponse{}
	if err := mapping.FromSDKResult(r, want, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.message, protocmp.Transform()); diff != "" {
		t.Errorf("the page has something else than the result:\n%s", diff)
	}
	return got
}

// TestPagesAreThoseOfTheirFeatures: the same features, in the same form, give the page that was
// made before; all else gives another, and what is on it.
func TestPagesAreThoseOfTheirFeatures(t *testing.T) {
	t.Parallel()
	tools := manyTools(5)
	changed := *tools[2]
	changed.Description = "changed"
	reversed := slices.Clone(tools)
	slices.Reverse(reversed)
	bytes := mapping.ResultOptions{Encoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES, Modern: true}
	for _, test := range []struct {
		name    string
		result  *mcp.ListToolsResult
		options mapping.ResultOptions
		same    bool
	}{
		{"the same features", &mcp.ListToolsResult{Tools: slices.Clone(tools)}, bytes, true},
		{"another order of all", &mcp.ListToolsResult{Tools: reversed}, bytes, false},
		{"another order behind the first", &mcp.ListToolsResult{Tools: []*mcp.Tool{tools[0], tools[2], tools[1], tools[3], tools[4]}}, bytes, false},
		{"less", &mcp.ListToolsResult{Tools: tools[:4]}, bytes, false},
		{"none", &mcp.ListToolsResult{Tools: tools[:0]}, bytes, false},
		{"a subset as long", &mcp.ListToolsResult{Tools: []*mcp.Tool{tools[0], tools[1], tools[2], tools[3], tools[3]}}, bytes, false},
		{"a tool that was replaced", &mcp.ListToolsResult{Tools: []*mcp.Tool{tools[0], tools[1], &changed, tools[3], tools[4]}}, bytes, false},
		{"a next page", &mcp.ListToolsResult{Tools: tools, NextCursor: "next"}, bytes, false},
		{"another time to live", &mcp.ListToolsResult{Tools: tools, Cacheable: mcp.Cacheable{TTLMs: 5}}, bytes, false},
		{"another scope", &mcp.ListToolsResult{Tools: tools, Cacheable: mcp.Cacheable{CacheScope: "private"}}, bytes, false},
		{"a _meta", &mcp.ListToolsResult{Tools: tools, Meta: mcp.Meta{"example.com/x": "y"}}, bytes, false},
		{"another encoding", &mcp.ListToolsResult{Tools: tools}, mapping.ResultOptions{Encoding: mcpv1.JsonEncoding_JSON_ENCODING_STRUCT, Modern: true}, false},
		{"another era", &mcp.ListToolsResult{Tools: tools}, mapping.ResultOptions{Encoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var p pages
			first := toolsPage(t, &p, &mcp.ListToolsResult{Tools: tools}, bytes)
			got := toolsPage(t, &p, test.result, test.options)
			if (got == first) != test.same {
				t.Errorf("got the same page: %t, want %t", got == first, test.same)
			}
			again := toolsPage(t, &p, test.result, test.options)
			if own := len(test.result.Meta) > 0; (again == got) == own {
				t.Errorf("asked again, got the same page: %t, want %t", again == got, !own)
			}
			if toolsPage(t, &p, &mcp.ListToolsResult{Tools: tools}, bytes) != first {
				t.Error("the first page was forgotten")
			}
		})
	}
}

// TestPagesAsJSON: they are what the result is in JSON, and the same text as long as the features are
// the same.
func TestPagesAsJSON(t *testing.T) {
	t.Parallel()
	tools := manyTools(5)
	modern, err := mapping.NewServerMeta(&mcp.Implementation{Name: "s", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	var p pages
	shared := map[*byte]string{}
	for _, test := range []struct {
		name    string
		result  mcp.Result
		options mapping.ResultOptions
		again   bool // it is the text of a result before
	}{
		{"tools", &mcp.ListToolsResult{Tools: tools}, mapping.ResultOptions{}, false},
		{"the same tools", &mcp.ListToolsResult{Tools: slices.Clone(tools)}, mapping.ResultOptions{}, true},
		{"fewer tools", &mcp.ListToolsResult{Tools: tools[:3]}, mapping.ResultOptions{}, false},
		{"tools of a modern server", &mcp.ListToolsResult{Tools: tools}, mapping.ResultOptions{Modern: true, Server: modern}, false},
		{"tools with a _meta", &mcp.ListToolsResult{Tools: tools, Meta: mcp.Meta{"x": 1}}, mapping.ResultOptions{}, false},
		{"a next page", &mcp.ListToolsResult{Tools: tools, NextCursor: "n"}, mapping.ResultOptions{}, false},
		{"no tools", &mcp.ListToolsResult{Tools: []*mcp.Tool{}}, mapping.ResultOptions{}, false},
		{"no list of tools", &mcp.ListToolsResult{}, mapping.ResultOptions{}, false},
		{"prompts", &mcp.ListPromptsResult{Prompts: []*mcp.Prompt{{Name: "p"}}}, mapping.ResultOptions{}, false},
		{"no list", &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "<a>"}}}, mapping.ResultOptions{}, false},
	} {
		got, err := p.json(test.result, test.options)
		if err != nil {
			t.Fatal(err)
		}
		want, err := mapping.EncodeSDK(test.options.Annotate(test.result))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
		if before, known := shared[&got[0]]; known != test.again {
			t.Errorf("%s: the text is that of %q", test.name, before)
		}
		shared[&got[0]] = test.name
	}
}

func TestPagesOfEachKind(t *testing.T) {
	t.Parallel()
	resources, templates := []*mcp.Resource{{URI: "a:b", Name: "r"}}, []*mcp.ResourceTemplate{{URITemplate: "a:{b}", Name: "t"}}
	prompts := []*mcp.Prompt{{Name: "p"}}
	var p pages
	for _, test := range []struct {
		result func() mcp.Result // a new one each time, as from a server
		fresh  func() proto.Message
	}{
		{func() mcp.Result { return &mcp.ListResourcesResult{Resources: resources} }, func() proto.Message { return &mcpv1.ListResourcesResponse{} }},
		{func() mcp.Result { return &mcp.ListResourceTemplatesResult{ResourceTemplates: templates} }, func() proto.Message { return &mcpv1.ListResourceTemplatesResponse{} }},
		{func() mcp.Result { return &mcp.ListPromptsResult{Prompts: prompts} }, func() proto.Message { return &mcpv1.ListPromptsResponse{} }},
	} {
		first, err := p.get(test.result(), test.fresh(), mapping.ResultOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := test.fresh()
		if err := mapping.FromSDKResult(test.result(), want, mapping.ResultOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, first.message, protocmp.Transform()); diff != "" {
			t.Errorf("%T:\n%s", want, diff)
		}
		if again, err := p.get(test.result(), test.fresh(), mapping.ResultOptions{}); again != first || err != nil {
			t.Errorf("%T: got another page, or %v", want, err)
		}
	}
}

// TestPagesAreBounded: whatever clients and middleware ask for and show.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	var p pages
	tools := manyTools(1000)
	get := func(r mcp.Result) {
		if _, err := p.get(r, &mcpv1.ListToolsResponse{}, mapping.ResultOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for from := range 60 { // pages that begin anywhere
		get(&mcp.ListToolsResult{Tools: tools[from:]})
		kept := 0
		for _, candidates := range p.tools.known {
			for _, known := range candidates {
				kept += len(known.features) + 1
			}
		}
		if kept > maxPageItems || kept != p.tools.items {
			t.Fatalf("after %d pages, %d features are kept and %d counted, the limit is %d", from+1, kept, p.tools.items, maxPageItems)
		}
	}
	for i := range 100 { // lists without end, of nothing
		get(&mcp.ListToolsResult{NextCursor: fmt.Sprint(i)})
	}
	if p.tools.items > maxPageItems {
		t.Errorf("%d features are kept", p.tools.items)
	}
}

func TestPagesForManyAtTheSameTime(t *testing.T) {
	t.Parallel()
	var p pages
	tools := manyTools(50)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				part := tools[(i+j)%10:]
				got, err := p.get(&mcp.ListToolsResult{Tools: part}, &mcpv1.ListToolsResponse{}, mapping.ResultOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				m, ok := got.message.(*mcpv1.ListToolsResponse)
				if !ok || len(m.Tools) != len(part) || m.Tools[0].GetName() != part[0].Name {
					t.Errorf("got a page of something else: %T", got.message)
				}
				got.compressed(&mcpv1.ReplyFrame{Reply: &mcpv1.ReplyFrame_ListTools{ListTools: m}})
			}
		})
	}
	wg.Wait()
}
