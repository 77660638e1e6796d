// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// envelopeOf gives the envelope of a message of the SDK, with its text as it is.
func envelopeOf(m jsonrpc.Message) (*mcpv1.Envelope, error) {
	switch m := m.(type) {
	case *jsonrpc.Request:
		if !m.IsCall() {
			n := &mcpv1.JsonRpcNotification{ParamsJson: m.Params}
			return &mcpv1.Envelope{Method: m.Method, Kind: &mcpv1.Envelope_Notification{Notification: n}}, nil
		}
		r := &mcpv1.JsonRpcRequest{ParamsJson: m.Params}
		var err error
		if r.Id, r.IntId, err = wireID(m.ID); err != nil {
			return nil, err
		}
		return &mcpv1.Envelope{Method: m.Method, Kind: &mcpv1.Envelope_Request{Request: r}}, nil
	case *jsonrpc.Response:
		return responseEnvelope(m)
	}
	return nil, fmt.Errorf("mcpconnect: message of type %T", m)
}

func responseEnvelope(m *jsonrpc.Response) (*mcpv1.Envelope, error) {
	r := &mcpv1.JsonRpcResponse{}
	var err error
	if r.Id, r.IntId, err = wireID(m.ID); err != nil {
		return nil, err
	}
	switch {
	case m.Error != nil:
		r.Outcome = &mcpv1.JsonRpcResponse_Error{Error: errorMessage(m.Error)}
	case len(m.Result) > 0:
		r.Outcome = &mcpv1.JsonRpcResponse_ResultJson{ResultJson: m.Result}
	default:
		return nil, errors.New("mcpconnect: response without result and error")
	}
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: r}}, nil
}

// errorMessage gives the error object for err. The answer to a server's request is
// written by the user's own handler, for that server: its text goes out.
func errorMessage(err error) *mcpv1.JsonRpcError {
	m := &mcpv1.JsonRpcError{Code: jsonrpc.CodeInternalError, Message: err.Error()}
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || wire.Code == 0 { // the SDK's code for an error without one
		return m
	}
	m.DataJson = wire.Data
	if wire.Code > math.MaxInt32 || wire.Code < math.MinInt32 {
		m.ExtraJson = fmt.Appendf(nil, `{"code":%d}`, wire.Code)
		return m
	}
	m.Code = int32(wire.Code)
	return m
}

func wireID(id jsonrpc.ID) (*string, *int64, error) {
	switch v := id.Raw().(type) {
	case string:
		return &v, nil, nil
	case int64:
		return nil, &v, nil
	}
	return nil, nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: fmt.Sprintf("id %v is neither a string nor an integer", id.Raw())}
}

// sdkID is the inverse of wireID; it is not valid if there is none.
func sdkID(text *string, number *int64) (jsonrpc.ID, error) {
	switch {
	case text != nil && number != nil:
		return jsonrpc.ID{}, errors.New("mcpconnect: message with two ids")
	case text != nil:
		return jsonrpc.MakeID(*text)
	case number != nil:
		if int64(float64(*number)) != *number || *number == math.MaxInt64 {
			// The SDK takes integers as float64 only. It never makes such an id itself.
			return jsonrpc.ID{}, fmt.Errorf("mcpconnect: id %d is beyond what the SDK can hold", *number)
		}
		return jsonrpc.MakeID(float64(*number))
	}
	return jsonrpc.ID{}, nil
}

// messageOf gives the message of an envelope. It is nil for an envelope that is none: of
// a kind that was not asked for.
func messageOf(e *mcpv1.Envelope) (jsonrpc.Message, error) {
	switch k := e.GetKind().(type) {
	case *mcpv1.Envelope_Request:
		id, err := sdkID(k.Request.Id, k.Request.IntId)
		if err == nil && !id.IsValid() {
			err = errors.New("mcpconnect: request without id")
		}
		if err != nil {
			return nil, err
		}
		params, err := freeText(k.Request.GetParams(), k.Request.GetParamsJson())
		return &jsonrpc.Request{ID: id, Method: e.GetMethod(), Params: params}, err
	case *mcpv1.Envelope_Notification:
		params, err := freeText(k.Notification.GetParams(), k.Notification.GetParamsJson())
		return &jsonrpc.Request{Method: e.GetMethod(), Params: params}, err
	case *mcpv1.Envelope_Response:
		return responseOf(k.Response)
	}
	return nil, nil
}

// responseOf reads a response. A malformed one whose id can be read is an error response:
// somebody waits for it.
func responseOf(r *mcpv1.JsonRpcResponse) (jsonrpc.Message, error) {
	id, err := sdkID(r.Id, r.IntId)
	if err != nil {
		return nil, err
	}
	res := &jsonrpc.Response{ID: id}
	if e := r.GetError(); e != nil {
		res.Error = wireError(e)
		return res, nil
	}
	if res.Result, err = freeText(r.GetResult(), r.GetResultJson()); err != nil {
		res.Error = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "malformed result: " + err.Error()}
	} else if len(res.Result) == 0 {
		res.Error = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "response without result and error"}
	}
	return res, nil
}

// freeText gives the text of a field pair. Text of its own is not looked at: the SDK
// parses it anyway.
func freeText(s *structpb.Struct, text []byte) (json.RawMessage, error) {
	if s == nil {
		return text, nil
	}
	return mapping.JSONText(s, text)
}

// cancelledID reads which request notifications/cancelled is about.
func cancelledID(params json.RawMessage) (jsonrpc.ID, bool) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if mapping.DecodeSDK(params, &p) != nil {
		return jsonrpc.ID{}, false
	}
	var text string
	if json.Unmarshal(p.RequestID, &text) == nil {
		id, err := sdkID(&text, nil)
		return id, err == nil
	}
	var number int64
	if json.Unmarshal(p.RequestID, &number) != nil {
		return jsonrpc.ID{}, false
	}
	id, err := sdkID(nil, &number)
	return id, err == nil
}
