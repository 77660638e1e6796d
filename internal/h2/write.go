// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// fullBuffer is how much waits to be written until handlers wait, too.
	fullBuffer = 64 << 10
	// maxControl is how much more the answers to what the peer sends may take: one that does not
	// read them must not fill the memory.
	maxControl = 256 << 10
	// keptBuffer is the largest buffer that is kept for the next write.
	keptBuffer = 128 << 10
	// tlsRecord is the most that a record of TLS holds.
	tlsRecord = 16 << 10
	// patientWrites is how often a handler writes what others have to say, after its own.
	patientWrites = 4
	// patience is how long it does so when the peer takes little; over TLS, for a record.
	patience = time.Second
)

// A writer collects frames and writes them. Whoever has something to say and finds nobody writing
// writes, and goes on while others add to it.
type writer struct {
	out      []byte // frames that wait
	rest     []byte // of those that are being written
	spare    []byte // an empty buffer for the next
	writing  bool   // by somebody
	last     bool   // the connection ends when all is written
	peerGone bool   // it takes nothing more; what it has sent is still read
}

// flush has what waits written: by its caller, unless somebody does it already. Its caller has mu,
// which is released meanwhile.
func (c *conn) flush() {
	if !c.mustWrite() {
		return
	}
	c.writing = true
	for range patientWrites {
		if !c.writeOnce(patience) {
			c.wrote()
			return
		}
		if len(c.rest) > 0 {
			break
		}
	}
	go c.writeRest()
}

// wrote notes that nothing is left to write. Its caller has mu.
func (c *conn) wrote() {
	c.writing = false
	if c.last {
		c.fail(errClosed)
	}
}

// finish ends the connection when all is written. Its caller has mu.
func (c *conn) finish() {
	c.last = true
	if !c.writing && len(c.out) == 0 {
		c.wrote()
		return
	}
	c.flushSoon()
}

// flushSoon is flush for the reader, which must not wait for the peer to read: it may wait for us
// to do so.
func (c *conn) flushSoon() {
	if !c.mustWrite() {
		return
	}
	c.writing = true
	go c.writeRest()
}

// mustWrite tells whether somebody must write.
func (c *conn) mustWrite() bool {
	return !c.writing && len(c.out) > 0 && c.ended == nil
}

func (c *conn) writeRest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writeOnce(0) {
	}
	c.wrote()
}

// writeOnce writes what waits, and tells whether there was something. Its caller has mu, and has
// said that it writes. After the time that it has, it leaves the rest to others.
func (c *conn) writeOnce(most time.Duration) bool {
	if c.ended != nil || c.peerGone || len(c.rest)+len(c.out) == 0 {
		return false
	}
	buf := c.rest
	if len(buf) == 0 {
		// Those who are about to say something, too, do so first. With nobody else to run it returns
		// at once, and a single call is not held up.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
		buf = c.out
		c.out, c.spare = c.spare[:0], nil
		c.wake()
	}
	c.mu.Unlock()
	rest, err := c.write(buf, most)
	c.mu.Lock()
	if c.rest = rest; len(rest) == 0 && cap(buf) <= keptBuffer && len(c.streams) > 0 {
		c.spare = buf[:0]
	}
	if err != nil {
		c.role.unwritable(err)
	}
	return true
}

// write writes as long as the peer takes something now and then. It gives what is left after most,
// which is zero for who has nothing else to do.
func (c *conn) write(buf []byte, most time.Duration) (rest []byte, err error) {
	begun := time.Now()
	for now := begun; ; now = time.Now() {
		part, stall := buf, c.writeStall
		switch {
		case c.tls != nil: // which does not go on after a write that has timed out
			part = buf[:min(len(buf), tlsRecord)]
		case most > 0:
			stall = min(stall, most)
		}
		if stall > 0 {
			_ = c.nc.SetWriteDeadline(now.Add(stall)) // what fails is told by the write
		}
		n, err := c.nc.Write(part)
		buf = buf[n:]
		if err != nil && (c.tls != nil || n == 0 && stall == c.writeStall || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return nil, err
		}
		if len(buf) == 0 || most > 0 && time.Since(begun) >= most {
			return buf, nil
		}
	}
}

// wake wakes the streams that wait for room, as far as there is some. Its caller has mu.
func (c *conn) wake() {
	if len(c.out) >= fullBuffer {
		return
	}
	c.wakeFull()
	room := c.sendWindow
	for len(c.waiting) > 0 && room > 0 {
		s := c.waiting[0]
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		s.queued = false
		s.room.Signal()
		if s.sendWindow > 0 && s.writable() == nil { // or it leaves the room to others
			room -= int64(c.peerFrame)
		}
	}
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

func (c *conn) wakeFull() {
	for _, s := range c.full {
		s.room.Signal()
	}
	c.full = nil
}

func (c *conn) wakeAll() {
	c.wakeFull()
	for _, s := range c.waiting {
		s.queued = false
		s.room.Signal()
	}
	c.waiting = nil
}

func (c *conn) appendFrame(t http2.FrameType, flags http2.Flags, id uint32, length int) {
	c.out = append(c.out, byte(length>>16), byte(length>>8), byte(length), byte(t), byte(flags), byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

func (c *conn) appendSettings(settings ...http2.Setting) {
	c.appendFrame(http2.FrameSettings, 0, 0, 6*len(settings))
	for _, s := range settings {
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(s.ID))
		c.out = binary.BigEndian.AppendUint32(c.out, s.Val)
	}
}

func (c *conn) appendWindowUpdate(id uint32, n int) {
	c.appendFrame(http2.FrameWindowUpdate, 0, id, 4)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(n))
}

func (c *conn) appendPing(ack bool, data [8]byte) {
	var flags http2.Flags
	if ack {
		flags = http2.FlagPingAck
	}
	c.appendFrame(http2.FramePing, flags, 0, 8)
	c.out = append(c.out, data[:]...)
}

func (c *conn) appendReset(id uint32, code http2.ErrCode) {
	c.appendFrame(http2.FrameRSTStream, 0, id, 4)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(code))
	c.gone[c.nextGone] = id
	c.nextGone = (c.nextGone + 1) % len(c.gone)
}

func (c *conn) appendGoAway(last uint32, code http2.ErrCode) {
	c.appendFrame(http2.FrameGoAway, 0, 0, 8)
	c.out = binary.BigEndian.AppendUint32(c.out, last)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(code))
}

// answered is for what was appended in answer to a frame. Its error says that the peer has asked
// for too much, and reads nothing.
func (c *conn) answered() error {
	if len(c.out) > fullBuffer+maxControl {
		return errors.New("http2: the peer does not read the answers to its frames")
	}
	return nil
}

// appendHeaders appends what was encoded into c.header, in as many frames as it takes.
func (c *conn) appendHeaders(id uint32, end bool) {
	block := c.header.Bytes()
	t, flags := http2.FrameHeaders, http2.Flags(0)
	if end {
		flags = http2.FlagHeadersEndStream
	}
	for {
		part := block[:min(len(block), c.peerFrame)]
		if block = block[len(part):]; len(block) == 0 {
			flags |= http2.FlagHeadersEndHeaders
		}
		c.appendFrame(t, flags, id, len(part))
		c.out = append(c.out, part...)
		if len(block) == 0 {
			break
		}
		t, flags = http2.FrameContinuation, 0
	}
	c.header.Reset()
}

func (c *conn) encode(name, value string) {
	_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // a bytes.Buffer takes all
}
