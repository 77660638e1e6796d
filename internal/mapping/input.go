// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// Methods of requests that a server makes of a client.
const (
	methodElicit   = "elicitation/create"
	methodSampling = "sampling/createMessage"
	methodRoots    = "roots/list"
)

// inputRequest reads `{"method":…,"params":…}`. What it does not know or cannot read is
// kept in other_json.
func (r reader) inputRequest(raw []byte, m *mcpv1.InputRequest) {
	if !r.knownInputRequest(raw, m) {
		proto.Reset(m)
		m.Kind = &mcpv1.InputRequest_OtherJson{OtherJson: raw}
	}
}

func (r reader) knownInputRequest(raw []byte, m *mcpv1.InputRequest) bool {
	r, ms, err := r.object(raw)
	if err != nil {
		return false
	}
	method, ms := takeString(ms, "method")
	if method == nil {
		return false
	}
	params, ms := take(ms, "params")
	var request proto.Message
	switch *method {
	case methodElicit:
		k := &mcpv1.InputRequest_Elicitation{Elicitation: new(mcpv1.ElicitRequest)}
		m.Kind, request = k, k.Elicitation
	case methodSampling:
		k := &mcpv1.InputRequest_Sampling{Sampling: new(mcpv1.CreateMessageRequest)}
		m.Kind, request = k, k.Sampling
	case methodRoots:
		k := &mcpv1.InputRequest_Roots{Roots: &mcpv1.ListRootsRequest{NoParams: params == nil}}
		m.Kind, request = k, k.Roots
	default:
		return false
	}
	switch {
	case params == nil && *method != methodRoots:
		return false
	case params != nil && r.message(params, request) != nil:
		return false
	case len(ms) > 0:
		m.ExtraJson = join(ms)
	}
	return true
}

func (w *writer) inputRequest(m *mcpv1.InputRequest) error {
	switch k := m.GetKind().(type) {
	case *mcpv1.InputRequest_Elicitation:
		return w.request(m, "elicitation", methodElicit, k.Elicitation)
	case *mcpv1.InputRequest_Sampling:
		return w.request(m, "sampling", methodSampling, k.Sampling)
	case *mcpv1.InputRequest_Roots:
		if !k.Roots.GetNoParams() {
			return w.request(m, "roots", methodRoots, k.Roots)
		}
		if k.Roots.GetMeta() != nil || len(k.Roots.GetExtraJson()) > 0 {
			return malformed("roots has params although no_params is set, clear one of them")
		}
		return w.request(m, "roots", methodRoots, nil)
	case *mcpv1.InputRequest_OtherJson:
		if len(m.GetExtraJson()) > 0 {
			return malformed("extra_json does not go with other_json, put its members there")
		}
		return w.other(k.OtherJson)
	}
	return unsetKind("kind")
}

func (w *writer) request(m *mcpv1.InputRequest, field, method string, params proto.Message) error {
	extra, err := extraMembers(m.GetExtraJson())
	if err != nil {
		return at("extra_json", err)
	}
	o := w.begin(extra)
	if err := o.optional("method", &method); err != nil {
		return err
	}
	if params != nil {
		if err := o.key("params"); err != nil {
			return err
		}
		if err := o.message(params); err != nil {
			return at(field, err)
		}
	} else if o.held("params") {
		return malformed("member %q stands in extra_json although no_params is set", "params")
	}
	o.end()
	return nil
}

// inputResponse reads a result that does not say of what. Each kind has one member that
// the others do not have.
func (r reader) inputResponse(raw []byte, m *mcpv1.InputResponse) {
	if !r.knownInputResponse(raw, m) {
		m.Kind = &mcpv1.InputResponse_OtherJson{OtherJson: raw}
	}
}

func (r reader) knownInputResponse(raw []byte, m *mcpv1.InputResponse) bool {
	if raw[0] != '{' {
		return false
	}
	ms, err := members(raw)
	if err != nil {
		return false
	}
	switch {
	case find(ms, "roots") != nil:
		k := &mcpv1.InputResponse_Roots{Roots: new(mcpv1.ListRootsResult)}
		m.Kind = k
		return r.message(raw, k.Roots) == nil && find(ms, "roots")[0] == '['
	case find(ms, "action") != nil:
		k := &mcpv1.InputResponse_Elicitation{Elicitation: new(mcpv1.ElicitResult)}
		m.Kind = k
		return r.message(raw, k.Elicitation) == nil && k.Elicitation.Action != nil
	case find(ms, "role") != nil:
		k := &mcpv1.InputResponse_Sampling{Sampling: new(mcpv1.CreateMessageResult)}
		m.Kind = k
		return r.message(raw, k.Sampling) == nil && k.Sampling.Role != nil
	}
	return false
}

func (w *writer) inputResponse(m *mcpv1.InputResponse) error {
	switch k := m.GetKind().(type) {
	case *mcpv1.InputResponse_Elicitation:
		return w.message(k.Elicitation)
	case *mcpv1.InputResponse_Sampling:
		return w.message(k.Sampling)
	case *mcpv1.InputResponse_Roots:
		return w.message(k.Roots)
	case *mcpv1.InputResponse_OtherJson:
		return w.other(k.OtherJson)
	}
	return unsetKind("kind")
}

// inputRequired reads a result whose resultType says that it is one. The message has no
// field for it: it is always written, so it must be there.
func (r reader) inputRequired(ms []member, m *mcpv1.InputRequired) error {
	raw, rest := take(ms, "resultType")
	if raw == nil {
		return malformed("member %q is missing", "resultType")
	}
	if resultType(ms) != resultInputRequired {
		rest = ms // another one goes to extra_json
	}
	return r.fields(rest, m.ProtoReflect())
}

// inputRequired writes the response whole, which may have no field set but m.
func (w *writer) inputRequired(whole, alone proto.Message, m *mcpv1.InputRequired) error {
	if !proto.Equal(whole, alone) {
		return malformed("input_required stands instead of all other fields, clear those")
	}
	if err := w.message(m); err != nil {
		return at("input_required", err)
	}
	return nil
}
