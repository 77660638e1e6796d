// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/net/http2"
)

// unknownStreams is how many streams a client opens before it knows how many it may.
const unknownStreams = 100

// A clientConn is the client's end of a connection.
type clientConn struct {
	*conn

	pool   *pool
	target string

	// Guarded by mu.
	next        uint32 // the next stream's id
	maxStreams  uint32
	peerHeaders uint32      // how large they may be, 0 if the server has not said
	retired     bool        // no more streams begin
	patience    *time.Timer // how long it is still read; see unwritable
}

var _ role = (*clientConn)(nil)

func newClientConn(p *pool, target string, nc net.Conn) *clientConn {
	c := &clientConn{conn: newConn(nc, p.limits), pool: p, target: target, next: 1, maxStreams: unknownStreams}
	c.role = c
	c.out = append(c.out, http2.ClientPreface...) // goes out with the first request
	c.appendPreface(http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	return c
}

func (c *clientConn) preface() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushSoon() // if there is no request
	return nil
}

// hasRoom tells whether another stream can begin.
func (c *clientConn) hasRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usable()
}

// usable is hasRoom for who has mu.
func (c *clientConn) usable() bool {
	return c.ended == nil && !c.retired && uint32(len(c.streams)) < c.maxStreams
}

func (c *clientConn) lastID() uint32 { return 0 } // servers open none

func (c *clientConn) malformed(id uint32) error {
	if c.isIdle(id) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// late takes what comes for streams that were cancelled. A server that is told again and again that
// it is too late may take that for an attack.
func (c *clientConn) late(uint32) error { return nil }

func (c *clientConn) isIdle(id uint32) bool { return id%2 == 0 || id >= c.next }

// takeHeaders takes headers of a stream that has ended, or never began.
func (c *clientConn) takeHeaders(f *http2.MetaHeadersFrame) error {
	if c.isIdle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil // they were on their way
}

func (c *clientConn) set(s http2.Setting) error {
	switch {
	case s.ID == http2.SettingMaxConcurrentStreams:
		c.maxStreams = s.Val
	case s.ID == http2.SettingMaxHeaderListSize:
		c.peerHeaders = s.Val
	case s.ID == http2.SettingEnablePush && s.Val != 0: // RFC 9113 §6.5.2
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// takeGoAway retires the connection. What the server has not taken, and will not, can be made again
// elsewhere; but if it does not like the first stream of a connection, it will not like it on another.
func (c *clientConn) takeGoAway(f *http2.GoAwayFrame) {
	c.retire()
	if f.ErrCode != http2.ErrCodeNo {
		c.reason = fmt.Errorf("http2: server sent GOAWAY and closed the connection; LastStreamID=%d, ErrCode=%v", f.LastStreamID, f.ErrCode)
	}
	for id, s := range c.streams {
		switch {
		case id <= f.LastStreamID:
		case id == 1 && f.ErrCode != http2.ErrCodeNo:
			s.fail(c.reason)
		default:
			s.fail(errNoRoom)
		}
	}
	c.idle()
}

// broken ends all calls at once: the connection may last until the server has read why.
func (c *clientConn) broken(err error) {
	c.retire()
	for _, s := range c.streams {
		s.fail(err)
	}
	c.idle()
}

func (c *clientConn) retire() {
	if !c.retired {
		c.retired = true
		go c.pool.drop(c) // which takes the pool's lock before ours
	}
}

func (c *clientConn) takePing([8]byte) {}

// idle ends a retired connection when nothing is left on it.
func (c *clientConn) idle() {
	if c.retired && len(c.streams) == 0 && c.ended == nil {
		c.finish()
	}
}

func (c *clientConn) leave() {
	c.retire()
	c.idle()
}

// unwritable fails the connection, but only after the reader has taken what the server sent before it closed:
// that it has ended a stream well, or left a request undone. TCP says only that it is gone.
func (c *clientConn) unwritable(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) { // it is there, and reads nothing
		c.fail(err)
		return
	}
	c.peerGone = true
	c.retire()
	c.patience = time.AfterFunc(hangUp, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.fail(err)
	})
}

func (c *clientConn) failed() {
	c.retire()
	if c.patience != nil {
		c.patience.Stop()
	}
}

// errHeader is for what the server would not take: it may end the connection, and all other calls.
var errHeader = errors.New("http2: the header of the request is larger than the server takes")

// open begins the exchange of a request, if there is room for it.
func (c *clientConn) open(x *call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.usable():
		return errNoRoom
	case c.peerHeaders > 0 && uint64(x.size) > uint64(c.peerHeaders):
		return errHeader
	}
	x.client = c
	x.init(c.conn, c.next, x)
	x.declared = 0 // no data comes before the headers
	if c.next += 2; c.next > 1<<31-1 {
		c.retire() // there are no more ids
	}
	c.streams[x.id] = &x.stream
	x.early = !c.started
	x.begin()
	c.flush()
	return nil
}
