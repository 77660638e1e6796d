// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"sync"
	"sync/atomic"

	"github.com/mcpconnect/mcpconnect/internal/worker"
)

// A crew is the goroutines that serve one Connect stream. Each of them does whatever is next:
// it runs a task, writes what waits to be written, or reads the next message, which gives more
// tasks. One reads at a time, and one writes.
//
// So small calls cost no change of goroutine at all: the one that has read them runs them, and
// then writes their answers together. But any task may block, or take long. So before a
// goroutine begins one, it sees that another is on its way, if there is anything left to do
// beside the task. While tasks are short that one does not even get to run before all is done;
// once a task blocks, it carries on in its place. If nothing is left to do but to wait for the
// next message, and the task is expected to be quick, the watchdog sees to it that somebody
// does so when it is not. On an idle stream only the goroutine of the RPC is there, and waits
// for the client.
type crew struct {
	workers *worker.Pool
	dog     *watchdog
	read    func() error // reads a message and adds its tasks
	write   func() error // writes what waits, until nothing does
	failed  func(error)  // is told of an error of write

	fresh  []task       // of the message being read; for the goroutine that reads
	unsent atomic.Int32 // messages that wait to be written, about

	mu       sync.Mutex
	tasks    taskQueue
	hands    int  // goroutines at work
	coming   bool // one of them has been called and has not begun
	reading  bool
	eof      bool  // no more is read
	readErr  error // why
	writing  bool
	writeErr error
	resting  bool          // the RPC's goroutine waits for something to do
	up       chan struct{} // ends its rest

	absent    bool   // nobody reads, for a short time
	absence   uint64 // counts how often that was so
	isWatched bool   // by dog
}

// A task is what one message of the client asks for.
type task interface {
	run()
	// isQuick tells whether run is expected to return soon.
	isQuick() bool
}

// manyUnsent is when answers are written though there are tasks to run.
const manyUnsent = 16

// serve is the goroutine of the RPC. It returns when no more is read, and all tasks are done
// and their answers written. The error is that of reading, or else of writing.
func (c *crew) serve() error {
	c.up = make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hands++
	for {
		c.work()
		if c.eof && c.hands == 1 && !c.coming {
			break
		}
		c.resting = true
		c.mu.Unlock()
		<-c.up
		c.mu.Lock()
		c.coming = false
	}
	c.hands--
	if c.readErr != nil {
		return c.readErr
	}
	return c.writeErr
}

// help is a worker that was called.
func (c *crew) help() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coming = false
	c.work()
	c.hands--
	if c.eof && c.hands == 1 {
		c.rouse()
	}
}

// work does what there is to do, with c.mu held in between.
func (c *crew) work() {
	for {
		switch {
		case !c.writing && c.isUnsent():
			c.writeOut()
		case c.tasks.len() > 0:
			t := c.tasks.pop()
			c.cover(t.isQuick())
			c.mu.Unlock()
			t.run()
			c.mu.Lock()
			c.absent = false
		case !c.reading && !c.eof:
			c.readOne()
		default:
			return
		}
	}
}

func (c *crew) writeOut() {
	c.writing = true
	c.unsent.Store(0)
	c.cover(true)
	c.mu.Unlock()
	err := c.write()
	if err != nil {
		c.failed(err)
	}
	c.mu.Lock()
	c.writing, c.absent = false, false
	if err != nil && c.writeErr == nil {
		c.writeErr = err
	}
}

func (c *crew) readOne() {
	c.reading = true
	c.mu.Unlock()
	err := c.read()
	c.mu.Lock()
	c.reading = false
	c.take()
	if err != nil {
		c.eof = true
		if err != errEndOfStream { //nolint:errorlint // ours, never wrapped
			c.readErr = err
		}
	}
}

// cover sees that somebody does what is left to do while the caller is busy. If that is
// expected to be for a short time, the stream can do without a reader.
func (c *crew) cover(quick bool) {
	switch {
	case c.coming:
	case c.tasks.len() > 0, c.unsent.Load() > 0 && !c.writing:
		c.call()
	case c.reading, c.eof:
	case !quick:
		c.call()
	default:
		c.absent = true
		c.absence++
		if !c.isWatched {
			c.isWatched = true
			c.dog.watch(c)
		}
	}
}

func (c *crew) call() {
	c.coming = true
	if c.resting {
		c.rouse()
		return
	}
	c.hands++
	c.workers.Go(c.help)
}

// rouse gets the RPC's goroutine to work.
func (c *crew) rouse() {
	if c.resting {
		c.resting = false
		c.up <- struct{}{} // has room
	}
}

// isUnsent tells whether it is time to write: nothing else is to be done, or much waits.
func (c *crew) isUnsent() bool {
	n := c.unsent.Load()
	return n >= manyUnsent || n > 0 && c.tasks.len() == 0
}

// add adds a task. It is for the goroutine that reads; the task begins when all of the message
// is read, or at release.
func (c *crew) add(t task) { c.fresh = append(c.fresh, t) }

// take makes the tasks of a message known to all.
func (c *crew) take() {
	for i, t := range c.fresh {
		c.tasks.push(t)
		c.fresh[i] = nil
	}
	if c.fresh = c.fresh[:0]; cap(c.fresh) > maxFresh {
		c.fresh = nil // of a burst
	}
}

// maxFresh is how many tasks there is room for between messages.
const maxFresh = 64

// release is for the goroutine that reads, when it is about to wait for something else than
// the next message: the tasks so far must not wait with it.
func (c *crew) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take()
	if !c.coming && (c.tasks.len() > 0 || c.unsent.Load() > 0 && !c.writing) {
		c.call()
	}
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
	if !c.coming && !c.writing && c.hands > 0 {
		c.call()
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
		bigger := make([]task, max(16, 2*q.n))
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
	if q.n == 0 && len(q.ring) > 64 {
		*q = taskQueue{} // of a burst
	}
	return t
}
