// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"sync"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	// queueSize is how many messages wait for a peer that reads slowly before calls wait
	// with them.
	queueSize = 64
	// pushSize is how many unsolicited messages, which cannot wait, may be there beside
	// them: enough for a burst that the peer has had no time to read. They are small.
	pushSize = 1024
)

// A queue holds the messages of one stream between those who say something and the one
// goroutine that writes. It is bounded.
type queue[T any] struct {
	mu     sync.Mutex
	items  []entry[T]
	keys   map[string]bool // of the pushed items that wait; nil for none
	pushed int             // items that were pushed
	closed bool
	err    error         // why the queue was closed, nil for the good order
	ready  chan struct{} // has a token when there is something to do for the writer
	room   chan struct{} // closed when items are taken; nil if nobody waits for that
	full   func()        // called before one waits for room; nil for nothing
}

type entry[T any] struct {
	item   T
	pushed bool
}

func newQueue[T any]() *queue[T] {
	return &queue[T]{ready: make(chan struct{}, 1)}
}

// errSlowReader ends the stream of a peer that does not read what it subscribed to.
var errSlowReader = exhausted("the client reads too slowly: notifications were lost; connect again")

// errStreamClosed is what a handler gets that speaks to a stream after its end.
var errStreamClosed = newError(connect.CodeCanceled, jsonrpc.CodeInternalError, "the stream has ended")

// send adds an item, waiting for room.
func (q *queue[T]) send(ctx context.Context, item T) error {
	for {
		if ctx.Err() != nil {
			return ctx.Err() // nothing follows a cancellation
		}
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return errStreamClosed
		}
		if len(q.items)-q.pushed < queueSize {
			q.add(entry[T]{item: item})
			q.mu.Unlock()
			return nil
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		if q.full != nil {
			q.full()
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// push adds an item at once. An item whose key waits already says nothing new and is
// dropped, unless the key is empty; when there is no room at all the stream ends.
func (q *queue[T]) push(key string, item T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errStreamClosed
	case q.keys[key]:
		return nil
	case q.pushed >= pushSize:
		q.closed, q.err = true, errSlowReader
		q.wake()
		return errSlowReader
	}
	if key != "" {
		if q.keys == nil {
			q.keys = map[string]bool{}
		}
		q.keys[key] = true
	}
	q.pushed++
	q.add(entry[T]{item, true})
	return nil
}

func (q *queue[T]) add(e entry[T]) {
	q.items = append(q.items, e)
	q.wake()
}

func (q *queue[T]) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// close lets the writer finish: what waits is still written, then write returns err.
func (q *queue[T]) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed, q.err = true, err
	}
	q.makeRoom()
	q.wake()
}

func (q *queue[T]) makeRoom() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// write hands all items to emit, in order and as many as wait at a time, until the
// queue is closed and empty, or ctx ends, or emit fails. Then nobody waits for room
// any more.
func (q *queue[T]) write(ctx context.Context, emit func([]T) error) (err error) {
	defer func() { q.close(err) }()
	var batch []T
	for {
		entries, closed, why := q.take()
		if len(entries) > 0 {
			batch = batch[:0]
			for _, e := range entries {
				batch = append(batch, e.item)
			}
			if err := emit(batch); err != nil {
				return err
			}
			continue
		}
		if closed {
			return why
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (q *queue[T]) take() ([]entry[T], bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.items
	if len(taken) > 0 {
		q.items, q.pushed, q.keys = nil, 0, nil
		q.makeRoom()
	}
	if errors.Is(q.err, errSlowReader) {
		return nil, true, q.err
	}
	return taken, q.closed, q.err
}

// pump runs produce beside the writer of q, and waits for both: produce is cancelled
// when the writer fails, and the writer ends when produce does.
func pump[T any](ctx context.Context, q *queue[T], produce func(context.Context) error, emit func([]T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		q.close(produce(ctx))
	}()
	err := q.write(ctx, emit)
	cancel()
	<-produced
	return err
}
