// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
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

// TestServeCoalescesWrites has many calls answer while a write takes long: that of the first. What the
// others say goes out with the next.
func TestServeCoalescesWrites(t *testing.T) {
	t.Parallel()
	const calls = 50
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowListener{Listener: ln, goOn: make(chan struct{})}
	var begun, ended atomic.Int64
	all := make(chan struct{})
	handler := func(w http.ResponseWriter, _ *http.Request) {
		if begun.Add(1) == calls {
			slow.writes.Store(0)
			slow.held.Store(true)
			close(all)
		}
		<-all
		defer func() {
			if ended.Add(1) == calls-1 { // all but the one that writes
				close(slow.goOn)
			}
		}()
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, slow, http.HandlerFunc(handler)) }()

	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	var callers sync.WaitGroup
	for range calls {
		callers.Go(func() {
			resp, err := (&http.Client{Transport: transport}).Get("http://" + ln.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "x" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
	callers.Wait()
	if n := slow.writes.Load(); n > calls/2 {
		t.Errorf("%d answers took %d writes", calls, n)
	}
	transport.CloseIdleConnections()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
