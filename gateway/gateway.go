// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A Gateway shows upstream servers as one [mcp.Server]. It is safe for concurrent use.
type Gateway struct {
	cfg        Config
	upstreams  []*upstream
	clientInfo json.RawMessage // of us, as a client
	info       json.RawMessage // of us, as a server
	lastMeta   atomic.Pointer[knownMeta]

	ctx     context.Context // ends with the gateway
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	server   *mcp.Server // set once
	closed   bool
	sessions map[*mcp.ServerSession]context.Context
	levels   map[*mcp.ServerSession]string
	parked   map[string]*parked
	owners   map[thing]*upstream // of what lists have shown
}

// New makes a gateway, and connects to its upstreams: what they can do is what it can do. It
// fails if the configuration is wrong, or an upstream cannot be reached. Close must be called.
func New(ctx context.Context, cfg Config) (*Gateway, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	g := &Gateway{
		cfg:        cfg,
		clientInfo: json.RawMessage(`{"name":"mcpconnect-gateway","title":"MCP gateway","version":"1.0.0"}`),
		sessions:   map[*mcp.ServerSession]context.Context{},
		levels:     map[*mcp.ServerSession]string{},
		parked:     map[string]*parked{},
		owners:     map[thing]*upstream{},
	}
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for i := range cfg.Upstreams {
		u := &upstream{Upstream: cfg.Upstreams[i], g: g, conns: map[connKey]*conn{}, pauses: pauses{}, watches: map[connKey]watch{}}
		u.prefix = u.Upstream.prefix(len(cfg.Upstreams) == 1)
		g.upstreams = append(g.upstreams, u)
	}
	first, err := g.connect(ctx)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	server := g.newServer(first)
	g.mu.Lock()
	g.server = server
	g.mu.Unlock()
	return g, nil
}

// connect connects to all upstreams.
func (g *Gateway) connect(ctx context.Context) ([]*conn, error) {
	conns, errs := make([]*conn, len(g.upstreams)), make([]error, len(g.upstreams))
	var all sync.WaitGroup
	for i, u := range g.upstreams {
		all.Go(func() {
			if conns[i], errs[i] = u.acquire(ctx, nil); errs[i] == nil {
				u.release(conns[i])
			}
		})
	}
	all.Wait()
	return conns, errors.Join(errs...)
}

// Server gives the server that shows the upstreams. It may be served by any transport of the
// SDK; over those of this module, by [Gateway.Handler], it passes more: methods that nobody here knows, and
// the exact JSON of parameters.
func (g *Gateway) Server() *mcp.Server { return g.server }

// Handler gives an HTTP handler for the server, as [mcpconnect.NewHandler] does. It panics if
// an option is wrong.
func (g *Gateway) Handler(opts ...mcpconnect.HandlerOption) *mcpconnect.Handler {
	return mcpconnect.NewHandler(g.server, append([]mcpconnect.HandlerOption{mcpconnect.WithUnknownMethods()}, opts...)...)
}

// Close ends all connections and children, and waits for that. Calls that are in flight fail.
// It always returns nil, and may be called again.
func (g *Gateway) Close() error {
	g.cancel()
	g.mu.Lock()
	g.closed = true
	waiting := make([]*parked, 0, len(g.parked))
	for _, p := range g.parked {
		waiting = append(waiting, p)
	}
	g.mu.Unlock()
	for _, p := range waiting {
		g.abandon(p)
	}
	g.running.Wait()
	return nil
}

// start runs f on a goroutine that Close waits for. It tells whether it is not too late.
func (g *Gateway) start(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Go(f)
	return true
}

// newServer makes the server for what the upstreams can do.
func (g *Gateway) newServer(conns []*conn) *mcp.Server {
	impl := g.cfg.Implementation
	capabilities := object{}
	var instructions []string
	for i, c := range conns {
		var own mcp.Implementation
		if impl == nil && len(conns) == 1 && json.Unmarshal(c.info, &own) == nil {
			impl = &own
		}
		for name, value := range c.capabilities {
			capabilities[name] = merged(capabilities[name], value)
		}
		var text string
		if json.Unmarshal(c.instructions, &text) == nil && text != "" {
			if len(conns) > 1 {
				text = fmt.Sprintf("%s: %s", g.upstreams[i].Name, text)
			}
			instructions = append(instructions, text)
		}
	}
	if impl == nil {
		impl = &mcp.Implementation{Name: "mcpconnect", Version: "1.0.0"}
	}
	if text, err := json.Marshal(impl); err == nil {
		g.info = text
	}
	opts := &mcp.ServerOptions{
		Instructions:     strings.Join(instructions, "\n\n"),
		Capabilities:     &mcp.ServerCapabilities{},
		SubscribeHandler: g.subscribe,
		UnsubscribeHandler: func(ctx context.Context, req *mcp.UnsubscribeRequest) error {
			// The subscription of a listen ends with its context; there is still something to do.
			return g.unsubscribe(context.WithoutCancel(ctx), req.Params.URI, req.Session)
		},
		Logger: g.cfg.Logger,
	}
	if err := json.Unmarshal(capabilities.text(), opts.Capabilities); err != nil {
		g.cfg.Logger.Warn("the upstreams' capabilities cannot be read: some may be missing", "error", err)
	}
	s := mcp.NewServer(impl, opts)
	s.AddReceivingMiddleware(g.receiving)
	s.AddSendingMiddleware(sending)
	return s
}

// merged gives the capability that has what either has.
func merged(a, b json.RawMessage) json.RawMessage {
	if a == nil {
		return b
	}
	x, err := objectOf(a)
	y, err2 := objectOf(b)
	if err != nil || err2 != nil {
		return a
	}
	for name, value := range y {
		if old, ok := x[name]; !ok || string(old) == "false" {
			x[name] = value
		} else {
			x[name] = merged(old, value)
		}
	}
	return x.text()
}

// ownMeta is the `_meta` of requests that the gateway makes for itself.
func (g *Gateway) ownMeta(version string) json.RawMessage {
	return object{metaVersion: quote(version), metaClientInfo: g.clientInfo, metaCapabilities: json.RawMessage("{}")}.text()
}
