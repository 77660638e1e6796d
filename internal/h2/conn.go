// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	readBuffer    = 4 << 10
	recvWindow    = 1 << 20 // of a stream: what a peer may send unread
	initialWindow = 65535   // what both sides begin with (RFC 9113 §6.9.2)
	maxFrame      = 16 << 10
	maxSentFrame  = 64 << 10 // larger ones would be unfair to other streams
	headerTable   = 4 << 10
	firstFrame    = 10 * time.Second // how long a peer may take to begin
	hangUp        = time.Second      // how long a peer may take to close a connection that is over
	pingTimeout   = 15 * time.Second
)

// A conn is an HTTP/2 connection, seen from either end. Its reader is the goroutine of serve.
type conn struct {
	nc     net.Conn
	tls    *tls.ConnectionState
	remote string
	in     *bufio.Reader
	framer *http2.Framer // reads from in
	role   role
	limits

	begun    time.Time
	lastRead atomic.Int64 // when bytes came, in nanoseconds since begun

	mu        sync.Mutex // guards all below, and the streams
	streams   map[uint32]*stream
	gone      [32]uint32 // streams that were reset last; the peer may not know yet
	nextGone  int
	ended     error // why nothing more can be written
	reason    error // why the peer is about to end it
	idleSince time.Time
	pinged    bool // an answer is to come
	pingedAt  time.Duration
	timer     *time.Timer
	started   bool // the peer's settings have come

	writer

	recvCredit int   // consumed, and not told to the peer
	recvLeft   int   // what the peer may still send
	sendWindow int64 // what it may still be sent
	peerWindow int64 // of new streams
	peerFrame  int
	waiting    []*stream // for sendWindow or room in the buffer, the longest first
	full       []*stream // for room in the buffer alone
	header     bytes.Buffer
	encoder    *hpack.Encoder
}

// A role is what differs between the ends. All but begin are called with mu.
type role interface {
	// preface sends and reads what comes first.
	preface() error
	// takeHeaders takes the headers of a stream that is not there.
	takeHeaders(f *http2.MetaHeadersFrame) error
	// lastID is the highest stream of the peer that was taken.
	lastID() uint32
	// malformed notes the headers of a stream, which are none. Its error ends the connection.
	malformed(id uint32) error
	// late tells what to make of a frame for a stream that has ended: nothing, if it may have been on
	// its way.
	late(id uint32) error
	// isIdle tells whether a stream has not been opened.
	isIdle(id uint32) bool
	// set takes a setting that is not about both ends.
	set(s http2.Setting) error
	takeGoAway(f *http2.GoAwayFrame)
	takePing(data [8]byte)
	// idle is told that a stream has ended.
	idle()
	// leave ends a connection on which nothing happens.
	leave()
	// broken is told that the peer has broken a rule, and is told so.
	broken(err error)
	// unwritable is told that the peer takes nothing more.
	unwritable(err error)
	// failed is told that the connection has ended.
	failed()
}

// limits are what a connection is configured with; zero for no limit.
type limits struct {
	maxHeaders  uint32 // bytes, as RFC 9113 §6.5.2 counts
	recvConn    int    // what the peer may send unread, of all streams
	recvStream  int    // and of each
	maxFrame    uint32 // that is read
	idleTimeout time.Duration
	pingAfter   time.Duration
	pingTimeout time.Duration
	writeStall  time.Duration
}

// of takes what an [http.HTTP2Config] says.
func (l *limits) of(cfg *http.HTTP2Config) {
	l.pingTimeout, l.maxFrame = pingTimeout, maxFrame
	if cfg == nil {
		return
	}
	if cfg.PingTimeout > 0 {
		l.pingTimeout = cfg.PingTimeout
	}
	if cfg.MaxReadFrameSize >= maxFrame {
		l.maxFrame = uint32(min(cfg.MaxReadFrameSize, 1<<24-1))
	}
	l.pingAfter, l.writeStall = cfg.SendPingTimeout, cfg.WriteByteTimeout
}

func newConn(nc net.Conn, l limits) *conn {
	c := &conn{
		nc: nc, limits: l, streams: map[uint32]*stream{}, begun: time.Now(), idleSince: time.Now(),
		recvLeft: l.recvConn, sendWindow: initialWindow, peerWindow: initialWindow, peerFrame: maxFrame,
	}
	if addr := nc.RemoteAddr(); addr != nil {
		c.remote = addr.String()
	}
	if secure, ok := nc.(*tls.Conn); ok {
		state := secure.ConnectionState()
		c.tls = &state
	}
	c.in = bufio.NewReaderSize(stamped{c}, readBuffer)
	c.framer = http2.NewFramer(io.Discard, c.in)
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(l.maxFrame)
	c.framer.MaxHeaderListSize = l.maxHeaders
	c.framer.ReadMetaHeaders = hpack.NewDecoder(headerTable, nil)
	c.encoder = hpack.NewEncoder(&c.header)
	return c
}

// stamped notes when bytes come.
type stamped struct{ c *conn }

func (s stamped) Read(p []byte) (int, error) {
	n, err := s.c.nc.Read(p)
	s.c.lastRead.Store(int64(time.Since(s.c.begun))) // which no change of the clock changes
	return n, err
}

// serve reads until the end. Handlers may outlive it.
func (c *conn) serve() {
	err := c.begin()
	if err == nil {
		c.watch()
		err = c.read()
	}
	c.end(err)
}

// begin exchanges the prefaces.
func (c *conn) begin() error {
	if c.tls != nil && !secureEnough(c.tls) {
		return http2.ConnectionError(http2.ErrCodeInadequateSecurity)
	}
	c.mu.Lock()
	ended := c.ended
	if ended == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(firstFrame)) // what fails is told by the read
	}
	c.mu.Unlock()
	if ended != nil { // by who has written already
		return ended
	}
	return c.role.preface()
}

// appendPreface appends the settings, and the rest of the window. Its caller has mu.
func (c *conn) appendPreface(settings ...http2.Setting) {
	c.appendSettings(append(settings,
		http2.Setting{ID: http2.SettingMaxFrameSize, Val: c.maxFrame},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: c.maxHeaders},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(c.recvStream)},
	)...)
	c.appendWindowUpdate(0, c.recvConn-initialWindow)
}

// read reads frames and acts on them.
func (c *conn) read() error {
	for {
		h, err := c.framer.ReadFrameHeader()
		if err == nil {
			err = c.readFrame(h)
		}
		if err != nil {
			if err = c.heed(err); err != nil {
				return err
			}
		}
	}
}

func (c *conn) readFrame(h http2.FrameHeader) error {
	f, err := c.framer.ReadFrameForHeader(h)
	if err == nil {
		return c.take(f)
	}
	var broken http2.StreamError
	if !errors.As(err, &broken) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case h.Type == http2.FrameHeaders && broken.Cause == nil:
		// Its padding is too long. What it would have told of later headers is lost.
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case h.Type == http2.FrameHeaders && c.streams[h.StreamID] == nil:
		if err := c.role.malformed(h.StreamID); err != nil {
			return err
		}
	case c.role.isIdle(h.StreamID): // there is nothing to reset
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return err
}

// heed resets the stream that an error is about. What it gives ends the connection.
func (c *conn) heed(err error) error {
	var broken http2.StreamError
	switch {
	case errors.As(err, &broken):
		return c.resetStream(broken)
	case errors.Is(err, http2.ErrFrameTooLarge):
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	return err
}

// end says goodbye, if that is possible, and closes the connection.
func (c *conn) end(cause error) {
	var violated http2.ConnectionError
	c.mu.Lock()
	if errors.As(cause, &violated) && c.ended == nil {
		c.appendGoAway(c.role.lastID(), http2.ErrCode(violated))
		_ = c.nc.SetReadDeadline(time.Now().Add(hangUp))
		c.flushSoon() // the reader waits for the client below
		c.role.broken(cause)
		c.mu.Unlock()
		_, _ = io.Copy(io.Discard, c.nc) // what the client has sent before it knew: TCP would reset
		c.mu.Lock()
	}
	switch {
	case cause == nil:
		cause = errClosed
	case errors.Is(cause, io.EOF) && c.reason != nil:
		cause = c.reason
	case errors.Is(cause, io.EOF):
		cause = io.ErrUnexpectedEOF // it is not the end of what streams carry
	}
	c.fail(cause)
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	_ = c.nc.Close() // it is over, whatever it says
}

var errClosed = errors.New("closed")

// fail ends all that the connection carries. Its caller has mu.
func (c *conn) fail(err error) {
	if c.ended != nil {
		return
	}
	c.ended = err
	for _, s := range c.streams {
		s.fail(err)
	}
	c.role.failed()
	c.wakeAll()
	_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // the reader ends
}

// watch looks after the connection from time to time: it ends if it is idle for too long, or the
// client is not there any more.
func (c *conn) watch() {
	every := c.pingAfter
	if every <= 0 || c.idleTimeout > 0 && c.idleTimeout < every {
		every = c.idleTimeout
	}
	if every <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(every, func() { c.look(every) })
}

func (c *conn) look(every time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return
	}
	now, lastRead := time.Since(c.begun), time.Duration(c.lastRead.Load())
	pinged := c.pinged
	c.pinged = false
	next, idleLeft := every, c.idleTimeout
	if len(c.streams) == 0 {
		idleLeft -= time.Since(c.idleSince)
	}
	switch {
	case pinged && lastRead < c.pingedAt:
		c.fail(errors.New("http2: the peer does not answer"))
		return
	case c.idleTimeout > 0 && idleLeft <= 0:
		c.role.leave()
	case c.pingAfter > 0 && now-lastRead >= c.pingAfter:
		c.pinged, c.pingedAt = true, now
		c.appendPing(false, [8]byte{})
		c.flushSoon()
		next = c.pingTimeout
	default:
		if c.pingAfter > 0 {
			next = c.pingAfter - (now - lastRead)
		}
		if c.idleTimeout > 0 {
			next = min(next, idleLeft)
		}
	}
	c.timer.Reset(next)
}

// secureEnough tells whether TLS is what HTTP/2 asks for (RFC 9113 §9.2).
func secureEnough(state *tls.ConnectionState) bool {
	if state.Version >= tls.VersionTLS13 {
		return true
	}
	switch state.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return state.Version == tls.VersionTLS12
	}
	return false
}
