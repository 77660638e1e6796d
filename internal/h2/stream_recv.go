// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"io"
	"net/http"
	"strconv"
)

// read waits for bytes of the body, as [io.Reader] does. Its caller has mu, which is released
// meanwhile.
func (s *stream) read(p []byte) (int, error) {
	for s.unread.n == 0 {
		switch {
		case s.readEnd.over():
			return 0, errDeadline
		case s.readErr != nil:
			if s.readErr == io.EOF { //nolint:errorlint // our own
				s.owner.complete()
			}
			return 0, s.readErr
		case s.err != nil:
			return 0, s.err
		case len(p) == 0:
			return 0, nil
		}
		s.readEnd.wait(&s.arrived)
	}
	if s.readEnd.over() {
		return 0, errDeadline
	}
	n := s.unread.read(p)
	s.credit(n)
	s.c.flush()
	return n, nil
}

// put adds what the peer has sent. Its caller has mu.
func (s *stream) put(data []byte) {
	s.unread.write(data)
	s.arrived.Signal()
}

// discard gives up what nobody will read. Its caller has mu.
func (s *stream) discard() {
	if s.readErr == nil {
		s.readErr = http.ErrBodyReadAfterClose
	}
	if s.unread.n > 0 {
		s.c.credit(s.unread.n)
	}
	s.unread.discard()
}

// credit counts bytes that are consumed, and tells the peer when they are many. Its caller has
// mu, and flushes.
func (c *conn) credit(n int) {
	if c.recvCredit += n; c.recvCredit >= c.recvConn/4 {
		c.recvLeft += c.recvCredit
		c.appendWindowUpdate(0, c.recvCredit)
		c.recvCredit = 0
	}
}

// credit is the same for a stream, and its connection.
func (s *stream) credit(n int) {
	s.c.credit(n)
	if s.remoteDone {
		return
	}
	if s.recvCredit += n; s.recvCredit >= s.c.recvStream/4 {
		s.recvLeft += s.recvCredit
		s.c.appendWindowUpdate(s.id, s.recvCredit)
		s.recvCredit = 0
	}
}

// contentLength is the length that headers declare, -1 for none. ok is false if it is no number.
func contentLength(values []string) (n int64, ok bool) {
	if len(values) == 0 {
		return -1, true
	}
	for _, v := range values[1:] {
		if v != values[0] {
			return -1, false
		}
	}
	u, err := strconv.ParseUint(values[0], 10, 63)
	return int64(u), err == nil
}
