// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mirror"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// greet answers the client's hello with ours: from then on both know what the other
// reads.
func (r *reader) greet(ctx context.Context, h *mcpv1.Hello, first bool) {
	if !first {
		r.x.refuse(ctx, nil, invalidRequest("hello must be the first message"))
		return
	}
	r.hello, r.framed, r.gzip = true, h.GetFrames(), h.GetGzip()
	if h.GetBatch() {
		r.out.offer()
	}
	r.x.answer(ctx, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{
		Frames:   true,
		Batch:    true,
		Gzip:     true,
		MaxCalls: uint32(r.x.srv.cfg.MaxCalls),
	}}})
}

// frames are the typed calls in flight on a stream, by their ids. The zero value is ready.
type frames struct {
	mu    sync.Mutex
	calls map[uint64]*frameCall
}

// A frameCall is a typed call in flight.
type frameCall struct {
	ctx     callContext
	aborted bool
	over    bool // for the goroutine that runs it
}

// begin notes a call; it fails if its id is in flight already.
func (f *frames) begin(id uint64, c *frameCall) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[uint64]*frameCall{}
	}
	if f.calls[id] != nil {
		return invalidRequest("call id %d is in flight already", id)
	}
	f.calls[id] = c
	return nil
}

// end forgets a call and tells whether the client cancelled it: then nothing more is sent for
// it.
func (f *frames) end(id uint64) (aborted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.calls[id]
	delete(f.calls, id)
	return c != nil && c.aborted
}

// abort cancels a call. An unknown id is ignored: the answer may have crossed.
func (f *frames) abort(id uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.calls[id]; c != nil {
		c.aborted = true
		c.ctx.cancel()
	}
}

// frame starts a typed call.
func (r *reader) frame(ctx context.Context, f *mcpv1.CallFrame) {
	refuse := func(err error) { r.reply(ctx, frameError(f.GetCallId(), err)) }
	if !r.framed {
		refuse(invalidRequest("typed frames need a hello first, that offers to read them"))
		return
	}
	c := &frameCall{}
	r.setContext(ctx, &c.ctx, f.GetTimeoutMs())
	if err := r.admit(f.GetCallId(), c); err != nil {
		refuse(err)
		return
	}
	r.crew.add(&frameTask{r, ctx, c, f})
}

// A frameTask is a typed call that is not a toolCall.
type frameTask struct {
	r     *reader
	ctx   context.Context // of the stream
	call  *frameCall
	frame *mcpv1.CallFrame
}

func (t *frameTask) run() {
	answer, err := t.r.serveFrame(&t.call.ctx, t.frame)
	if err != nil {
		answer = frameError(t.frame.GetCallId(), err)
	}
	t.r.end(t.ctx, t.frame.GetCallId(), t.call, answer)
}

func (t *frameTask) abandon(panicked any) {
	t.r.abandon(t.ctx, t.frame.GetCallId(), t.call, panicked)
}

// setContext gives a typed call its deadline, and the stream's metadata without what would
// mirror the body of a single call.
func (r *reader) setContext(ctx context.Context, c *callContext, timeoutMs uint32) {
	c.parent, c.header = ctx, r.header
	limit := r.x.srv.cfg.MaxUnaryTime
	if t := time.Duration(timeoutMs) * time.Millisecond; t > 0 && t < limit {
		limit = t
	}
	c.deadline = time.Now().Add(limit)
}

// admit takes a typed call in, if its id is free and there is a slot.
func (r *reader) admit(id uint64, c *frameCall) error {
	if err := r.frames.begin(id, c); err != nil {
		return err
	}
	if err := r.claim(); err != nil {
		r.frames.end(id)
		return err
	}
	return nil
}

// done is the end of a typed call. It tells whether the client still wants the answer: then
// answered must be called when that is queued.
func (r *reader) done(id uint64, c *frameCall) bool {
	c.over = true
	c.ctx.cancel()
	wanted := !r.frames.end(id)
	if wanted {
		r.ending.Add(1)
	}
	r.free()
	return wanted
}

func (r *reader) answered() { r.ending.Add(-1) }

// end answers a typed call.
func (r *reader) end(ctx context.Context, id uint64, c *frameCall, answer *mcpv1.ReplyFrame) {
	if r.done(id, c) {
		r.reply(ctx, answer)
		r.answered()
	}
}

// abandon answers a typed call that has not come to its end.
func (r *reader) abandon(ctx context.Context, id uint64, c *frameCall, panicked any) {
	r.abandoned(ctx, methodCallTool, panicked)
	if !c.over {
		r.end(ctx, id, c, frameError(id, errInternal))
	}
}

func (r *reader) reply(ctx context.Context, f *mcpv1.ReplyFrame) {
	r.x.answer(ctx, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: f}})
}

func withoutMirror(header http.Header) http.Header {
	h := header
	for key := range header {
		if key != headerMethod && key != headerName && !strings.HasPrefix(key, mirror.ParamPrefix) {
			continue
		}
		if len(h) == len(header) {
			h = header.Clone()
		}
		delete(h, key)
	}
	return h
}

func frameError(id uint64, err error) *mcpv1.ReplyFrame {
	f := &mcpv1.FrameError{Code: uint32(connect.CodeOf(err)), Message: err.Error()}
	if e, ok := errors.AsType[*rpcError](err); ok {
		f = &mcpv1.FrameError{Code: uint32(e.code), Message: e.wire.Message, Error: e.message(mcpv1.JsonEncoding_JSON_ENCODING_BYTES)}
	} else if e, ok := errors.AsType[*connect.Error](err); ok {
		f.Message, f.Error = e.Message(), detailOf(e)
	}
	return &mcpv1.ReplyFrame{CallId: id, Reply: &mcpv1.ReplyFrame_Error{Error: f}}
}

func detailOf(err *connect.Error) *mcpv1.JsonRpcError {
	for _, d := range err.Details() {
		if m, err := d.Value(); err == nil {
			if e, ok := m.(*mcpv1.JsonRpcError); ok {
				return e
			}
		}
	}
	return nil
}

// serveFrame runs a typed call by the handler of its RPC.
func (r *reader) serveFrame(ctx context.Context, f *mcpv1.CallFrame) (*mcpv1.ReplyFrame, error) {
	s, a := r.x.srv, &mcpv1.ReplyFrame{CallId: f.GetCallId()}
	var err error
	switch k := f.Request.(type) {
	case *mcpv1.CallFrame_CallTool:
		if f.GetStream() {
			return r.streamTool(ctx, f.GetCallId(), k.CallTool)
		}
		reply := &mcpv1.ReplyFrame_CallTool{}
		reply.CallTool, err = s.InvokeTool(ctx, k.CallTool)
		a.Reply = reply
	case *mcpv1.CallFrame_ReadResource:
		reply := &mcpv1.ReplyFrame_ReadResource{}
		reply.ReadResource, err = s.ReadResource(ctx, k.ReadResource)
		a.Reply = reply
	case *mcpv1.CallFrame_GetPrompt:
		reply := &mcpv1.ReplyFrame_GetPrompt{}
		reply.GetPrompt, err = s.GetPrompt(ctx, k.GetPrompt)
		a.Reply = reply
	case *mcpv1.CallFrame_Complete:
		reply := &mcpv1.ReplyFrame_Complete{}
		reply.Complete, err = s.Complete(ctx, k.Complete)
		a.Reply = reply
	case *mcpv1.CallFrame_Discover:
		reply := &mcpv1.ReplyFrame_Discover{}
		reply.Discover, err = s.Discover(ctx, k.Discover)
		a.Reply = reply
	case *mcpv1.CallFrame_Ping:
		reply := &mcpv1.ReplyFrame_Ping{}
		reply.Ping, err = s.Ping(ctx, k.Ping)
		a.Reply = reply
	case *mcpv1.CallFrame_GetTask, *mcpv1.CallFrame_UpdateTask, *mcpv1.CallFrame_CancelTask:
		return r.taskFrame(ctx, a, f)
	default:
		return r.listOfFrame(ctx, a, f)
	}
	return a, err
}

// taskFrame is serveFrame for tasks.
func (r *reader) taskFrame(ctx context.Context, a *mcpv1.ReplyFrame, f *mcpv1.CallFrame) (_ *mcpv1.ReplyFrame, err error) {
	switch k := f.Request.(type) {
	case *mcpv1.CallFrame_GetTask:
		reply := &mcpv1.ReplyFrame_GetTask{}
		reply.GetTask, err = r.x.srv.GetTask(ctx, k.GetTask)
		a.Reply = reply
	case *mcpv1.CallFrame_UpdateTask:
		reply := &mcpv1.ReplyFrame_UpdateTask{}
		reply.UpdateTask, err = r.x.srv.UpdateTask(ctx, k.UpdateTask)
		a.Reply = reply
	case *mcpv1.CallFrame_CancelTask:
		reply := &mcpv1.ReplyFrame_CancelTask{}
		reply.CancelTask, err = r.x.srv.CancelTask(ctx, k.CancelTask)
		a.Reply = reply
	}
	return a, err
}

// listOfFrame is serveFrame for lists.
func (r *reader) listOfFrame(ctx context.Context, a *mcpv1.ReplyFrame, f *mcpv1.CallFrame) (*mcpv1.ReplyFrame, error) {
	switch k := f.Request.(type) {
	case *mcpv1.CallFrame_ListTools:
		return r.listFrame(ctx, a, methodListTools, k.ListTools, &mcpv1.ListToolsResponse{}, func(p *page) bool {
			m, ok := p.message.(*mcpv1.ListToolsResponse)
			a.Reply = &mcpv1.ReplyFrame_ListTools{ListTools: m}
			return ok
		})
	case *mcpv1.CallFrame_ListResources:
		return r.listFrame(ctx, a, methodListResources, k.ListResources, &mcpv1.ListResourcesResponse{}, func(p *page) bool {
			m, ok := p.message.(*mcpv1.ListResourcesResponse)
			a.Reply = &mcpv1.ReplyFrame_ListResources{ListResources: m}
			return ok
		})
	case *mcpv1.CallFrame_ListResourceTemplates:
		return r.listFrame(ctx, a, methodListTemplates, k.ListResourceTemplates, &mcpv1.ListResourceTemplatesResponse{}, func(p *page) bool {
			m, ok := p.message.(*mcpv1.ListResourceTemplatesResponse)
			a.Reply = &mcpv1.ReplyFrame_ListResourceTemplates{ListResourceTemplates: m}
			return ok
		})
	case *mcpv1.CallFrame_ListPrompts:
		return r.listFrame(ctx, a, methodListPrompts, k.ListPrompts, &mcpv1.ListPromptsResponse{}, func(p *page) bool {
			m, ok := p.message.(*mcpv1.ListPromptsResponse)
			a.Reply = &mcpv1.ReplyFrame_ListPrompts{ListPrompts: m}
			return ok
		})
	}
	return nil, newError(connect.CodeUnimplemented, jsonrpc.CodeMethodNotFound, "call frame of an unknown kind, or without one")
}

// listFrame serves a list. set puts the page into the answer, and tells whether it is of the
// list that was asked for.
func (r *reader) listFrame(ctx context.Context, a *mcpv1.ReplyFrame, method string, req typedRequest, m proto.Message, set func(*page) bool) (*mcpv1.ReplyFrame, error) {
	s := r.x.srv
	p, err := s.listPage(ctx, method, req, m)
	if err != nil {
		return nil, err
	}
	if !set(p) {
		return nil, s.fail(ctx, method, errNoResult, req.GetMeta().GetJsonEncoding())
	}
	if !r.gzip {
		return a, nil
	}
	if zipped := p.compressed(&mcpv1.ReplyFrame{Reply: a.Reply}); zipped != nil {
		a.Reply = &mcpv1.ReplyFrame_Gzip{Gzip: zipped}
	}
	return a, nil
}

// streamTool runs a tool with its progress and log, as CallTool does, and gives its last
// event.
func (r *reader) streamTool(ctx context.Context, id uint64, req *mcpv1.CallToolRequest) (*mcpv1.ReplyFrame, error) {
	event := func(e *mcpv1.CallToolEvent) *mcpv1.ReplyFrame {
		return &mcpv1.ReplyFrame{CallId: id, Reply: &mcpv1.ReplyFrame_Event{Event: e}}
	}
	events := &toolEvents{enc: req.GetMeta().GetJsonEncoding(), emit: func(e *mcpv1.CallToolEvent) error {
		return r.x.say(ctx, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: event(e)}})
	}}
	defer events.close()
	outcome, err := r.x.srv.callTool(ctx, req, events)
	if err != nil {
		return nil, r.x.srv.fail(ctx, methodCallTool, err, events.enc)
	}
	return event(lastEvent(outcome)), nil
}
