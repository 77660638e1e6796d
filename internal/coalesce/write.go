// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// writeBuffer holds some hundred small answers, or one of 64 KiB with its headers nearly.
	// Twice as much can be held: while one buffer is written another one fills.
	writeBuffer = 64 << 10

	// closeTime is how long Close waits for a peer to take what is in the buffer. The bytes
	// leave at once unless the buffer of the kernel is full, too. The time of a write that is
	// under way counts, so that a server which closes a thousand stalled connections, one
	// after the other, waits for one.
	closeTime = time.Second
)

// A buffer belongs to a connection only while there is something in it.
type buffer struct {
	start, end int
	data       [writeBuffer]byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) release() {
	b.start, b.end = 0, 0
	buffers.Put(b)
}

// A writer is the direction to the peer.
//
// Who puts the first bytes into an empty buffer starts a goroutine, the flusher, which ends
// when all is written: idle connections have neither goroutine nor buffer.
type writer struct {
	conn net.Conn
	on   atomic.Bool // coalescing has begun

	turn sync.Mutex // for the length of a Write, so that its bytes stay together

	mu       sync.Mutex
	wake     sync.Cond // room in the buffer, the end of the flusher, or anything else below
	filling  *buffer   // nil if empty; what Write adds to
	leaving  *buffer   // nil if empty; what the flusher writes
	flushing bool      // the flusher runs
	writing  bool      // it is in conn.Write
	since    time.Time // of that
	deadline time.Time
	applied  time.Time // the deadline that conn has
	moved    bool      // it was set while the flusher wrote
	noMore   bool      // after CloseWrite
	closed   bool
	err      error // of the connection; deadlines are not among them
}

func (w *writer) begin() { w.on.Store(true) }

func (w *writer) write(p []byte) (n int, err error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if err := w.usable(); err != nil {
			return n, opError("write", w.conn, err)
		}
		n += w.add(p[n:])
		if n == len(p) {
			return n, nil
		}
		w.wait()
	}
}

// usable tells why nothing can be written.
func (w *writer) usable() error {
	switch {
	case w.closed, w.noMore:
		return net.ErrClosed
	case w.err != nil:
		return w.err
	case w.expired():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (w *writer) expired() bool {
	return !w.deadline.IsZero() && !time.Now().Before(w.deadline)
}

// add takes as much of p as there is room for.
func (w *writer) add(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	if w.filling == nil {
		w.filling = buffers.Get().(*buffer) //nolint:errcheck // the pool holds nothing else
	}
	n := copy(w.filling.data[w.filling.end:], p)
	w.filling.end += n
	w.startFlush()
	return n
}

// wait returns when something has changed, which is not always what one waits for.
func (w *writer) wait() {
	if !w.deadline.IsZero() {
		timer := time.AfterFunc(time.Until(w.deadline), func() {
			w.mu.Lock() // else the broadcast could come before the Wait
			defer w.mu.Unlock()
			w.wake.Broadcast()
		})
		defer timer.Stop()
	}
	w.wake.Wait()
}

func (w *writer) startFlush() {
	if !w.flushing {
		w.flushing = true
		go w.flush()
	}
}

// flush is the flusher.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.empty() && w.err == nil {
		w.yield()
		w.load()
		if err := w.writeOut(); err != nil && !w.retry(err) {
			break
		}
	}
	w.flushing = false
	w.wake.Broadcast()
}

// yield lets those who are about to write do so first. This is all that the coalescing
// takes: with nobody else to run it returns at once, and a single call is not held up.
func (w *writer) yield() {
	w.mu.Unlock()
	runtime.Gosched()
	w.mu.Lock()
}

// load sees that there is something to write, and makes room for more.
func (w *writer) load() {
	if w.leaving == nil {
		w.leaving, w.filling = w.filling, nil
		w.wake.Broadcast()
	}
}

// writeOut writes the leaving buffer, without the lock.
func (w *writer) writeOut() error {
	_ = w.applyDeadline() // if it fails so does Write
	w.writing, w.moved, w.since = true, false, time.Now()
	b := w.leaving
	w.mu.Unlock()
	n, err := w.conn.Write(b.data[b.start:b.end])
	w.mu.Lock()
	w.writing = false
	b.start += n
	if b.start == b.end {
		w.leaving = nil
		b.release()
	}
	return err
}

// retry tells whether the flusher should go on after err. If not, either the write deadline
// has passed, and who moves it starts the flusher again, or the connection is useless.
func (w *writer) retry(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if w.expired() {
			return false
		}
		if w.moved {
			return true // just now
		}
	}
	w.fail(err)
	return false
}

// fail makes err the answer to all writes. A socket that fails wakes its readers by itself,
// and lets them have what the peer said before. Other connections may not, and are closed.
func (w *writer) fail(err error) {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // write wraps it again
	}
	w.err = err
	w.drop()
	if _, ok := errors.AsType[syscall.Errno](err); !ok {
		w.mu.Unlock()
		_ = w.conn.Close() // err says more
		w.mu.Lock()
	}
}

// drop forgets what is in the buffers, and tells whether that was anything.
func (w *writer) drop() (lost bool) {
	for _, b := range []**buffer{&w.filling, &w.leaving} {
		if *b != nil {
			(*b).release()
			*b = nil
			lost = true
		}
	}
	return lost
}

// setDeadline leaves the connection below alone unless something is being written there: the
// HTTP/2 server sets and clears a deadline around every Write.
func (w *writer) setDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return opError("set", w.conn, net.ErrClosed)
	}
	w.deadline = t
	if !w.on.Load() || w.writing {
		if err := w.applyDeadline(); err != nil {
			return err
		}
	}
	if w.empty() {
		return nil
	}
	w.wake.Broadcast()
	if w.err == nil && !w.expired() {
		w.startFlush() // in case the last deadline has stopped it
	}
	return nil
}

func (w *writer) applyDeadline() error {
	if w.applied.Equal(w.deadline) {
		return nil
	}
	w.applied, w.moved = w.deadline, true
	return w.conn.SetWriteDeadline(w.deadline)
}

func (w *writer) empty() bool { return w.filling == nil && w.leaving == nil }

// shut writes what is in the buffer, and lets nothing more in.
func (w *writer) shut() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return opError("close-write", w.conn, net.ErrClosed)
	}
	w.noMore = true
	w.wake.Broadcast()
	for w.flushing || !w.empty() {
		if w.expired() {
			return opError("close-write", w.conn, os.ErrDeadlineExceeded)
		}
		w.startFlush()
		w.wait()
	}
	if w.err != nil {
		return opError("close-write", w.conn, w.err)
	}
	return nil
}

// close writes what is in the buffer within closeTime, and closes the connection. The write
// deadline does not count: a TLS connection sets one in the past before it closes this one.
func (w *writer) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return opError("close", w.conn, net.ErrClosed)
	}
	w.closed = true
	w.wake.Broadcast()
	w.finish()
	if lost := w.drop(); lost && w.err == nil {
		w.err = os.ErrDeadlineExceeded
	}
	failed := w.err
	w.mu.Unlock()
	err := w.conn.Close()
	if failed != nil {
		return opError("close", w.conn, failed)
	}
	return err
}

// finish waits for the flusher.
func (w *writer) finish() {
	if w.on.Load() {
		w.deadline = time.Time{}
	}
	if !w.empty() && w.err == nil {
		w.startFlush()
	}
	if !w.flushing {
		return
	}
	patience := closeTime
	if w.writing {
		_ = w.applyDeadline()           // if it fails so does Write
		patience -= time.Since(w.since) // a peer that has been stuck for long has had its time
	}
	timer := time.AfterFunc(patience, func() { _ = w.conn.Close() })
	for w.flushing {
		w.wake.Wait()
	}
	if !timer.Stop() && w.err != nil {
		w.err = os.ErrDeadlineExceeded // it only says that the connection was closed
	}
}
