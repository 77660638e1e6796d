// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"connectrpc.com/connect"
)

// An RPC's own deadline wakes neither a read nor a write that waits for the peer: connect
// looks at the context between messages only. The server's ReadTimeout and WriteTimeout do
// wake them, but count from the start of the request and so kill every long stream. guard
// bounds each wait instead: the time that a request of one message may take to arrive, and
// the time that one write of a response may be stuck.

// guardConfig says what guard bounds. A limit of zero or less is no limit.
type guardConfig struct {
	// singleRequest reports whether a request's body is one message: true for unary and
	// server-streaming RPCs, and for what is no RPC. Only such bodies have a read timeout
	// and a wire limit. Must not be nil.
	singleRequest func(*http.Request) bool

	// readTimeout is the time from the headers to the end of the body. After it a read of
	// the body fails with deadline_exceeded.
	readTimeout time.Duration

	// writeTimeout is the time that a Write or Flush may take. After it the response is
	// cut off: HTTP/2 resets the stream, HTTP/1.1 closes the connection. The time between
	// two writes does not count.
	writeTimeout time.Duration

	// wireLimit is the most bytes that are read of a body. connect by itself reads a
	// message that is over its limit to the end, to tell its size (connect-go#620). Must
	// have room for connect's own limit and the 5 bytes of a gRPC prefix, or that
	// limit's better error is never seen.
	wireLimit int64

	// messageLimit is the most bytes that the prefix of a message may announce.
	messageLimit int64
}

// guard returns a handler that calls next under the limits of cfg, which take the place of
// the timeouts of a user's own http.Server.
func guard(next http.Handler, cfg guardConfig) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		clearServerTimeouts(controller, r)
		if cfg.readTimeout > 0 && r.ProtoMajor == 1 {
			// When the handler has returned, the server reads what is left of the body, to
			// keep the connection. That must end too. The server takes the deadline back.
			defer func() { _ = controller.SetReadDeadline(time.Now().Add(cfg.readTimeout)) }()
		}
		if body := r.Body; hasBody(r) {
			if cfg.singleRequest(r) {
				if cfg.wireLimit > 0 {
					body = http.MaxBytesReader(w, body, cfg.wireLimit)
				}
				if cfg.readTimeout > 0 {
					timed := newTimedBody(body, controller, cfg.readTimeout)
					defer timed.stop()
					body = timed
				}
			}
			if cfg.messageLimit > 0 && isFramed(r.Header.Get("Content-Type")) {
				body = &framedBody{ReadCloser: body, limit: cfg.messageLimit}
			}
			if body != r.Body {
				request := *r
				request.Body = body
				r = &request
			}
		}
		if cfg.writeTimeout > 0 {
			timed := newTimedWriter(w, controller, cfg.writeTimeout)
			timed.http1 = r.ProtoMajor == 1
			defer timed.stop()
			w = timed
			if canFlush(w) {
				w = timedFlusher{timed}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// clearServerTimeouts takes back the deadlines that a user's own http.Server has set on the
// request. They count from its start, and would end a long call. Serve sets none.
func clearServerTimeouts(controller *http.ResponseController, r *http.Request) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return
	}
	if server.ReadTimeout > 0 {
		_ = controller.SetReadDeadline(time.Time{}) // not supported: there was none to clear
	}
	if server.WriteTimeout > 0 {
		_ = controller.SetWriteDeadline(time.Time{})
	}
}

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}

// A timedBody fails reads from some time after its construction on, until it has been read to
// the end. It moves the deadline of the connection only when that time has come: after the
// body HTTP/1.1 reads on in the background, to learn of a client that leaves, and a deadline
// left behind would cancel the call. It is also cheaper, for on HTTP/2 each setting is a
// message to the connection's goroutine.
type timedBody struct {
	io.ReadCloser

	controller *http.ResponseController
	timeout    time.Duration
	timer      *time.Timer

	mu   sync.Mutex
	over bool // read to the end, expired, or the handler has returned
	late bool // expired
}

func newTimedBody(body io.ReadCloser, controller *http.ResponseController, timeout time.Duration) *timedBody {
	b := &timedBody{ReadCloser: body, controller: controller, timeout: timeout}
	b.timer = time.AfterFunc(timeout, b.expire)
	return b
}

func (b *timedBody) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over, b.late = true, true
	_ = b.controller.SetReadDeadline(longAgo) // not supported: reads stay unbounded
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.stop()
	case errors.Is(err, os.ErrDeadlineExceeded) && b.expired():
		// connect would send the text of err, which may hold addresses.
		err = connect.NewError(connect.CodeDeadlineExceeded, fmt.Errorf("request did not arrive within %v", b.timeout))
	}
	return n, err
}

func (b *timedBody) expired() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.late
}

// stop must be called before the handler returns: the connection is not its own after that.
func (b *timedBody) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.timer.Stop()
}

// longAgo is a deadline in the past. It makes waiting reads and writes fail at once.
var longAgo = time.Unix(1, 0)

// A timedWriter cuts the response off when a write is stuck. A timer watches from the first
// write on, and looks at each write's start: in the usual case no deadline is ever set, and a
// stream that is idle, however long, has none that could kill it.
type timedWriter struct {
	http.ResponseWriter

	controller *http.ResponseController
	timeout    time.Duration

	http1    bool // the end of the response has to be written, too
	buffered bool // something was written and not flushed

	mu      sync.Mutex
	timer   *time.Timer // nil until the first write
	ticking bool        // the timer will call watch
	began   time.Time   // when the write in progress began, zero if there is none
	over    bool        // cut off, or the handler has returned
}

func newTimedWriter(w http.ResponseWriter, controller *http.ResponseController, timeout time.Duration) *timedWriter {
	return &timedWriter{ResponseWriter: w, controller: controller, timeout: timeout}
}

// Unwrap is how http.ResponseController finds the connection.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *timedWriter) Write(p []byte) (int, error) {
	w.begin()
	defer w.end()
	w.buffered = true
	return w.ResponseWriter.Write(p)
}

func (w *timedWriter) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = time.Now()
	switch {
	case w.ticking || w.over:
	case w.timer == nil:
		w.timer, w.ticking = time.AfterFunc(w.timeout, w.watch), true
	default:
		w.timer.Reset(w.timeout)
		w.ticking = true
	}
}

func (w *timedWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = time.Time{}
}

// watch runs a timeout after some write began: that one may have ended and another begun.
func (w *timedWriter) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticking = false
	if w.over || w.began.IsZero() {
		return
	}
	if left := w.timeout - time.Since(w.began); left > 0 {
		w.timer.Reset(left)
		w.ticking = true
		return
	}
	w.over = true
	// Before the first byte of a response HTTP/1.1 reads what is left of the request, so a
	// write may wait for a read. Nothing can be done where neither is supported.
	_ = w.controller.SetReadDeadline(longAgo)
	_ = w.controller.SetWriteDeadline(longAgo)
}

// stop must be called before the handler returns: the connection is not its own after that.
// What is still buffered is then written by the server, and gets a deadline, which the server
// takes back at the end of the response. With net/http's HTTP/2 that costs as much as a frame does, so
// none is set where all has been flushed: trailers need no room at the peer.
func (w *timedWriter) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	if !w.over {
		w.over = true
		if w.buffered || w.http1 {
			_ = w.controller.SetWriteDeadline(time.Now().Add(w.timeout))
		}
	}
}

// A timedFlusher is a timedWriter over a writer that can flush. connect refuses to stream
// where there is no Flush, and a Flush that does nothing would hide that.
type timedFlusher struct{ *timedWriter }

func (w timedFlusher) Flush() { _ = w.FlushError() }

func (w timedFlusher) FlushError() error {
	w.begin()
	defer w.end()
	w.buffered = false
	return w.controller.Flush()
}

// canFlush reports whether w, or a writer that it wraps, can flush.
func canFlush(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}
