// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A jsonCall is a call of a tool in a JSON-RPC envelope of the common form (see
// [mapping.PlainCall]), by a modern client that has declared itself on this stream before. It
// does what exchange.request does for all others, with less on the way.
type jsonCall struct {
	invocation

	ctx  callContext
	r    *reader
	id   wire.ID
	own  *inflightCall
	over bool
}

func (t *jsonCall) callID() callID {
	return callID{text: t.id.Text, number: t.id.Number, isText: t.id.IsText}
}

// jsonCall takes in a call, and tells whether it was one for a jsonCall.
func (r *reader) jsonCall(ctx context.Context, request *wire.Request) bool {
	x, s := r.x, r.x.srv
	plain, ok := mapping.ParsePlainCall(request.Params, s.limits)
	if !ok || x.current() != nil {
		return false
	}
	sc := r.texts.get(s.modern.age.Load(), plain.Meta, func() *knownScope { return r.textScope(ctx, plain.Meta) })
	if sc == nil {
		return false
	}
	x.bytes.Store(true) // see learn
	t := &jsonCall{r: r, id: request.ID, ctx: callContext{parent: ctx}}
	t.init(r, sc, string(plain.Name), bytes.Clone(plain.Arguments), maps.Clone(sc.params))
	t.call.scope.meta, t.call.sink, t.extra.Header = sc.meta, x, x.header
	id := t.callID()
	var err error
	if t.own, err = x.calls.begin(id, t.ctx.cancel); err != nil {
		x.refuse(ctx, &id, err)
		return true
	}
	if err := r.claim(); err != nil {
		x.calls.end(t.own)
		x.refuse(ctx, &id, err)
		return true
	}
	r.crew.add(t)
	return true
}

// textScope gives the scope of all calls with the `_meta`; nil if they may differ, or get
// errors.
func (r *reader) textScope(ctx context.Context, text json.RawMessage) *knownScope {
	s := r.x.srv
	params, err := json.Marshal(map[string]json.RawMessage{"name": json.RawMessage(`""`), "_meta": text})
	if err != nil {
		return nil
	}
	meta, err := metaOf(params)
	if err != nil || meta.GetProgressToken() != nil || meta.GetProtocolVersion() == "" {
		return nil
	}
	sc, err := s.scopeOf(ctx, head{method: methodCallTool, header: r.x.header, meta: meta})
	if err != nil || !sc.modern() {
		return nil
	}
	p, err := decodeParams(methodCallTool, params)
	if err != nil {
		return nil
	}
	decoded := traceMeta(p.GetMeta(), r.x.header)
	if !isFlat(decoded) {
		return nil
	}
	tight := make(mcp.Meta, len(decoded)) // a decoder's map has room for more, which would be copied with each call
	maps.Copy(tight, decoded)
	return &knownScope{scope: sc, token: extraOf(ctx, nil).TokenInfo, params: tight, text: bytes.Clone(text)}
}

// run implements task.
func (t *jsonCall) run() {
	r, x, s := t.r, t.r.x, t.r.x.srv
	ctx, id := t.ctx.parent, t.callID()
	result, err := s.dispatch(&t.ctx, &t.call)
	var answer encodable
	var envelope *mcpv1.Envelope
	if err == nil {
		if answer = t.textAnswer(result); answer == nil {
			envelope, err = t.envelope(result)
		}
	}
	if err != nil {
		envelope = errorEnvelope(&id, s.toRPCError(&t.ctx, methodCallTool, err), x.encoding())
	}
	if !t.done() {
		return // nothing more is sent for it
	}
	defer r.answered()
	switch {
	case answer == nil:
	case !t.call.spoke.Load() && r.out.reply(ctx, answer):
		r.crew.answered()
		return
	default:
		envelope = wire.Encoded(answer.Append(make([]byte, 0, answer.Size())))
	}
	x.answer(ctx, envelope)
}

// done is the end of the call. It tells whether the client still wants the answer: then
// answered must be called when that is queued.
func (t *jsonCall) done() bool {
	t.over = true
	t.ctx.cancel()
	wanted := !t.r.x.calls.end(t.own)
	if wanted {
		t.r.ending.Add(1)
	}
	t.r.free()
	return wanted
}

// abandon implements task.
func (t *jsonCall) abandon(panicked any) {
	id := t.callID()
	t.r.abandoned(t.ctx.parent, methodCallTool, panicked)
	if !t.over && t.done() {
		t.r.x.refuse(t.ctx.parent, &id, errInternal)
		t.r.answered()
	}
}

// textAnswer gives the answer with a result that is text and nothing more, nil for others.
func (t *jsonCall) textAnswer(result mcp.Result) encodable {
	s := t.r.x.srv
	var text wire.TextResult
	if !s.textResult(result, &text) {
		return nil
	}
	return &wire.Response{ID: t.id, Result: s.name.AppendTextResult(nil, text.Texts, text.IsError, text.Structured)}
}

func (t *jsonCall) envelope(result mcp.Result) (*mcpv1.Envelope, error) {
	text, err := mapping.EncodeSDK(t.r.x.srv.resultOptions(&t.call.scope).Annotate(result))
	if err != nil {
		return nil, err
	}
	return resultEnvelope(t.callID(), text, t.r.x.encoding())
}
