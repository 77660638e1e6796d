// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A form is one way to call a tool on a wire.
type form struct {
	name   string
	duplex bool // needs a wire on which both sides speak at once
	// unary is set if HTTP tells how the call went, on Connect wires.
	unary bool
	http  bool // it is no RPC: Streamable HTTP
	call  func(ctx context.Context, c *caller, tool, arguments string) reply
}

// A reply is what a call gave: the text of the tool, or how it failed.
type reply struct {
	text string
	code connect.Code // 0 if the call did not fail
	err  string       // all that the caller sees of an error
	data string       // of the JSON-RPC error, if there is one
	info *errdetails.ErrorInfo
	rpc  bool // the RPC itself failed, and not a message on its stream
}

var forms = []form{
	{"InvokeTool", false, true, false, invokeTool},
	{"CallTool", false, false, false, callTool},
	{"Send", false, false, false, send},
	{"an envelope on Connect", true, false, false, func(ctx context.Context, c *caller, tool, arguments string) reply {
		return onStream(ctx, c, callEnvelope(tool, arguments))
	}},
	{"a frame on Connect", true, false, false, func(ctx context.Context, c *caller, tool, arguments string) reply {
		return onStream(ctx, c,
			&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true, Batch: true}}},
			&mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: &mcpv1.CallFrame{CallId: 1, Request: &mcpv1.CallFrame_CallTool{CallTool: callRequest(tool, arguments)}}}},
		)
	}},
	{"a frame with events on Connect", true, false, false, func(ctx context.Context, c *caller, tool, arguments string) reply {
		return onStream(ctx, c,
			&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true}}},
			&mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: &mcpv1.CallFrame{CallId: 1, Stream: true, Request: &mcpv1.CallFrame_CallTool{CallTool: callRequest(tool, arguments)}}}},
		)
	}},
	{"Streamable HTTP", false, true, true, streamable},
	{"Streamable HTTP, in a session", false, true, true, streamableSession},
}

func (w wire) can(f form) bool {
	if f.http { // once over HTTP/1.1, and once over HTTP/2 and TLS
		return strings.HasPrefix(w.name, "Connect JSON")
	}
	return !f.duplex || (!w.http1 && !w.grpcWeb())
}

func callRequest(tool, arguments string) *mcpv1.CallToolRequest {
	return &mcpv1.CallToolRequest{Name: &tool, ArgumentsJson: []byte(arguments)}
}

func callEnvelope(tool, arguments string) *mcpv1.Envelope {
	params := fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments)
	return &mcpv1.Envelope{Method: "tools/call", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{IntId: new(int64(1)), ParamsJson: []byte(params)}}}
}

func invokeTool(ctx context.Context, c *caller, tool, arguments string) reply {
	res, err := c.mcp().InvokeTool(ctx, callRequest(tool, arguments))
	if err != nil {
		return failed(err)
	}
	return reply{text: textOf(res.GetResult())}
}

func callTool(ctx context.Context, c *caller, tool, arguments string) reply {
	stream, err := c.mcp().CallTool(ctx, callRequest(tool, arguments))
	if err != nil {
		return failed(err)
	}
	defer stream.Close()
	var r reply
	for stream.Receive() {
		if m := stream.Msg().GetResult(); m != nil {
			r.text = textOf(m)
		}
	}
	if err := stream.Err(); err != nil {
		return failed(err)
	}
	return r
}

func send(ctx context.Context, c *caller, tool, arguments string) reply {
	stream, err := c.mcp().Send(ctx, callEnvelope(tool, arguments))
	if err != nil {
		return failed(err)
	}
	defer stream.Close()
	var r reply
	for stream.Receive() {
		r, _ = readEnvelope(stream.Msg())
	}
	if err := stream.Err(); err != nil {
		return failed(err)
	}
	return r
}

// onStream sends envelopes on a Connect stream, and gives the first answer to a call.
func onStream(ctx context.Context, c *caller, all ...*mcpv1.Envelope) reply {
	stream, err := c.mcp().Connect(ctx)
	if err != nil {
		return failed(err)
	}
	defer stream.CloseResponse()
	for _, e := range all {
		if err := stream.Send(e); err != nil {
			break // Receive knows why
		}
	}
	defer stream.CloseRequest()
	for {
		e, err := stream.Receive()
		if err != nil {
			return failed(err)
		}
		for _, e := range append([]*mcpv1.Envelope{e}, e.GetBatch()...) {
			if r, ok := readEnvelope(e); ok {
				return r
			}
		}
	}
}

// readEnvelope gives the answer to a call, false if e is something else.
func readEnvelope(e *mcpv1.Envelope) (reply, bool) {
	if r := e.GetReply(); r != nil {
		if f := r.GetError(); f != nil {
			return reply{code: connect.Code(f.GetCode()), err: f.String(), data: dataOf(f.GetError())}, true
		}
		if m := r.GetEvent().GetResult(); m != nil {
			return reply{text: textOf(m)}, true
		}
		return reply{text: textOf(r.GetCallTool().GetResult())}, true
	}
	r := e.GetResponse()
	if r == nil {
		return reply{}, false
	}
	if f := r.GetError(); f != nil {
		code := connect.CodeUnknown // a response has none
		if f.GetCode() == -32600 {
			code = connect.CodePermissionDenied // what it is in these tests
		}
		return reply{code: code, err: f.String(), data: dataOf(f)}, true
	}
	var result struct {
		Content []struct{ Text string }
	}
	if err := json.Unmarshal(r.GetResultJson(), &result); err != nil || len(result.Content) == 0 {
		return reply{err: "no content"}, true
	}
	return reply{text: result.Content[0].Text}, true
}

// dataOf gives the data of a JSON-RPC error, whichever way it was sent.
func dataOf(e *mcpv1.JsonRpcError) string {
	if e.GetData() == nil {
		return string(e.GetDataJson())
	}
	text, err := e.GetData().MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func textOf(m *mcpv1.CallToolResult) string {
	if len(m.GetContent()) == 0 {
		return ""
	}
	return m.GetContent()[0].GetText().GetText()
}

// failed gives what the caller sees of an RPC that has failed.
func failed(err error) reply {
	r := reply{code: connect.CodeOf(err), err: err.Error(), rpc: true}
	if errors.Is(err, io.EOF) {
		return reply{err: "the stream ended without an answer", code: connect.CodeUnknown}
	}
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return r
	}
	for _, d := range e.Details() {
		m, err := d.Value()
		if err != nil {
			continue
		}
		switch m := m.(type) {
		case *errdetails.ErrorInfo:
			r.info = m
		case *mcpv1.JsonRpcError:
			r.data = dataOf(m)
		}
		r.err += m.ProtoReflect().Interface().(interface{ String() string }).String()
	}
	return r
}
