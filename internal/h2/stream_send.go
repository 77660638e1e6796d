// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import "golang.org/x/net/http2"

// writable tells why nothing may be written.
func (s *stream) writable() error {
	switch {
	case s.err != nil:
		return s.err
	case s.localDone:
		return errStreamClosed
	case s.writeEnd.over():
		return errDeadline
	}
	return nil
}

// send appends a and then b as frames of data, as the client allows. Its caller has mu, which is
// released while it waits.
func (s *stream) send(a, b []byte, end bool) error {
	c := s.c
	for {
		n := len(a) + len(b)
		if n > 0 {
			if err := s.await(); err != nil {
				return err
			}
			n = int(min(int64(n), int64(c.peerFrame), s.sendWindow, c.sendWindow))
		} else if err := s.writable(); err != nil {
			return err
		}
		last := n == len(a)+len(b)
		var flags http2.Flags
		if last && end {
			flags = http2.FlagDataEndStream
		}
		c.appendFrame(http2.FrameData, flags, s.id, n)
		ofA := min(n, len(a))
		c.out = append(append(c.out, a[:ofA]...), b[:n-ofA]...)
		a, b = a[ofA:], b[n-ofA:]
		s.sendWindow -= int64(n)
		c.sendWindow -= int64(n)
		if last {
			c.wake() // it may have been woken for more than it took
			return nil
		}
	}
}

// await waits until some bytes may be sent. Its caller has mu.
func (s *stream) await() error {
	c := s.c
	for woken := false; ; woken = true {
		if err := s.writable(); err != nil {
			c.wake() // it has no use for what it was woken for
			return err
		}
		free := s.sendWindow > 0 && c.sendWindow > 0 && len(c.out) < fullBuffer
		if free && (woken || len(c.waiting) == 0) {
			return nil
		}
		if !c.writing && len(c.out) > 0 {
			c.flush()
			continue
		}
		switch {
		case s.sendWindow <= 0 && woken:
			c.wake() // its own window has shrunk: others may use what it was woken for
		case s.sendWindow > 0 && !s.queued: // the others are waiting for the same
			s.queued = true
			c.waiting = append(c.waiting, s)
		}
		s.writeEnd.wait(&s.room)
	}
}

// awaitBuffer waits until there is room for frames that no window holds back: the answers to a peer
// that reads nothing must not fill the memory. Its caller has mu, which is released meanwhile.
func (s *stream) awaitBuffer() error {
	c := s.c
	for len(c.out) >= fullBuffer {
		if err := s.writable(); err != nil {
			return err
		}
		if !c.writing {
			c.flush()
			continue
		}
		c.full = append(c.full, s)
		s.writeEnd.wait(&s.room)
	}
	return nil
}
