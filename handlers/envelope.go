// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"encoding/json"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// notification gives the envelope of a notification.
func notification(method string, params json.RawMessage, enc mcpv1.JsonEncoding) (*mcpv1.Envelope, error) {
	n := &mcpv1.JsonRpcNotification{}
	var err error
	if len(params) > 0 {
		n.Params, n.ParamsJson, err = mapping.Twins(params, enc)
	}
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Notification{Notification: n}}, err
}

// requestEnvelope gives the envelope of a server's request.
func requestEnvelope(r *serverRequest, enc mcpv1.JsonEncoding) (*mcpv1.Envelope, error) {
	m := &mcpv1.JsonRpcRequest{Id: &r.id}
	var err error
	if len(r.params) > 0 {
		m.Params, m.ParamsJson, err = mapping.Twins(r.params, enc)
	}
	return &mcpv1.Envelope{Method: r.method, Kind: &mcpv1.Envelope_Request{Request: m}}, err
}

// resultEnvelope gives the envelope of a successful response.
func resultEnvelope(id callID, result json.RawMessage, enc mcpv1.JsonEncoding) (*mcpv1.Envelope, error) {
	r := &mcpv1.JsonRpcResponse{}
	id.setOn(r)
	s, text, err := mapping.Twins(result, enc)
	if err != nil {
		return nil, err
	}
	if s != nil {
		r.Outcome = &mcpv1.JsonRpcResponse_Result{Result: s}
	} else {
		r.Outcome = &mcpv1.JsonRpcResponse_ResultJson{ResultJson: text}
	}
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: r}}, nil
}

// errorEnvelope gives the envelope of a failed response; id is nil if the message that
// failed has none that could be read.
func errorEnvelope(id *callID, e *rpcError, enc mcpv1.JsonEncoding) *mcpv1.Envelope {
	r := &mcpv1.JsonRpcResponse{Outcome: &mcpv1.JsonRpcResponse_Error{Error: e.message(enc)}}
	if id != nil {
		id.setOn(r)
	}
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: r}}
}

// responseOf reads a client's response to a request of the server.
func responseOf(r *mcpv1.JsonRpcResponse) (*jsonrpc.Response, error) {
	if e := r.GetError(); e != nil {
		data, err := mapping.JSONText(e.GetData(), e.GetDataJson())
		return &jsonrpc.Response{Error: &jsonrpc.Error{Code: int64(e.GetCode()), Message: e.GetMessage(), Data: data}}, err
	}
	text, err := mapping.JSONText(r.GetResult(), r.GetResultJson())
	if err == nil && text == nil {
		err = invalidRequest("response without result and error")
	}
	return &jsonrpc.Response{Result: text}, err
}

// checkEnvelope refuses an envelope that is out of place or over a limit.
func (s *Server) checkEnvelope(e *mcpv1.Envelope) *rpcError {
	if e.GetCall() != nil {
		return nil // begin checks it, as for its RPC
	}
	if err := mapping.CheckMessage(e, s.limits); err != nil {
		return envelopeError(err)
	}
	switch k := e.Kind.(type) {
	case *mcpv1.Envelope_Request:
		if e.Method == "" {
			return invalidRequest("request without method")
		}
		return checkID(k.Request)
	case *mcpv1.Envelope_Notification:
		if e.Method == "" {
			return invalidRequest("notification without method")
		}
	case *mcpv1.Envelope_Response:
		if e.Method != "" {
			return invalidRequest("response with a method: %q", e.Method)
		}
	}
	return nil
}

func checkID(r *mcpv1.JsonRpcRequest) *rpcError {
	switch {
	case r.Id != nil && r.IntId != nil:
		return errBothIDs
	case r.Id == nil && r.IntId == nil:
		return invalidRequest("request without id")
	}
	return nil
}

// idOf gives the id of a request, nil if there is none that can be read.
func idOf(e *mcpv1.Envelope) *callID {
	k := e.GetRequest()
	if k == nil {
		return nil
	}
	if id, ok, err := requestID(k.Id, k.IntId); ok && err == nil {
		return &id
	}
	return nil
}

// errUnknownKind refuses an envelope of a kind that this version does not know.
var errUnknownKind = newError(connect.CodeInvalidArgument, jsonrpc.CodeInvalidRequest, "envelope of an unknown kind, or without one")
