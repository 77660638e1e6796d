// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package busypoll has connections whose reader stays awake for what comes soon.
//
// When a goroutine waits for a peer, the kernel puts a thread to sleep, often a core with it, and wakes
// both again: between processes that answer each other's small messages one at a time, that takes
// longer than all that they do. Who reads such a connection asks the kernel for a moment, again and
// again, whether there is something, before it waits. It does so only where that has been of use: after some
// small messages in a row that came soon, not while it is in vain, and not on all processors.
package busypoll

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// window is how long a reader stays awake.
	window = 200 * time.Microsecond
	// small messages, in bytes, are those of a call or two. More of them come together when many calls
	// are in flight, and then there is something to read without waiting.
	small = 512
	// after is how many small messages must have come soon.
	after = 4
	// maxRest is for how many messages nobody stays awake after many times in vain.
	maxRest = 1024
)

// awake are the readers that are, of all connections: on half of the processors at most.
var awake atomic.Int32

// Conn gives a connection that reads and writes what c does. If the reader of c cannot stay awake, it
// gives c. It is as safe for concurrent use as c.
func Conn(c net.Conn) net.Conn {
	below, ok := c.(syscall.Conn)
	if !ok || !supported {
		return c
	}
	raw, err := below.SyscallConn()
	if err != nil {
		return c
	}
	p := &conn{Conn: c, raw: raw, window: window, rest: after}
	p.look = func(fd uintptr) bool {
		p.ready = readable(fd)
		return true // raw.Read is not to wait
	}
	return p
}

type conn struct {
	net.Conn

	raw    syscall.RawConn
	window time.Duration
	look   func(fd uintptr) bool

	reading sync.Mutex // guards all below: of several readers one stays awake
	ready   bool
	rest    int // small messages to come until it is worth it
	misses  int // the more it was in vain, the longer the next rest
}

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	if !c.reading.TryLock() {
		return c.Conn.Read(b)
	}
	defer c.reading.Unlock()
	begun := time.Now()
	if c.rest == 0 {
		c.stayAwake(begun)
	}
	n, err := c.Conn.Read(b)
	switch {
	case n >= small || time.Since(begun) > 2*c.window:
		c.rest = max(c.rest, after)
	case n > 0 && c.rest > 0:
		c.rest--
	}
	return n, err
}

// stayAwake returns when there is something to read, or it is time to wait for that.
func (c *conn) stayAwake(begun time.Time) {
	defer awake.Add(-1)
	if int(awake.Add(1)) > runtime.GOMAXPROCS(0)/2 {
		return
	}
	for time.Since(begun) < c.window {
		// It fails at once when the connection is closed, or its deadline is over: servers of HTTP/1.1
		// end a read by that for each request. Read says so.
		err := c.raw.Read(c.look)
		switch {
		case err != nil:
			return
		case c.ready:
			c.misses /= 2
			return
		}
		runtime.Gosched() // to what else there is to do
	}
	c.misses = min(2*c.misses+after, maxRest)
	c.rest = c.misses
}

// NetConn gives the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SyscallConn implements [syscall.Conn].
func (c *conn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

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
