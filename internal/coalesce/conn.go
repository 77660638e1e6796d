// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package coalesce makes the HTTP/2 connections of net/http cheaper.
//
// Its HTTP/2 server reads the header and the payload of every frame with a system call each,
// and writes every frame that a handler sends with another; its client writes likewise. With
// many calls in flight on a connection these calls, and the goroutine switches around them,
// cost more than everything else. A [Conn] stands between net/http and the socket. It reads
// through a small buffer, and collects what is written while other goroutines are ready to run
// and write more:
//
//	http2 server ── frames ──▶ Conn.Write ──▶ buffer ──▶ flusher ──▶ write(2)
//
// HTTP/1.1 is passed through as it is: the Conns of a [Listener] begin when they have read the
// preface of HTTP/2. Below TLS nothing of it can be seen, there [Negotiated] begins. On the
// client's side it is known from the start: [Client].
//
// # What Write promises
//
// Write returns when the bytes are in the buffer, as it does when they are in the buffer of
// the kernel. Both are bounded, and Write blocks while they are full. An error of the
// connection fails all later writes; it can come too late for the one that it belongs to, as
// always with TCP.
package coalesce

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// A Conn is a [net.Conn] that coalesces writes, or passes all through until it is known that
// it should. Like every net.Conn it is safe for concurrent use.
type Conn struct {
	conn net.Conn
	in   reader
	out  writer
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ syscall.Conn  = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
)

func newConn(conn net.Conn) *Conn {
	c := &Conn{conn: conn}
	c.in.conn = conn
	c.out.conn = conn
	c.out.wake.L = &c.out.mu
	return c
}

// server waits for the preface of HTTP/2.
func server(conn net.Conn) *Conn {
	c := newConn(conn)
	c.in.sniff(c.out.begin)
	return c
}

// Client coalesces the writes to conn from the first byte, for clients that know that they
// speak HTTP/2, with TLS above the Conn or without. Reads pass through: the HTTP/2 client of
// net/http has a buffer of its own. HTTP/1.1 works as well, and gains nothing.
func Client(conn net.Conn) *Conn {
	c := newConn(conn)
	c.out.begin()
	return c
}

// Read reads as [net.Conn] says. Bytes in the buffer obey the read deadline like bytes on
// their way.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write puts p into the buffer, and blocks while it is full: until there is room, the write
// deadline, Close, or an error of the connection. The bytes of a Write stay together.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.out.on.Load() {
		return c.conn.Write(p)
	}
	return c.out.write(p)
}

// ReadFrom is there for HTTP/1.1, which sends files by it without copying them.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if from, ok := c.conn.(io.ReaderFrom); ok && !c.out.on.Load() {
		return from.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c}, r)
}

// Close writes what is in the buffer if the peer takes it within a second, then closes the
// connection. Blocked calls return at once. An error says that bytes may be lost.
func (c *Conn) Close() error {
	c.in.close()
	return c.out.close()
}

// CloseWrite writes what is in the buffer, as long as the write deadline allows, and closes
// the direction to the peer. It returns an error that wraps [errors.ErrUnsupported] if the
// connection below cannot do that.
func (c *Conn) CloseWrite() error {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok {
		return c.opError("close-write", errors.ErrUnsupported)
	}
	if c.out.on.Load() {
		if err := c.out.shut(); err != nil {
			return err
		}
	}
	return half.CloseWrite()
}

// NetConn gives the connection below, for its options. Reading from it or writing to it
// breaks the stream.
func (c *Conn) NetConn() net.Conn { return c.conn }

// SyscallConn gives the raw connection below. It returns an error that wraps
// [errors.ErrUnsupported] if there is none.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, c.opError("raw", errors.ErrUnsupported)
}

// LocalAddr gives the address of this side.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr gives the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of reads, also of one that is blocked.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.in.setDeadline(t) }

// SetWriteDeadline sets the deadline of writes. It counts for a Write that is blocked and for
// bytes that are on their way from the buffer to the kernel. What it stops stays in the
// buffer, and goes on when the deadline is moved.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.out.setDeadline(t) }

func (c *Conn) opError(op string, err error) error { return opError(op, c.conn, err) }

// opError makes errors look as those of package net do.
func opError(op string, conn net.Conn, err error) error {
	e := &net.OpError{Op: op, Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: err}
	if e.Addr != nil {
		e.Net = e.Addr.Network()
	}
	return e
}
