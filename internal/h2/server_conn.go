// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

const (
	defaultStreams = 250
	// queueFactor is how many requests wait for a handler, for each that may run: those whose
	// predecessors the client has given up, which does not end their handlers.
	queueFactor = 4
)

// A serverConn is the server's end of a connection.
type serverConn struct {
	*conn

	srv        *server
	handler    http.Handler
	base       context.Context
	cancel     context.CancelFunc
	sawPreface bool
	maxStreams int

	// Guarded by mu.
	last      uint32 // the highest stream that the client has opened
	taken     uint32 // and that was taken
	running   int    // handlers
	queue     []*exchange
	goingAway bool // GOAWAY was sent
	known     bool // and the client knows: streams that it opens from now on are not taken
	closing   bool // nothing is left
}

func newServerConn(ctx context.Context, s *server, nc net.Conn, h http.Handler, sawPreface bool) *serverConn {
	l := limits{idleTimeout: s.hs.IdleTimeout, recvConn: recvWindow, recvStream: recvWindow}
	l.of(s.hs.HTTP2)
	l.maxFrame = maxFrame
	most := s.hs.MaxHeaderBytes
	if most <= 0 {
		most = http.DefaultMaxHeaderBytes
	}
	l.maxHeaders = headerListSize(most)
	c := &serverConn{conn: newConn(nc, l), srv: s, handler: h, sawPreface: sawPreface, maxStreams: defaultStreams}
	c.base, c.cancel = context.WithCancel(served{ctx})
	c.role = c
	if cfg := s.hs.HTTP2; cfg != nil && cfg.MaxConcurrentStreams > 0 {
		c.maxStreams = cfg.MaxConcurrentStreams
	}
	return c
}

// headerListSize is a limit of bytes as RFC 9113 §6.5.2 counts them: with more for each field.
func headerListSize(n int) uint32 {
	const perField, typicalFields = 32, 10
	return uint32(n + perField*typicalFields)
}

// logf logs what net/http would.
func (c *serverConn) logf(format string, args ...any) {
	if l := c.srv.hs.ErrorLog; l != nil {
		l.Printf(format, args...)
		return
	}
	slog.Error(fmt.Sprintf(format, args...)) // as the log package does, whose output it is then
}

func (c *serverConn) preface() error {
	c.mu.Lock()
	c.appendPreface(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.maxStreams)})
	c.flushSoon()
	c.mu.Unlock()
	if c.sawPreface {
		return nil
	}
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.in, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		return errors.New("http2: the client does not speak HTTP/2")
	}
	return nil
}

func (c *serverConn) lastID() uint32 { return c.taken }

func (c *serverConn) malformed(id uint32) error {
	if err := c.mayOpen(id); err != nil {
		return err
	}
	c.open(id)
	return nil
}

// mayOpen tells whether the client may open a stream.
func (c *serverConn) mayOpen(id uint32) error {
	switch {
	case id%2 == 0:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case id <= c.last:
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	}
	return nil
}

// open notes a new stream, and tells whether it may be taken.
func (c *serverConn) open(id uint32) bool {
	c.last = id
	if !c.known { // the client has been told what is the last
		c.taken = id
	}
	return !c.known
}

func (c *serverConn) late(id uint32) error {
	if id > c.taken || slices.Contains(c.gone[:], id) {
		return nil
	}
	return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
}

func (c *serverConn) isIdle(id uint32) bool { return id%2 == 0 || id > c.last }

func (c *serverConn) takeHeaders(f *http2.MetaHeadersFrame) error {
	id := f.StreamID
	if !c.isIdle(id) && c.late(id) == nil {
		return nil // trailers that were on their way when the stream was reset
	}
	if err := c.mayOpen(id); err != nil {
		return err
	}
	switch {
	case !c.open(id):
		return nil // the client knows, or will soon
	case len(c.streams) >= c.maxStreams:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeRefusedStream}
	}
	x, err := c.newExchange(f)
	if err != nil {
		return err
	}
	c.streams[id] = &x.stream
	if f.StreamEnded() {
		x.sentAll()
	}
	return c.start(x)
}

// start runs the handler of a new stream, or has it wait for its turn. Its caller has mu.
func (c *serverConn) start(x *exchange) error {
	if c.running < c.maxStreams {
		c.run(x)
		return nil
	}
	if len(c.queue) >= queueFactor*c.maxStreams {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	c.queue = append(c.queue, x)
	return nil
}

func (c *serverConn) run(x *exchange) {
	c.running++
	c.srv.workers.Go(x.serve)
}

func (c *serverConn) set(http2.Setting) error { return nil }

func (c *serverConn) takeGoAway(*http2.GoAwayFrame) { c.leave() }

func (c *serverConn) takePing(data [8]byte) {
	if c.goingAway && data == goAwayPing {
		c.clientKnows()
	}
}

// broken leaves handlers the time that it takes: the streams that they answer may be fine.
func (c *serverConn) broken(error) {}

func (c *serverConn) unwritable(err error) { c.fail(err) }

func (c *serverConn) failed() {
	c.cancel()
	c.queue = nil
}

// shutDown tells the client to open no more streams. The connection ends when those that there are
// have ended.
func (c *serverConn) shutDown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
}

// leave is shutDown for who has mu.
func (c *serverConn) leave() {
	if c.goingAway || c.ended != nil {
		return
	}
	c.goingAway = true
	// First one that forbids nothing: what is on its way must not be lost (RFC 9113 §6.8). When the
	// client answers the ping it has read it, and what it has sent before has come.
	c.appendGoAway(1<<31-1, http2.ErrCodeNo)
	c.appendPing(false, goAwayPing)
	c.flushSoon()
	time.AfterFunc(hangUp, func() { // or it does not
		c.mu.Lock()
		defer c.mu.Unlock()
		c.clientKnows()
	})
}

var goAwayPing = [8]byte{'g', 'o', ' ', 'a', 'w', 'a', 'y', '!'}

// clientKnows notes that the client opens no more streams, and tells it which were taken, should it do
// so all the same. Its caller has mu.
func (c *serverConn) clientKnows() {
	if c.known || c.ended != nil {
		return
	}
	c.known = true
	c.appendGoAway(c.taken, http2.ErrCodeNo)
	c.flushSoon()
	c.idle()
}

// idle ends a connection that goes away when nothing is left on it.
func (c *serverConn) idle() {
	if !c.known || c.closing || len(c.streams) > 0 || c.running > 0 || c.ended != nil {
		return
	}
	c.closing = true
	// The client hangs up; or it does not.
	time.AfterFunc(hangUp, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.fail(errClosed)
	})
}
