// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// muxedWires are those on which calls share a stream.
var muxedWires = []wire{wires[0], wires[3]}

func text(s string) mcp.Content { return &mcp.TextContent{Text: s} }

// plainResults are what tools give, by their names.
var plainResults = map[string]*mcp.CallToolResult{
	"no content":            {Content: []mcp.Content{}},
	"a text":                {Content: []mcp.Content{text("hello, ü \u2028 \"\\\x00\n")}},
	"an empty text":         {Content: []mcp.Content{text("")}},
	"several texts":         {Content: []mcp.Content{text("a"), text(""), text("c")}},
	"a large text":          {Content: []mcp.Content{text(strings.Repeat("large ", 20_000))}},
	"an error":              {Content: []mcp.Content{text("failed")}, IsError: true},
	"structure":             {Content: []mcp.Content{text("{}")}, StructuredContent: json.RawMessage(`{"n":9007199254740993,"s":["ü",null,1e-7,{}]}`)},
	"a structured array":    {Content: []mcp.Content{text("[]")}, StructuredContent: json.RawMessage(`[9007199254740993,[],{"a":[]}]`)},
	"a structured number":   {Content: []mcp.Content{}, StructuredContent: json.RawMessage(`18446744073709551617`)},
	"a structured null":     {Content: []mcp.Content{}, StructuredContent: json.RawMessage(`null`)},
	"an error with details": {Content: []mcp.Content{text("no")}, StructuredContent: map[string]any{"code": 7}, IsError: true},
	"an image":              {Content: []mcp.Content{&mcp.ImageContent{MIMEType: "image/png", Data: []byte{0, 255, 1}}}},
	"text and an image":     {Content: []mcp.Content{text("see"), &mcp.ImageContent{MIMEType: "image/png", Data: []byte{1}}}},
	"an annotated text":     {Content: []mcp.Content{&mcp.TextContent{Text: "a", Annotations: &mcp.Annotations{Audience: []mcp.Role{"user"}, Priority: 0.5}}}},
	"a text with _meta":     {Content: []mcp.Content{&mcp.TextContent{Text: "a", Meta: mcp.Meta{"example.com/x": 1.0}}}},
	"a link":                {Content: []mcp.Content{&mcp.ResourceLink{URI: "a:b", Name: "b"}}},
	"_meta":                 {Content: []mcp.Content{text("a")}, Meta: mcp.Meta{"example.com/x": map[string]any{"n": []any{1.0, "ü", nil}}}},
	"_meta of another kind": {Content: []mcp.Content{text("a")}, Meta: mcp.Meta{"example.com/x": []any{map[string]any{"y": "z"}}}},
}

func plainServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "plain", Version: "1"}, nil)
	for name, result := range plainResults {
		server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				r := *result
				return &r, nil
			})
	}
	return server
}

// serveCounting serves a server, and counts the RPCs that call a tool.
func serveCounting(t *testing.T, server *mcp.Server) (url string, rpcs *atomic.Int32) {
	t.Helper()
	h := mcpconnect.NewHandler(server, mcpconnect.WithLogger(quiet))
	t.Cleanup(func() { _ = h.Close() })
	rpcs = &atomic.Int32{}
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/InvokeTool") {
			rpcs.Add(1)
		}
		h.ServeHTTP(w, r)
	})), rpcs
}

// everythingDeclared are the capabilities of a client that can be asked anything.
func everythingDeclared() mcpconnect.ClientOption {
	caps := &mcp.ClientCapabilities{
		Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{}},
		Sampling:    &mcp.SamplingCapabilities{},
		RootsV2:     &mcp.RootCapabilities{},
	}
	caps.AddExtension(everything.TasksExtension, nil)
	return mcpconnect.WithCapabilities(caps)
}

// resultOrError is what a call gave.
type resultOrError struct {
	Result *mcp.CallToolResult
	Error  string
	Code   int64
	Data   string
	Task   any
}

func callOnce(ctx context.Context, c *mcpconnect.Client, p *mcp.CallToolParams) (o resultOrError) {
	res, err := c.CallTool(ctx, p)
	if err == nil {
		return resultOrError{Result: res}
	}
	if started, ok := errors.AsType[*mcpconnect.TaskStartedError](err); ok {
		started.Task.TaskId = nil // each has its own
		return resultOrError{Task: started.Task}
	}
	o.Error = err.Error()
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok {
		o.Code, o.Data = e.Code, string(e.Data)
	}
	return o
}

// sdkFields has cmp look at all of the SDK's types.
var sdkFields = cmp.Exporter(func(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[mcp.Tool]().PkgPath() })

// sameAsRPC makes calls on a stream and by RPCs, several times: what they give must be equal.
func sameAsRPC(t *testing.T, w wire, server *mcp.Server, calls []*mcp.CallToolParams, opts ...mcpconnect.ClientOption) {
	t.Helper()
	url, rpcs := serveCounting(t, server)
	ctx := t.Context()
	rpc := newClient(t, url, w, append(opts, mcpconnect.WithoutMultiplexing())...)
	plain := newClient(t, url, w, opts...)
	if _, err := plain.Discover(ctx, nil); err != nil { // now it knows that there are streams
		t.Fatal(err)
	}
	for _, p := range calls {
		want := callOnce(ctx, rpc, p)
		before := rpcs.Load()
		for range 3 {
			got := callOnce(ctx, plain, p)
			if diff := cmp.Diff(want, got, protocmp.Transform(), sdkFields); diff != "" {
				t.Errorf("%s %s (-RPC +stream):\n%s", p.Name, p.Arguments, diff)
			}
		}
		if n := rpcs.Load() - before; n > 0 {
			t.Errorf("%s was called by %d RPCs, want the stream", p.Name, n)
		}
	}
}

func TestPlainCallsGiveWhatRPCsGive(t *testing.T) {
	t.Parallel()
	for _, w := range muxedWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			calls := []*mcp.CallToolParams{tool("no such tool", `{}`), tool("", `{}`), tool("\xff", `{}`)}
			for name := range plainResults {
				calls = append(calls, tool(name, ""), tool(name, `{"a":1}`), tool(name, `[]`), tool(name, `{"a":`), &mcp.CallToolParams{Name: name, Arguments: map[string]any{"a": 1}})
			}
			sameAsRPC(t, w, plainServer(), calls)
		})
	}
}

// TestPlainCallsOfEverything: tools that ask, start tasks, fail, and check their arguments.
func TestPlainCallsOfEverything(t *testing.T) {
	t.Parallel()
	for _, w := range muxedWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			calls := []*mcp.CallToolParams{
				tool("greet", `{"name":"you"}`), tool("greet", `{}`), tool("greet", `{"name":7}`), tool("greet", `{"name":"you","more":1}`),
				tool("greet (structured)", `{"name":"you"}`),
				tool("start_task", `{"mode":"input"}`), tool("start_task", `{}`),
				tool("structured_echo", `{"n":9007199254740993,"s":"ü","e":1e400}`),
			}
			for _, name := range []string{
				"test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource",
				"test_multiple_content_types", "content_all", "content_none", "content_empty_values",
				"structured_object", "structured_array", "structured_number", "structured_big_numbers",
				"test_error_handling", "error_result", "error_jsonrpc", "error_plain", "error_wrapped", "error_nil_result", "panic",
				"test_missing_capability", "require_url_elicitation",
				"test_input_required_result_elicitation", "test_input_required_result_sampling", "test_input_required_result_list_roots",
				"test_input_required_result_multiple_inputs", "test_input_required_result_request_state", "roundtrip_url", "roundtrip_both",
			} {
				calls = append(calls, tool(name, `{}`))
			}
			sameAsRPC(t, w, everything.New(nil).MCP(), calls, everythingDeclared())
		})
	}
}

func TestPlainResultsShareNoMemory(t *testing.T) {
	t.Parallel()
	for _, w := range muxedWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, serveMCP(t, plainServer()), w)
			if _, err := c.Discover(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"a text", "structure", "_meta", "_meta of another kind"} {
				want := ""
				for range 4 {
					res, err := c.CallTool(t.Context(), tool(name, `{}`))
					if err != nil {
						t.Fatal(err)
					}
					got, err := json.Marshal(res)
					if err != nil {
						t.Fatal(err)
					}
					if want == "" {
						want = string(got)
					}
					if string(got) != want {
						t.Errorf("%s: after changes of the results before, got %s, want %s", name, got, want)
					}
					spoil(map[string]any(res.Meta))
					spoil(res.StructuredContent)
				}
			}
		})
	}
}

// spoil changes all that can be changed in a value.
func spoil(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			spoil(member)
		}
		if v != nil {
			clear(v)
			v["spoilt"] = true
		}
	case []any:
		for i := range v {
			spoil(v[i])
			v[i] = "spoilt"
		}
	}
}

// TestManyCallsOfAClientGetTheirOwnResults: of mixed sizes, at the same time.
func TestManyCallsOfAClientGetTheirOwnResults(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "echo", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{text(string(req.Params.Arguments))}}, nil
		})
	url := serveMCP(t, server)
	for _, w := range muxedWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			const (
				callers = 50
				calls   = 20
			)
			c := newClient(t, url, w)
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					for j := range calls {
						n := i*calls + j
						args := fmt.Sprintf(`{"n":%d,"text":%q}`, n, strings.Repeat("x", n%7))
						if n%25 == 0 {
							args = fmt.Sprintf(`{"n":%d,"text":%q}`, n, strings.Repeat("x", n*100))
						}
						if got := texts(c.CallTool(t.Context(), tool("echo", args))); got != args {
							t.Errorf("call %d: %s", n, cmp.Diff(args, got))
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
