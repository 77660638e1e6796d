// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"golang.org/x/net/http2"
)

// An exchange is a stream that a handler serves.
type exchange struct {
	stream

	server  *serverConn
	ctx     context.Context
	cancel  context.CancelFunc
	w       *response
	r       *http.Request
	trailer http.Header
	expects bool // the client waits for 100 Continue
}

// newExchange makes the stream of a request. Its caller has mu.
func (c *serverConn) newExchange(f *http2.MetaHeadersFrame) (*exchange, error) {
	x := &exchange{server: c}
	x.init(c.conn, f.StreamID, x)
	malformed := http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
	if f.Truncated { // larger than we have said that it may be
		return nil, http2.StreamError{StreamID: x.id, Code: http2.ErrCodeEnhanceYourCalm}
	}
	head, ok := headOf(f)
	if !ok {
		return nil, malformed
	}
	header, ok := headerOf(f.RegularFields())
	if !ok {
		return nil, malformed
	}
	if host := header["Host"]; host != nil {
		if len(host) > 1 || head.authority != "" && !strings.EqualFold(host[0], head.authority) {
			return nil, malformed
		}
		if head.authority == "" {
			head.authority = host[0]
		}
		delete(header, "Host")
	}
	if strings.Contains(head.authority, "@") { // whoever is told so is told by a field (RFC 9113 §8.3.1)
		return nil, malformed
	}
	r := http.Request{
		Method: head.method, RequestURI: head.path, Host: head.authority, Header: header,
		Proto: "HTTP/2.0", ProtoMajor: 2, RemoteAddr: c.remote, TLS: c.tls, Body: http.NoBody,
	}
	if head.method == http.MethodConnect {
		r.URL, r.RequestURI = &url.URL{Host: head.authority}, head.authority
	} else {
		u, err := url.ParseRequestURI(head.path)
		if err != nil {
			return nil, malformed
		}
		r.URL = u
	}
	if x.declared, ok = contentLength(header["Content-Length"]); !ok {
		return nil, malformed
	}
	if f.StreamEnded() {
		if x.declared > 0 {
			return nil, malformed
		}
	} else {
		r.Body, r.ContentLength = requestBody{x}, x.declared
		r.Trailer = declaredTrailers(header)
		if strings.EqualFold(header.Get("Expect"), "100-continue") {
			delete(header, "Expect")
			x.expects = true
		}
	}
	x.ctx, x.cancel = context.WithCancel(c.base)
	x.r = r.WithContext(x.ctx)
	x.w = &response{x: x, header: http.Header{}, declared: -1, head: head.method == http.MethodHead}
	return x, nil
}

// takeTrailers ends the body of the request.
func (x *exchange) takeTrailers(f *http2.MetaHeadersFrame) error {
	switch {
	case x.remoteDone:
		return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeStreamClosed}
	case !f.StreamEnded(), len(f.PseudoFields()) > 0, f.Truncated:
		return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
	}
	if len(x.r.Trailer) > 0 {
		trailer, ok := headerOf(f.RegularFields())
		if !ok {
			return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
		}
		x.trailer = trailer
	}
	return x.ended()
}

func (x *exchange) ended() error {
	if x.declared >= 0 && x.received != x.declared {
		return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
	}
	x.sentAll()
	return nil
}

func (x *exchange) refused(e http2.StreamError) error { return e }

// complete gives the handler the trailers that were announced.
func (x *exchange) complete() {
	for name := range x.r.Trailer {
		if values, ok := x.trailer[name]; ok {
			x.r.Trailer[name] = values
		}
	}
	x.trailer = nil
}

func (x *exchange) over() {
	if x.err != nil {
		x.cancel()
	}
}

// serve runs the handler.
func (x *exchange) serve() {
	returned := false
	defer func() {
		if !returned {
			x.panicked(recover())
		}
		x.finished()
	}()
	x.server.handler.ServeHTTP(x.w, x.r)
	returned = true
}

// panicked cuts off the stream of a handler that has not returned.
func (x *exchange) panicked(cause any) {
	if cause != nil && cause != http.ErrAbortHandler { //nolint:errorlint // as net/http compares
		x.server.logf("http2: panic serving %v: %v\n%s", x.c.remote, cause, debug.Stack())
	}
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if !x.localDone {
		_ = x.awaitBuffer() // what it fails with has ended the stream, or has it reset below
	}
	if !x.localDone {
		x.c.reset(x.id, http2.ErrCodeInternal)
	}
}

// finished ends the answer of a handler that has returned.
func (x *exchange) finished() {
	c := x.server
	c.mu.Lock()
	defer c.mu.Unlock()
	x.w.finish()
	x.readEnd.stop()
	x.writeEnd.stop()
	if x.err == nil && !x.remoteDone {
		// The client need not send the rest (RFC 9113 §8.1).
		c.reset(x.id, http2.ErrCodeNo)
	}
	x.discard()
	x.cancel()
	c.running--
	for len(c.queue) > 0 && c.running < c.maxStreams {
		next := c.queue[0]
		c.queue[0] = nil
		if c.queue = c.queue[1:]; next.err == nil {
			c.run(next)
		} else {
			next.discard() // the client has given it up, and may use its window for others
		}
	}
	c.flush()
	c.idle()
}
