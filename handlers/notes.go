// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"sync"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// maxNotifications is how many notifications of a client wait for the one before.
const maxNotifications = 64

// notes are the notifications of a client that wait: they run in order, one after the other.
// The zero value is ready.
type notes struct {
	mu      sync.Mutex
	waiting []*mcpv1.Envelope
	running bool
	room    chan struct{} // closed when one leaves; nil if nobody waits for that
}

// add adds a notification, waiting for room: full is called before that. It tells whether run
// must be called.
func (n *notes) add(ctx context.Context, e *mcpv1.Envelope, full func()) (idle bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.waiting) >= maxNotifications {
		if n.room == nil {
			n.room = make(chan struct{})
		}
		room := n.room
		n.mu.Unlock()
		full()
		select {
		case <-room:
		case <-ctx.Done():
		}
		n.mu.Lock()
		if ctx.Err() != nil {
			return false // the stream has ended
		}
	}
	n.waiting = append(n.waiting, e)
	idle = !n.running
	n.running = true
	return idle
}

// run hands what waits to note, until nothing does.
func (n *notes) run(note func(*mcpv1.Envelope)) {
	for e := n.next(); e != nil; e = n.next() {
		note(e)
	}
}

func (n *notes) next() *mcpv1.Envelope {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 {
		n.running, n.waiting = false, nil
		return nil
	}
	e := n.waiting[0]
	n.waiting = n.waiting[1:]
	if n.room != nil {
		close(n.room)
		n.room = nil
	}
	return e
}
