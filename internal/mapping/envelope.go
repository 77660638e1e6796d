// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidRequest, fmt.Sprintf(format, args...))
}

// EnvelopeFromJSON reads one JSON-RPC 2.0 message. enc says where params, result and
// error data go, as in [Twins].
//
// It is [ErrMalformed] if data is not one JSON value in valid UTF-8, which is JSON-RPC's
// -32700; and [ErrInvalidRequest], -32600, if that is not a message of MCP: an id is a
// string or a 64-bit integer, no member is there twice, and batches ended with 2025-03-26.
//
// Two things are taken that an envelope has no place for, and dropped: members beside
// those that JSON-RPC gives a message; and the null that is the id of an error, as JSON-RPC
// says it for a request without readable id.
func EnvelopeFromJSON(data []byte, enc mcpv1.JsonEncoding) (*mcpv1.Envelope, error) {
	s := scanner{data: bytes.Clone(data)} // the envelope keeps parts of it
	raw, err := s.only()
	if err != nil {
		return nil, err
	}
	e := new(mcpv1.Envelope)
	if err := (reader{enc: enc}).envelope(raw, e); err != nil {
		return nil, err
	}
	return e, nil
}

// EnvelopeToJSON writes the JSON-RPC message that e holds; event_id has no twin.
//
// It is [ErrInvalidRequest] if e holds none (a frame, a hello, a batch, nothing), or if
// the message has two ids, an id it must not lack, or a method it must not have; and
// otherwise as [ToJSON] says.
func EnvelopeToJSON(e *mcpv1.Envelope) ([]byte, error) {
	var w writer
	if err := w.envelope(e); err != nil {
		return nil, err
	}
	return w.buf, nil
}

// rpcMessage is a JSON-RPC message, split; what it does not have is nil.
type rpcMessage struct {
	jsonrpc, id, method, params, result, failure []byte
}

func splitRPC(raw []byte) (m rpcMessage, err error) {
	ms, err := members(raw)
	if err != nil {
		return m, invalid("%v", err)
	}
	for _, mb := range ms {
		switch mb.key {
		case "jsonrpc":
			m.jsonrpc = mb.value
		case "id":
			m.id = mb.value
		case "method":
			m.method = mb.value
		case "params":
			m.params = mb.value
		case "result":
			m.result = mb.value
		case "error":
			m.failure = mb.value
		}
	}
	if version, ok := exactString(m.jsonrpc); !ok || version != "2.0" {
		return m, invalid(`member "jsonrpc" must be "2.0"`)
	}
	return m, nil
}

func (r reader) envelope(raw []byte, e *mcpv1.Envelope) error {
	m, err := splitRPC(raw)
	if err != nil {
		return err
	}
	switch {
	case m.method != nil && (m.result != nil || m.failure != nil):
		return invalid("a message with a method has neither result nor error")
	case m.method != nil:
		return r.call(m, e)
	case m.result == nil && m.failure == nil:
		return invalid("a message has a method, a result or an error")
	case m.result != nil && m.failure != nil:
		return invalid("a response has a result or an error, not both")
	case m.params != nil:
		return invalid("a response has no params")
	}
	return r.response(m, e)
}

func (r reader) call(m rpcMessage, e *mcpv1.Envelope) error {
	method, ok := exactString(m.method)
	if !ok || method == "" {
		return invalid(`member "method" must be a string that is not empty`)
	}
	e.Method = method
	if m.id == nil {
		n := new(mcpv1.JsonRpcNotification)
		e.Kind = &mcpv1.Envelope_Notification{Notification: n}
		if m.params != nil {
			n.Params, n.ParamsJson = twins(m.params, r.enc)
		}
		return nil
	}
	q := new(mcpv1.JsonRpcRequest)
	e.Kind = &mcpv1.Envelope_Request{Request: q}
	if m.params != nil {
		q.Params, q.ParamsJson = twins(m.params, r.enc)
	}
	return readID(m.id, &q.Id, &q.IntId)
}

func (r reader) response(m rpcMessage, e *mcpv1.Envelope) error {
	p := new(mcpv1.JsonRpcResponse)
	e.Kind = &mcpv1.Envelope_Response{Response: p}
	if m.failure != nil {
		k := &mcpv1.JsonRpcResponse_Error{Error: new(mcpv1.JsonRpcError)}
		p.Outcome = k
		if err := r.message(m.failure, k.Error); err != nil {
			return invalid("error: %v", err)
		}
		if m.id == nil || m.id[0] == 'n' {
			return nil
		}
		return readID(m.id, &p.Id, &p.IntId)
	}
	if s, text := twins(m.result, r.enc); s != nil {
		p.Outcome = &mcpv1.JsonRpcResponse_Result{Result: s}
	} else {
		p.Outcome = &mcpv1.JsonRpcResponse_ResultJson{ResultJson: text}
	}
	if m.id == nil {
		return invalid("a result has an id")
	}
	return readID(m.id, &p.Id, &p.IntId)
}

func readID(raw []byte, text **string, number **int64) error {
	if s, ok := exactString(raw); ok {
		*text = &s
		return nil
	}
	if i, ok := exactInt(raw); ok {
		*number = &i
		return nil
	}
	return invalid("an id is a string or a 64-bit integer")
}

func (w *writer) envelope(e *mcpv1.Envelope) error {
	if len(e.GetBatch()) > 0 {
		return invalid("a batch is not one message")
	}
	o := w.begin(nil)
	version := "2.0"
	if err := o.optional("jsonrpc", &version); err != nil {
		return err
	}
	var err error
	switch k := e.GetKind().(type) {
	case *mcpv1.Envelope_Request:
		err = o.request(e.GetMethod(), k.Request)
	case *mcpv1.Envelope_Notification:
		err = o.call(e.GetMethod(), k.Notification.GetParams(), k.Notification.GetParamsJson())
	case *mcpv1.Envelope_Response:
		if e.GetMethod() != "" {
			return invalid("a response has no method")
		}
		err = o.response(k.Response)
	default:
		return invalid("the envelope has no JSON-RPC message")
	}
	if err != nil {
		return err
	}
	o.end()
	return nil
}

func (o *objectWriter) request(method string, q *mcpv1.JsonRpcRequest) error {
	if q == nil || q.Id == nil && q.IntId == nil {
		return invalid("a request has an id")
	}
	if err := o.id(q.Id, q.IntId); err != nil {
		return err
	}
	return o.call(method, q.GetParams(), q.GetParamsJson())
}

func (o *objectWriter) call(method string, params *structpb.Struct, text []byte) error {
	if method == "" {
		return invalid("a request or notification has a method")
	}
	if err := o.optional("method", &method); err != nil {
		return err
	}
	switch {
	case params == nil && len(text) == 0:
		return nil
	case params != nil && len(text) > 0:
		return bothTwins("params", "params_json")
	}
	if err := o.key("params"); err != nil {
		return err
	}
	if params != nil {
		return within("params", o.object(params))
	}
	return within("params_json", o.text(text))
}

func (o *objectWriter) response(p *mcpv1.JsonRpcResponse) error {
	if p == nil {
		return invalid("a response has a result or an error")
	}
	if err := o.id(p.Id, p.IntId); err != nil {
		return err
	}
	if failure, ok := p.GetOutcome().(*mcpv1.JsonRpcResponse_Error); ok {
		if err := o.key("error"); err != nil {
			return err
		}
		return within("error", o.message(failure.Error))
	}
	if p.Id == nil && p.IntId == nil {
		return invalid("a result has an id")
	}
	if err := o.key("result"); err != nil {
		return err
	}
	switch k := p.GetOutcome().(type) {
	case *mcpv1.JsonRpcResponse_Result:
		return within("result", o.object(k.Result))
	case *mcpv1.JsonRpcResponse_ResultJson:
		return within("result_json", o.text(k.ResultJson))
	}
	return invalid("a response has a result or an error")
}

// id writes the id of a request or response, if it has one.
func (o *objectWriter) id(text *string, number *int64) error {
	switch {
	case text != nil && number != nil:
		return invalid("id and int_id are both set")
	case text != nil:
		return o.optional("id", text)
	case number != nil:
		err := o.key("id")
		o.buf = strconv.AppendInt(o.buf, *number, 10)
		return err
	}
	return nil
}
