// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// smallBody is how large a body may be that is read at once, and goes out with the headers.
const smallBody = 16 << 10

var errLength = errors.New("http: the body does not have the length that ContentLength says")

// readSmall reads a body that is in memory, as it seems, before the connection is locked: the body is
// somebody else's.
func (x *call) readSmall() error {
	x.small = bodies.Get().(*[]byte) //nolint:errcheck // nothing else is there
	n, err := io.ReadFull(x.req.Body, (*x.small)[:x.length+1])
	switch {
	case err == nil, int64(n) < x.length && (err == io.EOF || err == io.ErrUnexpectedEOF):
		err = errLength
	case int64(n) == x.length && err == io.ErrUnexpectedEOF:
		x.closing, x.closed = true, true
		_ = x.req.Body.Close() // all was read
		return nil
	}
	x.free()
	return err
}

// free gives back what readSmall has taken.
func (x *call) free() {
	if x.small != nil {
		bodies.Put(x.small)
		x.small = nil
	}
}

var bodies = sync.Pool{New: func() any { b := make([]byte, smallBody+1); return &b }}

// sendBody sends what the body gives, as it comes.
func (x *call) sendBody() {
	if x.small != nil {
		x.sendPart((*x.small)[:x.length], io.EOF)
		x.free()
		return
	}
	buf := bodies.Get().(*[]byte) //nolint:errcheck // nothing else is there
	defer bodies.Put(buf)
	left := x.length
	for {
		n, err := x.req.Body.Read(*buf)
		if x.length >= 0 {
			if left -= int64(n); left < 0 || err == io.EOF && left > 0 {
				err = errLength
			}
		}
		if !x.sendPart((*buf)[:n], err) {
			break
		}
	}
	x.c.mu.Lock()
	mine := !x.closing // or it was closed to wake us
	x.closing = true
	x.c.mu.Unlock()
	if mine {
		x.closeBody()
	}
}

// closeBody closes the body for who has said that it does so.
func (x *call) closeBody() {
	_ = x.req.Body.Close() // nobody reads it any more
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	x.closed = true
	x.arrived.Broadcast()
}

// sendPart sends a part of the body, and tells whether there is more to send.
func (x *call) sendPart(part []byte, readErr error) bool {
	c := x.c
	c.mu.Lock()
	defer c.mu.Unlock()
	end := readErr == io.EOF //nolint:errorlint // as io.Reader says
	switch {
	case x.localDone:
	case readErr != nil && !end:
		x.cut(readErr)
	case end && len(x.req.Trailer) > 0:
		if len(part) > 0 && x.send(part, nil, false) != nil {
			break
		}
		for name, values := range x.req.Trailer {
			for _, v := range values {
				c.encode(lower(name), v)
			}
		}
		c.appendHeaders(x.id, true)
		x.localDone = true
	case len(part) > 0 || end:
		if x.send(part, nil, end) != nil {
			break
		}
		x.localDone = end
	}
	c.flush()
	if x.localDone {
		x.sending = false
		x.forget() // wakes who waits for that
		return false
	}
	return true
}

// awaitSender waits until nobody reads the body, which is closed, or the context ends. Bodies that are
// made again may be the same ones. Its caller has mu.
func (x *call) awaitSender() {
	ctx := x.req.Context()
	defer context.AfterFunc(ctx, func() {
		x.c.mu.Lock()
		defer x.c.mu.Unlock()
		x.arrived.Broadcast()
	})()
	for x.sending && ctx.Err() == nil {
		x.arrived.Wait()
	}
}

// A missingBody is one that is shorter than the headers say: there is none.
type missingBody struct{}

func (missingBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (missingBody) Close() error             { return nil }

// A responseBody is the body of a response.
type responseBody struct{ x *call }

// Read waits for bytes of the body.
func (b *responseBody) Read(p []byte) (int, error) {
	b.x.c.mu.Lock()
	defer b.x.c.mu.Unlock()
	return b.x.read(p)
}

// Close gives up the rest, and what is still to be sent.
func (b *responseBody) Close() error {
	x := b.x
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if x.readErr != io.EOF || x.unread.n > 0 { //nolint:errorlint // our own
		x.readErr = http.ErrBodyReadAfterClose
	}
	x.discard()
	x.cut(http.ErrBodyReadAfterClose)
	x.arrived.Broadcast()
	x.c.flush()
	return nil
}
