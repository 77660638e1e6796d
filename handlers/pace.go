// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// quickTime is what a quick call takes at the most.
	quickTime = 200 * time.Microsecond
	// quickCalls is how many quick calls in a row make another quick one likely.
	quickCalls = 4
	// maxPaces bounds the names that are known.
	maxPaces = 10_000
)

// paces are which tools, by their names, and which other methods have been quick lately. The
// zero value is ready.
type paces struct {
	mu    sync.RWMutex
	known map[string]*pace
}

// unknownPace is the name of what may take any time.
const unknownPace = ""

// A pace counts the quick calls since the last one that was not.
type pace struct{ quick atomic.Int32 }

// isQuick tells whether a call is expected to be quick.
func (p *paces) isQuick(name string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	found := p.known[name]
	return found != nil && found.quick.Load() >= quickCalls
}

// note takes the time of a call that was answered: only what the server has is remembered.
func (p *paces) note(name string, took time.Duration) {
	if name == unknownPace {
		return
	}
	p.mu.RLock()
	found := p.known[name]
	p.mu.RUnlock()
	if found == nil {
		found = p.add(name)
	}
	switch {
	case found == nil:
	case took > quickTime:
		found.quick.Store(0)
	case found.quick.Load() < quickCalls:
		found.quick.Add(1)
	}
}

func (p *paces) add(name string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[string]*pace{}
	}
	found := p.known[name]
	if found == nil && len(p.known) < maxPaces {
		found = &pace{}
		p.known[name] = found
	}
	return found
}

// task gives the task that runs a call, whose outcome tells whether it was answered.
func (p *paces) task(name string, call func() (answered bool)) task {
	return &pacedTask{paces: p, name: name, call: call, quick: p.isQuick(name)}
}

type pacedTask struct {
	paces *paces
	name  string
	call  func() bool
	quick bool
}

func (t *pacedTask) isQuick() bool { return t.quick }

func (t *pacedTask) run() {
	start := time.Now()
	if t.call() {
		t.paces.note(t.name, time.Since(start))
	}
}
