// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"net"
	"sync/atomic"
	"syscall"
)

// Wire is what a server has read and written: bytes of the application, without the
// headers of TCP and IP, and how many calls of the kernel it took.
type Wire struct {
	Rx, Tx, Reads, Writes int64
	Conns                 int64 // accepted
	Open                  int64 // of these
}

func (w Wire) minus(v Wire) Wire {
	return Wire{w.Rx - v.Rx, w.Tx - v.Tx, w.Reads - v.Reads, w.Writes - v.Writes, w.Conns - v.Conns, w.Open - v.Open}
}

type liveWire struct {
	rx, tx, reads, writes, conns, open atomic.Int64
}

func (w *liveWire) load() Wire {
	return Wire{w.rx.Load(), w.tx.Load(), w.reads.Load(), w.writes.Load(), w.conns.Load(), w.open.Load()}
}

// A Listener counts. All servers have one, so that it costs them the same.
type Listener struct {
	net.Listener

	wire liveWire
}

// Wire gives what was counted since the start.
func (l *Listener) Wire() Wire { return l.wire.load() }

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.wire.conns.Add(1)
	l.wire.open.Add(1)
	return &countedConn{Conn: c, wire: &l.wire}, nil
}

type countedConn struct {
	net.Conn

	wire   *liveWire
	closed atomic.Bool
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.rx.Add(int64(n))
	c.wire.reads.Add(1)
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wire.tx.Add(int64(n))
	c.wire.writes.Add(1)
	return n, err
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.wire.open.Add(-1)
	}
	return c.Conn.Close()
}

// PollConn tells our server that the connection buffers nothing: it may poll what is below. Its polls are not counted.
func (c *countedConn) PollConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn() //nolint:errcheck,forcetypeassert // TCP
}

// CloseWrite ends what is sent; some servers need it.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}
