// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	modern = "2026-07-28"
	legacy = "2025-11-25"
)

// versions are one modern and two legacy protocol versions: most tests run on each.
var versions = []string{modern, legacy, "2025-06-18"}

func eachVersion(t *testing.T, test func(t *testing.T, version string)) {
	t.Helper()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

// connect links a client to srv in memory. Both ends are closed when the test ends.
func connect(t *testing.T, srv *Server, version string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	return connectClient(t, srv, version, mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts))
}

func connectClient(t *testing.T, srv *Server, version string, client *mcp.Client) *mcp.ClientSession {
	t.Helper()
	clientEnd, serverEnd := mcp.NewInMemoryTransports()
	ss, err := srv.MCP().Connect(t.Context(), serverEnd, nil)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := client.Connect(t.Context(), clientEnd, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cs.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
		_ = ss.Wait() // reports how the connection ended, which the client decided
	})
	return cs
}

// answers is a client that can be asked everything and gives fixed answers.
func answers() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{
			RootsV2: &mcp.RootCapabilities{ListChanged: true},
			Elicitation: &mcp.ElicitationCapabilities{
				Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{},
			},
		},
		ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			if req.Params.URL != "" {
				return &mcp.ElicitResult{Action: "accept"}, nil
			}
			schema, _ := req.Params.RequestedSchema.(map[string]any)
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
		},
		CreateMessageWithToolsHandler: func(_ context.Context, req *mcp.CreateMessageWithToolsRequest) (*mcp.CreateMessageWithToolsResult, error) {
			res := &mcp.CreateMessageWithToolsResult{Role: "assistant", Model: "model", StopReason: "endTurn"}
			res.Content = []mcp.Content{&mcp.TextContent{Text: "completion"}}
			if len(req.Params.Tools) > 0 {
				res.StopReason = "toolUse"
				res.Content = append(res.Content, &mcp.ToolUseContent{ID: "use-2", Name: "weather", Input: map[string]any{"city": "Rome"}})
			}
			return res, nil
		},
	}
}

func call(t *testing.T, cs *mcp.ClientSession, tool, args string) (*mcp.CallToolResult, error) {
	t.Helper()
	params := &mcp.CallToolParams{Name: tool}
	if args != "" {
		params.Arguments = json.RawMessage(args)
	}
	return cs.CallTool(t.Context(), params)
}

// outcome is what comes of a call, in the form that differs if anything differs.
func outcome(t *testing.T, res mcp.Result, err error) string {
	t.Helper()
	if err != nil {
		if wire := (*jsonrpc.Error)(nil); errors.As(err, &wire) {
			return fmt.Sprintf("error %d %q %s", wire.Code, wire.Message, wire.Data)
		}
		return "error " + err.Error()
	}
	raw, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestListsAreComplete(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		got := lists(t, connect(t, New(nil), version, nil))
		for _, list := range []string{"tools", "resources", "templates", "prompts"} {
			if !slices.IsSorted(got[list]) {
				t.Errorf("%s are not sorted: %q", list, got[list])
			}
		}
		gotCounts := map[string]int{}
		for list, names := range got {
			gotCounts[list] = len(names)
		}
		// A change here is a change of the differential tests, and welcome.
		want := map[string]int{"tools": 72, "resources": 12, "templates": 2, "prompts": 10}
		if diff := cmp.Diff(want, gotCounts); diff != "" {
			t.Errorf("counts differ (-want +got):\n%s\n%q", diff, got)
		}
	})
}

func TestPagesMakeUpTheLists(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		want := lists(t, connect(t, New(nil), version, nil))
		cs := connect(t, New(&Options{PageSize: 3}), version, nil)
		if diff := cmp.Diff(want, lists(t, cs)); diff != "" {
			t.Errorf("lists differ (-whole +paged):\n%s", diff)
		}
		page, err := cs.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Tools) != 3 || page.NextCursor == "" {
			t.Errorf("got %d tools and cursor %q, want 3 and one", len(page.Tools), page.NextCursor)
		}
		if _, err := cs.ListTools(t.Context(), &mcp.ListToolsParams{Cursor: "%%%"}); err == nil {
			t.Error("got no error for a wrong cursor")
		}
	})
}

func lists(t *testing.T, cs *mcp.ClientSession) map[string][]string {
	t.Helper()
	got := map[string][]string{}
	add := func(list, name string, err error) {
		if err != nil {
			t.Fatal(err)
		}
		got[list] = append(got[list], name)
	}
	for tool, err := range cs.Tools(t.Context(), nil) {
		add("tools", tool.Name, err)
	}
	for resource, err := range cs.Resources(t.Context(), nil) {
		add("resources", resource.URI, err)
	}
	for template, err := range cs.ResourceTemplates(t.Context(), nil) {
		add("templates", template.URITemplate, err)
	}
	for prompt, err := range cs.Prompts(t.Context(), nil) {
		add("prompts", prompt.Name, err)
	}
	return got
}

// The purpose of the package: two servers say the same, whatever is asked.
func TestTwoServersAnswerAlike(t *testing.T) {
	t.Parallel()
	args := map[string]string{
		"structured_echo": `{"n":9007199254740993}`, "error_jsonrpc": `{"message":"m","data":[1]}`,
		"update_resource": `{"text":"new"}`, "json_schema_2020_12_tool": `{"email":"a@example.com"}`,
		"flood_progress": `{"count":3}`, "test_sampling": `{"prompt":"p"}`, "test_elicitation": `{"message":"m"}`,
	}
	skipped := map[string]bool{"block": true, "panic": true, "error_nil_result": true} // never end, or end the process
	eachVersion(t, func(t *testing.T, version string) {
		one, other := connect(t, New(nil), version, answers()), connect(t, New(nil), version, answers())
		if diff := cmp.Diff(outcome(t, one.InitializeResult(), nil), outcome(t, other.InitializeResult(), nil)); diff != "" {
			t.Error(diff)
		}
		all := lists(t, one)
		for _, tool := range all["tools"] {
			if skipped[tool] {
				continue
			}
			arguments, ok := args[tool]
			if !ok {
				arguments = `{"name":"ada"}`
			}
			a, errA := call(t, one, tool, arguments)
			b, errB := call(t, other, tool, arguments)
			if diff := cmp.Diff(outcome(t, a, errA), outcome(t, b, errB)); diff != "" {
				t.Errorf("tool %s: %s", tool, diff)
			}
		}
		for _, uri := range append(all["resources"], "test://template/7/data", "http://example.com/~x/", "everything://nothing") {
			a, errA := one.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
			b, errB := other.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
			if diff := cmp.Diff(outcome(t, a, errA), outcome(t, b, errB)); diff != "" {
				t.Errorf("resource %s: %s", uri, diff)
			}
		}
		for _, name := range append(all["prompts"], "nothing") {
			params := &mcp.GetPromptParams{Name: name, Arguments: map[string]string{"name": "ada", "needed": "n"}}
			a, errA := one.GetPrompt(t.Context(), params)
			b, errB := other.GetPrompt(t.Context(), params)
			if diff := cmp.Diff(outcome(t, a, errA), outcome(t, b, errB)); diff != "" {
				t.Errorf("prompt %s: %s", name, diff)
			}
		}
	})
}
