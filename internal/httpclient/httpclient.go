// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package httpclient makes the HTTP clients of RPCs.
package httpclient

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/busypoll"
	"github.com/mcpconnect/mcpconnect/internal/h2"
)

const (
	// peerPingAfter is how long an HTTP/2 server may be silent before it is pinged, and
	// peerPingTimeout how long it has to answer: SPEC.md §12 has the same for servers.
	peerPingAfter   = 15 * time.Second
	peerPingTimeout = 5 * time.Second

	// frameBytes holds most messages in one HTTP/2 frame.
	frameBytes = 64 << 10

	// idlePerHost keeps HTTP/1.1 connections for as many calls at a time; with the two
	// of net/http, calls would dial again and again.
	idlePerHost = 256
)

// A Config says how the connections are.
type Config struct {
	// Secure connections have TLS.
	Secure bool
	// TLS configures them. If nil, net/http's defaults.
	TLS *tls.Config
	// HTTP1 connections speak HTTP/1.1, where HTTP/2 is the rule: with TLS by ALPN, in clear by
	// prior knowledge.
	HTTP1 bool
	// HTTP2Only connections do not fall back to HTTP/1.1 when TLS negotiates it: gRPC has no use
	// for it.
	HTTP2Only bool
}

// New gives a client that has connections of its own, and what closes all of them.
func New(c Config) (*http.Client, func()) {
	pool := &connections{}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.HTTP1 || (c.Secure && !c.HTTP2Only))
	protocols.SetHTTP2(!c.HTTP1 && c.Secure)
	protocols.SetUnencryptedHTTP2(!c.HTTP1 && !c.Secure)
	transport := &http.Transport{
		DialContext:         pool.dial,
		TLSClientConfig:     c.TLS,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second, // less than the 120 s of a mcpconnect.Serve
		MaxIdleConnsPerHost: idlePerHost,
		DisableCompression:  true, // connect compresses message by message
		Protocols:           protocols,
		HTTP2: &http.HTTP2Config{
			MaxReadFrameSize: frameBytes,
			SendPingTimeout:  peerPingAfter,
			PingTimeout:      peerPingTimeout,
			WriteByteTimeout: peerPingAfter,
		},
	}
	if c.Secure || c.HTTP1 {
		transport.Proxy = http.ProxyFromEnvironment // proxies know nothing of h2c
	}
	closeIdle := transport.CloseIdleConnections
	if !c.HTTP1 {
		closeHTTP2 := h2.ConfigureTransport(transport)
		closeIdle = func() {
			transport.CloseIdleConnections()
			closeHTTP2()
		}
	}
	client := &http.Client{
		Transport: transport,
		// The service never redirects, and credentials must not follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client, func() {
		closeIdle()
		pool.close()
	}
}

// connections are the TCP connections of one HTTP client. net/http can close those that
// are idle only, and a stream that was just cancelled still counts as busy: nothing would
// close its connection for minutes.
type connections struct {
	dialer net.Dialer

	mu     sync.Mutex
	open   map[*connection]bool
	closed bool
}

type connection struct {
	net.Conn
	pool *connections
}

func (p *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &connection{busypoll.Conn(conn), p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close() // nobody used it
		return nil, net.ErrClosed
	}
	if p.open == nil {
		p.open = map[*connection]bool{}
	}
	p.open[c] = true
	return c, nil
}

// Close closes one connection.
func (c *connection) Close() error {
	c.pool.mu.Lock()
	delete(c.pool.open, c)
	c.pool.mu.Unlock()
	return c.Conn.Close()
}

func (p *connections) close() {
	p.mu.Lock()
	p.closed = true
	open := slices.Collect(maps.Keys(p.open))
	p.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // it carries nothing any more
	}
}
