// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"sync"
	"time"
)

const (
	// watchEvery is how often the watchdog looks, and so how long a stream may go without a
	// reader because of a call that was thought to be quick: up to twice that.
	watchEvery = 2 * time.Millisecond
	// watchIdle is for how many looks a stream that has nothing to watch is kept.
	watchIdle = 10
)

// A watchdog looks after streams whose reader runs a task that is expected to be quick: if it
// is not, somebody else must read. It has a goroutine while there is anything to watch. The
// zero value is ready.
type watchdog struct {
	mu      sync.Mutex
	watched map[*crew]*watch
	running bool
}

type watch struct {
	absence uint64 // that was seen last
	idle    int    // looks since there was one
}

// watch has the watchdog look after a crew. It is called with the crew's mu held.
func (w *watchdog) watch(c *crew) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched == nil {
		w.watched = map[*crew]*watch{}
	}
	w.watched[c] = &watch{}
	if !w.running {
		w.running = true
		go w.run()
	}
}

// run looks until there is nothing to look after.
func (w *watchdog) run() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for range tick.C {
		if !w.look() {
			return
		}
	}
}

func (w *watchdog) look() bool {
	for c, seen := range w.all() {
		if c.look(seen) {
			w.forget(c, seen)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = len(w.watched) > 0
	return w.running
}

// forget drops a crew, unless it has been given to the watchdog again meanwhile.
func (w *watchdog) forget(c *crew, seen *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[c] == seen {
		delete(w.watched, c)
	}
}

// all gives what is watched now: crews lock their mu before that of the watchdog.
func (w *watchdog) all() map[*crew]*watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[*crew]*watch, len(w.watched))
	for c, seen := range w.watched {
		all[c] = seen
	}
	return all
}

// look sees whether the reader has been away since the look before, and calls another one
// then. It tells whether the crew needs no more watching.
func (c *crew) look(seen *watch) (done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.absent || c.reading || c.eof:
		seen.idle++
	case seen.absence != c.absence:
		seen.absence, seen.idle = c.absence, 0
	case !c.coming:
		c.absent = false
		c.call()
	}
	if seen.idle > watchIdle || c.eof {
		c.isWatched = false
		return true
	}
	return false
}
