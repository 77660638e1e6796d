// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
)

// A cable is a network between a client and a server, which can be cut while both go on.
type cable struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	ends  []*net.TCPConn
	whole bool
	all   sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{ln: ln, to: to, whole: true}
	c.all.Go(c.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		c.cut()
		c.all.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.ln.Accept()
		if err != nil {
			return
		}
		far, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.join(near.(*net.TCPConn), far.(*net.TCPConn)) //nolint:forcetypeassert // both are TCP's
	}
}

func (c *cable) join(near, far *net.TCPConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends = append(c.ends, near, far)
	if !c.whole {
		c.reset()
		return
	}
	for _, way := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		c.all.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].CloseWrite()
		})
	}
}

// cut ends all connections at once, without a word, and those that are made from now on.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = false
	c.reset()
}

// mend lets connections through again.
func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = true
}

// reset ends all connections. Its caller has mu.
func (c *cable) reset() {
	for _, end := range c.ends {
		_ = end.SetLinger(0) // what is on its way is lost
		_ = end.Close()
	}
	c.ends = nil
}

// TestStdioGoesOnAfterACut of the network, of which the server knows as little as the client: the call in
// flight fails and says why, those that come meanwhile do so soon, and then all is well, in the
// session that was.
func TestStdioGoesOnAfterACut(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				r := newRestartable(t, time.Millisecond)
				cable := newCable(t, r.addr)
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + cable.ln.Addr().String())}), version, `{}`)
				call := func(tool string) rpctest.Outcome {
					c := callOf(tool, `{"name":"x"}`)
					return over.Call(rpctest.Context(t), c.method, c.paramsFor(version))
				}
				lost := make(chan rpctest.Outcome, 1)
				go func() { lost <- call("block") }()
				<-r.everything.Blocked()
				cable.cut()
				if o := <-lost; o.Err == nil { // calls of a legacy session over HTTP are tried to be resumed before
					t.Errorf("the call in flight gave %v", o)
				}
				cable.mend()
				eventually(t, "a call is answered", func() bool { return call("greet").Err == nil })
			})
		}
	}
}
