// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package handlers implements the RPC services of mcpconnect, mcp.v1.MCP and
// mcp.v1.AuthDiscovery, in front of any [mcp.Server] of the Go SDK.
//
// Most programs use package mcpconnect, which puts a [Server] behind HTTP with sound
// limits. This package is for those who build their own chain around the services.
//
// # How a request travels
//
// Both forms of a request, a typed RPC and a JSON-RPC envelope, meet in one
// dispatcher. It decides the era of the request, checks its metadata, and runs the
// server's own handler chain with SDK types:
//
//	typed RPC ── proto → SDK params ─┐                    ┌─ SDK result → proto
//	                                 ├─ era ─ dispatch ───┤
//	envelope ─── JSON  → SDK params ─┘                    └─ SDK result → JSON
//
// The server's middleware runs for both. What the SDK does in its own JSON-RPC layer
// (versions, `_meta` checks, resultType, panics) is done here.
package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/worker"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// Config sets the limits of a [Server]. The zero value has the defaults that each field
// names (SPEC.md §12).
type Config struct {
	// Logger gets what callers must not see: panics, and errors of handlers that carry
	// no JSON-RPC error. If nil, [slog.Default] is used.
	Logger *slog.Logger
	// MaxJSONDepth is how deep arrays and objects may nest in the free-form JSON of a
	// request. If zero, 32. Negative means no limit.
	MaxJSONDepth int
	// MaxJSONNodes is how many arrays and objects the free-form JSON of a request may
	// hold. If zero, 10,000. Negative means no limit.
	MaxJSONNodes int
	// MaxMessageBytes is the size of a message to a client: a larger answer becomes an error. If
	// zero, 4 MiB. Negative means no limit.
	MaxMessageBytes int
	// MaxCalls is how many calls a Connect stream may have in flight; more are refused.
	// If zero, 1024.
	MaxCalls int
	// MaxSessions is how many legacy sessions there may be. If zero, 10,000.
	MaxSessions int
	// SessionIdle is how long a legacy session lives without a call or a stream. If
	// zero, 30 minutes.
	SessionIdle time.Duration
	// MaxUnaryTime bounds the deadline of unary RPCs, and is the deadline of those that
	// bring none. If zero, 10 minutes.
	MaxUnaryTime time.Duration
	// Tracer makes a span of every MCP request. If nil, none is made.
	Tracer trace.Tracer
	// ResourceMetadata is the document of AuthDiscovery. If nil, GetMetadata answers
	// not_found.
	ResourceMetadata *mcpv1.ProtectedResourceMetadata
	// Metadata is the same document, for challenges to point to. If nil they do not say
	// where tokens are to be had.
	Metadata *authn.Metadata
	// UnknownMethods passes requests of methods that the server does not know to its
	// middleware all the same, with [raw.UnknownParams]: it is for gateways, whose middleware
	// serves them.
	UnknownMethods bool
	// Policy decides what callers may do. If nil, they may do everything.
	Policy *authn.Policy
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	orDefault(&c.MaxJSONDepth, 32)
	orDefault(&c.MaxJSONNodes, 10_000)
	orDefault(&c.MaxMessageBytes, 4<<20)
	orDefault(&c.MaxCalls, 1024)
	orDefault(&c.MaxSessions, 10_000)
	orDefault(&c.SessionIdle, 30*time.Minute)
	orDefault(&c.MaxUnaryTime, 10*time.Minute)
	return c
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// A Server serves one [mcp.Server] over the RPCs of mcp.v1. It is safe for concurrent
// use.
type Server struct {
	server   *mcp.Server
	cfg      Config
	log      *slog.Logger
	limits   mapping.Limits
	versions []string // that the server speaks, newest first
	name     *mapping.ServerMeta
	modern   modernPeers
	sessions sessions
	pages    pages // as messages
	texts    pages // as JSON
	bound    boundCache
	// streamable serves Streamable HTTP; nil for none.
	streamable *streamable
	workers    worker.Pool
	// outermost is our receiving middleware with all that it was put around last.
	outermost mcp.MethodHandler
	layers    int      // that were put around the server
	injected  sync.Map // *mcp.RequestExtra -> *call, of requests on their way through a Connection

	drain    context.Context // ends when streams must end
	endDrain context.CancelFunc
}

var (
	_ mcpv1connect.MCPHandler           = (*Server)(nil)
	_ mcpv1connect.AuthDiscoveryHandler = (*Server)(nil)
)

// New makes a Server for server, and adds a receiving and a sending middleware to it,
// by which the answers of handlers find their way. It asks the server once who it is,
// by server/discover through its middleware. New panics if server is nil.
func New(server *mcp.Server, cfg Config) *Server {
	if server == nil {
		panic("handlers: nil mcp.Server") //nolint:forbidigo // set-up misuse, documented
	}
	cfg = cfg.withDefaults()
	s := &Server{
		server:   server,
		cfg:      cfg,
		log:      cfg.Logger,
		limits:   mapping.Limits{MaxDepth: max(cfg.MaxJSONDepth, 0), MaxNodes: max(cfg.MaxJSONNodes, 0)},
		modern:   modernPeers{server: server, peers: map[string]*modernPeer{}},
		sessions: sessions{byID: map[string]*session{}, http: map[string]*httpSession{}},
	}
	s.drain, s.endDrain = context.WithCancel(context.Background())
	s.beOutermost()
	server.AddSendingMiddleware(s.sending)
	s.introduce()
	return s
}

// introduce learns which versions the server speaks and what it calls itself. The SDK
// keeps both to itself, but says them to any client.
func (s *Server) introduce() {
	s.versions = mcp.SupportedProtocolVersions()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	res, err := s.throughConnection(ctx, &call{method: methodDiscover}, nil, discoverParams)
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok && wire.Code == mcp.CodeUnsupportedProtocolVersion {
		var data mcp.UnsupportedProtocolVersionData
		if json.Unmarshal(wire.Data, &data) == nil && len(data.Supported) > 0 {
			s.versions = data.Supported // a server for legacy versions only
		}
		return
	}
	var discovered mcp.DiscoverResult
	if err == nil {
		err = json.Unmarshal(res, &discovered)
	}
	if err != nil {
		s.log.Warn("the server does not tell who it is: results will not name it", "error", err)
		return
	}
	s.versions = discovered.SupportedVersions
	var impl mcp.Implementation
	info, err := json.Marshal(discovered.Meta[mcp.MetaKeyServerInfo])
	if err == nil {
		err = json.Unmarshal(info, &impl)
	}
	if err == nil {
		s.name, err = mapping.NewServerMeta(&impl)
	}
	if err != nil {
		s.log.Warn("the server's name cannot be used", "error", err)
	}
}

var discoverParams = json.RawMessage(`{"_meta":{` +
	`"io.modelcontextprotocol/protocolVersion":"` + firstModern + `",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"mcpconnect","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{}}}`)

// Drain tells all streams to end: listens with their last message, Connect streams once
// what is in flight is answered. New calls are still served. It does not wait.
func (s *Server) Drain() { s.endDrain() }

// Close ends all sessions and what is in flight in them, and waits for that. RPCs that
// come later fail. It always returns nil.
func (s *Server) Close() error {
	s.Drain()
	s.sessions.mu.Lock()
	s.sessions.closed = true
	all := make([]*session, 0, len(s.sessions.byID))
	for _, n := range s.sessions.byID {
		all = append(all, n)
	}
	s.sessions.ending.Add(len(all)) // for another Close
	overHTTP := slices.Collect(maps.Values(s.sessions.http))
	s.sessions.mu.Unlock()
	for _, n := range all {
		s.end(n, errDraining)
		s.sessions.ending.Done()
	}
	for _, n := range overHTTP {
		n.cancel(errDraining)
	}
	for _, n := range overHTTP {
		closeSession(n.ss)
	}
	s.sessions.ending.Wait()
	s.modern.close()
	s.workers.Close()
	return nil
}

func (s *Server) resultOptions(c *scope) mapping.ResultOptions {
	return mapping.ResultOptions{Encoding: c.encoding, Modern: c.modern(), Server: s.name}
}
