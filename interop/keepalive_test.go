// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestKeepalivePingsAreWelcome lets grpc-go ping as often as it can: every 10 s, without a
// call, and beside each message to measure the bandwidth. Servers of grpc-go would close such
// a connection with "too_many_pings". It takes as long as those pings do.
func TestKeepalivePingsAreWelcome(t *testing.T) {
	t.Parallel()
	s := serve(t, everything.NewServer())
	watched := newWatchedConn()
	conn := dial(t, s.addr,
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Second, Timeout: patience, PermitWithoutStream: true}),
		grpc.WithContextDialer(watched.dial))
	c, ctx := mcpv1grpc.NewMCPClient(conn), testContext(t)
	for range 200 {
		invoke(ctx, t, c, "greet", `{"name":"`+strings.Repeat("x", 100)+`"}`)
	}
	idle := time.Now()
	bandwidth := 0
	for ; time.Since(idle) < 5*time.Second; bandwidth++ {
		receive(t, watched.pongs, "answer to a ping of an idle connection")
	}
	if bandwidth < 3 {
		t.Errorf("got %d pings, too few to prove anything", bandwidth)
	}
	if state := conn.GetState(); state != connectivity.Ready {
		t.Errorf("the connection is %v", state)
	}
	if _, err := c.Ping(ctx, &mcpv1.PingRequest{}); err != nil {
		t.Error(err)
	}
	if dials, goneAway := watched.counts(); dials != 1 || goneAway != 0 {
		t.Errorf("got %d connections and %d GOAWAYs, want 1 and 0", dials, goneAway)
	}
}

// A watchedConn dials connections and reads along what the server sends.
type watchedConn struct {
	pongs chan struct{}

	mu              sync.Mutex
	dials, goneAway int
}

func newWatchedConn() *watchedConn { return &watchedConn{pongs: make(chan struct{}, 4096)} }

func (w *watchedConn) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.dials++
	w.mu.Unlock()
	r, copied := io.Pipe()
	go w.watch(r)
	return &teeConn{Conn: conn, copied: copied}, nil
}

// watch counts frames until the connection ends.
func (w *watchedConn) watch(r *io.PipeReader) {
	defer r.Close()
	framer := http2.NewFramer(io.Discard, r)
	framer.SetMaxReadFrameSize(1 << 24)
	for {
		frame, err := framer.ReadFrame()
		if err != nil && !errors.As(err, new(http2.StreamError)) {
			return
		}
		switch frame := frame.(type) {
		case *http2.PingFrame:
			if frame.IsAck() {
				w.pongs <- struct{}{}
			}
		case *http2.GoAwayFrame:
			w.mu.Lock()
			w.goneAway++
			w.mu.Unlock()
		}
	}
}

func (w *watchedConn) counts() (dials, goneAway int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials, w.goneAway
}

// A teeConn copies what is read from it.
type teeConn struct {
	net.Conn
	copied *io.PipeWriter
}

func (c *teeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		_, _ = c.copied.Write(p[:n])
	}
	if err != nil {
		_ = c.copied.CloseWithError(err)
	}
	return n, err
}
