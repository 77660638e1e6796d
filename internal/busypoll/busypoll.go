// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package busypoll makes the reader of a connection poll for a moment before it sleeps.
//
// When a goroutine waits for a peer, the kernel puts a thread to sleep, often a core with it, and wakes
// both again. Between two processes that answer each other's small messages one at a time, that takes
// longer than all that they do. Where nothing else happens, it costs less to ask the kernel again and
// again whether there is something.
//
// Where something else happens, it costs more: threads that do not sleep are in the way of others. So a
// reader polls only while its connection is the only one of the process on which anything comes, and
// small messages come one at a time, each soon after the last. At most one processor is kept busy, and
// never the only one.
package busypoll

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// window is how long a reader polls. Less did not do for two processes to find into the
	// rhythm in which both poll: each has just been woken when it begins.
	window = 200 * time.Microsecond
	// small messages, in bytes, are those of a call or two. More of them come together when many calls
	// are in flight: there is something to read then without waiting.
	small = 512
	// after is how many small messages must come, each within 2*window: as long as it takes with both
	// ends asleep. As many more come without polls when one took half of the window: it costs 50 µs to
	// be woken, and much more than that was spent.
	after = 4
	// maxRest is the longest pause, in messages, after polls that were in vain.
	maxRest = 1024
	// shareRest is the pause when there is another connection. It outlasts the time between two messages of one
	// that is used now and then.
	shareRest = 256
)

// latest is the connection that was read last. It is of the process, as the processors are.
var latest atomic.Pointer[conn]

// Conn gives a connection that reads and writes what c does. It is another one only if c is a TCP
// connection or a Unix socket, there is more than one processor, and the system is a Unix. For connections on top of
// these that buffer nothing, PollConn may give what to poll. It is as safe for concurrent use as c.
func Conn(c net.Conn) net.Conn {
	raw, err := rawConn(c)
	if raw == nil || err != nil || !supported || runtime.GOMAXPROCS(0) < 2 {
		return c
	}
	p := &conn{Conn: c, raw: raw, window: window, rest: after}
	p.look = func(fd uintptr) bool {
		p.ready = Readable(fd)
		return true // raw.Read is not to wait
	}
	return p
}

func rawConn(c net.Conn) (syscall.RawConn, error) {
	switch c := c.(type) { // not all that has SyscallConn: it may be that of an embedded connection, and what it gives be buffered
	case *net.TCPConn:
		return c.SyscallConn()
	case *net.UnixConn:
		return c.SyscallConn()
	case interface {
		PollConn() (syscall.RawConn, error)
	}:
		return c.PollConn()
	}
	return nil, nil
}

type conn struct {
	net.Conn

	raw     syscall.RawConn
	window  time.Duration
	look    func(fd uintptr) bool
	readers atomic.Int32

	// For the only reader.
	ready    bool
	rest     int // small messages to come before anybody polls
	lastRest int // the last one after a poll in vain
}

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	defer c.readers.Add(-1)
	// The server of net/http reads one byte while a handler runs, to find out whether the client has gone.
	if c.readers.Add(1) > 1 || len(b) <= 1 {
		return c.Conn.Read(b)
	}
	begun := time.Now()
	if c.rest == 0 {
		c.poll(begun)
	}
	n, err := c.Conn.Read(b)
	c.note(n, time.Since(begun))
	return n, err
}

// note learns from what has come.
func (c *conn) note(n int, took time.Duration) {
	if latest.Load() != c { // mostly it is, and nothing is written that others read
		latest.Store(c)
		c.rest = max(c.rest, shareRest)
	}
	switch {
	case n >= small || took > 2*c.window:
		c.rest = max(c.rest, after)
	case n > 0 && c.rest > 0:
		c.rest--
	}
}

// poll returns when there is something to read, or it is time to wait for that.
func (c *conn) poll(begun time.Time) {
	for c.readers.Load() == 1 && time.Since(begun) < c.window {
		// It fails at once when the connection is closed, or its deadline is over. Read says so.
		if err := c.raw.Read(c.look); err != nil {
			break
		}
		if c.ready {
			c.lastRest /= 2
			if time.Since(begun) > c.window/2 {
				c.rest = after
			}
			return
		}
		runtime.Gosched() // to what else there is to do
	}
	c.lastRest = min(2*c.lastRest+after, maxRest)
	c.rest = c.lastRest
}

// NetConn gives the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }

// ReadFrom implements [io.ReaderFrom]: the kernel may copy files by itself.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite says that nothing more comes, if the connection below can say that.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Listener gives a listener whose connections are those of [Conn].
func Listener(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

// Accept implements [net.Listener].
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Conn(c), nil
}
