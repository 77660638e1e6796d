// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package h2 serves the HTTP/2 connections of an [http.Server].
//
// The server of net/http passes each frame through four goroutines: one reads it, one decides what
// it means, one handles the request, and one writes what comes of it. With many small calls on a
// connection the hand-overs cost more than the calls. Here two are left: a goroutine for each
// connection reads frames and acts on them, and one for each request runs its handler, which writes
// what it has to say, and what others say meanwhile, by itself:
//
//	socket ── reader ── frames ──▶ streams ──▶ handlers ── frames ──▶ buffer ── any of them ──▶ socket
//
// Frames are parsed by golang.org/x/net/http2, headers by its hpack. What stays net/http's are the
// port, TLS, HTTP/1.1, and when to shut down. Handlers see what they see with net/http, except for
// server push and [http.CloseNotifier], which are not there.
//
// The protocol is that of RFC 9113. Priorities are ignored.
package h2

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/mcpconnect/mcpconnect/internal/worker"
)

// Keys of [http.Server.TLSNextProto]. The second is how net/http passes on connections in clear
// whose client has begun with HTTP/2, as golang.org/x/net/http2 knows it.
const (
	protoTLS   = "h2"
	protoClear = "unencrypted_http2"
)

// Configure makes s serve HTTP/2 by this package, over TLS and in clear, as far as s.Protocols
// allows that. It must be called before s serves. Of s count Handler, BaseContext, ConnContext,
// IdleTimeout, MaxHeaderBytes, ErrorLog, and of HTTP2 MaxConcurrentStreams, SendPingTimeout,
// PingTimeout and WriteByteTimeout. Shutdown and Close work as always. When s has ended, wait
// waits until all handlers have returned that wait for more requests, and frees what is left.
func Configure(s *http.Server) (wait func()) {
	srv := &server{hs: s, conns: map[*serverConn]struct{}{}}
	s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		protoTLS: func(_ *http.Server, c *tls.Conn, h http.Handler) { srv.serve(c, h, false) },
		protoClear: func(_ *http.Server, c *tls.Conn, h http.Handler) {
			if below, ok := c.NetConn().(interface{ UnencryptedNetConn() net.Conn }); ok {
				srv.serve(below.UnencryptedNetConn(), h, true)
			}
		},
	}
	s.RegisterOnShutdown(srv.shutdown)
	return srv.workers.Close
}

// Served tells whether ctx is that of a request which this package serves: its handler runs on a
// goroutine that was there before it, with a stack to match.
func Served(ctx context.Context) bool {
	_, ok := ctx.Value(servedKey{}).(bool)
	return ok
}

type servedKey struct{}

type served struct{ context.Context }

func (s served) Value(key any) any {
	if key == (servedKey{}) {
		return true
	}
	return s.Context.Value(key)
}

// A server has the connections of an http.Server.
type server struct {
	hs      *http.Server
	workers worker.Pool // run handlers

	mu       sync.Mutex
	conns    map[*serverConn]struct{}
	stopping bool
}

// serve serves a connection until its end. If it is in clear, its preface has been read.
func (s *server) serve(nc net.Conn, h http.Handler, inClear bool) {
	ctx := context.Background()
	if base, ok := h.(interface{ BaseContext() context.Context }); ok {
		ctx = base.BaseContext()
	}
	c := newServerConn(ctx, s, nc, h, inClear)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	stopping := s.stopping
	s.mu.Unlock()
	if stopping {
		c.shutDown()
	}
	c.serve()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// shutdown tells all clients that there will be no more answers to new requests.
func (s *server) shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.conns {
		c.shutDown()
	}
}
