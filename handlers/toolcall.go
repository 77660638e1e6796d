// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"maps"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A toolCall is a call of a tool in a frame of the common form (see [wire.ToolCall]), by a
// modern client that has declared itself on this stream before: nearly every call. It does
// what frame does for all others, with less on the way. What is not simple goes there.
type toolCall struct {
	frameCall
	invocation

	r  *reader
	id uint64
}

// A textReply is the reply to a call that gives text. Nobody has it once it is queued, while a
// handler may keep what it has of its call for as long as it likes.
type textReply struct {
	result wire.TextResult
	frame  wire.ToolReply // with that result
}

var textReplies = sync.Pool{New: func() any { return &textReply{} }}

func (t *textReply) free() {
	*t = textReply{}
	textReplies.Put(t)
}

// An invocation is what a call of a tool is for the server's handlers, in one piece of memory.
type invocation struct {
	call   call
	params mcp.CallToolParamsRaw
	extra  mcp.RequestExtra
}

// init makes the call. meta is for the handler alone, but not what the client says of itself
// there: that is shared by all its calls.
func (i *invocation) init(r *reader, sc *knownScope, name string, arguments json.RawMessage, meta mcp.Meta) {
	i.extra = mcp.RequestExtra{TokenInfo: sc.token, Header: r.header}
	i.params = mcp.CallToolParamsRaw{Meta: meta, Name: name, Arguments: arguments}
	i.call.method, i.call.scope = methodCallTool, sc.scope
	i.call.scope.meta, i.call.params, i.call.extra = meta, &i.params, &i.extra
	i.call.metaText = sc.text
}

// toolCall takes in a call, and tells whether it was one for a toolCall.
func (r *reader) toolCall(ctx context.Context, w *wire.ToolCall) bool {
	s := r.x.srv
	sc := r.scopes.get(s.modern.age.Load(), w.Meta, func() *knownScope { return r.simpleScope(ctx, w.Meta) })
	if sc == nil || !s.fewNodes(w) {
		return false
	}
	arguments, err := checkedArguments(w.Arguments, s.limits)
	if err != nil {
		return false
	}
	t := &toolCall{r: r, id: w.CallID}
	t.call.mute = true
	r.setContext(ctx, &t.ctx, w.TimeoutMs)
	if err := r.admit(w.CallID, &t.frameCall); err != nil {
		r.reply(ctx, frameError(w.CallID, err))
		return true
	}
	t.init(r, sc, w.Name, arguments, maps.Clone(sc.meta))
	r.crew.add(t)
	return true
}

// fewNodes tells whether arguments and `_meta` together are surely within the limit that
// both share: each array or object takes two bytes.
func (s *Server) fewNodes(w *wire.ToolCall) bool {
	return s.limits.MaxNodes == 0 || (len(w.Arguments)+len(w.Meta))/2 <= s.limits.MaxNodes
}

// checkedArguments gives a copy of the arguments, or what is wrong with them.
func checkedArguments(text []byte, limits mapping.Limits) (json.RawMessage, error) {
	if len(text) == 0 {
		return nil, nil
	}
	value, err := mapping.CheckedJSON(text, limits)
	if err != nil {
		return nil, err
	}
	return append(make(json.RawMessage, 0, len(value)), value...), nil
}

// run implements task.
func (t *toolCall) run() {
	r, s := t.r, t.r.x.srv
	ctx := t.ctx.parent
	result, err := s.dispatch(&t.ctx, &t.call)
	text := textReplies.Get().(*textReply) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer text.free()
	simple := err == nil && (plainResult(result, &text.result) || s.textResult(result, &text.result))
	var reply *mcpv1.ReplyFrame
	if !simple {
		reply = t.encode(result, err)
	}
	if !r.done(t.id, &t.frameCall) {
		return
	}
	defer r.answered()
	if simple {
		if text.frame = text.result.Reply(t.id); r.out.reply(ctx, &text.frame) {
			r.crew.answered()
			return
		}
		reply = t.encode(result, nil)
	}
	r.reply(ctx, reply)
}

// abandon implements task.
func (t *toolCall) abandon(panicked any) { t.r.abandon(t.ctx.parent, t.id, &t.frameCall, panicked) }

// encode gives the reply with a result, or with an error as it is for the RPC.
func (t *toolCall) encode(result mcp.Result, err error) *mcpv1.ReplyFrame {
	s, sc := t.r.x.srv, &t.call.scope
	var outcome proto.Message
	if err == nil {
		outcome, err = mapping.ToolOutcome(result, s.resultOptions(sc))
	}
	if err != nil {
		return frameError(t.id, s.fail(&t.ctx, methodCallTool, err, sc.encoding))
	}
	return &mcpv1.ReplyFrame{CallId: t.id, Reply: &mcpv1.ReplyFrame_CallTool{CallTool: invoked(outcome)}}
}

// textResult gives the result of a modern call as text, and tells whether it is nothing more.
// Large text is left to others, which copy it less often.
func (s *Server) textResult(res mcp.Result, t *wire.TextResult) bool {
	r, ok := res.(*mcp.CallToolResult)
	if !ok || r.NeedsInput() || r.InputRequests != nil || r.RequestState != "" || len(r.Meta) > 0 || !t.SetContent(r.Content, wire.SmallBytes) {
		return false
	}
	var err error
	if t.Structured, err = mapping.FreeText(r.StructuredContent); err != nil {
		return false
	}
	t.IsError = r.IsError
	t.Meta, t.Type = s.name.Encoded(), mapping.ResultComplete
	return true
}

// plainResult is textResult for a result that came as JSON, and says all by itself.
func plainResult(res mcp.Result, t *wire.TextResult) bool {
	r, ok := res.(*raw.Result)
	return ok && mapping.ParsePlainResult(r.JSON, wire.SmallBytes, t)
}

// scopes are what clients have declared on one stream, by the encoded `_meta` that says it:
// that is the same bytes in nearly all requests of a client. The zero value is ready.
type scopes struct {
	age   uint64 // of the peers when they were looked up
	known map[string]*knownScope
}

const (
	// maxScopes bounds the scopes of a stream: a client that declares something new each time
	// gains nothing.
	maxScopes = 64
	// maxScopeBytes bounds each of them.
	maxScopeBytes = 4 << 10
)

type knownScope struct {
	scope

	token  *auth.TokenInfo
	params mcp.Meta        // `_meta` as JSON-RPC has it; nil for frames
	text   json.RawMessage // `_meta` in JSON, as the client has written it
}

// get gives the scope of a request by its encoded `_meta`, nil if there is no simple one. age
// is that of the server's peers.
func (c *scopes) get(age uint64, meta []byte, find func() *knownScope) *knownScope {
	if len(meta) > maxScopeBytes {
		return nil
	}
	if age != c.age || len(c.known) > maxScopes {
		c.age, c.known = age, nil
	}
	if sc, ok := c.known[string(meta)]; ok {
		return sc
	}
	if c.known == nil {
		c.known = map[string]*knownScope{}
	}
	sc := find()
	c.known[string(meta)] = sc
	return sc
}

// simpleScope gives the scope of all requests with the `_meta`; nil if they may differ, or
// get errors.
func (r *reader) simpleScope(ctx context.Context, encoded []byte) *knownScope {
	s := r.x.srv
	var meta mcpv1.RequestMeta
	if proto.Unmarshal(encoded, &meta) != nil || mapping.CheckMessage(&meta, s.limits) != nil {
		return nil
	}
	if meta.GetJsonEncoding() != mcpv1.JsonEncoding_JSON_ENCODING_BYTES || meta.ProtocolVersion == nil {
		return nil
	}
	sc, err := s.scopeOf(ctx, head{method: methodCallTool, header: r.header, meta: &meta})
	if err != nil || !sc.modern() {
		return nil
	}
	if !isFlat(sc.meta) {
		return nil
	}
	text, err := mapping.ToJSON(&meta)
	if err != nil {
		return nil
	}
	return &knownScope{scope: sc, token: extraOf(ctx, nil).TokenInfo, text: text}
}

// isFlat tells whether a copy of `_meta` shares nothing that a handler could change with it,
// except for what the client says of itself.
func isFlat(meta mcp.Meta) bool {
	for key, value := range meta {
		switch value.(type) {
		case map[string]any, []any:
			if key != mcp.MetaKeyClientInfo && key != mcp.MetaKeyClientCapabilities {
				return false
			}
		}
	}
	return true
}
