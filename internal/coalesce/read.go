// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// readBuffer holds some dozen small requests. Larger ones gain nothing by a larger buffer:
// they are read past it, without a copy.
const readBuffer = 4 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// preface is what an HTTP/2 client sends first (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// How a reader reads.
const (
	passing   = iota // past the buffer, for good
	sniffing         // past the buffer, and looks for the preface
	buffering        // through the buffer
)

// A reader is the direction from the peer.
type reader struct {
	conn     net.Conn
	mode     atomic.Int32
	closed   atomic.Bool
	deadline atomic.Pointer[time.Time] // nil if there is none

	turn  sync.Mutex // for one Read at a time, like the lock of a socket
	seen  int        // bytes of the preface
	found func()     // called when it is complete

	buf        *[readBuffer]byte // nil while there is nothing to read
	start, end int
	socket     syscall.RawConn // nil if only conn can read
	tryRead    func(fd uintptr) (done bool)
	err        error // of tryRead
}

// sniff makes the reader look for the preface, then call found and buffer what follows.
func (r *reader) sniff(found func()) {
	r.found = found
	r.mode.Store(sniffing)
}

func (r *reader) read(p []byte) (int, error) {
	if r.mode.Load() == passing {
		n, err := r.conn.Read(p)
		return n, r.orClosed(err)
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	if r.mode.Load() == buffering {
		return r.readBuffered(p)
	}
	n, err := r.conn.Read(p)
	r.examine(p[:n])
	return n, r.orClosed(err)
}

// orClosed hides the deadline by which close wakes readers.
func (r *reader) orClosed(err error) error {
	if err != nil && r.closed.Load() {
		return opError("read", r.conn, net.ErrClosed)
	}
	return err
}

// examine looks for the preface in what was read. It has to be all that comes first: a
// connection that begins in another way speaks something else, and does so to its end.
func (r *reader) examine(p []byte) {
	for _, b := range p {
		if r.seen == len(preface) {
			break // a reader that read on already; it is HTTP/2 all the same
		}
		if b != preface[r.seen] {
			r.mode.Store(passing)
			return
		}
		r.seen++
	}
	if r.seen == len(preface) {
		r.useSocket()
		r.mode.Store(buffering)
		r.found()
	}
}

func (r *reader) readBuffered(p []byte) (int, error) {
	switch deadline := r.deadline.Load(); {
	case r.closed.Load():
		return 0, opError("read", r.conn, net.ErrClosed)
	case deadline != nil && !time.Now().Before(*deadline):
		return 0, opError("read", r.conn, os.ErrDeadlineExceeded)
	case len(p) == 0:
		return 0, nil
	}
	if r.start == r.end {
		if len(p) >= readBuffer {
			r.release()
			n, err := r.conn.Read(p)
			return n, r.orClosed(err)
		}
		if err := r.fill(); err != nil {
			return 0, r.orClosed(err)
		}
	}
	n := copy(p, r.buf[r.start:r.end])
	r.start += n
	return n, nil
}

// fill reads once. It returns an error or fills the buffer with a byte at least.
func (r *reader) fill() error {
	if r.socket != nil {
		return r.fillFromSocket()
	}
	r.acquire()
	var err error
	for r.end == 0 && err == nil {
		r.end, err = r.conn.Read(r.buf[:])
	}
	if r.end > 0 {
		return nil // an error comes again
	}
	r.release()
	return err
}

func (r *reader) acquire() {
	if r.buf == nil {
		r.buf = readBuffers.Get().(*[readBuffer]byte) //nolint:errcheck // the pool holds nothing else
	}
	r.start, r.end = 0, 0
}

func (r *reader) release() {
	if r.buf != nil {
		readBuffers.Put(r.buf)
		r.buf = nil
	}
	r.start, r.end = 0, 0
}

func (r *reader) setDeadline(t time.Time) error {
	if t.IsZero() {
		r.deadline.Store(nil)
	} else {
		r.deadline.Store(&t)
	}
	return r.conn.SetReadDeadline(t)
}

// close wakes who reads. The connection may stay open for some time yet, to write.
func (r *reader) close() {
	r.closed.Store(true)
	_ = r.conn.SetReadDeadline(time.Unix(1, 0)) // fails if it is closed already
}
