// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// receiving is the middleware that stands in front of the SDK's handlers, and takes their
// place for all that is an upstream's business.
func (g *Gateway) receiving(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		f := frontOf(ctx, req)
		if f == nil {
			return next(ctx, method, req)
		}
		switch method {
		case methodInitialize:
			f.modern = false
			res, err := next(ctx, method, req)
			return g.described(f, res, err)
		case methodPing, methodSubscribe, methodUnsubscribe, methodListen:
			return next(ctx, method, req)
		case methodDiscover:
			res, err := next(ctx, method, req)
			return g.described(f, res, err)
		case methodSetLevel:
			return g.setLevel(ctx, next, req, f)
		case methodRootsChanged:
			g.rootsChanged(f)
			return next(ctx, method, req)
		}
		if strings.HasPrefix(method, "notifications/") {
			return next(ctx, method, req)
		}
		params, err := g.paramsOf(ctx, method, req)
		if err != nil {
			return nil, err
		}
		r := &request{g: g, front: f, method: method, params: params}
		result, err := r.serve(ctx)
		if err != nil {
			return nil, err
		}
		return &raw.Result{JSON: result}, nil
	}
}

// paramsOf gives the parameters as the client has written them, if that is known.
func (g *Gateway) paramsOf(ctx context.Context, method string, req mcp.Request) (object, error) {
	var text json.RawMessage
	var err error
	known := raw.FromContext(ctx)
	if known != nil {
		text, err = known.RawParams()
	}
	if known == nil || err != nil {
		if text, err = json.Marshal(req.GetParams()); err != nil {
			return nil, err
		}
	}
	params, err := objectOf(text)
	if err != nil {
		return nil, err
	}
	if err := params.agreeWith(req.GetParams()); err != nil {
		return nil, err
	}
	if err := g.unambiguous(method, params); err != nil {
		return nil, err
	}
	// The trace context of an RPC's metadata is in the SDK's `_meta` only.
	if traced := metaOf(req); traced["traceparent"] != nil {
		meta, err := objectOf(params["_meta"])
		if err != nil {
			return nil, err
		}
		for _, key := range []string{"traceparent", "tracestate", "baggage"} {
			if value, ok := traced[key].(string); ok && meta[key] == nil {
				meta[key] = quote(value)
			}
		}
		params["_meta"] = meta.text()
	}
	return params, nil
}

// described puts the capabilities of the one upstream into what a client is told of the server,
// as they are: the SDK's type may not know all of them. Those of the other era mean nothing to
// the client.
func (g *Gateway) described(f *front, res mcp.Result, err error) (mcp.Result, error) {
	if err != nil || len(g.upstreams) > 1 {
		return res, err
	}
	text, err := json.Marshal(res)
	if err != nil {
		return nil, err
	}
	members, err := objectOf(text)
	if err != nil {
		return nil, err
	}
	modern, capabilities := g.upstreams[0].capabilities()
	if modern == f.modern && len(capabilities) > 0 {
		members["capabilities"] = capabilities.text()
	}
	if !f.modern {
		return &raw.Result{JSON: members.text()}, nil
	}
	// What the SDK adds later, and cannot any more.
	if members["resultType"] == nil {
		members["resultType"] = json.RawMessage(`"complete"`)
	}
	meta, err := objectOf(members["_meta"])
	if err != nil {
		return nil, err
	}
	if meta[metaServerInfo] == nil && g.info != nil {
		meta[metaServerInfo] = g.info
		members["_meta"] = meta.text()
	}
	return &raw.Result{JSON: members.text()}, nil
}

// capabilities are those of the connection that everybody shares, and its era; none if it does
// not stand.
func (u *upstream) capabilities() (modern bool, _ object) {
	c := u.standing(connKey{})
	if c == nil {
		return false, nil
	}
	return c.modern(), c.capabilities
}

// A request is a client's request on its way to an upstream.
type request struct {
	g      *Gateway
	front  *front
	method string
	params object
}

func (r *request) meta() (object, error) { return objectOf(r.params["_meta"]) }

// errUnknown answers what is no upstream's.
func (r *request) errUnknown(what, name string) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("unknown %s %q", what, name)}
}

// serve gives the result of the request.
func (r *request) serve(ctx context.Context) (json.RawMessage, error) {
	switch r.method {
	case methodListTools, methodListPrompts, methodListResources, methodListTemplates:
		return r.list(ctx)
	}
	if r.front.modern {
		if p, err := r.g.resumed(r); p != nil || err != nil {
			if err != nil {
				return nil, err
			}
			return p.goOn(ctx, r)
		}
	}
	targets, err := r.targets(ctx)
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		result, err := t.forward(ctx, r)
		if err == nil || i == len(targets)-1 || !isNotFound(err) {
			return result, err
		}
	}
	return nil, nil // there is at least one
}

// A target is an upstream, and the parameters as it knows them.
type target struct {
	u      *upstream
	params object
}

// targets gives the upstreams that may have what the request is about, the likeliest first.
func (r *request) targets(ctx context.Context) ([]target, error) {
	if len(r.g.upstreams) == 1 && r.g.upstreams[0].prefix == "" {
		return []target{{r.g.upstreams[0], r.params}}, nil
	}
	switch r.method {
	case methodCallTool:
		return r.named(ctx, methodListTools, r.params, func(o object) object { return o })
	case methodGetPrompt:
		return r.named(ctx, methodListPrompts, r.params, func(o object) object { return o })
	case methodReadResource:
		return r.byURI(r.params.str("uri")), nil
	case methodComplete:
		ref, err := objectOf(r.params["ref"])
		if err != nil {
			return nil, err
		}
		if ref.str("type") != "ref/prompt" {
			return r.byURI(ref.str("uri")), nil
		}
		return r.named(ctx, methodListPrompts, ref, func(ref object) object { return r.params.with("ref", ref.text()) })
	}
	if len(r.g.upstreams) > 1 {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("method not found: %q, of several upstreams", r.method)}
	}
	return []target{{r.g.upstreams[0], r.params}}, nil
}

// with gives a copy of the object with another member.
func (o object) with(name string, value json.RawMessage) object {
	c := make(object, len(o)+1)
	maps.Copy(c, o)
	c[name] = value
	return c
}

// named finds the upstream by the prefix of a name, and where that may be several ones', by
// what their lists show.
func (r *request) named(ctx context.Context, list string, o object, params func(object) object) ([]target, error) {
	name := o.str("name")
	var among []*upstream
	for _, u := range r.g.upstreams {
		if strings.HasPrefix(name, u.prefix) {
			among = append(among, u)
		}
	}
	if len(among) == 0 {
		return nil, r.errUnknown(strings.TrimSuffix(lists[list].member, "s"), name)
	}
	found := among[0]
	if len(among) > 1 {
		slices.SortStableFunc(among, func(a, b *upstream) int { return len(b.prefix) - len(a.prefix) })
		if found = r.g.ownerOf(thing{lists[list].member, name}); found == nil {
			found = r.find(ctx, list, name, among)
		}
	}
	return []target{{found, params(o.with("name", quote(strings.TrimPrefix(name, found.prefix))))}}, nil
}

// byURI gives the upstream that is known to have a resource, or all.
func (r *request) byURI(uri string) []target {
	if u := r.g.ownerOf(resource(uri)); u != nil {
		return []target{{u, r.params}}
	}
	var all []target
	for _, u := range r.g.upstreams {
		all = append(all, target{u, r.params})
	}
	return all
}

// codeResourceNotFoundLegacy is the code of protocol versions up to 2025-11-25.
const codeResourceNotFoundLegacy = -32002

func isNotFound(err error) bool {
	e, ok := err.(*jsonrpc.Error) //nolint:errorlint // an upstream's own
	return ok && (e.Code == jsonrpc.CodeInvalidParams || e.Code == codeResourceNotFoundLegacy || e.Code == jsonrpc.CodeMethodNotFound)
}

// forward makes the request to the upstream, and gives the result as the client's era has it.
func (t target) forward(ctx context.Context, r *request) (json.RawMessage, error) {
	for {
		c, err := t.u.acquire(ctx, r.front)
		if err != nil {
			return nil, err
		}
		w := &waiter{request: r, conn: c, params: t.params, modern: c.modern()}
		result, err := w.run(ctx)
		if !w.parked {
			t.u.release(c)
		}
		if !w.unsent {
			return result, err
		}
		// The connection has ended under it, and the request never left: the next one takes it.
		c.peer.link.close() // so that its reader ends too
		select {
		case <-c.gone:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// A waiter waits for what comes of a request.
type waiter struct {
	*request

	conn   *conn
	modern bool   // the era that it speaks about this request
	params object // as the upstream knows them
	call   *call
	parked bool // somebody else waits from now on
	unsent bool // the connection had ended before anything left on it
}

// maxRounds bounds how often a server may ask before it answers.
const maxRounds = 16

func (w *waiter) run(ctx context.Context) (json.RawMessage, error) {
	params := w.params
	for range maxRounds {
		if err := w.begin(ctx, params); err != nil {
			return nil, err
		}
		result, err := w.wait(ctx)
		if err != nil || w.parked {
			return result, err
		}
		if !w.modern || w.front.modern {
			return w.translate(result)
		}
		// A modern server with a client that has a session: what it needs is asked now.
		o, err := objectOf(result)
		if err != nil {
			return nil, err
		}
		if o.str("resultType") != "input_required" {
			return w.translate(result)
		}
		responses, err := w.fulfil(ctx, o["inputRequests"])
		if err != nil {
			return nil, err
		}
		params = w.params.with("inputResponses", responses)
		if state, ok := o["requestState"]; ok {
			params["requestState"] = state
		}
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: fmt.Sprintf("the server has asked %d times and not answered", maxRounds)}
}

// begin sends the request.
func (w *waiter) begin(ctx context.Context, params object) error {
	first := w.call == nil
	var err error
	w.call, err = w.conn.peer.begin(ctx, w.front, w.method, func(c *call) (json.RawMessage, error) { return w.own(c, params) })
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.unsent = first && isClosed(err)
		return w.conn.u.errDown(err)
	}
	return nil
}

// own gives params as the upstream gets them.
func (w *waiter) own(c *call, params object) (json.RawMessage, error) {
	if k := w.g.known(params["_meta"]); k != nil && !w.modern {
		return params.textWith("_meta", k.legacy), nil
	}
	meta, err := objectOf(params["_meta"])
	if err != nil {
		return nil, err
	}
	if token := meta["progressToken"]; !isNull(token) {
		meta["progressToken"] = w.conn.peer.knowBy(c, token)
	}
	if err := w.adapt(meta); err != nil {
		return nil, err
	}
	if len(meta) == 0 {
		return params.textWith("_meta", nil), nil
	}
	return params.textWith("_meta", meta.text()), nil
}

// adapt makes the `_meta` of a request one of the era of its connection.
func (w *waiter) adapt(meta object) error {
	if !w.modern {
		meta.becomeLegacy()
		return nil
	}
	capabilities, info, err := w.front.declared()
	if err != nil {
		return err
	}
	if version := meta.str(metaVersion); version < firstModern {
		meta[metaVersion] = quote(w.conn.version)
	}
	if meta[metaCapabilities] == nil {
		meta[metaCapabilities] = capabilities
	}
	if meta[metaClientInfo] == nil {
		meta[metaClientInfo] = info
	}
	if level := w.g.level(w.front); level != "" && !w.front.modern {
		meta[metaLogLevel] = quote(level)
	}
	return nil
}

// wait waits for the answer, and passes on what the server says before.
func (w *waiter) wait(ctx context.Context) (json.RawMessage, error) {
	questions := &group{parent: ctx}
	defer questions.end()
	silence := time.NewTimer(w.g.cfg.CallTimeout)
	defer silence.Stop()
	for {
		select {
		case <-w.call.said.some:
			m := w.call.said.take()
			if m == nil {
				continue // it has been taken already
			}
			silence.Reset(w.g.cfg.CallTimeout)
			if parked, err := w.take(ctx, questions, m); parked != nil || err != nil {
				return parked, err
			}
		case m := <-w.call.answer:
			return w.last(ctx, m)
		case <-w.conn.peer.done:
			select {
			case m := <-w.call.answer: // has come just before the end
				return w.last(ctx, m)
			default:
				w.conn.peer.finish(w.call)
				return nil, w.conn.u.errLost(w.conn.peer.lost())
			}
		case <-ctx.Done():
			w.giveUp(ctx.Err())
			return nil, ctx.Err()
		case <-silence.C:
			w.giveUp(context.DeadlineExceeded)
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: fmt.Sprintf("upstream %q has said nothing for %v", w.conn.u.Name, w.g.cfg.CallTimeout)}
		}
	}
}

func (w *waiter) giveUp(cause error) {
	w.conn.peer.finish(w.call)
	w.conn.peer.cancel(w.call, cause)
}

// last passes on what came before the answer, and gives that.
func (w *waiter) last(ctx context.Context, m *message) (json.RawMessage, error) {
	for e := w.call.said.take(); e != nil; e = w.call.said.take() {
		if !e.isCall() {
			w.tell(ctx, e)
		}
	}
	return outcome(m)
}

// tell passes on progress, or a log message, in the words of the server. The SDK reads what it needs
// to know whom it is for.
func (w *waiter) tell(ctx context.Context, m *message) {
	params, err := objectOf(m.Params)
	if err != nil {
		return
	}
	switch m.Method {
	case methodProgress:
		if w.call.token == nil {
			return
		}
		text := params.textWith("progressToken", w.call.token)
		var p mcp.ProgressNotificationParams
		_ = json.Unmarshal(params.textWith("progressToken", nil), &p) // for middleware: what fits
		p.ProgressToken = tokenOf(w.call.token)
		_ = w.front.ss.NotifyProgress(raw.WithNotification(ctx, text), &p) // the client is gone
	case methodMessage:
		var p mcp.LoggingMessageParams
		if json.Unmarshal(m.Params, &p) != nil {
			return
		}
		_ = w.front.ss.Log(raw.WithNotification(ctx, m.Params), &p)
	}
}

// tokenOf gives a progress token as the SDK has it: a string, or a number.
func tokenOf(text json.RawMessage) any {
	var n int64
	if json.Unmarshal(text, &n) == nil {
		return n
	}
	var v any
	if json.Unmarshal(text, &v) != nil {
		return nil
	}
	return v
}

// translate makes a result one of the client's era.
func (w *waiter) translate(result json.RawMessage) (json.RawMessage, error) {
	if w.modern == w.front.modern {
		return result, nil
	}
	o, err := objectOf(result)
	if err != nil {
		return nil, err
	}
	meta, err := objectOf(o["_meta"])
	if err != nil {
		return nil, err
	}
	if w.front.modern {
		if o["resultType"] == nil {
			o["resultType"] = json.RawMessage(`"complete"`)
		}
		if isCacheable(w.method) && o["ttlMs"] == nil {
			o["ttlMs"], o["cacheScope"] = json.RawMessage("0"), json.RawMessage(`"private"`)
		}
		if meta[metaServerInfo] == nil && len(w.conn.info) > 0 {
			meta[metaServerInfo] = w.conn.info
		}
	} else {
		if o.str("resultType") == "complete" {
			delete(o, "resultType")
		}
		if isCacheable(w.method) {
			delete(o, "ttlMs")
			delete(o, "cacheScope")
		}
		delete(meta, metaServerInfo)
	}
	if len(meta) == 0 {
		return o.textWith("_meta", nil), nil
	}
	return o.textWith("_meta", meta.text()), nil
}

// isCacheable tells whether modern results of a method say how long they may be kept.
func isCacheable(method string) bool {
	_, isList := lists[method]
	return isList || method == methodReadResource
}
