// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import "sync"

// maxIdleWorkers is how many goroutines wait for work, over all streams. More come and go as
// calls block. Each keeps the stack that calls have grown, some kilobytes: growing it anew
// would cost more than a small call.
const maxIdleWorkers = 256

// workers are goroutines that help out on streams. The zero value is ready.
type workers struct {
	mu     sync.Mutex
	idle   []chan func()
	closed bool
	ended  sync.WaitGroup // those that are idle, or were
}

// do runs f on a goroutine: one that is idle, if there is one.
func (w *workers) do(f func()) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		next := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		next <- f // has room
		return
	}
	w.mu.Unlock()
	go w.work(f)
}

func (w *workers) work(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		if !w.rest(next) {
			return
		}
		f = <-next
		w.ended.Done()
	}
}

// rest tells whether the worker may wait for more.
func (w *workers) rest(next chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.idle) >= maxIdleWorkers {
		return false
	}
	w.idle = append(w.idle, next)
	w.ended.Add(1)
	return true
}

// close ends the workers that are idle, and waits for them. Those that are busy end when they
// are done; whoever gave them their work waits for that.
func (w *workers) close() {
	w.mu.Lock()
	w.closed = true
	for _, next := range w.idle {
		next <- nil // has room
	}
	w.idle = nil
	w.mu.Unlock()
	w.ended.Wait()
}
