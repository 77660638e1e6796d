// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// A group is goroutines that somebody waits for, as many as there may be. It belongs to one
// goroutine. Most have none.
type group struct {
	parent context.Context
	ctx    context.Context // theirs, from the first on
	cancel context.CancelFunc
	room   chan struct{}
	all    sync.WaitGroup
}

// run runs f if there is room, and tells whether that is so.
func (g *group) run(f func(context.Context)) bool {
	if g.ctx == nil {
		g.ctx, g.cancel = context.WithCancel(g.parent)
		g.room = make(chan struct{}, maxAsks)
	}
	select {
	case g.room <- struct{}{}:
	default:
		return false
	}
	g.all.Go(func() {
		defer func() { <-g.room }()
		f(g.ctx)
	})
	return true
}

// end cancels them, and waits for that.
func (g *group) end() {
	if g.ctx != nil {
		g.cancel()
		g.all.Wait()
	}
}

// take passes on what the server says about a call. A question that can only be answered by
// another request ends this one: parked is its result.
func (w *waiter) take(ctx context.Context, questions *group, m *message) (parked json.RawMessage, err error) {
	if !m.isCall() {
		w.tell(ctx, m)
		return nil, nil
	}
	meta, err := w.meta()
	if err != nil {
		return nil, err
	}
	if !w.front.can(m.Method, meta) {
		w.conn.peer.reply(m.ID, nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("the client does not support %q", m.Method)})
		return nil, nil
	}
	if w.front.modern {
		return w.park(m)
	}
	if !questions.run(func(ctx context.Context) {
		result, err := w.front.ask(ctx, m.Method, m.Params)
		w.conn.peer.reply(m.ID, result, err)
	}) {
		w.conn.peer.reply(m.ID, nil, errBusy)
	}
	return nil, nil
}

// ask asks the client of a session.
func (f *front) ask(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	if !isNull(params) {
		ctx = context.WithValue(ctx, questionKey{}, params)
	}
	switch method {
	case methodElicit:
		return asked(params, func(p *mcp.ElicitParams) (*mcp.ElicitResult, error) { return f.elicit(ctx, p) })
	case methodSample:
		return asked(params, func(p *mcp.CreateMessageWithToolsParams) (*mcp.CreateMessageWithToolsResult, error) {
			return f.ss.CreateMessageWithTools(ctx, p)
		})
	case methodListRoots:
		return asked(params, func(p *mcp.ListRootsParams) (*mcp.ListRootsResult, error) { return f.ss.ListRoots(ctx, p) })
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("method not found: %q", method)}
}

// elicit asks for what a form says. The SDK is not to see that: it would judge the answer, and
// fill in what the user has left out, which is the server's business.
func (f *front) elicit(ctx context.Context, p *mcp.ElicitParams) (*mcp.ElicitResult, error) {
	p.RequestedSchema = nil
	return f.ss.Elicit(ctx, p)
}

// questionKey is the key by which a context has the params of a question, as the server has
// written them.
type questionKey struct{}

// sending is the middleware that asks questions in the server's own words, and tells of
// changes only those who want to know.
func sending(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		params, ok := ctx.Value(questionKey{}).(json.RawMessage)
		ss, isServer := req.GetSession().(*mcp.ServerSession)
		if update, ok := req.GetParams().(*mcp.ResourceUpdatedNotificationParams); ok {
			own, wanted := forSession(update, ss)
			if !wanted {
				return nil, nil
			}
			return next(ctx, method, &mcp.ServerRequest[*mcp.ResourceUpdatedNotificationParams]{Session: ss, Params: own, Extra: req.GetExtra()})
		}
		if worded := raw.Worded(ctx, req.GetParams()); isServer && worded != req.GetParams() && (method == methodProgress || method == methodMessage) {
			return next(ctx, method, &mcp.ServerRequest[mcp.Params]{Session: ss, Params: worded, Extra: req.GetExtra()})
		}
		if !ok || !isServer || capabilityOf[method] == "" {
			return next(ctx, method, req)
		}
		return next(ctx, method, &mcp.ServerRequest[mcp.Params]{Session: ss, Params: &raw.UnknownParams{JSON: params}, Extra: req.GetExtra()})
	}
}

func asked[P, R any](params json.RawMessage, ask func(*P) (*R, error)) (json.RawMessage, error) {
	p := new(P)
	if !isNull(params) {
		if err := json.Unmarshal(params, p); err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the params cannot be read"}
		}
	}
	r, err := ask(p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// fulfil asks the client of a session what a modern server needs.
func (w *waiter) fulfil(ctx context.Context, requests json.RawMessage) (json.RawMessage, error) {
	all, err := objectOf(requests)
	if err != nil {
		return nil, err
	}
	responses := object{}
	for key, text := range all {
		var question struct {
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(text, &question); err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the server's question cannot be read"}
		}
		if responses[key], err = w.front.ask(ctx, question.Method, question.Params); err != nil {
			return nil, err
		}
	}
	return responses.text(), nil
}

// A parked call waits for the answer of a modern client, which comes with another request.
type parked struct {
	waiter waiter
	state  string
	asks   map[string]json.RawMessage // ids of the server's requests
	timer  *time.Timer
}

const (
	statePrefix = "mcpconnect-gateway:"
	// maxParked bounds the calls that wait.
	maxParked = 10_000
)

// park ends the request with the server's questions, and keeps the call.
func (w *waiter) park(first *message) (json.RawMessage, error) {
	p := &parked{waiter: *w, state: statePrefix + rand.Text(), asks: map[string]json.RawMessage{}}
	questions := object{}
	add := func(m *message) {
		key := fmt.Sprintf("q%d", len(p.asks)+1)
		p.asks[key] = m.ID
		question := object{"method": quote(m.Method)}
		if !isNull(m.Params) {
			question["params"] = m.Params
		}
		questions[key] = question.text()
	}
	add(first)
	g := w.g
	g.mu.Lock()
	if len(g.parked) >= maxParked {
		g.mu.Unlock()
		w.conn.peer.reply(first.ID, nil, errBusy)
		return nil, nil
	}
	g.parked[p.state] = p
	p.timer = time.AfterFunc(g.cfg.AnswerTimeout, func() { g.abandon(p) })
	g.mu.Unlock()
	w.parked = true
	result := object{
		"resultType":    json.RawMessage(`"input_required"`),
		"inputRequests": questions.text(),
		"requestState":  quote(p.state),
	}
	if len(w.conn.info) > 0 {
		result["_meta"] = object{metaServerInfo: w.conn.info}.text()
	}
	return result.text(), nil
}

// abandon ends a parked call that nobody has come back for.
func (g *Gateway) abandon(p *parked) {
	if g.unpark(p.state) == nil {
		return
	}
	p.waiter.giveUp(context.DeadlineExceeded)
	p.waiter.conn.u.release(p.waiter.conn)
}

// unpark takes a call out of those that wait; nil if it is not among them.
func (g *Gateway) unpark(state string) *parked {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.parked[state]
	delete(g.parked, state)
	if p != nil {
		p.timer.Stop()
	}
	return p
}

// resumed gives the parked call that a request brings answers for; nil if it is not about one.
func (g *Gateway) resumed(r *request) (*parked, error) {
	state := r.params.str("requestState")
	if !strings.HasPrefix(state, statePrefix) {
		return nil, nil
	}
	g.mu.Lock()
	p := g.parked[state]
	g.mu.Unlock()
	// A call of somebody else is no call: that it is there is not for the caller.
	if p == nil || !p.isFor(r) || g.unpark(state) == nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "requestState: no call waits for these answers; it has ended, or has waited too long: call again"}
	}
	return p, nil
}

// isFor tells whether a request is the client's next one about the call.
func (p *parked) isFor(r *request) bool {
	first := p.waiter.request
	return first.front.user == r.front.user && first.method == r.method &&
		first.params.str("name") == r.params.str("name") && first.params.str("uri") == r.params.str("uri")
}

// goOn gives the server its answers, and waits on for what comes of the call.
func (p *parked) goOn(ctx context.Context, r *request) (json.RawMessage, error) {
	responses, err := objectOf(r.params["inputResponses"])
	if err != nil {
		responses = object{} // the server learns that there are none
	}
	conn := p.waiter.conn
	for key, id := range p.asks {
		if answer, ok := responses[key]; ok {
			conn.peer.reply(id, answer, nil)
		} else {
			conn.peer.reply(id, nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the client has not answered"})
		}
	}
	meta, err := r.meta()
	if err != nil {
		return nil, err
	}
	w := &waiter{request: r, conn: conn, modern: p.waiter.modern, params: p.waiter.params, call: p.waiter.call}
	w.conn.peer.adopt(w.call, r.front, meta["progressToken"])
	result, err := w.wait(ctx)
	if !w.parked {
		conn.u.release(conn)
		if err == nil {
			result, err = w.translate(result)
		}
	}
	return result, err
}

// adopt makes a call that of another request of its client.
func (p *peer) adopt(c *call, f *front, token json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.front = f
	if !isNull(token) {
		c.token = token
	}
}
