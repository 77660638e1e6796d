// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A forwarder passes connections on to whatever server is the present one, as a mesh does. It loses
// nothing that a server has sent before it went, where Node's own sockets do when they could not write. A
// reset is an end then.
type forwarder struct {
	mu    sync.Mutex
	to    string
	pairs map[*pair]struct{}
}

// forward serves a forwarder until standard input ends.
func forward() error {
	f := &forwarder{pairs: map[*pair]struct{}{}}
	ctx := context.Background()
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/to", f.switchTo)
	mux.HandleFunc("/arrived", f.arrived)
	mux.HandleFunc("/lose", f.lose)
	go func() { _ = http.Serve(control, mux) }() //nolint:gosec // for tests
	go f.accept(ln)
	fmt.Println("control http://" + control.Addr().String())
	fmt.Println("serving http://" + ln.Addr().String())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func (f *forwarder) accept(ln net.Listener) {
	for {
		client, err := ln.Accept()
		if err != nil {
			return
		}
		go f.carry(client)
	}
}

// A pair is the two ends of what is forwarded.
type pair struct {
	there       net.Conn
	heard, lost atomic.Bool // something of the server, or its end; see lose
}

// carry copies until the server has sent all, and the client has left.
func (f *forwarder) carry(client net.Conn) {
	defer client.Close()
	first := make([]byte, 32<<10)
	n, err := client.Read(first) // a connection that carries nothing needs no server
	if err != nil {
		return
	}
	p, err := f.dial()
	if err != nil {
		return
	}
	defer p.there.Close()
	_, _ = p.there.Write(first[:n]) // see copy
	var both sync.WaitGroup
	both.Go(func() { p.copy(p.there, client, func() {}) })
	both.Go(func() { p.copy(client, p.there, func() { p.heard.Store(true) }) })
	both.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pairs, p)
}

// dial connects to the present server. It holds mu meanwhile: after switchTo, all that goes to the
// server before is in pairs.
func (f *forwarder) dial() (*pair, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	there, err := new(net.Dialer).DialContext(context.Background(), "tcp", f.to)
	if err != nil {
		return nil, err
	}
	p := &pair{there: there}
	f.pairs[p] = struct{}{}
	return p, nil
}

// copy passes on what comes, until the end. What cannot be passed on is read all the same: if it closed the
// connection, TCP would drop what its peer has not read yet.
func (p *pair) copy(to, from net.Conn, heard func()) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		heard()
		if p.lost.Load() {
			n = 0
		}
		_, _ = to.Write(b[:n]) // as above
		if err != nil {
			if !p.lost.Load() {
				_ = to.(*net.TCPConn).CloseWrite() //nolint:errcheck,forcetypeassert // it is TCP
			}
			return
		}
	}
}

// switchTo forwards new connections to another server.
func (f *forwarder) switchTo(_ http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = r.FormValue("address")
}

// arrived waits until servers have said something on all connections that there are now: the kernel
// resets those that they have not accepted when they go.
func (f *forwarder) arrived(w http.ResponseWriter, _ *http.Request) {
	end := time.Now().Add(10 * time.Second)
	for _, p := range f.all() {
		for !p.heard.Load() {
			if time.Now().After(end) {
				http.Error(w, "a server says nothing", http.StatusGatewayTimeout)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// lose carries nothing more on the connections that there are.
func (f *forwarder) lose(http.ResponseWriter, *http.Request) {
	for _, p := range f.all() {
		p.lost.Store(true)
	}
}

func (f *forwarder) all() []*pair {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.pairs))
}
