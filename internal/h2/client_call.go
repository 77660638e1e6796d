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
	"sync"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
)

const (
	// smallBody is how much of a body that is there already goes out with the headers.
	smallBody = 16 << 10
	// maxInformed is how many answers may come before the answer.
	maxInformed = 5
)

// A call is a stream that a request is made on.
type call struct {
	stream

	client   *clientConn
	req      *http.Request
	host     string
	length   int64 // of the body, -1 if it is not known
	ready    chan struct{}
	told     bool // ready is
	res      *http.Response
	trailer  http.Header
	informed int
	unwatch  func() bool // ends what watches the context
	sending  bool        // somebody reads the body
	early    bool        // it began before the server had said how many may
}

func newCall(c *clientConn, req *http.Request) (*call, error) {
	x := &call{client: c, req: req, host: req.Host, ready: make(chan struct{}, 1)}
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
	switch {
	case req.Body == nil || req.Body == http.NoBody:
	case req.ContentLength > 0:
		x.length = req.ContentLength
	default:
		x.length = -1
	}
	return x, nil
}

// begin sends the headers, and the body as far as it is there. Its caller has mu.
func (x *call) begin() error {
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
	if x.length == 0 {
		x.localDone = true
		return nil
	}
	return x.beginBody()
}

func (x *call) encodeHeader() {
	agent := true
	for name, values := range x.req.Header {
		switch name {
		case "Host", "Content-Length", "Connection", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Keep-Alive":
			continue
		case "User-Agent":
			agent = false
			if len(values) > 0 && values[0] == "" {
				continue
			}
		case "Cookie":
			for _, v := range values {
				for part := range strings.SplitSeq(v, "; ") { // compresses better (RFC 9113 §8.2.3)
					x.c.encode("cookie", part)
				}
			}
			continue
		}
		for _, v := range values {
			x.c.encode(lower(name), v)
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

// beginBody sends a body that is small and in memory, and has a goroutine send any other.
func (x *call) beginBody() error {
	if x.req.GetBody != nil && x.length > 0 && x.length <= min(smallBody, x.sendWindow, x.c.sendWindow) && len(x.req.Trailer) == 0 {
		buf := bodies.Get().(*[]byte) //nolint:errcheck // nothing else is there
		defer bodies.Put(buf)
		n, err := io.ReadFull(x.req.Body, (*buf)[:x.length])
		if err != nil {
			return err
		}
		_ = x.req.Body.Close() // all was read
		err = x.send((*buf)[:n], nil, true)
		x.localDone = true
		return err
	}
	x.sending = true
	x.client.pool.workers.Go(x.sendBody)
	return nil
}

var bodies = sync.Pool{New: func() any { b := make([]byte, smallBody); return &b }}

// sendBody sends what the body gives, as it comes.
func (x *call) sendBody() {
	buf := bodies.Get().(*[]byte) //nolint:errcheck // nothing else is there
	defer bodies.Put(buf)
	left := x.length
	for {
		n, err := x.req.Body.Read(*buf)
		if x.length >= 0 {
			if left -= int64(n); left < 0 || err == io.EOF && left > 0 { //nolint:errorlint // as io.Reader says
				err = errors.New("http: the body does not have the length that ContentLength says")
			}
		}
		if !x.sendPart((*buf)[:n], err) {
			break
		}
	}
	_ = x.req.Body.Close() // again, if it was closed to wake us
}

// sendPart sends a part of the body, and tells whether there is more to send.
func (x *call) sendPart(part []byte, readErr error) bool {
	c := x.c
	c.mu.Lock()
	defer c.mu.Unlock()
	end := readErr == io.EOF //nolint:errorlint // as io.Reader says
	switch {
	case x.localDone:
	case readErr != nil && !end:
		x.cut(readErr)
	case end && len(x.req.Trailer) > 0:
		if len(part) > 0 && x.send(part, nil, false) != nil {
			break
		}
		for name, values := range x.req.Trailer {
			for _, v := range values {
				c.encode(lower(name), v)
			}
		}
		c.appendHeaders(x.id, true)
		x.localDone = true
	case len(part) > 0 || end:
		if x.send(part, nil, end) != nil {
			break
		}
		x.localDone = end
	}
	c.flush()
	if x.localDone {
		x.sending = false
		x.forget()
		return false
	}
	return true
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
	x.unread.discard()
	x.cut(err)
	x.c.flush()
}

// wait waits for the response.
func (x *call) wait() (*http.Response, error) {
	<-x.ready
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if x.res == nil {
		err := x.err
		if !x.sending && x.length != 0 && err != errNoRoom { //nolint:errorlint // our own; net/http makes it again, with the same body if that is untouched
			closeBody(x.req)
		}
		return nil, err
	}
	return x.res, nil
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
	if err != nil || status < 100 || len(f.PseudoFields()) != 1 {
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

func (x *call) inform(status int, header http.Header) error {
	trace := httptrace.ContextClientTrace(x.req.Context())
	if trace == nil {
		return nil
	}
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
	if f.StreamEnded() || x.req.Method == http.MethodHead {
		if length < 0 && f.StreamEnded() && x.req.Method != http.MethodHead {
			res.ContentLength = 0
		}
	} else {
		x.declared = length
		res.Body = &responseBody{x}
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
	if x.sending {
		go func() { _ = x.req.Body.Close() }() // ends a read that blocks; a Close may block, too
	}
}

// A responseBody is the body of a response.
type responseBody struct{ x *call }

// Read waits for bytes of the body.
func (b *responseBody) Read(p []byte) (int, error) {
	b.x.c.mu.Lock()
	defer b.x.c.mu.Unlock()
	return b.x.read(p)
}

// Close gives up the rest, and what is still to be sent.
func (b *responseBody) Close() error {
	x := b.x
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if x.readErr != io.EOF || x.unread.n > 0 { //nolint:errorlint // our own
		x.readErr = http.ErrBodyReadAfterClose
	}
	x.discard()
	x.cut(http.ErrBodyReadAfterClose)
	x.arrived.Broadcast()
	x.c.flush()
	return nil
}
