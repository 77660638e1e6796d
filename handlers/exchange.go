// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/mirror"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// An exchange is one envelope stream, Connect or Send: it takes JSON-RPC messages from
// the client and queues what goes back.
type exchange struct {
	srv    *Server
	header http.Header
	out    *queue[*mcpv1.Envelope]
	calls  inflight // modern; those of a session stand in the session
	// bytes is set once the peer has used a `_json` field: from then on it gets them
	// too. A peer that knows just the inherited fields never does.
	bytes atomic.Bool
	// single is set for Send: its metadata is about the one message that it takes.
	single bool
	// strict is set where the headers that mirror arguments must be there (Streamable HTTP).
	strict bool
	// opened is the id of a session that was opened here, for the response's metadata. The
	// writer puts it there: nobody else may touch the metadata.
	opened atomic.Pointer[string]
	// deaf is set when no more is read from the client: it cannot answer any more.
	deaf atomic.Bool
	// crew serves the stream; nil for Send, which has one goroutine that writes.
	crew *crew
	// wake interrupts the wait for the client's next message.
	wake    func()
	stopped atomic.Bool

	mu      sync.Mutex
	session *session    // opened on this stream, or named by its metadata
	owned   bool        // the session ends with this stream
	unhook  func() bool // set if the session has this stream for its own messages
}

// announce puts the id of a session that was opened on this stream into the response's
// metadata. It is for the writer, before its first message.
func (x *exchange) announce(metadata http.Header) {
	if id := x.opened.Load(); id != nil {
		metadata.Set(headerSession, *id)
	}
}

// learn notes what the client's messages tell of it.
func (x *exchange) learn(e *mcpv1.Envelope) {
	if x.bytes.Load() {
		return
	}
	switch k := e.Kind.(type) {
	case *mcpv1.Envelope_Request:
		if len(k.Request.GetParamsJson()) > 0 || k.Request.IntId != nil {
			x.bytes.Store(true)
		}
	case *mcpv1.Envelope_Notification:
		if len(k.Notification.GetParamsJson()) > 0 {
			x.bytes.Store(true)
		}
	case *mcpv1.Envelope_Hello:
		x.bytes.Store(true)
	}
}

func (x *exchange) encoding() mcpv1.JsonEncoding {
	if x.bytes.Load() {
		return mcpv1.JsonEncoding_JSON_ENCODING_BYTES
	}
	return mcpv1.JsonEncoding_JSON_ENCODING_STRUCT
}

func (x *exchange) current() *session {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.session
}

// request serves one request to its response. It returns once that is queued, or the
// client has cancelled. checkEnvelope must have found e good. The error is that of a Send
// without an answer.
func (x *exchange) request(ctx context.Context, e *mcpv1.Envelope) error {
	if r := x.begin(ctx, e); r != nil {
		return r.run()
	}
	return nil
}

// A request is one in JSON-RPC that was taken in: it can be cancelled.
type request struct {
	x      *exchange
	ctx    callContext
	method string
	params json.RawMessage
	calls  *inflight // has own
	own    *inflightCall
}

// begin takes in a request. It is nil if that was refused.
func (x *exchange) begin(ctx context.Context, e *mcpv1.Envelope) *request {
	id, q := *idOf(e), e.GetRequest()
	params, err := mapping.JSONText(q.GetParams(), q.GetParamsJson())
	if err != nil {
		x.refuse(ctx, &id, envelopeError(err))
		return nil
	}
	r := &request{x: x, ctx: callContext{parent: ctx}, method: e.Method, params: params, calls: x.registry()}
	if r.own, err = r.calls.begin(id, r.ctx.cancel); err != nil {
		x.refuse(ctx, &id, err)
		return nil
	}
	return r
}

// run does the rest of exchange.request.
func (r *request) run() error {
	x, ctx, id := r.x, &r.ctx, r.own.id
	defer ctx.cancel()
	result, err := x.serve(ctx, r.method, id, r.params)
	if r.calls.end(r.own) {
		return nil // cancelled: nothing more is sent for it
	}
	if x.single && (errors.Is(err, errNoSession) || errors.Is(err, errSessionEnded)) {
		return err // told by the RPC, as everywhere
	}
	var failure *rpcError
	if err == nil {
		var m *mcpv1.Envelope
		if m, err = resultEnvelope(id, result, x.encoding()); err == nil {
			err = x.finish(ctx, m)
		}
	}
	if err != nil {
		failure = x.srv.toRPCError(ctx, r.method, err)
		// Out of time is told even though ctx has ended.
		x.refuse(context.WithoutCancel(ctx), &id, failure)
	}
	return nil
}

// registry gives the place where requests of this stream are noted: ids are unique
// within a session, or within the stream.
func (x *exchange) registry() *inflight {
	if n := x.current(); n != nil {
		return &n.calls
	}
	return &x.calls
}

// refuse answers a message with an error.
func (x *exchange) refuse(ctx context.Context, id *callID, err error) {
	e, ok := errors.AsType[*rpcError](err)
	if !ok {
		e = invalidRequest("%v", err)
	}
	x.answer(ctx, errorEnvelope(id, e, x.encoding()))
}

// finish queues the last message for a request. Whoever runs the request sees to it that it
// is written.
func (x *exchange) finish(ctx context.Context, e *mcpv1.Envelope) error {
	if x.isTooLarge(e) {
		e = x.tooLarge(e)
	}
	err := x.out.send(ctx, e)
	if x.crew != nil {
		x.crew.answered()
	}
	return err
}

// answer is finish for an answer that nobody misses if the stream has ended.
func (x *exchange) answer(ctx context.Context, e *mcpv1.Envelope) {
	_ = x.finish(ctx, e) // says only that
}

// say queues a message that is to be written at once.
func (x *exchange) say(ctx context.Context, e *mcpv1.Envelope) error {
	if x.isTooLarge(e) {
		return x.srv.errTooLarge()
	}
	err := x.out.send(ctx, e)
	x.stir()
	return err
}

// stir has somebody write what is queued.
func (x *exchange) stir() {
	if x.crew != nil {
		x.crew.said()
	}
}

// serve runs one request and gives its result as JSON.
func (x *exchange) serve(ctx context.Context, method string, id callID, params json.RawMessage) (json.RawMessage, error) {
	meta, err := metaOf(params)
	if err != nil {
		return nil, err
	}
	h := head{method: method, header: x.header, meta: meta, stream: x.current()}
	if method == methodInitialize {
		return x.initialize(ctx, h, params)
	}
	sc, err := x.srv.scopeOf(ctx, h)
	if err != nil {
		return nil, err
	}
	if sc.modern() && legacyOnly[method] && method != methodPing {
		return nil, methodNotFound(method)
	}
	if err := mapping.CheckMembers(params); err != nil {
		return nil, malformed("params", err)
	}
	c := &call{method: method, scope: sc, extra: extraOf(ctx, x.header), sink: x, text: params}
	if sc.session != nil {
		var done func()
		if ctx, done, err = sc.session.use(ctx); err != nil {
			return nil, err
		}
		defer done()
	}
	switch _, direct := methods[method]; {
	case method == methodListen:
		return x.listen(ctx, c, id, params)
	case direct && !isNotification(method):
		return x.direct(ctx, c, params)
	default:
		return x.srv.custom(ctx, c, params)
	}
}

// custom runs a request of a method that users register, or that just their middleware knows.
func (s *Server) custom(ctx context.Context, c *call, params json.RawMessage) (json.RawMessage, error) {
	if err := s.allowJSON(ctx, c.method, params); err != nil {
		return nil, err
	}
	out := c.output()
	result, err := s.throughSDK(ctx, c, params)
	if s.cfg.UnknownMethods && isMethodNotFound(err) {
		c.resume(out)
		return s.dispatchUnknown(ctx, c, params)
	}
	return result, err
}

// throughSDK runs a request through a Connection of the SDK.
func (s *Server) throughSDK(ctx context.Context, c *call, params json.RawMessage) (json.RawMessage, error) {
	if c.scope.session != nil {
		return s.throughSession(ctx, c, params)
	}
	if legacyOnly[c.method] || isNotification(c.method) {
		return nil, methodNotFound(c.method)
	}
	return s.throughConnection(ctx, c, c.scope.ss.InitializeParams(), params)
}

func (x *exchange) direct(ctx context.Context, c *call, params json.RawMessage) (json.RawMessage, error) {
	p, err := decodeParams(c.method, params)
	if err != nil {
		return nil, err
	}
	keepToken(p, params)
	p.SetMeta(traceMeta(p.GetMeta(), x.header))
	c.params = p
	if c.method == methodPing {
		return json.RawMessage("{}"), nil
	}
	if x.single {
		if err := x.srv.checkParamHeaders(ctx, c, x.strict); err != nil {
			return nil, err
		}
	}
	var res mcp.Result
	if c.method == methodDiscover {
		res, err = x.srv.dispatchDiscover(ctx, c, p)
	} else {
		res, err = x.srv.dispatch(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	return x.srv.texts.json(res, x.srv.resultOptions(&c.scope))
}

// keepToken restores a progress token that decoding to a float64 would change.
func keepToken(p mcp.Params, text json.RawMessage) {
	if _, ok := p.GetMeta()["progressToken"].(float64); !ok {
		return
	}
	if meta, err := metaOf(text); err == nil {
		p.GetMeta()["progressToken"] = mapping.SDKProgressToken(meta.GetProgressToken())
	}
}

// metaOf reads the `_meta` of params.
func metaOf(params json.RawMessage) (*mcpv1.RequestMeta, error) {
	if isNull(params) {
		return nil, nil
	}
	var v struct {
		Meta json.RawMessage `json:"_meta"`
	}
	if err := mapping.DecodeSDK(params, &v); err != nil {
		return nil, invalidParams("params must be an object: %v", err)
	}
	if isNull(v.Meta) {
		return nil, nil
	}
	var meta mcpv1.RequestMeta
	if err := mapping.FromJSON(v.Meta, &meta, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return nil, malformed("_meta", err)
	}
	return &meta, nil
}

func (x *exchange) listen(ctx context.Context, c *call, id callID, params json.RawMessage) (json.RawMessage, error) {
	if !c.scope.modern() {
		return nil, methodNotFound(methodListen)
	}
	if isNull(params) {
		return nil, invalidRequest("%s: params are missing", methodListen)
	}
	sdkID, err := id.forSDK()
	if err != nil {
		return nil, err
	}
	return x.srv.listen(ctx, c, sdkID, params, func(n *jsonrpc.Request) error {
		return x.push(n.Method, n.Params)
	})
}

// forSDK gives the id as the SDK has it, for the subscription id that it derives.
func (id callID) forSDK() (jsonrpc.ID, error) {
	if id.isText {
		return jsonrpc.MakeID(id.text)
	}
	if id.number > mirror.MaxSafeInteger || id.number < -mirror.MaxSafeInteger {
		return jsonrpc.ID{}, invalidRequest("the id of %s must be a string, or an integer within ±2^53", methodListen)
	}
	return jsonrpc.MakeID(float64(id.number))
}

// notify implements sink: what a call says goes out in order with all the rest.
func (x *exchange) notify(ctx context.Context, method string, params mcp.Params) error {
	text, err := mapping.EncodeSDK(params)
	if err != nil {
		return err
	}
	e, err := notification(method, text, x.encoding())
	if err != nil {
		return err
	}
	return x.say(ctx, e)
}

// ask implements asker.
func (x *exchange) ask(ctx context.Context, r *serverRequest) error {
	if x.deaf.Load() {
		return errNoStream // what went out before is failed by hush
	}
	e, err := requestEnvelope(r, x.encoding())
	if err != nil {
		return err
	}
	return x.say(ctx, e)
}

// push implements outlet.
func (x *exchange) push(method string, params json.RawMessage) error {
	e, err := notification(method, params, x.encoding())
	if err != nil {
		return err
	}
	if x.isTooLarge(e) {
		return x.srv.errTooLarge()
	}
	err = x.out.push(pushKey(method, params), e)
	x.stir()
	return err
}
