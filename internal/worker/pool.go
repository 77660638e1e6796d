// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package worker keeps goroutines for the next piece of work.
//
// A new goroutine begins with a small stack, which handling a request outgrows again and
// again; each time all of it is copied. That can take longer than the request itself.
package worker

import (
	"runtime"
	"sync"
)

// maxIdle is how many goroutines of a pool wait for work. More come and go as work blocks.
const maxIdle = 256

// A Pool runs functions on goroutines that it keeps. The zero value is ready. It is safe for
// concurrent use.
type Pool struct {
	mu     sync.Mutex
	idle   []chan func()
	closed bool
	ended  sync.WaitGroup // those that are idle, or were
	runs   sync.Pool      // of *run; of this pool alone, since a channel of testing/synctest is of use in one bubble only
}

// Go runs f on a goroutine: one that is idle, if there is one. It never waits. f must not
// panic.
func (p *Pool) Go(f func()) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		next := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		next <- f // has room
		return
	}
	p.mu.Unlock()
	go p.work(f)
}

func (p *Pool) work(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		if !p.rest(next) {
			return
		}
		f = <-next
		p.ended.Done()
	}
}

// rest tells whether the goroutine may wait for more.
func (p *Pool) rest(next chan func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdle {
		return false
	}
	p.idle = append(p.idle, next)
	p.ended.Add(1)
	return true
}

// Close ends the goroutines that are idle, and waits for them. Those that are busy end when
// they are done; whoever gave them their work waits for that. Go still works after it.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, next := range p.idle {
		next <- nil // has room
	}
	p.idle = nil
	p.mu.Unlock()
	p.ended.Wait()
}

// Run runs f on a goroutine of the pool, and waits for its end. A panic of f goes on in the
// caller, and so does [runtime.Goexit].
func (p *Pool) Run(f func()) {
	r, _ := p.runs.Get().(*run)
	if r == nil {
		r = &run{done: make(chan struct{}, 1)}
		r.do = r.run
	}
	r.f = f
	p.Go(r.do)
	<-r.done
	panicked, returned := r.panicked, r.returned
	r.f, r.panicked, r.returned = nil, nil, false
	p.runs.Put(r)
	switch {
	case panicked != nil:
		panic(panicked) //nolint:forbidigo // somebody else's
	case !returned:
		runtime.Goexit()
	}
}

// A run is what Run needs on both goroutines.
type run struct {
	f        func()
	do       func() // runs f
	done     chan struct{}
	panicked any
	returned bool
}

func (r *run) run() {
	defer func() {
		if !r.returned {
			r.panicked = recover()
		}
		r.done <- struct{}{} // has room
	}()
	r.f()
	r.returned = true
}
