// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A conversation is a Connect stream with the checks that all tests make.
type conversation struct {
	t      testing.TB
	stream mcpv1grpc.MCP_ConnectClient
}

func converse(ctx context.Context, t testing.TB, c mcpv1grpc.MCPClient) *conversation {
	t.Helper()
	stream, err := c.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &conversation{t, stream}
}

// send sends an envelope, given in its JSON form.
func (c *conversation) send(envelope string) {
	c.t.Helper()
	if err := c.stream.Send(message(c.t, &mcpv1.Envelope{}, envelope)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conversation) receive() *mcpv1.Envelope {
	c.t.Helper()
	e, err := c.stream.Recv()
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

// result takes the response to a request with the id.
func (c *conversation) result(id string) *mcpv1.JsonRpcResponse {
	c.t.Helper()
	e := c.receive()
	if r := e.GetResponse(); r == nil || r.GetId() != id || r.GetError() != nil {
		c.t.Fatalf("got %v, want the result of %s", e, id)
	}
	return e.GetResponse()
}

// end half-closes the stream and waits for its end.
func (c *conversation) end() {
	c.t.Helper()
	if err := c.stream.CloseSend(); err != nil {
		c.t.Fatal(err)
	}
	if e, err := c.stream.Recv(); !errors.Is(err, io.EOF) {
		c.t.Errorf("got %v, %v, want the end", e, err)
	}
}

// TestLegacySessionOnAStream opens a session on the stream, and answers what the server asks
// in the middle of a call.
func TestLegacySessionOnAStream(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2025-11-25", "2025-06-18"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			stub, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
			c := converse(ctx, t, stub)
			c.send(`{"method":"initialize","request":{"id":"i","params":{"protocolVersion":"` + version + `",` +
				`"capabilities":{"elicitation":{},"sampling":{},"roots":{}},"clientInfo":{"name":"interop","version":"1"}}}}`)
			if got := c.result("i").GetResult().GetFields()["protocolVersion"].GetStringValue(); got != version {
				t.Errorf("got version %q", got)
			}
			header, err := c.stream.Header()
			if err != nil {
				t.Fatal(err)
			}
			session := header.Get("mcp-session-id")
			if len(session) != 1 {
				t.Fatalf("got headers %v, want a session", header)
			}
			c.send(`{"method":"notifications/initialized","notification":{}}`)

			c.send(`{"method":"tools/call","request":{"id":"e","params":{"name":"test_elicitation","arguments":{"message":"who?"}}}}`)
			asked := c.receive()
			if asked.GetMethod() != "elicitation/create" || asked.GetRequest().GetParams().GetFields()["message"].GetStringValue() != "who?" {
				t.Fatalf("got %v, want a question", asked)
			}
			c.answer(asked, `{"action":"accept","content":{"username":"ada","email":"ada@example.com"}}`)
			c.result("e")

			c.send(`{"method":"tools/call","request":{"id":"s","params":{"name":"test_sampling","arguments":{"prompt":"say hi"}}}}`)
			asked = c.receive()
			if asked.GetMethod() != "sampling/createMessage" {
				t.Fatalf("got %v, want a request for a sample", asked)
			}
			c.answer(asked, `{"role":"assistant","model":"m","content":{"type":"text","text":"hi"}}`)
			sampled := c.result("s").GetResult().GetFields()["content"].GetListValue().GetValues()[0].GetStructValue()
			if got := sampled.GetFields()["text"].GetStringValue(); got != "LLM response: hi" {
				t.Errorf("got %q", got)
			}

			c.send(`{"method":"resources/subscribe","request":{"id":"r","params":{"uri":"test://watched-resource"}}}`)
			c.result("r")
			// A typed call of the same session: its client hears of the change on the stream.
			in := metadata.AppendToOutgoingContext(ctx, "mcp-session-id", session[0])
			invoke(in, t, stub, "update_resource", `{"text":"new"}`)
			if e := c.receive(); e.GetMethod() != "notifications/resources/updated" {
				t.Errorf("got %v, want an update", e)
			}

			c.end()
			_, err = stub.ListTools(in, &mcpv1.ListToolsRequest{})
			wantStatus(t, err, codes.NotFound, -32600)
		})
	}
}

// answer responds to a request of the server with a result, a JSON object.
func (c *conversation) answer(request *mcpv1.Envelope, result string) {
	c.t.Helper()
	response := &mcpv1.JsonRpcResponse{
		Id: request.GetRequest().Id, IntId: request.GetRequest().IntId,
		Outcome: &mcpv1.JsonRpcResponse_Result{Result: object(c.t, result)},
	}
	if err := c.stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: response}}); err != nil {
		c.t.Fatal(err)
	}
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// TestModernListenOnAStream has a subscription and calls side by side.
func TestModernListenOnAStream(t *testing.T) {
	t.Parallel()
	c := converse(testContext(t), t, client(t, serve(t, everything.NewServer())))
	c.send(`{"method":"subscriptions/listen","request":{"id":"l","params":{"notifications":{"toolsListChanged":true},` + modernMeta + `}}}`)
	if e := c.receive(); e.GetMethod() != "notifications/subscriptions/acknowledged" {
		t.Fatalf("got %v, want an acknowledgement", e)
	}
	c.send(`{"method":"tools/call","request":{"id":"c","params":{"name":"test_trigger_tool_change",` + modernMeta + `}}}`)
	var changed, answered bool
	for !changed || !answered {
		switch e := c.receive(); {
		case e.GetMethod() == "notifications/tools/list_changed":
			changed = true
		case e.GetResponse().GetId() == "c":
			answered = true
		default:
			t.Fatalf("got %v", e)
		}
	}
	c.send(`{"method":"notifications/cancelled","notification":{"params":{"requestId":"l"}}}`)
	c.end()
}

// TestBadMessagesLeaveTheStreamOpen sends what a careless client may send.
func TestBadMessagesLeaveTheStreamOpen(t *testing.T) {
	t.Parallel()
	c := converse(testContext(t), t, client(t, serve(t, everything.NewServer())))
	for _, bad := range []struct {
		envelope string
		code     int32
	}{
		{`{}`, -32600},
		{`{"method":"tools/list","request":{}}`, -32600},
		{`{"request":{"id":"1"}}`, -32600},
		{`{"method":"no/such","request":{"id":"1"}}`, -32601},
		{`{"method":"initialize2","notification":{}}`, 0}, // dropped
		{`{"method":"tools/call","request":{"id":"1","paramsJson":"ew=="}}`, -32700},
		{`{"method":"tools/call","request":{"id":"1","params":{"name":"nothing"}}}`, -32602},
		{`{"response":{"id":"unknown","result":{}}}`, 0}, // dropped
	} {
		c.send(bad.envelope)
		if bad.code == 0 {
			continue
		}
		if e := c.receive(); e.GetResponse().GetError().GetCode() != bad.code {
			t.Errorf("%s: got %v, want error %d", bad.envelope, e, bad.code)
		}
	}
	c.send(`{"method":"tools/list","request":{"id":"good"}}`)
	c.result("good")
	c.end()
}

// TestFrames makes typed calls on a Connect stream, some of them in one batch.
func TestFrames(t *testing.T) {
	t.Parallel()
	c := converse(testContext(t), t, client(t, serve(t, everything.NewServer())))
	c.send(`{"hello":{"frames":true,"batch":true}}`)
	if hello := c.receive().GetHello(); !hello.GetFrames() || !hello.GetBatch() || hello.GetMaxCalls() == 0 {
		t.Fatalf("got hello %v", hello)
	}
	c.send(`{"batch":[{"call":{"callId":"1","callTool":{"name":"greet","arguments":{"name":"Ada"}}}},` +
		`{"call":{"callId":"2","callTool":{"name":"nothing"}}},{"call":{"callId":"3","ping":{}}}]}`)
	replies := map[uint64]*mcpv1.ReplyFrame{}
	for len(replies) < 3 {
		e := c.receive()
		for _, e := range append([]*mcpv1.Envelope{e}, e.GetBatch()...) {
			if r := e.GetReply(); r != nil {
				replies[r.GetCallId()] = r
			}
		}
	}
	if got := text(replies[1].GetCallTool().GetResult()); got != "Hi Ada" {
		t.Errorf("got %v", replies[1])
	}
	if e := replies[2].GetError(); e.GetCode() != uint32(codes.NotFound) || e.GetError().GetCode() != -32602 {
		t.Errorf("got %v", replies[2])
	}
	if !replies[3].GetPing().GetServerTime().IsValid() {
		t.Errorf("got %v", replies[3])
	}
	c.end()
}

// TestCancelOneCallOfAStream cancels a call that blocks, and goes on.
func TestCancelOneCallOfAStream(t *testing.T) {
	t.Parallel()
	tools := everything.New(nil)
	c := converse(testContext(t), t, client(t, serve(t, tools.MCP())))
	c.send(`{"method":"tools/call","request":{"id":"b","params":{"name":"block",` + modernMeta + `}}}`)
	receive(t, tools.Blocked(), "call of the tool")
	c.send(`{"method":"notifications/cancelled","notification":{"params":{"requestId":"b"}}}`)
	receive(t, tools.Unblocked(), "end of the tool")
	c.send(`{"method":"tools/list","request":{"id":"after"}}`)
	c.result("after")
	c.end()
}

// TestStreamJoinsASession opens a session by the typed RPC and gets its messages by Connect.
func TestStreamJoinsASession(t *testing.T) {
	t.Parallel()
	stub, ctx := client(t, serve(t, everything.NewServer())), testContext(t)
	opened, err := stub.Initialize(ctx, &mcpv1.InitializeRequest{
		ProtocolVersion: new(legacyVersion), Capabilities: &mcpv1.CapabilitySet{Values: object(t, `{"elicitation":{}}`)},
		ClientInfo: &mcpv1.ClientInfo{Name: new("interop"), Version: new("1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := metadata.AppendToOutgoingContext(ctx, "mcp-session-id", opened.GetSessionId())
	c := converse(in, t, stub)
	if _, err := c.stream.Header(); err != nil { // the stream stands
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		asked, err := c.stream.Recv()
		if err == nil {
			c.answer(asked, `{"action":"accept","content":{"username":"ada","email":"ada@example.com"}}`)
		}
		answered <- err
	}()
	res := invoke(in, t, stub, "test_elicitation", `{"message":"who?"}`)
	if err := receive(t, answered, "question"); err != nil {
		t.Fatal(err)
	}
	if text(res) == "" {
		t.Errorf("got %v", res)
	}
	second, err := stub.Connect(in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Recv()
	wantStatus(t, err, codes.AlreadyExists, -32600)
	if _, err := stub.Shutdown(in, &mcpv1.ShutdownRequest{}); err != nil {
		t.Fatal(err)
	}
	if e, err := c.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v, want the end of the session's stream", e, err)
	}
}
