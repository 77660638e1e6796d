// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A watch is what clients want to be told of on a connection: resources, and which of their
// sessions have subscribed to each, how often. It outlives the connection.
type watch map[string]map[*mcp.ServerSession]int

// maxWatched bounds the resources that are watched on a connection.
const maxWatched = 10_000

// watched has the upstream tell of changes on the connection, as long as that stands.
func (u *upstream) watched(c *conn) {
	if c.modern() {
		u.g.start(func() { u.listen(c) })
		return
	}
	u.mu.Lock()
	wanted := slices.Sorted(maps.Keys(u.watches[c.key]))
	u.mu.Unlock()
	for _, uri := range wanted { // of a connection that is no more
		u.g.start(func() { _ = u.subscribeLegacy(u.g.ctx, c, methodSubscribe, uri) })
	}
}

// listen keeps a subscription for all that is wanted.
func (u *upstream) listen(c *conn) {
	ctx, cancel := context.WithCancel(u.g.ctx)
	defer cancel()
	defer context.AfterFunc(u.g.ctx, cancel)()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		filter, changed := u.filter(c)
		if len(filter) > 0 {
			u.listenOnce(ctx, c, filter, changed)
		} else {
			select {
			case <-changed:
			case <-c.peer.done:
			case <-ctx.Done():
			}
		}
		select {
		case <-c.peer.done:
			return
		case <-ctx.Done():
			return
		case <-changed:
			pause = minPause
		default:
			if !sleep(ctx, pause) {
				return
			}
		}
	}
}

// listenOnce subscribes until that ends, or something else is wanted.
func (u *upstream) listenOnce(ctx context.Context, c *conn, filter object, changed <-chan struct{}) {
	params := object{"_meta": u.g.ownMeta(c.version), "notifications": filter.text()}
	call, err := c.peer.begin(ctx, nil, methodListen, func(*call) (json.RawMessage, error) { return params.text(), nil })
	if err != nil {
		return
	}
	defer c.peer.finish(call)
	select {
	case <-call.answer:
		return
	case <-c.peer.done:
		return
	case <-ctx.Done():
	case <-changed:
	}
	c.peer.cancel(call, context.Canceled)
}

// filter gives what the upstream is to tell, and what is closed when that changes.
func (u *upstream) filter(c *conn) (object, <-chan struct{}) {
	filter := object{}
	for capability, kind := range map[string]string{"tools": "toolsListChanged", "prompts": "promptsListChanged", "resources": "resourcesListChanged"} {
		has, err := objectOf(c.capabilities[capability])
		if err == nil && string(has["listChanged"]) == "true" {
			filter[kind] = json.RawMessage("true")
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.change == nil {
		c.change = make(chan struct{})
	}
	if wanted := u.watches[c.key]; len(wanted) > 0 {
		if text, err := json.Marshal(slices.Sorted(maps.Keys(wanted))); err == nil {
			filter["resourceSubscriptions"] = text
		}
	}
	return filter, c.change
}

// want notes that a client wants to be told of a resource. It tells whether that is news for
// the upstream. A legacy session subscribes once, however often it says so.
func (u *upstream) want(key connKey, uri string, f *front) (news bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w := u.watches[key]
	news = len(w[uri]) == 0
	if news && len(w) >= maxWatched {
		return false, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: fmt.Sprintf("too many resources are watched: the limit is %d", maxWatched)}
	}
	if w == nil {
		w = watch{}
		u.watches[key] = w
	}
	if w[uri] == nil {
		w[uri] = map[*mcp.ServerSession]int{}
	}
	if f.modern || w[uri][f.ss] == 0 {
		w[uri][f.ss]++
	}
	if news {
		u.changeWatch(key)
	}
	return news, nil
}

// unwant is the inverse of want; for all that the session wants if uri is empty. It gives the
// resources that nobody wants any more, by connection.
func (u *upstream) unwant(uri string, ss *mcp.ServerSession) map[connKey][]string {
	u.mu.Lock()
	defer u.mu.Unlock()
	over := map[connKey][]string{}
	for key, w := range u.watches {
		for of, sessions := range w {
			if sessions[ss] == 0 || uri != "" && of != uri {
				continue
			}
			if sessions[ss]--; uri == "" || sessions[ss] == 0 {
				delete(sessions, ss)
			}
			if len(sessions) == 0 {
				delete(w, of)
				over[key] = append(over[key], of)
			}
		}
		if len(over[key]) > 0 {
			u.changeWatch(key)
		}
		if len(w) == 0 {
			delete(u.watches, key)
		}
	}
	return over
}

// changeWatch makes the connection, if there is one, look at what is wanted. Its caller has mu.
func (u *upstream) changeWatch(key connKey) {
	if c := u.conns[key]; c != nil && c.change != nil {
		close(c.change)
		c.change = nil
	}
}

func (u *upstream) subscribeLegacy(ctx context.Context, c *conn, method, uri string) error {
	_, err := c.peer.request(ctx, method, object{"uri": quote(uri)}.text())
	return err
}

// subscribe is the SDK's handler for subscriptions of both eras.
func (g *Gateway) subscribe(ctx context.Context, req *mcp.SubscribeRequest) error {
	f := frontOf(ctx, req)
	if f == nil {
		return nil // cannot be
	}
	uri := req.Params.URI
	owners := g.upstreams
	if u := g.ownerOf(resource(uri)); u != nil {
		owners = []*upstream{u}
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.StartTimeout)
	defer cancel()
	var failed error
	done := 0
	for _, u := range owners {
		if err := u.subscribe(ctx, uri, f); err != nil {
			failed = err
		} else {
			done++
		}
	}
	if done == 0 {
		return failed
	}
	sessionEnd(g, f.ss) // ends the subscription, if nobody else does
	return nil          // of several upstreams nobody knows which has it
}

// unsubscribe is the inverse of subscribe; for all resources if uri is empty.
func (g *Gateway) unsubscribe(ctx context.Context, uri string, ss *mcp.ServerSession) error {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.StartTimeout)
	defer cancel()
	var errs []error
	for _, u := range g.upstreams {
		for key, uris := range u.unwant(uri, ss) {
			c := u.standing(key)
			if c == nil || c.modern() {
				continue
			}
			for _, uri := range uris {
				errs = append(errs, u.subscribeLegacy(ctx, c, methodUnsubscribe, uri))
			}
		}
	}
	return errors.Join(errs...)
}

// subscribe subscribes where the client's other requests go, too, if each user has a server of
// its own.
func (u *upstream) subscribe(ctx context.Context, uri string, f *front) error {
	whose := f
	if !u.PerUser {
		whose = nil
	}
	c, err := u.acquire(ctx, whose)
	if err != nil {
		return err
	}
	defer u.release(c)
	if resources, err := objectOf(c.capabilities["resources"]); err != nil || string(resources["subscribe"]) != "true" {
		return &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("upstream %q has no subscriptions", u.Name)}
	}
	news, err := u.want(c.key, uri, f)
	if err != nil || !news || c.modern() {
		return err
	}
	if err := u.subscribeLegacy(ctx, c, methodSubscribe, uri); err != nil {
		u.unwant(uri, f.ss)
		return err
	}
	return nil
}

// serving is the server, nil as long as the gateway has none: upstreams may say something before
// they have answered the first request.
func (g *Gateway) serving() *mcp.Server {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.server
}

// audienceKey is the key in the `_meta` of an update, on its way through the SDK, of the sessions
// that it is for.
const audienceKey = "mcpconnect/audience"

// updated tells the clients of a resource that has changed: of a user's own server, those
// that have subscribed there.
func (c *conn) updated(params json.RawMessage) {
	var p mcp.ResourceUpdatedNotificationParams
	server := c.u.g.serving()
	if json.Unmarshal(params, &p) != nil || server == nil {
		return
	}
	delete(p.Meta, "io.modelcontextprotocol/subscriptionId") // of our subscription
	delete(p.Meta, audienceKey)
	if c.u.PerUser {
		c.u.mu.Lock()
		audience := maps.Clone(c.u.watches[c.key][p.URI])
		c.u.mu.Unlock()
		if p.Meta == nil {
			p.Meta = mcp.Meta{}
		}
		p.Meta[audienceKey] = audience
	}
	c.u.g.start(func() {
		_ = server.ResourceUpdated(c.u.g.ctx, &p) // clients that do not read
	})
}

// forSession gives an update as a session gets it, and whether it does.
func forSession(p *mcp.ResourceUpdatedNotificationParams, ss *mcp.ServerSession) (*mcp.ResourceUpdatedNotificationParams, bool) {
	audience, limited := p.Meta[audienceKey].(map[*mcp.ServerSession]int)
	if !limited {
		return p, true
	}
	own := *p // others get it, too
	own.Meta = maps.Clone(p.Meta)
	delete(own.Meta, audienceKey)
	return &own, audience[ss] > 0
}

// changed tells the clients that a list has changed. The SDK does so when a feature comes or
// goes; nobody sees the one that does here.
func (g *Gateway) changed(method string) {
	g.disown()
	server := g.serving()
	if server == nil {
		return
	}
	const name = "mcpconnect-gateway-list-changed"
	switch method {
	case methodToolsChanged:
		server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, nobodyCalls)
		server.RemoveTools(name)
	case methodPromptsChanged:
		server.AddPrompt(&mcp.Prompt{Name: name}, nil)
		server.RemovePrompts(name)
	case methodResourcesChanged:
		server.AddResource(&mcp.Resource{Name: name, URI: "mcpconnect-gateway:list-changed"}, nil)
		server.RemoveResources("mcpconnect-gateway:list-changed")
	}
}

func nobodyCalls(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return &mcp.CallToolResult{}, nil
}

// setLevel notes the log level of a session, and tells upstreams that have sessions.
func (g *Gateway) setLevel(ctx context.Context, next mcp.MethodHandler, req mcp.Request, f *front) (mcp.Result, error) {
	res, err := next(ctx, methodSetLevel, req)
	p, ok := req.GetParams().(*mcp.SetLoggingLevelParams)
	if err != nil || !ok {
		return res, err
	}
	sessionEnd(g, f.ss) // forgets the level
	g.mu.Lock()
	g.levels[f.ss] = string(p.Level)
	g.mu.Unlock()
	var errs []error
	for _, u := range g.upstreams {
		if err := u.setLevel(ctx, f); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == len(g.upstreams) {
		return nil, errs[0]
	}
	if len(errs) > 0 { // one that is down must not hide the others, and learns of it when it is there
		g.cfg.Logger.Warn("a log level has not reached all upstreams", "error", errors.Join(errs...))
	}
	return res, nil
}

func (u *upstream) setLevel(ctx context.Context, f *front) error {
	c, err := u.acquire(ctx, f)
	if err != nil {
		return err
	}
	defer u.release(c)
	if level := c.level(); level != "" {
		_, err = c.peer.request(ctx, methodSetLevel, object{"level": quote(level)}.text())
	}
	return err
}

// tellLevel tells the level on a connection that begins to stand, before anybody uses it.
func (c *conn) tellLevel(ctx context.Context) {
	level := c.level()
	if level == "" {
		return
	}
	call, err := c.peer.begin(ctx, nil, methodSetLevel, func(*call) (json.RawMessage, error) {
		return object{"level": quote(level)}.text(), nil
	})
	if err == nil {
		c.peer.finish(call) // its answer changes nothing
	}
}

// level is what the server of a connection is to be told; empty for nothing.
func (c *conn) level() string {
	if _, ok := c.capabilities["logging"]; !ok || c.modern() {
		return ""
	}
	g := c.u.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.key.session != nil {
		return g.levels[c.key.session] // it is this client's alone
	}
	if len(g.levels) == 0 {
		return ""
	}
	return g.lowestLevel()
}

// levels stand in order of severity (MCP, server/utilities/logging).
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// lowestLevel is what a connection that all share has to be told. Its caller has mu.
func (g *Gateway) lowestLevel() string {
	lowest := len(levels) - 1
	for _, level := range g.levels {
		if i := slices.Index(levels, level); i >= 0 {
			lowest = min(lowest, i)
		}
	}
	return levels[lowest]
}

func (g *Gateway) level(f *front) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.levels[f.ss]
}

// rootsChanged tells upstreams that the roots of a client have changed, on the connections
// that it may have been asked for them.
func (g *Gateway) rootsChanged(f *front) {
	for _, u := range g.upstreams {
		u.mu.Lock()
		key := u.keyOf(f)
		u.mu.Unlock()
		if c := u.standing(key); c != nil && !c.modern() {
			c.peer.notify(methodRootsChanged, json.RawMessage("{}"))
		}
	}
}
