// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// message reads the twin of m. It and writer.message are where special shapes part from
// the rule.
func (r reader) message(raw []byte, m proto.Message) error {
	switch m := m.(type) {
	case *mcpv1.Meta:
		return r.free(raw, &m.Values, &m.ValuesJson)
	case *mcpv1.CapabilitySet:
		return r.free(raw, &m.Values, &m.ValuesJson)
	case *mcpv1.ProgressToken:
		return r.progressToken(raw, m)
	case *mcpv1.Content:
		r.block(raw, m)
		return nil
	case *mcpv1.InputRequest:
		r.inputRequest(raw, m)
		return nil
	case *mcpv1.InputResponse:
		r.inputResponse(raw, m)
		return nil
	case *mcpv1.Envelope:
		return r.envelope(raw, m)
	}
	if noTwin(m) {
		return noTwinError(m)
	}
	r, ms, err := r.object(raw)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *mcpv1.BlobContent:
		return r.bareBlob(ms, m)
	case *mcpv1.SamplingMessage:
		return r.turn(ms, m, &m.Content, &m.ContentIsArray)
	case *mcpv1.CreateMessageResult:
		return r.turn(ms, m, &m.Content, &m.ContentIsArray)
	case *mcpv1.InputRequired:
		return r.inputRequired(ms, m)
	case *mcpv1.CompleteRequest:
		return r.completeRequest(ms, m)
	case *mcpv1.CompleteResponse:
		return r.completeResponse(ms, m)
	case *mcpv1.SubscribeResourceRequest:
		return r.subscribeResource(ms, m)
	case *mcpv1.ReadResourceResponse:
		if resultType(ms) == resultInputRequired {
			m.InputRequired = new(mcpv1.InputRequired)
			return r.inputRequired(ms, m.InputRequired)
		}
	case *mcpv1.GetPromptResponse:
		if resultType(ms) == resultInputRequired {
			m.InputRequired = new(mcpv1.InputRequired)
			return r.inputRequired(ms, m.InputRequired)
		}
	case *mcpv1.GetTaskResponse:
		m.Task = new(mcpv1.Task)
		return r.fields(ms, m.Task.ProtoReflect())
	case *mcpv1.CallToolEvent:
		return r.callToolEvent(ms, m)
	case *mcpv1.InvokeToolResponse:
		return r.invokeToolResponse(ms, m)
	case *mcpv1.CallToolProgress:
		err := r.fields(ms, m.ProtoReflect())
		m.Percentage = percentage(m.GetProgress(), m.GetTotal())
		return err
	}
	return r.fields(ms, m.ProtoReflect())
}

// message writes the twin of m.
func (w *writer) message(m proto.Message) error {
	switch m := m.(type) {
	case *mcpv1.Meta:
		return w.free(m.GetValues(), m.GetValuesJson())
	case *mcpv1.CapabilitySet:
		return w.free(m.GetValues(), m.GetValuesJson())
	case *mcpv1.ProgressToken:
		return w.progressToken(m)
	case *mcpv1.Content:
		return w.block(m)
	case *mcpv1.BlobContent:
		return w.bareBlob(m)
	case *mcpv1.SamplingMessage:
		return w.turn(m, m.GetContent(), m.GetContentIsArray())
	case *mcpv1.CreateMessageResult:
		return w.turn(m, m.GetContent(), m.GetContentIsArray())
	case *mcpv1.InputRequest:
		return w.inputRequest(m)
	case *mcpv1.InputResponse:
		return w.inputResponse(m)
	case *mcpv1.InputRequired:
		return w.withResultType(m, resultInputRequired)
	case *mcpv1.CompleteRequest:
		return w.completeRequest(m)
	case *mcpv1.CompleteResponse:
		return w.completeResponse(m)
	case *mcpv1.SubscribeResourceRequest:
		return w.subscribeResource(m)
	case *mcpv1.ReadResourceResponse:
		if m.GetInputRequired() != nil {
			alone := &mcpv1.ReadResourceResponse{InputRequired: m.InputRequired}
			return w.inputRequired(m, alone, m.InputRequired)
		}
	case *mcpv1.GetPromptResponse:
		if m.GetInputRequired() != nil {
			alone := &mcpv1.GetPromptResponse{InputRequired: m.InputRequired}
			return w.inputRequired(m, alone, m.InputRequired)
		}
	case *mcpv1.GetTaskResponse:
		if m.GetTask() == nil {
			return malformed("task is not set")
		}
		return w.message(m.Task)
	case *mcpv1.CallToolEvent:
		return w.callToolEvent(m)
	case *mcpv1.InvokeToolResponse:
		return w.invokeToolResponse(m)
	case *mcpv1.Envelope:
		return w.envelope(m)
	default:
		if noTwin(m) {
			return noTwinError(m)
		}
	}
	return w.plain(m.ProtoReflect())
}

// noTwin says that m is about this encoding, or stands for more than one message of MCP.
func noTwin(m proto.Message) bool {
	switch m.(type) {
	case *mcpv1.Hello, *mcpv1.CallFrame, *mcpv1.ReplyFrame, *mcpv1.CancelFrame, *mcpv1.FrameError,
		*mcpv1.JsonRpcRequest, *mcpv1.JsonRpcResponse, *mcpv1.JsonRpcNotification,
		*mcpv1.ResourceEvent, *mcpv1.ListenResponse,
		*mcpv1.ShutdownRequest, *mcpv1.ShutdownResponse, *mcpv1.GetMetadataRequest:
		return true
	}
	return m.ProtoReflect().Descriptor().ParentFile().Package() != "mcp.v1"
}

func noTwinError(m proto.Message) error {
	return malformed("%s has no twin in JSON, convert what it holds", m.ProtoReflect().Descriptor().FullName())
}

func objectOnly(raw []byte) error {
	if raw[0] != '{' {
		return malformed("JSON is %s, expected an object", kindOf(raw[0]))
	}
	return nil
}

// free reads an object whose members are all free-form.
func (r reader) free(raw []byte, s **structpb.Struct, text *[]byte) error {
	*s, *text = twins(raw, r.enc)
	return objectOnly(raw)
}

func (w *writer) free(s *structpb.Struct, text []byte) error {
	switch {
	case s != nil && len(text) > 0:
		return bothTwins("values", "values_json")
	case len(text) > 0:
		if err := w.textObject(text); err != nil {
			return at("values_json", err)
		}
		return nil
	}
	if err := w.object(s); err != nil { // no Struct at all is an empty one
		return at("values", err)
	}
	return nil
}

func (r reader) progressToken(raw []byte, m *mcpv1.ProgressToken) error {
	if text, ok := exactString(raw); ok {
		m.Kind = &mcpv1.ProgressToken_StringValue{StringValue: text}
		return nil
	}
	if i, ok := exactInt(raw); ok {
		m.Kind = &mcpv1.ProgressToken_IntValue{IntValue: i}
		return nil
	}
	return malformed("progress token is neither a string nor a 64-bit integer")
}

func (w *writer) progressToken(m *mcpv1.ProgressToken) error {
	switch k := m.GetKind().(type) {
	case *mcpv1.ProgressToken_StringValue:
		return w.string(k.StringValue)
	case *mcpv1.ProgressToken_IntValue:
		w.buf = strconv.AppendInt(w.buf, k.IntValue, 10)
		return nil
	}
	return unsetKind("kind")
}

func unsetKind(oneof string) error { return malformed("no %s is set, set exactly one", oneof) }

// resultType gives the member resultType if it is a string, else "".
func resultType(ms []member) string {
	text, _ := exactString(find(ms, "resultType"))
	return text
}

// withResultType writes a message that has no field for its resultType, or left it out.
func (w *writer) withResultType(m proto.Message, value string) error {
	o, err := w.beginMessage(m.ProtoReflect())
	if err != nil {
		return err
	}
	if !o.held("resultType") {
		if err := o.optional("resultType", &value); err != nil {
			return err
		}
	}
	if err := o.fields(m.ProtoReflect()); err != nil {
		return err
	}
	o.end()
	return nil
}

// toolOutcome reads a result of tools/call: by its resultType an InputRequired or a Task,
// else a CallToolResult. The result of 2025-11-25 that is `{"task":{…}}` has no type, nor
// any content; it becomes a Task that holds the member task as one without a field.
func (r reader) toolOutcome(ms []member) (proto.Message, error) {
	switch resultType(ms) {
	case resultInputRequired:
		m := new(mcpv1.InputRequired)
		return m, r.inputRequired(ms, m)
	case resultTask:
		m := new(mcpv1.Task)
		return m, r.fields(ms, m.ProtoReflect())
	}
	if find(ms, "task") != nil && find(ms, "content") == nil {
		m := new(mcpv1.Task)
		return m, r.fields(ms, m.ProtoReflect())
	}
	m := new(mcpv1.CallToolResult)
	return m, r.fields(ms, m.ProtoReflect())
}

func (r reader) callToolEvent(ms []member, m *mcpv1.CallToolEvent) error {
	outcome, err := r.toolOutcome(ms)
	switch k := outcome.(type) {
	case *mcpv1.InputRequired:
		m.Kind = &mcpv1.CallToolEvent_InputRequired{InputRequired: k}
	case *mcpv1.Task:
		m.Kind = &mcpv1.CallToolEvent_Task{Task: k}
	case *mcpv1.CallToolResult:
		m.Kind = &mcpv1.CallToolEvent_Result{Result: k}
	}
	return err
}

func (r reader) invokeToolResponse(ms []member, m *mcpv1.InvokeToolResponse) error {
	outcome, err := r.toolOutcome(ms)
	switch k := outcome.(type) {
	case *mcpv1.InputRequired:
		m.Outcome = &mcpv1.InvokeToolResponse_InputRequired{InputRequired: k}
	case *mcpv1.Task:
		m.Outcome = &mcpv1.InvokeToolResponse_Task{Task: k}
	case *mcpv1.CallToolResult:
		m.Outcome = &mcpv1.InvokeToolResponse_Result{Result: k}
	}
	return err
}

// callToolEvent writes the last event of a call. The others have no twin of this shape:
// they are notifications, and an error is no result.
func (w *writer) callToolEvent(m *mcpv1.CallToolEvent) error {
	switch k := m.GetKind().(type) {
	case *mcpv1.CallToolEvent_Result:
		return w.message(k.Result)
	case *mcpv1.CallToolEvent_InputRequired:
		return w.message(k.InputRequired)
	case *mcpv1.CallToolEvent_Task:
		return w.taskOutcome(k.Task)
	case nil:
		return unsetKind("kind")
	}
	return malformed("event is not the outcome of a call, convert the message in it")
}

func (w *writer) invokeToolResponse(m *mcpv1.InvokeToolResponse) error {
	switch k := m.GetOutcome().(type) {
	case *mcpv1.InvokeToolResponse_Result:
		return w.message(k.Result)
	case *mcpv1.InvokeToolResponse_InputRequired:
		return w.message(k.InputRequired)
	case *mcpv1.InvokeToolResponse_Task:
		return w.taskOutcome(k.Task)
	}
	return unsetKind("outcome")
}

// taskOutcome writes a Task so that toolOutcome knows it.
func (w *writer) taskOutcome(m *mcpv1.Task) error {
	extra, err := extraMembers(m.GetExtraJson())
	if err != nil {
		return at("extra_json", err)
	}
	switch {
	case find(extra, "task") != nil || m.GetResultType() == resultTask:
		return w.message(m)
	case m != nil && m.ResultType != nil:
		return malformed("task has result_type %q, set %q or nothing", m.GetResultType(), resultTask)
	}
	return w.withResultType(m, resultTask)
}

// subscribeResource reads params of subscriptions/listen that ask for one resource and
// for nothing else: the message has no room for more.
func (r reader) subscribeResource(ms []member, m *mcpv1.SubscribeResourceRequest) error {
	raw, rest := take(ms, "notifications")
	var filter mcpv1.SubscriptionFilter
	if raw != nil {
		if err := r.message(raw, &filter); err != nil {
			return at("notifications", err)
		}
		one := &mcpv1.SubscriptionFilter{ResourceSubscriptions: filter.ResourceSubscriptions}
		if len(filter.ResourceSubscriptions) != 1 || !proto.Equal(one, &filter) {
			return malformed("notifications asks for more or less than one resource, use ListenRequest")
		}
		m.Uri = &filter.ResourceSubscriptions[0]
	}
	p := planOf(m.ProtoReflect().Descriptor())
	for _, mb := range rest {
		if mb.key != "_meta" || !r.field(p.byName["_meta"], mb.value, m.ProtoReflect()) {
			return malformed("member %q has no place in mcp.v1.SubscribeResourceRequest", mb.key)
		}
	}
	return nil
}

func (w *writer) subscribeResource(m *mcpv1.SubscribeResourceRequest) error {
	listen := &mcpv1.ListenRequest{Meta: m.GetMeta()}
	if m.GetUri() != "" || m != nil && m.Uri != nil {
		listen.Notifications = &mcpv1.SubscriptionFilter{ResourceSubscriptions: []string{m.GetUri()}}
	}
	return w.message(listen)
}
