// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func rpcRequest(method string, r *mcpv1.JsonRpcRequest) *mcpv1.Envelope {
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Request{Request: r}}
}

func rpcResponse(r *mcpv1.JsonRpcResponse) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: r}}
}

// unknownKind is what a later version of the proto may send.
func unknownKind() *mcpv1.Envelope {
	e := &mcpv1.Envelope{}
	e.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), []byte("later")))
	return e
}

func TestMalformedEnvelopesAreRefused(t *testing.T) {
	malformed := fails(connect.CodeInvalidArgument, -32600)
	text, number := new("x"), proto.Int64(7)
	good := []byte(`{"name":"test_simple_text","arguments":{}}`)
	ok := &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`{}`)}
	inSession := func(row badInput) badInput {
		row.name, row.legacy = row.name+", in a session", true
		return row
	}
	dead := func(name string, r *mcpv1.JsonRpcResponse) badInput {
		return enveloped(name, rpcResponse(r), malformed, dropped)
	}
	runBadInput(t, []badInput{
		enveloped("an envelope without kind", &mcpv1.Envelope{}, malformed, anonymous(-32600)),
		enveloped("an envelope with nothing but a method", &mcpv1.Envelope{Method: "tools/list"}, malformed, anonymous(-32600)),
		enveloped("an envelope of an unknown kind", unknownKind(), malformed, anonymous(-32600)),
		enveloped("a request without id", rpcRequest("tools/list", &mcpv1.JsonRpcRequest{}), malformed, anonymous(-32600)),
		inSession(enveloped("a request without id", rpcRequest("tools/list", &mcpv1.JsonRpcRequest{}), malformed, anonymous(-32600))),
		enveloped("a request with both ids", rpcRequest("tools/call", &mcpv1.JsonRpcRequest{Id: text, IntId: number, ParamsJson: good}), malformed, anonymous(-32600)),
		enveloped("a request without method", rpcRequest("", &mcpv1.JsonRpcRequest{Id: text, ParamsJson: good}), answers(-32600), answers(-32600)),
		enveloped("a request without method and id", rpcRequest("", &mcpv1.JsonRpcRequest{}), malformed, anonymous(-32600)),
		enveloped("a request whose id is empty", rpcRequest("", &mcpv1.JsonRpcRequest{Id: new("")}), answers(-32600), answers(-32600)),
		enveloped("a notification without method", clientNote("", `{}`), malformed, anonymous(-32600)),
		enveloped("a response with a method", &mcpv1.Envelope{Method: "tools/list", Kind: rpcResponse(&mcpv1.JsonRpcResponse{Id: text, Outcome: ok}).Kind}, malformed, anonymous(-32600)),
		dead("a response without outcome", &mcpv1.JsonRpcResponse{Id: text}),
		dead("a response without id", &mcpv1.JsonRpcResponse{Outcome: ok}),
		dead("a response with both ids", &mcpv1.JsonRpcResponse{Id: text, IntId: number, Outcome: ok}),
		dead("a response to nothing", &mcpv1.JsonRpcResponse{Id: text, Outcome: ok}),
		inSession(dead("a response to an unknown id", &mcpv1.JsonRpcResponse{Id: new("server-999"), Outcome: ok})),
		inSession(dead("a response to an unknown integer", &mcpv1.JsonRpcResponse{IntId: number, Outcome: ok})),
		inSession(dead("an error response to an unknown id", &mcpv1.JsonRpcResponse{Id: text, Outcome: &mcpv1.JsonRpcResponse_Error{Error: &mcpv1.JsonRpcError{Code: -32603}}})),
		inSession(dead("a response without outcome", &mcpv1.JsonRpcResponse{Id: text})),
		enveloped("a response with bad JSON", rpcResponse(&mcpv1.JsonRpcResponse{Id: text, Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`{`)}}), fails(connect.CodeInvalidArgument, -32700), anonymous(-32700)),
		enveloped("a response with both twins", rpcResponse(&mcpv1.JsonRpcResponse{Id: text, Outcome: &mcpv1.JsonRpcResponse_Error{Error: &mcpv1.JsonRpcError{Data: &structpb.Struct{}, DataJson: []byte(`{}`)}}}), malformed, anonymous(-32600)),
		enveloped("a reply of a client", &mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: &mcpv1.ReplyFrame{CallId: 1}}}, malformed, anonymous(-32600)),
		{name: "a hello in Send", message: &mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true}}}, wantSend: malformed},
		{name: "a call in Send", message: aFrame(&mcpv1.CallFrame{CallId: 1, Request: &mcpv1.CallFrame_Ping{Ping: &mcpv1.PingRequest{}}}), wantSend: malformed},
		{name: "a cancel in Send", message: &mcpv1.Envelope{Kind: &mcpv1.Envelope_Cancel{Cancel: &mcpv1.CancelFrame{CallId: 1}}}, wantSend: malformed},
		{name: "a batch in Send", message: &mcpv1.Envelope{Batch: []*mcpv1.Envelope{envelope(1, "tools/list", nil)}}, wantSend: malformed},
		{name: "a request with a batch in Send", message: &mcpv1.Envelope{Method: "tools/list", Kind: envelope(1, "", nil).Kind, Batch: []*mcpv1.Envelope{envelope(1, "tools/list", nil)}}, wantSend: malformed},
		enveloped("a batch without hello", &mcpv1.Envelope{Batch: []*mcpv1.Envelope{envelope(1, "tools/list", nil), envelope(2, "tools/list", nil)}}, malformed, anonymous(-32600)),
	})
}

// A handler that waits for an answer must not wait for ever because the answer is bad.
func TestAToolLearnsThatItsAnswerIsMalformed(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for name, answer := range map[string]*mcpv1.JsonRpcResponse{
		"no outcome":                {},
		"no JSON":                   {Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`{"a":`)}},
		"too deep":                  {Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(nested(40))}},
		"no result of that request": {Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`7`)}},
	} {
		for _, w := range wires {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				b := newBadClient(t, w, url)
				if w.bidi() {
					b.answerOnConnect(answer)
				}
				b.answerBySend(answer)
			})
		}
	}
}

const samplingCall = `{"name":"test_sampling","arguments":{"prompt":"?"}}`

func (b *badClient) answerOnConnect(answer *mcpv1.JsonRpcResponse) {
	stream, err := b.rpc.Connect(testContext(b.t))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = stream.CloseResponse() }()
	if err := openSession(stream); err != nil {
		b.t.Fatal(err)
	}
	if err := stream.Send(envelope(1, "tools/call", []byte(samplingCall))); err != nil {
		b.t.Fatal(err)
	}
	for {
		e, err := stream.Receive()
		if err != nil {
			b.t.Fatal(err)
		}
		if e.GetRequest() != nil {
			if err := stream.Send(answerTo(e, answer)); err != nil {
				b.t.Fatal(err)
			}
		}
		if e.GetResponse().GetIntId() == 1 {
			break // the tool got an error instead of an answer, and went on
		}
	}
	_ = stream.CloseRequest()
	if _, err := drain(stream); err != nil {
		b.t.Error(err)
	}
}

func answerTo(e *mcpv1.Envelope, answer *mcpv1.JsonRpcResponse) *mcpv1.Envelope {
	r := proto.CloneOf(answer)
	r.Id, r.IntId = e.GetRequest().Id, e.GetRequest().IntId
	return rpcResponse(r)
}

func (b *badClient) answerBySend(answer *mcpv1.JsonRpcResponse) {
	ctx, cancel := context.WithCancel(testContext(b.t))
	defer cancel()
	session := initializeTypedDeclaring(b.t, b.rpc, "2025-11-25", `{"sampling":{}}`)
	stream, err := b.rpc.Send(inSession(ctx, session), envelope(1, "tools/call", []byte(samplingCall)))
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = readAnswering(sendStream{stream}, func(e *mcpv1.Envelope) error {
		_, err := b.send(inSession(ctx, session), answerTo(e, answer))
		if answer.GetResultJson() == nil || string(answer.GetResultJson()) != `7` {
			if code := connect.CodeOf(err); code != connect.CodeInvalidArgument && code != connect.CodeResourceExhausted {
				b.t.Errorf("a malformed response gave %v", err)
			}
		} else if err != nil {
			b.t.Errorf("a response of the wrong type gave %v: it is for the tool to judge", err)
		}
		return nil
	}, nil)
	if err != nil {
		b.t.Error(err)
	}
	if _, err := b.rpc.Shutdown(inSession(ctx, session), &mcpv1.ShutdownRequest{}); err != nil {
		b.t.Error(err)
	}
}

// A request id that is in flight already is refused, by a response that cannot be told
// from the earlier one's; that one goes on.
func TestAnIDInFlightIsRefused(t *testing.T) {
	t.Parallel()
	e := everything.New(nil)
	url := badServer(t, e.MCP())
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		stream := dial(t, w, url, "")
		block := envelope(5, "tools/call", []byte(`{"name":"block"}`))
		for range 2 {
			if err := stream.Send(block); err != nil {
				t.Fatal(err)
			}
		}
		o, err := read(stream)
		if err != nil || o.err == nil || o.err.Code != jsonrpc.CodeInvalidRequest {
			t.Fatalf("%s: the second request got %v, %v", w.name, o, err)
		}
		<-e.Blocked()
		if n := e.Blocking(); n != 1 {
			t.Errorf("%s: %d calls run, want the earlier one alone", w.name, n)
		}
		if err := stream.Send(clientNote("notifications/cancelled", `{"requestId":5}`)); err != nil {
			t.Fatal(err)
		}
		<-e.Unblocked()
	}
}
