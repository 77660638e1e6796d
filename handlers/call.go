// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	segmentio "github.com/segmentio/encoding/json"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// An asker takes a server's request to the client. It fails with errNoStream if the
// peer behind it cannot get requests.
type asker interface {
	ask(ctx context.Context, r *serverRequest) error
}

// A sink takes what a call says before its result. Its methods may be called
// concurrently, and block while the peer reads slowly.
type sink interface {
	asker
	notify(ctx context.Context, method string, params mcp.Params) error
}

// An outlet takes what a session says outside of calls. push never blocks: the SDK
// notifies one session after the other (go-sdk#1265).
type outlet interface {
	asker
	push(method string, params json.RawMessage) error
}

// A call is one request on its way through the user's server.
type call struct {
	method string
	scope  scope
	params mcp.Params
	extra  *mcp.RequestExtra

	// What the client has written: all of its params, or the message that they came in, or
	// just the `_meta` of params that hold the rest as it was.
	text     json.RawMessage
	message  proto.Message
	metaText json.RawMessage

	spoke atomic.Bool // something was sent for it before its result
	mute  bool        // it never has a sink

	caller *authn.Principal // of a call that the SDK runs on a context of its own, nil for nobody

	mu   sync.Mutex
	sink sink            // nil once the call is over
	ctx  context.Context // of the call while it is dispatched; its end is the call's
}

type callKey struct{}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// withCall makes ctx that of c.
func withCall(ctx context.Context, c *call) context.Context {
	if own, ok := ctx.(*callContext); ok && own.call == nil {
		own.call = c
		return own
	}
	return callValue{ctx, c}
}

// A callValue is a context of a call.
type callValue struct {
	context.Context

	call *call
}

func (v callValue) Value(key any) any {
	switch key.(type) {
	case callKey, raw.Key:
		return v.call
	}
	return v.Context.Value(key)
}

// RawParams implements [raw.Params].
func (c *call) RawParams() (json.RawMessage, error) {
	if c.text != nil {
		return c.text, nil
	}
	if c.message != nil {
		return mapping.ToJSON(c.message)
	}
	p, ok := c.params.(*mcp.CallToolParamsRaw)
	if !ok || c.metaText == nil {
		return nil, errNoText
	}
	text := make([]byte, 0, len(c.metaText)+len(p.Name)+len(p.Arguments)+40)
	text = append(append(text, `{"_meta":`...), c.metaText...)
	text = segmentio.AppendEscape(append(text, `,"name":`...), p.Name, 0)
	if len(p.Arguments) > 0 { // which json.Marshal would escape anew
		text = append(append(text, `,"arguments":`...), p.Arguments...)
	}
	return append(text, '}'), nil
}

var errNoText = errors.New("the text of the params is not known")

// output gives the sink while the call goes on, and nil after it: a handler may leave
// goroutines behind that still hold the call's context.
func (c *call) output() sink {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sink
}

// cancelled gives an error once the call is cancelled or out of time: nothing more is
// sent for it then, whatever its handler says (SPEC.md §10.2).
func (c *call) cancelled() error {
	if c.ctx == nil {
		return nil // not dispatched
	}
	return c.ctx.Err()
}

func (c *call) end() {
	if c.mute {
		return // there is nothing to end
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink = nil
}

// resume undoes end for a call that has not reached a handler yet.
func (c *call) resume(out sink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink = out
}

// dispatch runs a call through the server's middleware and handlers, without JSON-RPC, if its
// caller may make it.
func (s *Server) dispatch(ctx context.Context, c *call) (res mcp.Result, err error) {
	if s.cfg.Policy == nil || ctx.Err() != nil {
		return s.runTraced(ctx, c)
	}
	if err := s.allow(ctx, c); err != nil {
		return nil, err
	}
	if res, err = s.runTraced(ctx, c); err != nil {
		return nil, err
	}
	return s.visible(ctx, c.method, res)
}

func (s *Server) runTraced(ctx context.Context, c *call) (res mcp.Result, err error) {
	if s.cfg.Tracer == nil || ctx.Err() != nil {
		return s.run(ctx, c)
	}
	ctx, endSpan := s.startSpan(ctx, c.method, requestHeader(ctx), c.scope.meta)
	defer func() { endSpan(err) }()
	return s.run(ctx, c)
}

// run is dispatch for a call that may be made, and is not traced.
func (s *Server) run(ctx context.Context, c *call) (res mcp.Result, err error) {
	m, ok := methods[c.method]
	if !ok {
		return nil, methodNotFound(c.method)
	}
	if ctx.Err() != nil {
		return nil, ended(context.Cause(ctx)) // before it has begun
	}
	defer c.end()
	c.ctx = ctx
	defer s.recovered(ctx, c.method, &err)
	res, err = s.chain()(withCall(ctx, c), c.method, m.request(c.scope.ss, c.params, c.extra))
	switch {
	case ctx.Err() != nil:
		// The caller is gone or out of time, or the session has ended: whatever the handler
		// makes of that is noise, and a result would come too late.
		return nil, ended(context.Cause(ctx))
	case err != nil:
		return nil, err
	case isNil(res):
		return nil, errNoResult
	}
	return res, nil
}

// isNil tells whether a value of an interface is nothing, or a pointer to nothing. Users may
// have types of any kind.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}

// errNoResult is a mistake of a handler; the caller learns of an internal error.
var errNoResult = errors.New("handler returned neither result nor error")

// chain gives the server's handler with all its middleware. A pass-through middleware
// is handed the chain as it stands and leaves it unchanged, so asking anew for every
// call costs next to nothing and sees middleware that was added later. TestSDKCapture
// pins this behaviour.
func (s *Server) chain() (h mcp.MethodHandler) {
	s.server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		h = next
		return next
	})
	return h
}

// recovered turns a panic of user code into an error: the caller learns that the server
// failed, the log learns why.
func (s *Server) recovered(ctx context.Context, method string, err *error) {
	if p := recover(); p != nil {
		s.log.ErrorContext(ctx, "handler panicked", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		*err = errInternal
	}
}

// beOutermost puts our receiving middleware around what users have added since it was there
// last, so that it catches the panics of that, too. It is called for many requests, and must
// not add a layer with each.
func (s *Server) beOutermost() {
	s.server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		// The SDK holds its own lock here, so that there is one at a time.
		if s.outermost != nil && closureOf(next) == closureOf(s.outermost) || s.layers == maxLayers {
			return next
		}
		s.layers++
		s.outermost = s.receiving(next)
		return s.outermost
	})
}

// maxLayers bounds our layers around a server: two Servers for one of the SDK would put theirs
// around each other's for ever.
const maxLayers = 32

// closureOf tells one handler from another. A function value is a pointer to its closure; of
// two that are equal both are referred to, so that none can have taken the other's place. Code
// pointers do not tell: each place that a function is inlined into has a copy of the code.
func closureOf(h mcp.MethodHandler) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&h))
}

// receiving is our receiving middleware. Requests that reach the server through a
// Connection run on goroutines of the SDK, where nobody else would catch a panic.
func (s *Server) receiving(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		if callFrom(ctx) == nil {
			c := s.expected(req.GetExtra())
			if c == nil {
				if h, ok := ctx.Value(streamableKey{}).(*streamable); ok && h == s.streamable {
					return s.streamable.receive(ctx, next, method, req)
				}
				return next(ctx, method, req) // not ours
			}
			ctx = callValue{ctx, c}
			if c.caller != nil {
				ctx = authn.NewContext(ctx, c.caller)
			}
		}
		defer func() {
			if err != nil {
				res = nil
			}
		}()
		defer s.recovered(ctx, method, &err)
		return next(ctx, method, req)
	}
}

// sending is our sending middleware: what a handler notifies during a call goes to that
// call, as SDK values, without JSON-RPC in between.
func (s *Server) sending(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		c := callFrom(ctx)
		if c == nil {
			return next(ctx, method, req)
		}
		if err := c.cancelled(); err != nil {
			return nil, err
		}
		out := c.output()
		switch method {
		case methodProgress, methodMessage:
			if out == nil || !c.wants(req.GetParams()) {
				return nil, nil
			}
			c.spoke.Store(true)
			return nil, out.notify(ctx, method, raw.Worded(ctx, req.GetParams()))
		case methodElicitationComplete:
			// Typed events have no place for it: then it goes to the session's stream.
			if x, ok := out.(*exchange); ok {
				c.spoke.Store(true)
				return nil, x.notify(ctx, method, req.GetParams())
			}
		}
		return next(ctx, method, req)
	}
}

// loggingLevels stand in order of severity (MCP, server/utilities/logging).
var loggingLevels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// wants tells whether the call's peer asked for a notification. A modern request names
// its log level itself; a legacy session's is kept and minded by the SDK.
func (c *call) wants(p mcp.Params) bool {
	message, ok := p.(*mcp.LoggingMessageParams)
	if !ok || c.scope.session != nil {
		return true
	}
	want := slices.Index(loggingLevels, c.scope.logLevel)
	return want >= 0 && slices.Index(loggingLevels, string(message.Level)) >= want
}
