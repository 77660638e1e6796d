// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/internal/coalesce"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A link is the way to one server.
type link struct {
	rpc    mcpv1connect.MCPClient
	stream mcpv1connect.MCPClient // for Connect alone, with envelopes as wire.Codec leaves them
	duplex bool                   // Connect streams work: HTTP/2, and a protocol that has them
	close  func()
}

// dial gives the link to the server at rawURL. It opens no connection yet.
func (c *clientConfig) dial(rawURL string) (*link, error) {
	base, err := c.check(rawURL)
	if err != nil {
		return nil, err
	}
	l := &link{duplex: !c.http1 && c.protocol != ProtocolGRPCWeb, close: func() {}}
	client := c.httpClient
	if client == nil {
		client, l.close = c.newHTTPClient(base.Scheme == "https")
	}
	l.rpc = mcpv1connect.NewMCPClient(promptly{client}, base.String(), c.connectOptions()...)
	l.stream = mcpv1connect.NewMCPClient(promptly{client}, base.String(), c.connectOptions(connect.WithCodec(wire.Codec{}))...)
	return l, nil
}

// promptly ends Connect streams with their context. While a request waits for a server
// that reads no more, net/http does not look at the context: closing the response is what
// ends both.
type promptly struct{ client *http.Client }

var _ connect.HTTPClient = promptly{}

// Do implements [connect.HTTPClient].
func (p promptly) Do(r *http.Request) (*http.Response, error) {
	res, err := p.client.Do(r) //nolint:gosec // the URL is the one that the program gives
	if err == nil && strings.HasSuffix(r.URL.Path, mcpv1connect.MCPConnectProcedure) {
		context.AfterFunc(r.Context(), func() { _ = res.Body.Close() }) // the stream's error says more
	}
	return res, err
}

// check finds mistakes in the URL and in options that do not go together.
func (c *clientConfig) check(rawURL string) (*url.URL, error) {
	if !strings.Contains(rawURL, "://") {
		return nil, fmt.Errorf("mcpconnect: URL %q has no scheme: write %q, or %q for TLS", rawURL, "http://"+rawURL, "https://"+rawURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("mcpconnect: URL %q: %w", rawURL, err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("mcpconnect: URL %q has the scheme %q: write http://, or https:// for TLS", rawURL, u.Scheme)
	case u.Host == "":
		return nil, fmt.Errorf("mcpconnect: URL %q has no host: write one, as in %q", rawURL, u.Scheme+"://127.0.0.1:8080")
	case u.User != nil:
		return nil, fmt.Errorf("mcpconnect: URL %q holds credentials: remove them, and write WithHeader(\"authorization\", …)", u.Redacted())
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("mcpconnect: URL %q has a query or a fragment: write scheme, host and the handler's path alone", rawURL)
	case c.protocol < ProtocolGRPC || c.protocol > ProtocolConnect:
		return nil, fmt.Errorf("mcpconnect: WithProtocol(%d): write ProtocolGRPC, ProtocolGRPCWeb or ProtocolConnect", c.protocol)
	case c.http1 && c.protocol == ProtocolGRPC:
		return nil, fmt.Errorf("mcpconnect: gRPC needs HTTP/2: remove WithHTTP1, or write WithProtocol(ProtocolGRPCWeb) or WithProtocol(ProtocolConnect) with it")
	case c.tls != nil && u.Scheme == "http":
		return nil, fmt.Errorf("mcpconnect: WithTLSClientConfig needs TLS: write %q, or remove it", "https"+strings.TrimPrefix(rawURL, "http"))
	case c.tls != nil && c.httpClient != nil:
		return nil, fmt.Errorf("mcpconnect: WithTLSClientConfig has no effect on the client of WithHTTPClient: configure TLS there")
	}
	return u, nil
}

// connectOptions are the options of the service's client. Messages travel as they are,
// both ways: a gzip writer costs more than all the rest of a call. Users may ask for
// compressed answers.
func (c *clientConfig) connectOptions(more ...connect.ClientOption) []connect.ClientOption {
	opts := []connect.ClientOption{
		connect.WithReadMaxBytes(c.messageBytes),
		connect.WithCompressMinBytes(compressMinBytes), // for users who ask for compression
		c.acceptGzip(),
		connect.WithInterceptors(metadataInterceptor{fixed: c.header}),
	}
	opts = append(opts, more...)
	opts = append(opts, c.connect...)
	switch c.protocol {
	case ProtocolGRPC:
		opts = append(opts, connect.WithGRPC())
	case ProtocolGRPCWeb:
		opts = append(opts, connect.WithGRPCWeb())
	case ProtocolConnect: // connect's default
	}
	return opts
}

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

// newHTTPClient gives a client of its own, and what closes all its connections.
func (c *clientConfig) newHTTPClient(secure bool) (*http.Client, func()) {
	pool := &connections{coalesce: !c.http1}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.http1 || (secure && c.protocol != ProtocolGRPC))
	protocols.SetHTTP2(!c.http1 && secure)
	protocols.SetUnencryptedHTTP2(!c.http1 && !secure)
	transport := &http.Transport{
		DialContext:         pool.dial,
		TLSClientConfig:     c.tls,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second, // less than the 120 s of a [Serve]
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
	if secure || c.http1 {
		transport.Proxy = http.ProxyFromEnvironment // proxies know nothing of h2c
	}
	client := &http.Client{
		Transport: transport,
		// The service never redirects, and credentials must not follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client, func() {
		transport.CloseIdleConnections()
		pool.close()
	}
}

// connections are the TCP connections of one HTTP client. net/http can close those that
// are idle only, and a stream that was just cancelled still counts as busy: nothing would
// close its connection for minutes.
type connections struct {
	dialer   net.Dialer
	coalesce bool // they speak HTTP/2

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
	if p.coalesce {
		conn = coalesce.Client(conn)
	}
	c := &connection{conn, p}
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
