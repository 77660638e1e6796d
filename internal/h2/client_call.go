// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
)

// maxInformed is how many answers may come before the answer.
const maxInformed = 5

// A call is a stream that a request is made on.
type call struct {
	stream

	client   *clientConn
	req      *http.Request
	host     string
	size     int   // of the header, as RFC 9113 §6.5.2 counts
	length   int64 // of the body, -1 if it is not known
	ready    chan struct{}
	told     bool // ready is
	res      *http.Response
	trailer  http.Header
	informed int
	unwatch  func() bool // ends what watches the context
	small    *[]byte     // all of a body that is small, of bodies
	sending  bool        // somebody reads the body
	closing  bool        // somebody closes the body, or has
	closed   bool        // the body is closed
	early    bool        // it began before the server had said how many may
}

func newCall(req *http.Request) (*call, error) {
	x := &call{req: req, host: req.Host, ready: make(chan struct{}, 1)}
	if x.host == "" {
		x.host = req.URL.Host
	}
	host, err := httpguts.PunycodeHostPort(x.host)
	if err != nil {
		return nil, err
	}
	if !httpguts.ValidHostHeader(host) {
		return nil, errors.New("http2: invalid Host header")
	}
	x.host = host
	x.size = x.headerSize()
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		x.closing, x.closed = true, true
		return x, nil
	case req.ContentLength > 0:
		x.length = req.ContentLength
	default:
		x.length = -1
	}
	if req.GetBody != nil && x.length > 0 && x.length <= smallBody && len(req.Trailer) == 0 {
		return x, x.readSmall()
	}
	return x, nil
}

// headerSize is about how large the header is: the fields that are left out, or added, make no
// difference.
func (x *call) headerSize() int {
	const perField = 32
	n := 4*perField + len(x.host) + len(x.req.URL.Path) + len(x.req.URL.RawQuery)
	for name, values := range x.req.Header {
		for _, v := range values {
			n += perField + len(name) + len(v)
		}
	}
	return n
}

// begin sends the headers, and the body if that can be done at once; or has a goroutine do it. Its
// caller has mu.
func (x *call) begin() {
	c := x.c
	method := x.req.Method
	if method == "" {
		method = http.MethodGet
	}
	c.encode(":authority", x.host)
	c.encode(":method", method)
	if method != http.MethodConnect {
		c.encode(":path", x.req.URL.RequestURI())
		c.encode(":scheme", x.req.URL.Scheme)
	}
	x.encodeHeader()
	if x.length > 0 || x.length == 0 && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch) {
		c.encode("content-length", strconv.FormatInt(x.length, 10))
	}
	c.appendHeaders(x.id, x.length == 0)
	if ctx := x.req.Context(); ctx.Done() != nil {
		x.unwatch = context.AfterFunc(ctx, func() { x.giveUp(ctx.Err()) })
	}
	switch {
	case x.length == 0:
		x.localDone = true
	case x.small != nil && x.length <= min(x.sendWindow, c.sendWindow):
		_ = x.send((*x.small)[:x.length], nil, true) // what it fails with has ended the stream
		x.localDone = true
		x.free()
	default:
		x.sending = true
		x.client.pool.workers.Go(x.sendBody)
	}
}

func (x *call) encodeHeader() {
	agent := true
	for name, values := range x.req.Header {
		name = lower(name)
		switch name {
		case "host", "content-length", "connection", "proxy-connection", "transfer-encoding", "upgrade", "keep-alive":
			continue
		case "user-agent": // one at most
			agent = false
			if values = values[:min(len(values), 1)]; len(values) > 0 && values[0] == "" {
				continue
			}
		case "cookie":
			for _, v := range values {
				for part := range strings.SplitSeq(v, "; ") { // compresses better (RFC 9113 §8.2.3)
					x.c.encode("cookie", part)
				}
			}
			continue
		}
		for _, v := range values {
			x.c.encode(name, v)
		}
	}
	if agent {
		x.c.encode("user-agent", "Go-http-client/2.0")
	}
	if len(x.req.Trailer) > 0 {
		names := make([]string, 0, len(x.req.Trailer))
		for name := range x.req.Trailer {
			names = append(names, name)
		}
		x.c.encode("trailer", strings.Join(names, ","))
	}
}

// cut ends the stream, and tells the server. Its caller has mu.
func (x *call) cut(err error) {
	if x.c.streams[x.id] != &x.stream {
		return
	}
	x.c.appendReset(x.id, http2.ErrCodeCancel)
	x.fail(err)
}

// giveUp ends a call whose context has ended.
func (x *call) giveUp(err error) {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if x.c.streams[x.id] != &x.stream {
		return // all has come
	}
	x.readErr = err // nothing that has come counts any more
	x.discard()
	x.cut(err)
	x.c.flush()
}

// wait waits for the response. Who gets an error may use the body again.
func (x *call) wait() (*http.Response, error) {
	<-x.ready
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if x.res != nil {
		return x.res, nil
	}
	for !x.closed {
		x.arrived.Wait()
	}
	again := x.err == errNoRoom || isRefusal(x.err) //nolint:errorlint // our own
	if again && x.sending {
		x.awaitSender()
	}
	if again && x.sending {
		return nil, x.req.Context().Err()
	}
	return nil, x.err
}

// tell ends wait. Its caller has mu.
func (x *call) tell() {
	if !x.told {
		x.told = true
		x.ready <- struct{}{} // has room
	}
}

// takeTrailers takes the response, what informs before it, and what comes after it.
func (x *call) takeTrailers(f *http2.MetaHeadersFrame) error {
	malformed := http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
	if x.remoteDone {
		return nil // it was on its way when the stream was cut off
	}
	if f.Truncated {
		x.fail(errors.New("http2: the header of the response is too large"))
		x.c.appendReset(x.id, http2.ErrCodeCancel)
		return x.c.answered()
	}
	header, ok := headerOf(f.RegularFields())
	if !ok {
		return malformed
	}
	if x.res != nil {
		if !f.StreamEnded() || len(f.PseudoFields()) > 0 {
			return malformed
		}
		x.trailer = header
		return x.ended()
	}
	status, err := strconv.Atoi(f.PseudoValue("status"))
	if err != nil || status < 100 || status > 999 || len(f.PseudoFields()) != 1 {
		return malformed
	}
	if status < 200 {
		if x.informed++; f.StreamEnded() || x.informed > maxInformed {
			return malformed
		}
		return x.inform(status, header)
	}
	return x.answer(f, status, header)
}

// inform tells who has asked for it. Its caller has mu, which is released meanwhile: the hooks are
// somebody else's.
func (x *call) inform(status int, header http.Header) error {
	trace := httptrace.ContextClientTrace(x.req.Context())
	if trace == nil {
		return nil
	}
	x.c.mu.Unlock()
	defer x.c.mu.Lock()
	if status == http.StatusContinue && trace.Got100Continue != nil {
		trace.Got100Continue()
	}
	if trace.Got1xxResponse != nil {
		if err := trace.Got1xxResponse(status, textproto.MIMEHeader(header)); err != nil {
			return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeCancel, Cause: err}
		}
	}
	return nil
}

func (x *call) answer(f *http2.MetaHeadersFrame, status int, header http.Header) error {
	length, ok := contentLength(header["Content-Length"])
	if !ok {
		length = -1 // as net/http has it
	}
	res := &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: header, Request: x.req, TLS: x.c.tls,
		ContentLength: length, Trailer: declaredTrailers(header), Body: http.NoBody,
	}
	switch {
	case x.req.Method == http.MethodHead:
	case !f.StreamEnded():
		x.declared = length
		res.Body = &responseBody{x}
	case length < 0:
		res.ContentLength = 0
	case length > 0 && bodyAllowed(status):
		res.Body = missingBody{}
	}
	x.res = res
	x.tell()
	if f.StreamEnded() {
		return x.ended()
	}
	return nil
}

// ended notes the end of the response.
func (x *call) ended() error {
	if x.res == nil {
		return http2.StreamError{StreamID: x.id, Code: http2.ErrCodeProtocol}
	}
	if x.declared >= 0 && x.received != x.declared && x.readErr == nil {
		x.readErr = io.ErrUnexpectedEOF
	}
	x.sentAll()
	if !x.localDone {
		// The server needs no more of the body, and so nobody does (RFC 9113 §8.1).
		x.c.appendReset(x.id, http2.ErrCodeNo)
		x.localDone = true
		x.forget()
	}
	return nil
}

// complete gives the trailers to who reads to the end.
func (x *call) complete() {
	if x.res == nil || x.trailer == nil {
		return
	}
	if x.res.Trailer == nil {
		x.res.Trailer = http.Header{}
	}
	maps.Copy(x.res.Trailer, x.trailer)
	x.trailer = nil
}

// refused makes a call again that came before its client knew better.
func (x *call) refused(e http2.StreamError) error {
	if x.early && e.Code == http2.ErrCodeRefusedStream {
		return errNoRoom
	}
	return e
}

// over wakes who waits.
func (x *call) over() {
	if x.unwatch != nil {
		x.unwatch()
	}
	x.tell()
	if x.sending && !x.closing {
		x.closing = true
		go x.closeBody() // ends a read that blocks; a Close may block, too
	}
}
