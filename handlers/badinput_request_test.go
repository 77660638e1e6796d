// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A typedBad runs one typed RPC.
type typedBad = func(context.Context, mcpv1connect.MCPClient) error

func badCall(tool, args string) *mcpv1.CallToolRequest {
	return &mcpv1.CallToolRequest{Name: &tool, ArgumentsJson: []byte(args)}
}

// rpcOf makes a typed RPC of a request.
func rpcOf[Req, Res any](rpc func(mcpv1connect.MCPClient, context.Context, Req) (Res, error), req Req) typedBad {
	return func(ctx context.Context, c mcpv1connect.MCPClient) error {
		_, err := rpc(c, ctx, req)
		return err
	}
}

// calling calls a tool by both RPCs for it, which must fail alike.
func calling(req *mcpv1.CallToolRequest) typedBad {
	return func(ctx context.Context, c mcpv1connect.MCPClient) error {
		_, err := c.InvokeTool(ctx, req)
		streamErr := drainTool(ctx, c, req)
		if connect.CodeOf(err) != connect.CodeOf(streamErr) || fmt.Sprint(detail(err)) != fmt.Sprint(detail(streamErr)) {
			return fmt.Errorf("InvokeTool and CallTool differ: %w and %w", err, streamErr)
		}
		return err
	}
}

func drainTool(ctx context.Context, c mcpv1connect.MCPClient, req *mcpv1.CallToolRequest) error {
	stream, err := c.CallTool(ctx, req)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
	}
	return stream.Err()
}

func TestBadRequestsAreRefusedAlikeInAllForms(t *testing.T) {
	const notFound, invalid, unimplemented, internal = connect.CodeNotFound, connect.CodeInvalidArgument, connect.CodeUnimplemented, connect.CodeInternal
	runBadInput(t, []badInput{
		both("an unknown tool", calling(badCall("no such tool", `{}`)), notFound, "tools/call", `{"name":"no such tool","arguments":{}}`, -32602),
		both("a tool without name", calling(&mcpv1.CallToolRequest{}), notFound, "tools/call", `{}`, -32602),
		both("an unknown prompt", rpcOf(mcpv1connect.MCPClient.GetPrompt, &mcpv1.GetPromptRequest{Name: new("none")}), notFound, "prompts/get", `{"name":"none"}`, -32602),
		both("an unknown resource", rpcOf(mcpv1connect.MCPClient.ReadResource, &mcpv1.ReadResourceRequest{Uri: new("test://none")}), notFound, "resources/read", `{"uri":"test://none"}`, -32602),
		both("an unknown task", rpcOf(mcpv1connect.MCPClient.GetTask, &mcpv1.GetTaskRequest{TaskId: new("none")}), invalid, "tasks/get", `{"taskId":"none"}`, -32602),
		both("a name of the wrong type", calling(&mcpv1.CallToolRequest{ExtraJson: []byte(`{"name":7}`)}), invalid, "tools/call", `{"name":7}`, -32602),
		both("a URI of the wrong type", rpcOf(mcpv1connect.MCPClient.ReadResource, &mcpv1.ReadResourceRequest{ExtraJson: []byte(`{"uri":{}}`)}), invalid, "resources/read", `{"uri":{}}`, -32602),
		both("a cursor that the server did not give", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{Cursor: new("nonsense")}), invalid, "tools/list", `{"cursor":"nonsense"}`, -32602),
		both("a cursor of prompts", rpcOf(mcpv1connect.MCPClient.ListPrompts, &mcpv1.ListPromptsRequest{Cursor: new("nonsense")}), invalid, "prompts/list", `{"cursor":"nonsense"}`, -32602),
		both("a cursor of resources", rpcOf(mcpv1connect.MCPClient.ListResources, &mcpv1.ListResourcesRequest{Cursor: new("nonsense")}), invalid, "resources/list", `{"cursor":"nonsense"}`, -32602),
		both("a cursor of templates", rpcOf(mcpv1connect.MCPClient.ListResourceTemplates, &mcpv1.ListResourceTemplatesRequest{Cursor: new("nonsense")}), invalid, "resources/templates/list", `{"cursor":"nonsense"}`, -32602),
		both("a cursor of the wrong type", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{ExtraJson: []byte(`{"cursor":7}`)}), invalid, "tools/list", `{"cursor":7}`, -32602),
		both("a completion of nothing", rpcOf(mcpv1connect.MCPClient.Complete, &mcpv1.CompleteRequest{ExtraJson: []byte(`{"ref":7}`)}), invalid, "completion/complete", `{"ref":7}`, -32602),
		both("a tool that panics", calling(badCall("panic", `{}`)), internal, "tools/call", `{"name":"panic"}`, -32603),
		both("a tool that fails with a plain error", calling(badCall("error_plain", `{}`)), internal, "tools/call", `{"name":"error_plain"}`, -32603),
		both("a tool without result and error", calling(badCall("error_nil_result", `{}`)), internal, "tools/call", `{"name":"error_nil_result"}`, -32603),
		enveloped("an unknown method", envelope(1, "no/such/method", []byte(`{}`)), answers(-32601), answers(-32601)),
		enveloped("an unknown notification", clientNote("notifications/no_such", `{}`), dropped, dropped),
		enveloped("a request without the params that it needs", envelope(1, "tools/call", nil), answers(-32600), answers(-32600)),
		enveloped("params that are null", envelope(1, "resources/read", []byte(`null`)), answers(-32600), answers(-32600)),
		enveloped("params that are an array", envelope(1, "tools/call", []byte(`["greet"]`)), answers(-32602), answers(-32602)),
		enveloped("a _meta that is a number", envelope(1, "tools/list", []byte(`{"_meta":7}`)), answers(-32602), answers(-32602)),
		enveloped("a listen without params", envelope(1, "subscriptions/listen", nil), answers(-32600), answers(-32600)),
		enveloped("a request by the name of a notification", envelope(1, "notifications/initialized", []byte(`{}`)), answers(-32601), answers(-32601)),
		enveloped("a notification by the name of a request", clientNote("tools/call", `{"name":"panic"}`), dropped, dropped),
		enveloped("a cancellation of nothing", clientNote("notifications/cancelled", `{"requestId":99}`), dropped, dropped),
		enveloped("a cancellation that names nothing", clientNote("notifications/cancelled", `{"requestId":[]}`), dropped, dropped),
	})
}

// TestRepeatedMembersAreRefusedAlikeInAllForms: two readers may take two different values of one
// key, so that nobody takes any (SPEC.md §5.2, R5).
func TestRepeatedMembersAreRefusedAlikeInAllForms(t *testing.T) {
	const invalid = connect.CodeInvalidArgument
	extra := func(text string) *mcpv1.RequestMeta { return &mcpv1.RequestMeta{ExtraJson: []byte(text)} }
	twice, inMeta := []byte(`{"x":1,"x":2}`), extra(`{"x":1,"x":2}`)
	name := new("test_simple_text")
	rows := []badInput{
		both("of a tool", calling(&mcpv1.CallToolRequest{Name: name, ExtraJson: twice}), invalid, "tools/call", `{"name":"test_simple_text","x":1,"x":2}`, -32602),
		both("of a list", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{ExtraJson: twice}), invalid, "tools/list", `{"x":1,"x":2}`, -32602),
		both("of a resource", rpcOf(mcpv1connect.MCPClient.ReadResource, &mcpv1.ReadResourceRequest{Uri: new("test://static-text"), ExtraJson: twice}), invalid, "resources/read", `{"uri":"test://static-text","x":1,"x":2}`, -32602),
		both("of a prompt", rpcOf(mcpv1connect.MCPClient.GetPrompt, &mcpv1.GetPromptRequest{Name: new("greet"), ExtraJson: twice}), invalid, "prompts/get", `{"name":"greet","x":1,"x":2}`, -32602),
		both("of a completion", rpcOf(mcpv1connect.MCPClient.Complete, &mcpv1.CompleteRequest{Ref: new("greet"), ArgumentName: new("name"), ExtraJson: twice}), invalid, "completion/complete", `{"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"name","value":""},"x":1,"x":2}`, -32602),
		both("of a discovery", rpcOf(mcpv1connect.MCPClient.Discover, &mcpv1.DiscoverRequest{ExtraJson: twice}), invalid, "server/discover", `{"x":1,"x":2}`, -32602),
		both("of a task", rpcOf(mcpv1connect.MCPClient.GetTask, &mcpv1.GetTaskRequest{TaskId: new("none"), ExtraJson: twice}), invalid, "tasks/get", `{"taskId":"none","x":1,"x":2}`, -32602),
		both("of _meta of a tool", calling(&mcpv1.CallToolRequest{Name: name, Meta: inMeta}), invalid, "tools/call", `{"_meta":{"x":1,"x":2},"name":"test_simple_text"}`, -32602),
		both("of _meta of a list", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{Meta: inMeta}), invalid, "tools/list", `{"_meta":{"x":1,"x":2}}`, -32602),
		both("of _meta of a discovery", rpcOf(mcpv1connect.MCPClient.Discover, &mcpv1.DiscoverRequest{Meta: inMeta}), invalid, "server/discover", `{"_meta":{"x":1,"x":2}}`, -32602),
		both("of _meta that has no field", calling(&mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`{"_meta":{"x":1,"x":2}}`)}), invalid, "tools/call", `{"_meta":{"x":1,"x":2},"name":"test_simple_text"}`, -32602),
		both("of a field of _meta", calling(&mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{Traceparent: new("a"), ExtraJson: []byte(`{"traceparent":"b"}`)}}), invalid,
			"tools/call", `{"_meta":{"traceparent":"a","traceparent":"b"},"name":"test_simple_text"}`, -32602),
		both("of what a client is", calling(&mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{ClientInfo: &mcpv1.ClientInfo{ExtraJson: twice}}}), invalid,
			"tools/call", `{"_meta":{"io.modelcontextprotocol/clientInfo":{"x":1,"x":2}},"name":"test_simple_text"}`, -32602),
		both("in extra_json and _meta of a ping", rpcOf(mcpv1connect.MCPClient.Ping, &mcpv1.PingRequest{Meta: inMeta}), invalid, "ping", `{"_meta":{"x":1,"x":2}}`, -32602),
		both("of an initialize", rpcOf(mcpv1connect.MCPClient.Initialize, &mcpv1.InitializeRequest{ExtraJson: twice}), invalid, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"},"x":1,"x":2}`, -32602),
		enveloped("that is known", envelope(1, "tools/call", []byte(`{"name":"test_simple_text","arguments":{},"name":"panic"}`)), answers(-32602), answers(-32602)),
		enveloped("that is written in two ways", envelope(1, "tools/call", []byte(`{"name":"test_simple_text","n\u0061me":"panic"}`)), answers(-32602), answers(-32602)),
		enveloped("of which one is null", envelope(1, "tools/call", []byte(`{"name":"test_simple_text","arguments":{},"arguments":null}`)), answers(-32602), answers(-32602)),
		enveloped("after many others", envelope(1, "tools/list", []byte(`{`+manyMembers(40)+`,"m7":1}`)), answers(-32602), answers(-32602)),
		enveloped("of a method of the user's", envelope(1, "com.example/echo", []byte(`{"value":1,"value":2}`)), answers(-32602), answers(-32602)),
		enveloped("of a method of the other era", envelope(1, "logging/setLevel", []byte(`{"level":"info","level":"debug"}`)), answers(-32601), answers(-32601)),
		enveloped("of a listen", envelope(1, "subscriptions/listen", []byte(`{"notifications":{},"notifications":{"toolsListChanged":true}}`)), answers(-32602), answers(-32602)),
	}
	for i := range rows {
		rows[i].name = "a repeated member " + rows[i].name
	}
	runBadInput(t, rows)
}

func manyMembers(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`"m%d":%d`, i, i)
	}
	return strings.Join(all, ",")
}

// TestWhatAMemberSaysDoesNotDependOnItsPlace: one that stands in extra_json, though it has a
// field, counts as that one (SPEC.md §5.1).
func TestWhatAMemberSaysDoesNotDependOnItsPlace(t *testing.T) {
	const invalid, failed = connect.CodeInvalidArgument, connect.CodeFailedPrecondition
	name := new("test_simple_text")
	rows := []badInput{
		both("a version", calling(&mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01"}}`)}), failed,
			"tools/call", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01"},"name":"test_simple_text"}`, -32022),
		both("a version in _meta", calling(&mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{ExtraJson: []byte(`{"io.modelcontextprotocol/protocolVersion":"2030-01-01"}`)}}), failed,
			"tools/call", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01"},"name":"test_simple_text"}`, -32022),
		both("a version in a Struct", calling(&mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{Extra: &structpb.Struct{Fields: map[string]*structpb.Value{"io.modelcontextprotocol/protocolVersion": structpb.NewStringValue("2030-01-01")}}}}), failed,
			"tools/call", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01"},"name":"test_simple_text"}`, -32022),
		both("a _meta that is a number", rpcOf(mcpv1connect.MCPClient.Discover, &mcpv1.DiscoverRequest{ExtraJson: []byte(`{"_meta":7}`)}), invalid, "server/discover", `{"_meta":7}`, -32602),
	}
	mirrored := both("a name", calling(&mcpv1.CallToolRequest{ExtraJson: []byte(`{"name":"test_error_handling"}`)}), invalid, "tools/call", `{"name":"test_error_handling"}`, -32020)
	mirrored.header, mirrored.wantStream = []string{"Mcp-Name", "test_simple_text"}, verdict{}
	runBadInput(t, append(rows, mirrored))
}

// both is a row for a request that has a typed RPC.
func both(name string, typed typedBad, code connect.Code, method, params string, rpc int64) badInput {
	return badInput{
		name: name, typed: typed, wantTyped: fails(code, rpc),
		message: envelope(7, method, []byte(params)), wantSend: answers(rpc), wantStream: answers(rpc),
	}
}

// enveloped is a row for what only an envelope can say.
func enveloped(name string, e *mcpv1.Envelope, send, stream verdict) badInput {
	return badInput{name: name, message: e, wantSend: send, wantStream: stream}
}

// The SDK lets the tool answer for its arguments, and so does the transport: such calls
// have an outcome, an error result.
func TestArgumentsThatTheToolRefusesAreTheToolsOwnAnswer(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBadClient(t, w, url)
			for _, text := range []string{`{"name":7}`, `{}`, `{"name":"x","more":1}`, `[1]`, `7`, `"x"`} {
				res, err := b.rpc.InvokeTool(testContext(t), badCall("greet", text))
				if err != nil || !res.GetResult().GetIsError() {
					t.Errorf("InvokeTool with %s gave %v, %v, want an error result", text, res, err)
				}
				got, err := b.send(testContext(t), envelope(1, "tools/call", []byte(`{"name":"greet","arguments":`+text+`}`)))
				if err != nil || len(got) != 1 || !strings.Contains(string(got[0].GetResponse().GetResultJson()), `"isError":true`) {
					t.Errorf("Send with %s gave %v, %v, want an error result", text, got, err)
				}
			}
		})
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func wide(nodes int) string {
	return "[" + strings.TrimSuffix(strings.Repeat("[],", nodes-1), ",") + "]"
}

func deepStruct(depth int) *structpb.Struct {
	s := &structpb.Struct{}
	for range depth - 1 {
		s = &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStructValue(s)}}
	}
	return s
}

func wideStruct(nodes int) *structpb.Struct {
	l := &structpb.ListValue{}
	for range nodes - 2 {
		l.Values = append(l.Values, structpb.NewListValue(&structpb.ListValue{}))
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewListValue(l)}}
}

func badArgs(s *structpb.Struct) *mcpv1.CallToolRequest {
	return &mcpv1.CallToolRequest{Name: new("test_simple_text"), Arguments: s}
}

func structParams(s *structpb.Struct) *mcpv1.Envelope {
	id := int64(7)
	return &mcpv1.Envelope{Method: "tools/call", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{IntId: &id, Params: s}}}
}

func TestBadJSONIsRefusedAlikeInAllForms(t *testing.T) {
	const invalid, exhausted = connect.CodeInvalidArgument, connect.CodeResourceExhausted
	name := new("test_simple_text")
	inParams := func(args string) string { return `{"name":"test_simple_text","arguments":` + args + `}` }
	rows := []badInput{
		both("JSON that ends too early", calling(badCall("greet", `{"a":`)), invalid, "tools/call", `{"a":`, -32700),
		both("JSON with something after it", calling(badCall("greet", `{} {}`)), invalid, "tools/call", `{} {}`, -32700),
		both("JSON with a comment", calling(badCall("greet", `{/**/}`)), invalid, "tools/call", `{/**/}`, -32700),
		both("JSON that is not UTF-8", calling(badCall("greet", "{\"a\":\"\xff\"}")), invalid, "tools/call", "{\"name\":\"\xff\"}", -32700),
		both("JSON that is one level too deep", calling(badCall("test_simple_text", `{"a":`+nested(32)+`}`)), exhausted, "tools/call", inParams(nested(32)), -32600),
		both("JSON that is far too deep", calling(badCall("test_simple_text", nested(1_000_000))), exhausted, "tools/call", nested(1_000_000), -32600),
		both("JSON with one array too many", calling(badCall("test_simple_text", `{"a":`+wide(10_000)+`}`)), exhausted, "tools/call", inParams(wide(10_000)), -32600),
		both("a progress token of the wrong type", calling(&mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{Extra: &structpb.Struct{Fields: map[string]*structpb.Value{"io.modelcontextprotocol/logLevel": structpb.NewNumberValue(1)}}}}), invalid,
			"tools/call", `{"name":"test_simple_text","_meta":{"io.modelcontextprotocol/logLevel":1}}`, -32602),
	}
	rows = append(rows,
		badInput{
			name: "both twins", typed: calling(&mcpv1.CallToolRequest{Name: name, Arguments: &structpb.Struct{}, ArgumentsJson: []byte(`{}`)}), wantTyped: fails(invalid, -32602),
			message: &mcpv1.Envelope{Method: "tools/call", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{Id: new("x"), Params: &structpb.Struct{}, ParamsJson: []byte(`{}`)}}}, wantSend: answers(-32600), wantStream: answers(-32600),
		},
		enveloped("both twins of a notification", &mcpv1.Envelope{Method: "notifications/x", Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{Params: &structpb.Struct{}, ParamsJson: []byte(`{}`)}}},
			fails(invalid, -32600), anonymous(-32600)),
		enveloped("a notification with bad JSON", clientNote("notifications/initialized", `{`), fails(invalid, -32700), anonymous(-32700)),
		enveloped("a notification with deep JSON", clientNote("notifications/initialized", nested(33)), fails(exhausted, -32600), anonymous(-32600)),
		refused("both twins in _meta", &mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{Extra: &structpb.Struct{}, ExtraJson: []byte(`{}`)}}, -32602),
		refused("extra_json that is no object", &mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`[]`)}, -32602),
		refused("extra_json that is no JSON", &mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`{`)}, -32700),
		refused("extra_json with a member that is set", &mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`{"name":"greet"}`)}, -32602),
		refused("extra_json with a member twice", &mcpv1.CallToolRequest{Name: name, ExtraJson: []byte(`{"x":1,"x":2}`)}, -32602),
		refused("a reserved key of the wrong type", &mcpv1.CallToolRequest{Name: name, Meta: &mcpv1.RequestMeta{ExtraJson: []byte(`{"io.modelcontextprotocol/clientInfo":7}`)}}, -32602),
		badInput{
			name: "a Struct that is too deep", typed: calling(badArgs(deepStruct(33))), wantTyped: fails(exhausted, -32600),
			message: structParams(deepStruct(33)), wantSend: answers(-32600), wantStream: answers(-32600),
		},
		badInput{
			name: "a Struct with one array too many", typed: calling(badArgs(wideStruct(10_001))), wantTyped: fails(exhausted, -32600),
			message: structParams(wideStruct(10_001)), wantSend: answers(-32600), wantStream: answers(-32600),
		},
	)
	runBadInput(t, rows)
}

func refused(name string, req *mcpv1.CallToolRequest, rpc int64) badInput {
	return badInput{name: name, typed: calling(req), wantTyped: fails(connect.CodeInvalidArgument, rpc)}
}

func TestJSONAtItsLimitsIsTaken(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	c := wires[0].client(t, url)
	for name, req := range map[string]*mcpv1.CallToolRequest{
		"deep":       badCall("test_simple_text", `{"a":`+nested(31)+`}`),
		"wide":       badCall("test_simple_text", `{"a":`+wide(9_999)+`}`),
		"deepStruct": badArgs(deepStruct(32)),
		"wideStruct": badArgs(wideStruct(10_000)),
	} {
		if _, err := c.InvokeTool(testContext(t), req); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A tamperer is a codec that spoils what it has encoded: the runtime of Go's protobuf
// would not send it.
type tamperer struct {
	connectCodec
	spoil func([]byte) []byte
}

type connectCodec interface {
	Name() string
	Marshal(any) ([]byte, error)
	Unmarshal([]byte, any) error
}

func (c tamperer) Marshal(m any) ([]byte, error) {
	b, err := c.connectCodec.Marshal(m)
	return c.spoil(b), err
}

// spoiled is the wire with a codec that spoils what it has encoded.
func (w wire) spoiled(spoil func([]byte) []byte) connect.ClientOption {
	if strings.Contains(w.name, "JSON") {
		return connect.WithCodec(tamperer{jsonCodec{}, spoil})
	}
	return connect.WithCodec(tamperer{protoCodec{}, spoil})
}

func TestMessagesThatCannotBeDecodedFailTheirRPC(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	rows := map[string]func([]byte) []byte{
		"a string that is not UTF-8": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("MARK"), []byte("\xff\xfe\xfd\xfc")) },
		"bytes that are no message":  func([]byte) []byte { return []byte("\xff\xff\xff\xff") },
		"a message that is cut off":  func(b []byte) []byte { return b[:len(b)-1] },
	}
	for _, w := range wires {
		for name, spoil := range rows {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				b := newBadClient(t, w, url)
				b.rpc = w.scanned(t, url, w.spoiled(spoil))
				want := fails(connect.CodeInvalidArgument, 0)
				b.run(badInput{
					name: name, typed: calling(badCall("MARK", `{}`)), wantTyped: want,
					message: envelope(1, "MARK", []byte(`{}`)), wantSend: want, wantStream: want,
				})
				if err := b.serves(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
