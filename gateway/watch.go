// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A watch is what the clients of an upstream want to be told of. Its fields are guarded by
// the upstream's mu.
type watch struct {
	wanted map[string]int // resources, and how many have subscribed to each
	change chan struct{}  // closed when wanted changes
}

// maxWatched bounds the resources that are watched.
const maxWatched = 10_000

// watched has the upstream tell of changes on the connection, as long as that stands.
func (u *upstream) watched(c *conn) {
	if c.modern() {
		u.g.start(func() { u.listen(c) })
		return
	}
	u.mu.Lock()
	wanted := slices.Sorted(maps.Keys(u.watch.wanted))
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
	if u.watch.change == nil {
		u.watch.change = make(chan struct{})
	}
	if len(u.watch.wanted) > 0 {
		if text, err := json.Marshal(slices.Sorted(maps.Keys(u.watch.wanted))); err == nil {
			filter["resourceSubscriptions"] = text
		}
	}
	return filter, u.watch.change
}

// want notes that somebody wants to be told of a resource, or does not any more: by is 1 or
// -1. It tells whether that is news for the upstream.
func (u *upstream) want(uri string, by int) (news bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.watch.wanted[uri]
	if by > 0 && before == 0 && len(u.watch.wanted) >= maxWatched {
		return false, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: fmt.Sprintf("too many resources are watched: the limit is %d", maxWatched)}
	}
	if u.watch.wanted[uri] += by; u.watch.wanted[uri] <= 0 {
		delete(u.watch.wanted, uri)
	}
	news = (before > 0) != (u.watch.wanted[uri] > 0)
	if news && u.watch.change != nil {
		close(u.watch.change)
		u.watch.change = nil
	}
	return news, nil
}

func (u *upstream) subscribeLegacy(ctx context.Context, c *conn, method, uri string) error {
	_, err := c.peer.request(ctx, method, object{"uri": quote(uri)}.text())
	return err
}

// subscribe is the SDK's handler for subscriptions of both eras.
func (g *Gateway) subscribe(ctx context.Context, req *mcp.SubscribeRequest) error {
	return g.watchResource(ctx, req.Params.URI, 1)
}

func (g *Gateway) unsubscribe(ctx context.Context, req *mcp.UnsubscribeRequest) error {
	// The subscription of a listen ends with its context; there is still something to do.
	return g.watchResource(context.WithoutCancel(ctx), req.Params.URI, -1)
}

func (g *Gateway) watchResource(ctx context.Context, uri string, by int) error {
	owners := g.upstreams
	if u := g.ownerOf(uri); u != nil {
		owners = []*upstream{u}
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.StartTimeout)
	defer cancel()
	var failed error
	done := 0
	for _, u := range owners {
		if err := u.watchOne(ctx, uri, by); err != nil {
			failed = err
		} else {
			done++
		}
	}
	if done > 0 {
		return nil // of several nobody knows which has it
	}
	return failed
}

func (u *upstream) watchOne(ctx context.Context, uri string, by int) error {
	c, err := u.acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer u.release(c)
	if resources, err := objectOf(c.capabilities["resources"]); err != nil || string(resources["subscribe"]) != "true" {
		return &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("upstream %q has no subscriptions", u.Name)}
	}
	news, err := u.want(uri, by)
	if err != nil || !news || c.modern() {
		return err
	}
	method := methodSubscribe
	if by < 0 {
		method = methodUnsubscribe
	}
	if err := u.subscribeLegacy(ctx, c, method, uri); err != nil {
		if by > 0 {
			_, _ = u.want(uri, -1)
		}
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

// updated tells the clients of a resource that has changed.
func (g *Gateway) updated(params json.RawMessage) {
	var p mcp.ResourceUpdatedNotificationParams
	server := g.serving()
	if json.Unmarshal(params, &p) != nil || server == nil {
		return
	}
	delete(p.Meta, "io.modelcontextprotocol/subscriptionId") // of our subscription
	g.start(func() {
		_ = server.ResourceUpdated(g.ctx, &p) // clients that do not read
	})
}

// changed tells the clients that a list has changed. The SDK does so when a feature comes or
// goes; nobody sees the one that does here.
func (g *Gateway) changed(method string) {
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
	level := g.lowestLevel()
	g.mu.Unlock()
	for _, u := range g.upstreams {
		c, err := u.acquire(ctx, f)
		if err != nil {
			return nil, err
		}
		if c.key.session != nil {
			level = string(p.Level) // it is this client's alone
		}
		if _, ok := c.capabilities["logging"]; ok && !c.modern() {
			_, err = c.peer.request(ctx, methodSetLevel, object{"level": quote(level)}.text())
		}
		u.release(c)
		if err != nil {
			return nil, err
		}
	}
	return res, nil
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
		c := u.conns[u.keyOf(f)]
		u.mu.Unlock()
		if c == nil {
			continue
		}
		select {
		case <-c.ready:
			if c.err == nil && !c.modern() {
				c.peer.notify(methodRootsChanged, json.RawMessage("{}"))
			}
		default:
		}
	}
}
