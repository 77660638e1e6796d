// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/mcpconnect/mcpconnect/internal/worker"
)

// ConfigureTransport makes t speak HTTP/2 by this package, over TLS and in clear, as far as
// t.Protocols allows that. It must be called before t is used, and t.TLSClientConfig is changed. Of
// t count IdleConnTimeout, MaxResponseHeaderBytes, and of HTTP2 MaxReadFrameSize, SendPingTimeout,
// PingTimeout and WriteByteTimeout; DisableCompression should be set, since nothing is compressed or
// decompressed. t dials, negotiates TLS and speaks HTTP/1.1 as always. closeIdle is for when t is of
// no more use: t.CloseIdleConnections does not know of these connections. Calls in flight go on, and
// what would need another connection fails.
func ConfigureTransport(t *http.Transport) (closeIdle func()) {
	p := &pool{limits: limits{recvConn: clientRecvConn, recvStream: clientRecvStream, idleTimeout: t.IdleConnTimeout}, conns: map[string][]*clientConn{}}
	p.of(t.HTTP2)
	most := t.MaxResponseHeaderBytes
	if most <= 0 {
		most = 10 << 20 // as net/http has it
	}
	p.maxHeaders = headerListSize(int(min(most, 1<<30)))
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	} else {
		t.TLSClientConfig = t.TLSClientConfig.Clone()
	}
	t.TLSClientConfig.NextProtos = nil
	if t.Protocols.HTTP2() {
		t.TLSClientConfig.NextProtos = append(t.TLSClientConfig.NextProtos, protoTLS)
	}
	if t.Protocols.HTTP1() {
		t.TLSClientConfig.NextProtos = append(t.TLSClientConfig.NextProtos, "http/1.1")
	}
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{
		protoTLS: func(authority string, c *tls.Conn) http.RoundTripper { return p.add("https://"+authority, c) },
		protoClear: func(authority string, c *tls.Conn) http.RoundTripper {
			if below, ok := c.NetConn().(interface{ UnencryptedNetConn() net.Conn }); ok {
				return p.add("http://"+authority, below.UnencryptedNetConn())
			}
			return noConn{}
		},
	}
	return p.closeIdle
}

// What a server may send before it is read, of all streams and of each: as net/http has it.
const (
	clientRecvConn   = 1 << 30
	clientRecvStream = 4 << 20
)

// A pool has the client's ends of connections, by where they go: scheme and authority, for what is
// meant for TLS must not go in clear.
type pool struct {
	limits

	workers worker.Pool // send bodies

	mu     sync.Mutex
	conns  map[string][]*clientConn
	closed bool // by closeIdle
}

// add takes a connection that was dialed. Somebody else may have dialed one meanwhile that does.
func (p *pool) add(target string, nc net.Conn) http.RoundTripper {
	way := route{p, target}
	if c := p.addIfNeeded(target, nc); c != nil {
		go c.serve() // until the connection ends
	} else {
		_ = nc.Close() // nobody used it
	}
	return way
}

func (p *pool) addIfNeeded(target string, nc net.Conn) *clientConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || slices.ContainsFunc(p.conns[target], (*clientConn).hasRoom) {
		return nil
	}
	c := newClientConn(p, target, nc)
	p.conns[target] = append(p.conns[target], c)
	return c
}

// drop forgets a connection on which nothing more can begin.
func (p *pool) drop(c *clientConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(p.conns[c.target]), func(other *clientConn) bool { return other == c })
	if len(rest) == 0 {
		delete(p.conns, c.target)
		return
	}
	p.conns[c.target] = rest
}

// closeIdle ends the connections as soon as nothing is left on them, and the goroutines that wait
// for more to send.
func (p *pool) closeIdle() {
	p.mu.Lock()
	p.closed = true // a dial may still be on its way
	all := slices.Concat(slices.Collect(maps.Values(p.conns))...)
	p.mu.Unlock()
	for _, c := range all {
		c.mu.Lock()
		c.leave()
		c.mu.Unlock()
	}
	p.workers.Close()
}

// A route is the connections to one target.
type route struct {
	pool   *pool
	target string
}

// maxRefusals is how often a request is made again that the server refuses: as net/http does.
const maxRefusals = 7

// RoundTrip makes the request on the first connection that has room for it. If none has, its error
// makes net/http dial another one. What the server refuses without a look at it is made again.
func (r route) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.try(req)
	for refusals := 0; refusals < maxRefusals && isRefusal(err); refusals++ {
		if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
			return nil, err
		}
		if err := backOff(req.Context(), refusals); err != nil {
			return nil, err
		}
		again := *req
		if req.GetBody != nil {
			body, bodyErr := req.GetBody()
			if bodyErr != nil {
				return nil, err
			}
			again.Body = &onceClosed{ReadCloser: body}
		}
		if res, err = r.try(&again); err != nil {
			closeBody(&again) // net/http does not know of it
		}
	}
	return res, err
}

// An onceClosed is a body that is closed once at most.
type onceClosed struct {
	io.ReadCloser

	once sync.Once
}

// Close closes the body the first time.
func (b *onceClosed) Close() (err error) {
	b.once.Do(func() { err = b.ReadCloser.Close() })
	return err
}

// isRefusal tells whether a server has refused a request without a look at it (RFC 9113 §8.7).
func isRefusal(err error) bool {
	refused, ok := err.(http2.StreamError) //nolint:errorlint // our own
	return ok && refused.Code == http2.ErrCodeRefusedStream
}

// backOff waits longer and longer, but not the first time.
func backOff(ctx context.Context, refusals int) error {
	if refusals == 0 {
		return ctx.Err()
	}
	wait := time.Second << (refusals - 1)
	timer := time.NewTimer(wait + rand.N(wait/10)) //nolint:gosec // nobody gains by guessing it
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r route) try(req *http.Request) (*http.Response, error) {
	r.pool.mu.Lock()
	conns, closed := r.pool.conns[r.target], r.pool.closed
	r.pool.mu.Unlock()
	switch {
	case closed:
		closeBody(req)
		return nil, errPoolClosed
	case len(conns) == 0:
		return nil, errNoRoom
	}
	x, err := newCall(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	for _, c := range conns { // a change makes another slice
		if err = c.open(x); err == nil {
			return x.wait()
		}
		if err != errNoRoom { //nolint:errorlint // our own
			closeBody(req)
			break
		}
	}
	x.free()
	return nil, err
}

// noRoomError is the error that net/http takes for: this connection is of no use, take another.
type noRoomError struct{}

func (noRoomError) Error() string             { return "http2: no connection has room for the request" }
func (noRoomError) IsHTTP2NoCachedConnError() {}

var errNoRoom error = noRoomError{}

// errPoolClosed is for what errNoRoom would have dialed again and again.
var errPoolClosed = errors.New("http2: the connections of the client are closed")

type noConn struct{}

func (noConn) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoRoom }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nobody reads it
	}
}
