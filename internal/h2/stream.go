// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// A stream is a request and its answer, seen from either end. All of it is guarded by the
// connection's mu.
type stream struct {
	c     *conn
	id    uint32
	owner owner

	// What the peer sends.
	arrived    sync.Cond
	unread     buffer
	recvLeft   int   // what the peer may still send
	recvCredit int   // consumed, and not told to the peer
	declared   int64 // the length of the body as its headers say; -1 if they do not
	received   int64
	readErr    error // io.EOF after the last byte
	readEnd    deadline

	// What it is sent.
	room       sync.Cond
	queued     bool // it waits
	sendWindow int64
	writeEnd   deadline

	remoteDone bool  // the peer has sent all
	localDone  bool  // it was sent all, or is to be sent no more
	err        error // why it was cut off
}

// An owner is told what happens to its stream, with mu.
type owner interface {
	// takeTrailers takes headers after the first.
	takeTrailers(f *http2.MetaHeadersFrame) error
	// ended takes the end of what the peer sends.
	ended() error
	// complete is told that all has been read.
	complete()
	// refused gives the error of a stream that the peer has cut off.
	refused(e http2.StreamError) error
	// over is told that the stream is over: cut off, or complete in both directions.
	over()
}

func (s *stream) init(c *conn, id uint32, o owner) {
	s.c, s.id, s.owner = c, id, o
	s.recvLeft, s.sendWindow, s.declared = c.recvStream, c.peerWindow, -1
	s.arrived.L, s.room.L = &c.mu, &c.mu
}

// A deadline is one of SetReadDeadline or SetWriteDeadline. It costs next to nothing unless somebody
// waits. Its methods are called with mu.
type deadline struct {
	at    time.Time // zero for none
	waits int       // how many wait
	timer *time.Timer
}

func (d *deadline) over() bool { return !d.at.IsZero() && time.Until(d.at) <= 0 }

func (d *deadline) set(t time.Time, waiting *sync.Cond) {
	d.stop()
	d.at = t
	if d.waits > 0 {
		d.arm(waiting)
	}
}

// wait waits like waiting.Wait, which releases mu, but not longer than until the deadline.
func (d *deadline) wait(waiting *sync.Cond) {
	d.waits++
	d.arm(waiting)
	waiting.Wait()
	if d.waits--; d.waits == 0 {
		d.stop()
	}
}

func (d *deadline) arm(waiting *sync.Cond) {
	if d.timer != nil || d.at.IsZero() {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(d.at), func() {
		waiting.L.Lock()
		defer waiting.L.Unlock()
		if d.timer == timer { // or it was too late to stop it
			waiting.Broadcast()
		}
	})
	d.timer = timer
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

var (
	errStreamClosed = errors.New("http2: stream closed")
	errDeadline     = os.ErrDeadlineExceeded
)

// resetStream answers a frame that breaks the rules of its stream alone.
func (c *conn) resetStream(e http2.StreamError) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset(e.StreamID, e.Code)
	c.flushSoon()
	return c.answered()
}

// reset cuts a stream off, and tells the peer. Its caller has mu, and flushes.
func (c *conn) reset(id uint32, code http2.ErrCode) {
	c.appendReset(id, code)
	if s := c.streams[id]; s != nil {
		s.fail(http2.StreamError{StreamID: id, Code: code})
	}
}

// fail ends a stream before its time. Its caller has mu.
func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.remoteDone, s.localDone = true, true
	s.forget()
}

// forget takes a stream off the connection when both sides are done. Its caller has mu.
func (s *stream) forget() {
	s.arrived.Broadcast()
	s.room.Broadcast()
	if !s.remoteDone || !s.localDone || s.c.streams[s.id] != s {
		return
	}
	delete(s.c.streams, s.id)
	if len(s.c.streams) == 0 {
		s.c.idleSince = time.Now()
	}
	s.readEnd.stop()
	s.writeEnd.stop()
	s.owner.over()
	s.c.role.idle()
}

// sentAll notes the end of what the peer sends. Its caller has mu.
func (s *stream) sentAll() {
	s.remoteDone = true
	if s.readErr == nil {
		s.readErr = io.EOF
	}
	s.forget()
}
