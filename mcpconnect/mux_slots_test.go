// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// A slotsQueue has slots all taken, and callers in line for them.
type slotsQueue struct {
	slots
	stream *muxStream
	wg     sync.WaitGroup
	mu     sync.Mutex
	served []int // who got a slot, in order
	failed map[int]error
}

func newSlotsQueue(t *testing.T, n int) *slotsQueue {
	t.Helper()
	q := &slotsQueue{slots: slots{n: n}, stream: &muxStream{done: make(chan struct{})}, failed: map[int]error{}}
	for range n {
		if err := q.take(t.Context(), q.stream); err != nil {
			t.Fatalf("a free slot: %v", err)
		}
	}
	return q
}

// join puts a caller in line.
func (q *slotsQueue) join(ctx context.Context, caller int) {
	q.wg.Go(func() {
		err := q.take(ctx, q.stream)
		q.mu.Lock()
		defer q.mu.Unlock()
		if err != nil {
			q.failed[caller] = err
			return
		}
		q.served = append(q.served, caller)
	})
	synctest.Wait()
}

func (q *slotsQueue) wantFree(t *testing.T) {
	t.Helper()
	if q.taken != 0 || q.line.Len() != 0 {
		t.Errorf("%d slots are taken and %d callers wait, want none", q.taken, q.line.Len())
	}
}

func TestSlotsAreGivenInOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			q := newSlotsQueue(t, n)
			const callers = 20
			var want []int
			for i := range callers {
				q.join(t.Context(), i)
				want = append(want, i)
			}
			for i := range callers {
				if len(q.served) != i {
					t.Errorf("%d callers got a slot when %d were free", len(q.served), i)
				}
				q.release()
				synctest.Wait()
			}
			q.wg.Wait()
			if !slices.Equal(q.served, want) {
				t.Errorf("slots went to %v, want %v", q.served, want)
			}
			for range n {
				q.release()
			}
			q.wantFree(t)
		})
	}
}

func TestSlotsGoPastCallersThatHaveLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newSlotsQueue(t, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		for i := range 6 {
			if i%2 == 0 {
				q.join(ctx, i)
			} else {
				q.join(t.Context(), i)
			}
		}
		cancel(errors.New("left"))
		synctest.Wait()
		for i := range 6 {
			if err := q.failed[i]; i%2 == 0 && !errors.Is(err, context.Canceled) || i%2 == 1 && err != nil {
				t.Errorf("caller %d got %v", i, err)
			}
		}
		for range 4 {
			q.release()
			synctest.Wait()
		}
		if want := []int{1, 3, 5}; !slices.Equal(q.served, want) {
			t.Errorf("slots went to %v, want %v", q.served, want)
		}
		q.wantFree(t)
	})
}

func TestSlotsEndWithTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newSlotsQueue(t, 2)
		for i := range 5 {
			q.join(t.Context(), i)
		}
		q.stream.err = errors.New("lost")
		close(q.stream.done)
		q.wg.Wait()
		for i := range 5 {
			if !errors.Is(q.failed[i], q.stream.err) {
				t.Errorf("caller %d got %v", i, q.failed[i])
			}
		}
		q.release()
		q.release()
		q.wantFree(t)
	})
}

// TestSlotsAreNeverLost: whoever leaves when, there are never more calls than slots, and in the
// end all are free.
func TestSlotsAreNeverLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "slots")
		// Who leaves does so when another one has done that many calls.
		leave := rapid.SliceOfN(rapid.IntRange(-20, 20), 1, 40).Draw(t, "leave")
		l, s := &slots{n: n}, &muxStream{done: make(chan struct{})}
		var inFlight, most, calls atomic.Int32
		var wg sync.WaitGroup
		var ctxs []context.Context
		var cancels []context.CancelFunc
		for range leave {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ctxs, cancels = append(ctxs, ctx), append(cancels, cancel)
		}
		for i, ctx := range ctxs {
			wg.Go(func() {
				for l.take(ctx, s) == nil {
					if now := inFlight.Add(1); now > int32(n) {
						most.Store(now)
					}
					done := int(calls.Add(1))
					for j, at := range leave {
						if at == done {
							cancels[j]()
						}
					}
					inFlight.Add(-1)
					l.release()
					if done > 20 || leave[i] < 0 {
						return
					}
				}
			})
		}
		wg.Wait()
		if m := most.Load(); m > 0 {
			t.Fatalf("%d calls had a slot, there are %d", m, n)
		}
		if l.taken != 0 || l.line.Len() != 0 {
			t.Fatalf("%d slots are taken and %d callers wait, want none", l.taken, l.line.Len())
		}
	})
}
