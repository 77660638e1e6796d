// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A slowListener has connections that write nothing while they are held.
type slowListener struct {
	net.Listener
	writes atomic.Int64
	held   atomic.Bool
	goOn   chan struct{}
}

type slowConn struct {
	net.Conn
	ln *slowListener
}

func (l *slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return slowConn{conn, l}, nil
}

func (c slowConn) Write(p []byte) (int, error) {
	c.ln.writes.Add(1)
	if c.ln.held.Load() {
		<-c.ln.goOn
	}
	return c.Conn.Write(p)
}

func TestServeCoalescesWrites(t *testing.T) {
	t.Parallel()
	const flushes = 100
	for _, tt := range []struct {
		name string
		opts []mcpconnect.ServeOption
		want bool
	}{
		{"by default", nil, true},
		{"not without coalescing", []mcpconnect.ServeOption{mcpconnect.WithoutCoalescing()}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			slow := &slowListener{Listener: ln, goOn: make(chan struct{})}
			handler := func(w http.ResponseWriter, _ *http.Request) {
				slow.writes.Store(0)
				slow.held.Store(tt.want) // what follows does not wait for a write
				for range flushes {
					_, _ = io.WriteString(w, "x")
					_ = http.NewResponseController(w).Flush()
				}
				close(slow.goOn)
			}
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- mcpconnect.Serve(ctx, slow, http.HandlerFunc(handler), tt.opts...) }()

			protocols := new(http.Protocols)
			protocols.SetUnencryptedHTTP2(true)
			transport := &http.Transport{Protocols: protocols}
			resp, err := (&http.Client{Transport: transport}).Get("http://" + ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || len(body) != flushes {
				t.Errorf("got %d bytes, %v, want %d", len(body), err, flushes)
			}
			if got := slow.writes.Load() < flushes/2; got != tt.want {
				t.Errorf("%d flushes took %d writes", flushes, slow.writes.Load())
			}
			transport.CloseIdleConnections()
			stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}
