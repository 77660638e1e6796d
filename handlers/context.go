// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/raw"
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

	err  atomic.Pointer[error]         // why it has ended; nil until then
	done atomic.Pointer[chan struct{}] // nil until somebody asks

	mu     sync.Mutex // for what follows
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
	case callKey, raw.Key:
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
	if err := c.err.Load(); err != nil {
		return *err
	}
	if err := c.over(); err != nil {
		c.end(err)
		return *c.err.Load()
	}
	return nil
}

// over tells why the context has to end though nobody has ended it: nil if it has not.
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
	if done := c.done.Load(); done != nil {
		return *done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if done := c.done.Load(); done != nil {
		return *done
	}
	done := make(chan struct{})
	c.done.Store(&done)
	if err := c.over(); err != nil {
		c.err.CompareAndSwap(nil, &err)
	}
	if c.err.Load() != nil {
		c.release()
		return done
	}
	c.unhook = context.AfterFunc(c.parent, func() { c.end(c.parent.Err()) })
	if !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.end(context.DeadlineExceeded) })
	}
	return done
}

// AfterFunc is how package context ties the contexts that it makes to this one, without a
// goroutine for each.
func (c *callContext) AfterFunc(f func()) func() bool {
	c.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err.Load() != nil {
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

// errCancelled is where contexts that are cancelled point to: nearly all are, in the end.
var errCancelled = context.Canceled

// cancel ends the context, and frees what it holds.
func (c *callContext) cancel() { c.endWith(&errCancelled) }

func (c *callContext) end(err error) { c.endWith(&err) }

func (c *callContext) endWith(err *error) {
	// Either this or Done sees what the other has stored.
	if !c.err.CompareAndSwap(nil, err) || c.done.Load() == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
}

// release tells those who wait that the context has ended.
func (c *callContext) release() {
	if done := *c.done.Load(); !isClosed(done) {
		close(done)
	}
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

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
