// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A callContext is the context of one call: it ends with its parent, at a deadline, or by
// cancel. Most handlers never wait for that. So it has no timer and is not known to its parent
// until somebody asks for Done, where those of package context set up both for each call;
// and what is looked up in every call stands in fields, not in a chain of values.
type callContext struct {
	parent   context.Context
	deadline time.Time // zero for none
	header   http.Header
	call     *call

	mu     sync.Mutex
	err    error
	done   chan struct{} // nil until somebody asks
	timer  *time.Timer
	unhook func() bool
	after  map[*func()]func() // what AfterFunc was given
}

var _ context.Context = (*callContext)(nil)

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	earlier, ok := c.parent.Deadline()
	if ok && (c.deadline.IsZero() || earlier.Before(c.deadline)) {
		return earlier, true
	}
	return c.deadline, !c.deadline.IsZero()
}

// Value implements [context.Context].
func (c *callContext) Value(key any) any {
	switch key.(type) {
	case callKey:
		if c.call != nil {
			return c.call
		}
	case headerKey:
		if c.header != nil {
			return c.header
		}
	}
	return c.parent.Value(key)
}

// Err implements [context.Context].
func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.endLocked(c.over())
	}
	return c.err
}

// over tells why the context has ended though nobody has ended it: nil if it has not.
func (c *callContext) over() error {
	if err := c.parent.Err(); err != nil {
		return err
	}
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil {
		return c.done
	}
	c.done = make(chan struct{})
	if c.err == nil {
		c.endLocked(c.over())
	}
	if c.err != nil {
		closeOnce(c.done)
		return c.done
	}
	c.unhook = context.AfterFunc(c.parent, func() { c.end(c.parent.Err()) })
	if !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.end(context.DeadlineExceeded) })
	}
	return c.done
}

func closeOnce(ch chan struct{}) {
	select {
	case <-ch:
	default:
		close(ch)
	}
}

// AfterFunc is how package context ties the contexts that it makes to this one, without a
// goroutine for each.
func (c *callContext) AfterFunc(f func()) func() bool {
	c.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	if c.after == nil {
		c.after = map[*func()]func(){}
	}
	key := &f
	c.after[key] = f
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := c.after[key]
		delete(c.after, key)
		return waits
	}
}

// cancel ends the context, and frees what it holds.
func (c *callContext) cancel() { c.end(context.Canceled) }

func (c *callContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(err)
}

func (c *callContext) endLocked(err error) {
	if c.err != nil || err == nil {
		return
	}
	c.err = err
	if c.done == nil {
		return // nobody has asked
	}
	closeOnce(c.done)
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.unhook != nil {
		c.unhook()
	}
	for _, f := range c.after {
		go f() // as context.AfterFunc says
	}
	c.after = nil
}
