// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"container/list"
	"context"
	"sync"
)

// slots count calls up to a limit; more wait in line. It is a semaphore like a channel, which
// costs less while nobody waits.
type slots struct {
	n int // the limit

	mu    sync.Mutex
	taken int
	line  list.List // of chan struct{}, each with room for one
}

// take takes a slot, waiting for one. It fails if ctx ends or the stream is over before.
func (l *slots) take(ctx context.Context, s *muxStream) error {
	l.mu.Lock()
	if l.taken < l.n {
		l.taken++
		l.mu.Unlock()
		return nil
	}
	free := make(chan struct{}, 1)
	place := l.line.PushBack(free)
	l.mu.Unlock()
	var err error
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.done:
		err = s.err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.Remove(place)
	select {
	case <-free:
		l.releaseLocked() // it has come meanwhile: for the next in line
	default:
	}
	return err
}

func (l *slots) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.releaseLocked()
}

func (l *slots) releaseLocked() {
	first := l.line.Front()
	if first == nil {
		l.taken--
		return
	}
	free, _ := l.line.Remove(first).(chan struct{})
	free <- struct{}{} // has room; the slot is theirs now
}
