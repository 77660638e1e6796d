// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"sync"
	"sync/atomic"

	"github.com/mcpconnect/mcpconnect/internal/worker"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A crew is the goroutines that serve one Connect stream. That of the RPC reads messages, and
// does nothing else. The others come when there is something to do, and do whatever is next:
// take in a message, which gives tasks, run a task, or write what waits to be written. One
// takes in messages at a time, in order, and one writes.
//
// So a bunch of small calls costs one change of goroutine: whoever has taken them in runs them,
// and then writes their answers together. But any task may block, or take long. So before a
// goroutine begins one, it sees that another is on its way, if there is anything left to do
// beside the task. While tasks are short that one does not even get to run before all is done;
// once a task blocks, it carries on in its place. On an idle stream only the goroutine of the
// RPC is there, with a small stack, and waits for the client.
type crew struct {
	workers *worker.Pool
	take    func(*mcpv1.Envelope) error // takes in a message, and adds its tasks
	write   func() error                // writes what waits, until nothing does
	failed  func(error)                 // is told what went wrong first

	fresh  []task       // of the message being taken in; for the goroutine that does so
	unsent atomic.Int32 // messages that wait to be written, about

	mu      sync.Mutex
	open    bool              // the stream is served
	inbox   []*mcpv1.Envelope // read and not taken in
	taking  bool
	waits   bool // who takes in a message waits for something else
	tasks   taskQueue
	writing bool
	hands   int  // goroutines at work
	coming  bool // one of them has been called and has not begun
	err     error
	quit    bool          // no more is taken in
	changed chan struct{} // closed when the reader's wait may be over; nil if it does not wait
}

// A task is what one message of the client asks for.
type task interface {
	run()
	// abandon is called if run has not returned: it has panicked, which is what panicked says,
	// or has ended its goroutine.
	abandon(panicked any)
}

const (
	// maxInbox is how many messages, each maybe a batch, are read ahead.
	maxInbox = 4
	// manyUnsent is when answers are written though there are tasks to run.
	manyUnsent = 16
)

// start begins the work. Before it, said only counts.
func (c *crew) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = true
	c.cover()
}

// deliver gives the crew a message. It waits while the crew has enough to take in, and fails
// once it takes in no more.
func (c *crew) deliver(e *mcpv1.Envelope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(func() bool { return len(c.inbox) < maxInbox || c.quit })
	if c.quit {
		return c.err
	}
	c.inbox = append(c.inbox, e)
	if !c.coming {
		c.call()
	}
	return nil
}

// takenIn waits until what was delivered is taken in, or can only go on when something else
// has happened.
func (c *crew) takenIn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(func() bool { return c.quit || len(c.inbox) == 0 && (!c.taking || c.waits) })
}

// abort ends the work: err is what went wrong with the stream.
func (c *crew) abort(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(err)
}

// finish waits until all is done that was delivered. The error is what went wrong first.
func (c *crew) finish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(func() bool { return c.hands == 0 && c.isDone() })
	c.open = false
	return c.err
}

func (c *crew) isDone() bool {
	return len(c.inbox) == 0 && c.tasks.len() == 0 && c.unsent.Load() == 0
}

// wait returns when ok does, with mu held. It is for the goroutine that reads.
func (c *crew) wait(ok func() bool) {
	for !ok() {
		changed := make(chan struct{})
		c.changed = changed
		c.mu.Unlock()
		<-changed
		c.mu.Lock()
	}
}

func (c *crew) wake() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// call calls a goroutine.
func (c *crew) call() {
	c.coming = true
	c.hands++
	c.workers.Go(c.help)
}

// help is a goroutine that was called. A task may end it.
func (c *crew) help() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		c.hands--
		c.cover()
		c.wake()
	}()
	c.coming = false
	for c.next() {
	}
}

// run runs a task, without mu.
func (c *crew) run(t task) {
	returned := false
	c.mu.Unlock()
	defer c.mu.Lock()
	defer func() {
		if !returned {
			t.abandon(recover())
		}
	}()
	t.run()
	returned = true
}

// next does what is next, and tells whether there was anything, with mu held in between.
func (c *crew) next() bool {
	switch {
	case !c.writing && c.shouldWrite():
		c.writeOut()
	case c.tasks.len() > 0:
		t := c.tasks.pop()
		c.cover()
		c.run(t)
	case !c.taking && len(c.inbox) > 0:
		c.takeIn()
	default:
		return false
	}
	return true
}

// shouldWrite tells whether it is time to write: no task is to be run, or much waits.
func (c *crew) shouldWrite() bool {
	n := c.unsent.Load()
	return n >= manyUnsent || n > 0 && c.tasks.len() == 0
}

func (c *crew) writeOut() {
	c.writing = true
	c.unsent.Store(0)
	c.cover()
	c.mu.Unlock()
	err := c.write()
	c.mu.Lock()
	c.writing = false
	c.fail(err)
}

func (c *crew) takeIn() {
	e := c.inbox[0]
	c.inbox[0] = nil
	if c.inbox = c.inbox[1:]; len(c.inbox) == 0 {
		c.inbox = nil
	}
	c.taking, c.waits = true, false
	c.wake()
	c.mu.Unlock()
	err := c.take(e)
	c.mu.Lock()
	c.taking = false
	c.takeFresh()
	c.wake()
	c.fail(err)
}

// fail ends the taking in of messages. What is left of tasks still ends, which failed is to
// hurry.
func (c *crew) fail(err error) {
	if err == nil || c.quit {
		return
	}
	c.err, c.quit, c.inbox = err, true, nil
	c.wake()
	c.mu.Unlock()
	c.failed(err)
	c.mu.Lock()
}

// cover sees that somebody does what is left to do while the caller is busy.
func (c *crew) cover() {
	if !c.coming && (c.tasks.len() > 0 || c.unsent.Load() > 0 && !c.writing || len(c.inbox) > 0 && !c.taking) {
		c.call()
	}
}

// add adds a task. It is for the goroutine that takes in a message; the task begins when all
// of the message is taken in, or at release.
func (c *crew) add(t task) { c.fresh = append(c.fresh, t) }

// later adds a task from another one.
func (c *crew) later(t task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tasks.push(t)
}

// maxFresh is how many fresh tasks there is room for between messages.
const maxFresh = 64

// takeFresh makes the tasks of a message known to all.
func (c *crew) takeFresh() {
	for i, t := range c.fresh {
		c.tasks.push(t)
		c.fresh[i] = nil
	}
	if c.fresh = c.fresh[:0]; cap(c.fresh) > maxFresh {
		c.fresh = nil // of a burst
	}
}

// release is for the goroutine that takes in a message, when it is about to wait for something:
// the tasks so far must not wait with it.
func (c *crew) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeFresh()
	c.cover()
	c.waits = true
	c.wake()
}

// answered says that a task has left something to be written. Whoever ran the task will do
// that, or somebody before it.
func (c *crew) answered() { c.unsent.Add(1) }

// said says that there is something to be written at once: what a task says before its end,
// or what no task says.
func (c *crew) said() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent.Add(1)
	if c.open {
		c.cover()
	}
}

// A taskQueue is a ring of tasks, first in, first out. The zero value is empty.
type taskQueue struct {
	ring  []task
	first int
	n     int
}

func (q *taskQueue) len() int { return q.n }

func (q *taskQueue) push(t task) {
	if q.n == len(q.ring) {
		bigger := make([]task, max(2, 2*q.n))
		for i := range q.n {
			bigger[i] = q.ring[(q.first+i)%len(q.ring)]
		}
		q.ring, q.first = bigger, 0
	}
	q.ring[(q.first+q.n)%len(q.ring)] = t
	q.n++
}

func (q *taskQueue) pop() task {
	t := q.ring[q.first]
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.n--
	if q.n == 0 && len(q.ring) > maxFresh {
		*q = taskQueue{} // of a burst
	}
	return t
}
