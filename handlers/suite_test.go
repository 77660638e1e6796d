// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// TestEveryMethodInBothFormsOnEveryWire runs the same requests in both forms, over every
// protocol, in every era, and compares each outcome with what the SDK's own in-memory
// transport gives for it.
func TestEveryMethodInBothFormsOnEveryWire(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	url := serve(t, server)
	for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18"} {
		want := nativeOutcomes(t, version)
		for _, w := range wires {
			for _, form := range forms {
				if form.bidi && !w.bidi() {
					continue
				}
				t.Run(version+"/"+w.name+"/"+form.name, func(t *testing.T) {
					t.Parallel()
					runSuite(t, w, url, version, form, want)
				})
			}
		}
	}
}

func runSuite(t *testing.T, w wire, url, version string, form form, want map[string]string) {
	client := form.open(t, w, url, version)
	for _, c := range cases {
		if form.typed && typedCalls[c.method] == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got := client(ctx, c.method, c.paramsFor(version))
		cancel()
		if form.unary {
			got.notes = nil
		}
		wantText := want[c.name]
		if form.unary {
			wantText = want[c.name+" without notifications"]
		}
		if diff := cmp.Diff(wantText, normal(got).String()); diff != "" {
			t.Errorf("%s: differs from the SDK's own transport (-want +got):\n%s", c.name, diff)
		}
	}
}

// nativeOutcomes asks a server of its own over the SDK's in-memory transport.
func nativeOutcomes(t *testing.T, version string) map[string]string {
	t.Helper()
	ctx := testContext(t)
	peer := newRawPeer(t, everything.NewServer())
	if version < "2026-07-28" {
		if o := peer.call(ctx, "initialize", initializeParams(version)); o.err != nil {
			t.Fatal(o.err)
		}
		if err := peer.notify(ctx, "notifications/initialized"); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{}
	for _, c := range cases {
		o := normal(peer.call(ctx, c.method, c.paramsFor(version)))
		want[c.name] = o.String()
		o.notes = nil
		want[c.name+" without notifications"] = o.String()
	}
	return want
}

// normal takes out what differs by design: the SDK puts the text of plain errors on the
// wire, with code 0, and of malformed params a dump of Go types (SPEC.md §11).
func normal(o outcome) outcome {
	if o.err == nil {
		return o
	}
	e := *o.err
	if e.Code == 0 {
		e.Code, e.Message = jsonrpc.CodeInternalError, "internal error"
	}
	if (e.Code == jsonrpc.CodeInvalidParams && !strings.HasPrefix(e.Message, "unknown ")) || e.Code == jsonrpc.CodeMethodNotFound || e.Code == jsonrpc.CodeInvalidRequest {
		e.Message = ""
	}
	o.err = &e
	return o
}

func initializeParams(version string) json.RawMessage {
	return fmt.Appendf(nil, `{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"suite","version":"1"}}`, version)
}

const modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"suite","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{}`

// A suiteCase is one request. %META% in its params stands for the members that a modern
// request has in `_meta`.
type suiteCase struct {
	name, method, params string
}

func (c suiteCase) paramsFor(version string) json.RawMessage {
	if version >= "2026-07-28" {
		return json.RawMessage(strings.ReplaceAll(c.params, "%META%", modernMeta))
	}
	return json.RawMessage(strings.ReplaceAll(strings.ReplaceAll(c.params, "%META%,", ""), "%META%", ""))
}

func tool(name, args string) suiteCase {
	return suiteCase{"tool " + name + " " + args, "tools/call", fmt.Sprintf(`{"_meta":{%%META%%},"name":%q,"arguments":%s}`, name, args)}
}

func prompt(name, args string) suiteCase {
	return suiteCase{"prompt " + name, "prompts/get", fmt.Sprintf(`{"_meta":{%%META%%},"name":%q,"arguments":%s}`, name, args)}
}

func resource(uri string) suiteCase {
	return suiteCase{"resource " + uri, "resources/read", fmt.Sprintf(`{"_meta":{%%META%%},"uri":%q}`, uri)}
}

var cases = []suiteCase{
	{"list of tools", "tools/list", `{"_meta":{%META%}}`},
	{"list of resources", "resources/list", `{"_meta":{%META%}}`},
	{"list of resource templates", "resources/templates/list", `{"_meta":{%META%}}`},
	{"list of prompts", "prompts/list", `{"_meta":{%META%}}`},
	{"list at a wrong cursor", "tools/list", `{"_meta":{%META%},"cursor":"nonsense"}`},
	{"list at a cursor of the wrong type", "tools/list", `{"_meta":{%META%},"cursor":7}`},
	tool("test_simple_text", `{}`),
	tool("test_image_content", `{}`),
	tool("test_audio_content", `{}`),
	tool("test_embedded_resource", `{}`),
	tool("test_multiple_content_types", `{}`),
	tool("content_all", `{}`),
	tool("content_none", `{}`),
	tool("content_empty_values", `{}`),
	tool("structured_object", `{}`),
	tool("structured_array", `{}`),
	tool("greet", `{"name":"you"}`),
	tool("greet", `{"name":7}`),
	tool("greet", `{}`),
	tool("greet (structured)", `{"name":"you"}`),
	tool("greet (content with ResourceLink)", `{"name":"you"}`),
	tool("test_error_handling", `{}`),
	tool("error_result", `{}`),
	tool("error_jsonrpc", `{}`),
	tool("error_plain", `{}`),
	tool("error_wrapped", `{}`),
	tool("no such tool", `{}`),
	{"tool with arguments of the wrong type", "tools/call", `{"_meta":{%META%},"name":7}`},
	{"tool without name", "tools/call", `{"_meta":{%META%}}`},
	{"tool with unknown members", "tools/call", `{"_meta":{%META%,"x":[1]},"name":"test_simple_text","arguments":{},"later":{"a":1}}`},
	{"tool with progress", "tools/call", `{"_meta":{%META%,"progressToken":"p"},"name":"test_tool_with_progress","arguments":{}}`},
	{"tool with progress under an integer", "tools/call", `{"_meta":{%META%,"progressToken":7},"name":"test_tool_with_progress","arguments":{}}`},
	resource("test://static-text"),
	resource("test://static-binary"),
	resource("embedded:info"),
	resource("test://nowhere"),
	prompt("prompt_all", `{"needed":"a","optional":"b"}`),
	prompt("test_simple_prompt", `{}`),
	prompt("test_prompt_with_arguments", `{"arg1":"x","arg2":"y"}`),
	prompt("test_prompt_with_image", `{}`),
	prompt("grüß dich", `{}`),
	prompt("prompt_broken", `{}`),
	prompt("no such prompt", `{}`),
	{"completion of a prompt", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"par"}}`},
	{"completion of a resource", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/resource","uri":"test://template/{id}/data"},"argument":{"name":"id","value":""},"context":{"arguments":{"a":"b"}}}`},
	{"completion without ref", "completion/complete", `{"_meta":{%META%},"argument":{"name":"arg1","value":""}}`},
	{"unknown method", "no/such/method", `{"_meta":{%META%}}`},
	{"unknown task", "tasks/get", `{"_meta":{%META%},"taskId":"none"}`},
}

// A form is a way to put a JSON-RPC request on a wire.
type form struct {
	name  string
	bidi  bool
	typed bool
	unary bool // notifications are not seen
	open  func(t *testing.T, w wire, url, version string) func(context.Context, string, json.RawMessage) outcome
}

var forms = []form{
	{name: "Send", open: openSend},
	{name: "Connect", bidi: true, open: openConnect},
	{name: "typed", typed: true, open: openTyped(typedCalls)},
	{name: "typed unary", typed: true, unary: true, open: openTyped(unaryCalls())},
}

func openSend(t *testing.T, w wire, url, version string) func(context.Context, string, json.RawMessage) outcome {
	client := w.client(t, url)
	session := ""
	call := func(ctx context.Context, method string, params json.RawMessage) outcome {
		ctx, info := connect.NewClientContext(ctx)
		if session != "" {
			info.RequestHeader().Set("Mcp-Session-Id", session)
		}
		stream, err := client.Send(ctx, envelope(1, method, params))
		if err != nil {
			return failed(err)
		}
		o, err := read(sendStream{stream})
		if err != nil {
			return failed(err)
		}
		if id := stream.ResponseHeader().Get("Mcp-Session-Id"); id != "" {
			session = id
		}
		if err := stream.Close(); err != nil {
			return failed(err)
		}
		return o
	}
	if version < "2026-07-28" {
		if o := call(t.Context(), "initialize", initializeParams(version)); o.err != nil || session == "" {
			t.Fatalf("initialize gave %v and session %q", o, session)
		}
	}
	return call
}

func openConnect(t *testing.T, w wire, url, version string) func(context.Context, string, json.RawMessage) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := w.client(t, url).Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stream.CloseRequest()
		cancel()
		_ = stream.CloseResponse()
	})
	id := int64(0)
	call := func(_ context.Context, method string, params json.RawMessage) outcome {
		id++
		if err := stream.Send(envelope(id, method, params)); err != nil {
			return failed(err)
		}
		o, err := read(stream)
		if err != nil {
			return failed(err)
		}
		return o
	}
	if version < "2026-07-28" {
		if o := call(ctx, "initialize", initializeParams(version)); o.err != nil {
			t.Fatal(o.err)
		}
	}
	return call
}

func failed(err error) outcome {
	if e := detail(err); e != nil {
		return outcome{err: e}
	}
	return outcome{err: &jsonrpc.Error{Message: "RPC failed: " + err.Error()}}
}

// A typedCall runs the typed RPC of a method.
type typedCall func(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage) outcome

func unary[Req any, PReq interface {
	*Req
	proto.Message
}, Res proto.Message](rpc func(mcpv1connect.MCPClient, context.Context, PReq) (Res, error)) typedCall {
	return func(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage) outcome {
		req := PReq(new(Req))
		if err := mapping.FromJSON(params, req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
			return failed(err)
		}
		askForBytes(req)
		res, err := rpc(c, ctx, req)
		if err != nil {
			return failed(err)
		}
		return asJSON(res)
	}
}

// askForBytes asks for exact JSON in the answer: a Struct would do, but then not every
// difference would show.
func askForBytes(req proto.Message) {
	m, ok := req.(interface{ GetMeta() *mcpv1.RequestMeta })
	if !ok {
		return
	}
	if m.GetMeta() == nil {
		fd := req.ProtoReflect().Descriptor().Fields().ByName("meta")
		req.ProtoReflect().Mutable(fd)
	}
	m.GetMeta().JsonEncoding = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
}

func asJSON(m proto.Message) outcome {
	text, err := mapping.ToJSON(m)
	if err != nil {
		return failed(err)
	}
	return outcome{result: text}
}

var typedCalls = map[string]typedCall{
	"tools/list":               unary(mcpv1connect.MCPClient.ListTools),
	"resources/list":           unary(mcpv1connect.MCPClient.ListResources),
	"resources/templates/list": unary(mcpv1connect.MCPClient.ListResourceTemplates),
	"prompts/list":             unary(mcpv1connect.MCPClient.ListPrompts),
	"resources/read":           unary(mcpv1connect.MCPClient.ReadResource),
	"prompts/get":              unary(mcpv1connect.MCPClient.GetPrompt),
	"completion/complete":      unary(mcpv1connect.MCPClient.Complete),
	"server/discover":          unary(mcpv1connect.MCPClient.Discover),
	"tasks/get":                unary(mcpv1connect.MCPClient.GetTask),
	"tasks/update":             unary(mcpv1connect.MCPClient.UpdateTask),
	"tasks/cancel":             unary(mcpv1connect.MCPClient.CancelTask),
	"tools/call":               callToolStream,
}

func unaryCalls() map[string]typedCall {
	m := maps.Clone(typedCalls)
	m["tools/call"] = unary(mcpv1connect.MCPClient.InvokeTool)
	return m
}

func callToolStream(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage) (o outcome) {
	var req mcpv1.CallToolRequest
	if err := mapping.FromJSON(params, &req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return failed(err)
	}
	askForBytes(&req)
	stream, err := c.CallTool(ctx, &req)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		switch k := stream.Msg().Kind.(type) {
		case *mcpv1.CallToolEvent_Progress:
			o.notes = append(o.notes, "notifications/progress "+canonical(asJSON(k.Progress).result))
		case *mcpv1.CallToolEvent_Log:
			o.notes = append(o.notes, "notifications/message "+canonical(asJSON(k.Log).result))
		default:
			o.result = asJSON(stream.Msg()).result
		}
	}
	if err := stream.Err(); err != nil {
		o.err = failed(err).err
	}
	return o
}

func openTyped(calls map[string]typedCall) func(t *testing.T, w wire, url, version string) func(context.Context, string, json.RawMessage) outcome {
	return func(t *testing.T, w wire, url, version string) func(context.Context, string, json.RawMessage) outcome {
		client := w.client(t, url)
		session := ""
		if version < "2026-07-28" {
			session = initializeTyped(t, client, version)
		}
		return func(ctx context.Context, method string, params json.RawMessage) outcome {
			if session != "" {
				var info connect.CallInfo
				ctx, info = connect.NewClientContext(ctx)
				info.RequestHeader().Set("Mcp-Session-Id", session)
			}
			return calls[method](ctx, client, params)
		}
	}
}

func initializeTyped(t testing.TB, client mcpv1connect.MCPClient, version string) (session string) {
	t.Helper()
	ctx := testContext(t)
	var req mcpv1.InitializeRequest
	if err := mapping.FromJSON(initializeParams(version), &req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		t.Fatal(err)
	}
	res, err := client.Initialize(ctx, &req)
	if err != nil {
		t.Fatal(err)
	}
	if res.GetProtocolVersion() != version {
		t.Fatalf("initialize agreed on %q, want %q", res.GetProtocolVersion(), version)
	}
	return res.SessionId
}
