// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"maps"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A typedCall runs the typed RPC of a method. see is shown each message of the answer.
type typedCall func(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage, enc mcpv1.JsonEncoding, see func(proto.Message)) outcome

func unary[Req any, PReq interface {
	*Req
	proto.Message
}, Res proto.Message](rpc func(mcpv1connect.MCPClient, context.Context, PReq) (Res, error)) typedCall {
	return func(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage, enc mcpv1.JsonEncoding, see func(proto.Message)) outcome {
		req := PReq(new(Req))
		if len(params) == 0 {
			params = json.RawMessage(`{}`) // a message has no way to be absent
		}
		if err := mapping.FromJSON(params, req, enc); err != nil {
			return failed(err)
		}
		askFor(req, enc)
		res, err := rpc(c, ctx, req)
		if err != nil {
			return failed(err)
		}
		see(res)
		return asJSON(res)
	}
}

// askFor asks for an encoding of free-form JSON in the answer.
func askFor(req proto.Message, enc mcpv1.JsonEncoding) {
	m, ok := req.(interface{ GetMeta() *mcpv1.RequestMeta })
	if !ok {
		return
	}
	if m.GetMeta() == nil {
		fd := req.ProtoReflect().Descriptor().Fields().ByName("meta")
		req.ProtoReflect().Mutable(fd)
	}
	m.GetMeta().JsonEncoding = enc
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

func callToolStream(ctx context.Context, c mcpv1connect.MCPClient, params json.RawMessage, enc mcpv1.JsonEncoding, see func(proto.Message)) (o outcome) {
	var req mcpv1.CallToolRequest
	if err := mapping.FromJSON(params, &req, enc); err != nil {
		return failed(err)
	}
	askFor(&req, enc)
	stream, err := c.CallTool(ctx, &req)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		see(stream.Msg())
		o = o.with(stream.Msg())
	}
	if err := stream.Err(); err != nil {
		o.err = failed(err).err
	}
	return o
}

// with adds an event to the outcome of its call.
func (o outcome) with(e *mcpv1.CallToolEvent) outcome {
	switch k := e.Kind.(type) {
	case *mcpv1.CallToolEvent_Progress:
		o.notes = append(o.notes, "notifications/progress "+canonical(asJSON(k.Progress).result))
	case *mcpv1.CallToolEvent_Log:
		o.notes = append(o.notes, "notifications/message "+canonical(asJSON(k.Log).result))
	default:
		o.result = asJSON(e).result
	}
	return o
}

func openTyped(calls map[string]typedCall) func(t *testing.T, p peer) client {
	return func(t *testing.T, p peer) client {
		rpc := p.wire.client(t, p.url)
		session := ""
		if !p.modern() {
			session = initializeTypedDeclaring(t, rpc, p.version, p.capabilities)
		}
		see := func(m proto.Message) {
			if p.structs {
				checkTwins(t, m)
			}
		}
		return func(ctx context.Context, method string, params json.RawMessage) outcome {
			if viaSend[method] {
				return (&sender{peer: p, t: t, rpc: rpc, session: session}).call(ctx, method, params)
			}
			return calls[method](inSession(ctx, session), rpc, params, p.encoding(), see)
		}
	}
}

func initializeTyped(t testing.TB, rpc mcpv1connect.MCPClient, version string) (session string) {
	t.Helper()
	return initializeTypedDeclaring(t, rpc, version, noneDeclared)
}

func initializeTypedDeclaring(t testing.TB, rpc mcpv1connect.MCPClient, version, capabilities string) (session string) {
	t.Helper()
	ctx := testContext(t)
	var req mcpv1.InitializeRequest
	if err := mapping.FromJSON(initializeDeclaring(version, capabilities), &req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		t.Fatal(err)
	}
	res, err := rpc.Initialize(ctx, &req)
	if err != nil {
		t.Fatal(err)
	}
	if res.GetProtocolVersion() != version {
		t.Fatalf("initialize agreed on %q, want %q", res.GetProtocolVersion(), version)
	}
	return res.SessionId
}
