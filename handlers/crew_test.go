// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mcpconnect/mcpconnect/internal/worker"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A taskFunc is a task that returns.
type taskFunc func()

func (f taskFunc) run() { f() }

func (taskFunc) abandon(panicked any) { panic(panicked) }

// A testCrew is a crew whose messages ask for tasks by name: each envelope of a message, which
// is a batch, for the one that its method names. A task leaves its name as its answer.
type testCrew struct {
	*crew
	workers worker.Pool
	do      map[string]func()    // what tasks do; nothing, for those that are not here
	onRead  func(string) error   // is called with each name that is taken in
	onWrite func([]string) error // is called with what each write writes
	mu      sync.Mutex           // for what follows
	unsaid  []string             // answers that wait
	writes  [][]string           // what was written, write by write
	ran     map[string]int       // how often each task ran
	failure []error              // what failed was told
}

func newTestCrew() *testCrew {
	c := &testCrew{
		do:      map[string]func(){},
		onRead:  func(string) error { return nil },
		onWrite: func([]string) error { return nil },
		ran:     map[string]int{},
	}
	c.crew = &crew{workers: &c.workers, take: c.takeMessage, write: c.writeAll, failed: func(err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failure = append(c.failure, err)
	}}
	return c
}

func (c *testCrew) takeMessage(e *mcpv1.Envelope) error {
	for _, e := range e.Batch {
		if err := c.onRead(e.Method); err != nil {
			return err
		}
		c.add(taskFunc(func() { c.runTask(e.Method) }))
	}
	return nil
}

func (c *testCrew) runTask(name string) {
	if do := c.do[name]; do != nil {
		do()
	}
	c.mu.Lock()
	c.ran[name]++
	c.mu.Unlock()
	c.leave(name)
	c.answered()
}

// leave leaves something to be written.
func (c *testCrew) leave(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsaid = append(c.unsaid, text)
}

func (c *testCrew) writeAll() error {
	c.mu.Lock()
	texts := c.unsaid
	c.unsaid = nil
	c.mu.Unlock()
	if err := c.onWrite(texts); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(texts) > 0 {
		c.writes = append(c.writes, texts)
	}
	return nil
}

// written gives what was written so far, sorted.
func (c *testCrew) written() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(slices.Concat(c.writes...)))
}

func (c *testCrew) mustDeliver(t *testing.T, names ...string) {
	t.Helper()
	if err := c.deliver(bunch(names...)); err != nil {
		t.Fatalf("deliver gave %v", err)
	}
}

func bunch(names ...string) *mcpv1.Envelope {
	e := &mcpv1.Envelope{}
	for _, name := range names {
		e.Batch = append(e.Batch, &mcpv1.Envelope{Method: name})
	}
	return e
}

// end ends a crew in good order.
func (c *testCrew) end(t *testing.T) {
	t.Helper()
	if err := c.finish(); err != nil {
		t.Errorf("finish gave %v", err)
	}
	c.workers.Close()
}

func wantNames(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestCrewTaskThatBlocksHoldsUpNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		bunch []string
		slow  []string
		want  []string // written while the slow ones block
	}{
		{"the first of a bunch", []string{"slow", "a", "b"}, []string{"slow"}, []string{"a", "b"}},
		{"in the middle", []string{"a", "slow", "b"}, []string{"slow"}, []string{"a", "b"}},
		{"the last", []string{"a", "b", "slow"}, []string{"slow"}, []string{"a", "b"}},
		{"alone", []string{"slow"}, []string{"slow"}, nil},
		{"several", []string{"s1", "a", "s2", "s3", "b", "s4"}, []string{"s1", "s2", "s3", "s4"}, []string{"a", "b"}},
		{"all", []string{"s1", "s2", "s3"}, []string{"s1", "s2", "s3"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newTestCrew()
				goOn := make(chan struct{})
				for _, name := range test.slow {
					c.do[name] = func() { <-goOn }
				}
				c.start()
				c.mustDeliver(t, test.bunch...)
				synctest.Wait()
				wantNames(t, "of the bunch", c.written(), test.want...)
				for i := range 10 { // reading goes on
					c.mustDeliver(t, fmt.Sprint("later ", i))
				}
				synctest.Wait()
				if n := len(c.written()); n != len(test.want)+10 {
					t.Errorf("%d answers were written, want those of 10 later messages, too", n)
				}
				close(goOn)
				c.end(t)
				if n := len(c.written()); n != len(test.bunch)+10 {
					t.Errorf("%d answers were written in the end, want all of %d", n, len(test.bunch)+10)
				}
			})
		})
	}
}

// TestCrewWritesWhenNothingIsToBeRun: or when much waits. So answers of a bunch go out together.
// How much waits is counted as it comes, and may be a little ahead or behind where goroutines
// race: a few writes are early, but not every other.
func TestCrewWritesWhenNothingIsToBeRun(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, manyUnsent, 10 * manyUnsent, 1000} {
		c := newTestCrew()
		early := 0
		c.onWrite = func(texts []string) error {
			c.crew.mu.Lock()
			defer c.crew.mu.Unlock()
			if c.tasks.len() > 0 && len(texts) < manyUnsent {
				early++
			}
			return nil
		}
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint(i))
		}
		c.start()
		c.mustDeliver(t, names...)
		c.end(t)
		wantNames(t, "answers", c.written(), names...)
		if most := 2 + n/manyUnsent/2; early > most {
			t.Errorf("of %d: %d writes came while tasks were to be run and little waited, want %d at most", n, early, most)
		}
	}
}

func TestCrewCollectsWhatComesDuringAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		goOn := make(chan struct{})
		c.onWrite = func([]string) error { <-goOn; return nil }
		c.start()
		c.mustDeliver(t, "first")
		synctest.Wait()
		var names []string
		for i := range 3 * manyUnsent {
			names = append(names, fmt.Sprint(i))
			c.mustDeliver(t, names[i])
		}
		synctest.Wait()
		close(goOn)
		c.end(t)
		if len(c.writes) != 2 || len(c.writes[1]) != len(names) {
			t.Errorf("the writes are %q, want one more for all %d answers", c.writes, len(names))
		}
	})
}

// TestCrewWriteThatBlocksHoldsUpNothing: the client may not read.
func TestCrewWriteThatBlocksHoldsUpNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		goOn := make(chan struct{})
		c.onWrite = func([]string) error { <-goOn; return nil }
		var names []string
		var ran atomic.Int32
		for i := range 4 * manyUnsent {
			names = append(names, fmt.Sprint(i))
			c.do[names[i]] = func() { ran.Add(1) }
		}
		c.start()
		c.mustDeliver(t, names...)
		synctest.Wait()
		if n := int(ran.Load()); n != len(names) {
			t.Errorf("%d tasks ran while a write blocks, want all %d", n, len(names))
		}
		close(goOn)
		c.end(t)
		wantNames(t, "in the end", c.written(), names...)
	})
}

func TestCrewFinishWaitsForAll(t *testing.T) {
	t.Parallel()
	for what, hold := range map[string]func(*testCrew, chan struct{}){
		"a task":    func(c *testCrew, goOn chan struct{}) { c.do["a"] = func() { <-goOn } },
		"a write":   func(c *testCrew, goOn chan struct{}) { c.onWrite = func([]string) error { <-goOn; return nil } },
		"a message": func(c *testCrew, goOn chan struct{}) { c.onRead = func(string) error { <-goOn; return nil } },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newTestCrew()
				goOn := make(chan struct{})
				hold(c, goOn)
				c.start()
				c.mustDeliver(t, "a")
				c.mustDeliver(t, "b")
				var finished atomic.Bool
				go func() {
					c.end(t)
					finished.Store(true)
				}()
				synctest.Wait()
				if finished.Load() {
					t.Errorf("finish did not wait for %s", what)
				}
				close(goOn)
				synctest.Wait()
				if !finished.Load() {
					t.Error("finish did not return")
				}
				wantNames(t, "answers", c.written(), "a", "b")
			})
		})
	}
}

func TestCrewReportsWhatWentWrongFirst(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	failRead := func(err error) func(string) error {
		return func(name string) error {
			if name == "bad" {
				return err
			}
			return nil
		}
	}
	for _, test := range []struct {
		name  string
		fail  func(*testCrew)
		wants []string // that ran
	}{
		{"a message", func(c *testCrew) { c.onRead = failRead(first) }, []string{"before"}},
		{"a write", func(c *testCrew) { c.onWrite = func([]string) error { return first } }, []string{"before"}},
		{"the stream", func(c *testCrew) { c.abort(first); c.abort(second) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newTestCrew()
				c.start()
				test.fail(c)
				if err := c.deliver(bunch("before")); err != nil && test.wants != nil {
					t.Errorf("deliver gave %v", err)
				}
				synctest.Wait()
				_ = c.deliver(bunch("bad"))
				synctest.Wait()
				if err := c.deliver(bunch("after")); !errors.Is(err, first) {
					t.Errorf("deliver after the end gave %v", err)
				}
				c.abort(second)
				if err := c.finish(); !errors.Is(err, first) {
					t.Errorf("finish gave %v", err)
				}
				c.workers.Close()
				if len(c.failure) != 1 || !errors.Is(c.failure[0], first) {
					t.Errorf("failed was told %v", c.failure)
				}
				for _, name := range []string{"bad", "after"} {
					if c.ran[name] != 0 {
						t.Errorf("%q ran", name)
					}
				}
				for _, name := range test.wants {
					if c.ran[name] != 1 {
						t.Errorf("%q ran %d times", name, c.ran[name])
					}
				}
			})
		})
	}
}

// TestCrewFailureWaitsForTasks: they are hurried, and still end before the stream does.
func TestCrewFailureWaitsForTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		goOn := make(chan struct{})
		c.do["slow"] = func() { <-goOn }
		c.start()
		c.mustDeliver(t, "slow", "a")
		synctest.Wait()
		c.abort(errors.New("lost"))
		finished := make(chan error, 1)
		go func() { finished <- c.finish() }()
		synctest.Wait()
		select {
		case err := <-finished:
			t.Errorf("finish gave %v while a task runs", err)
		default:
		}
		close(goOn)
		if err := <-finished; err == nil {
			t.Error("finish gave no error")
		}
		c.workers.Close()
		if c.ran["slow"] != 1 || c.ran["a"] != 1 {
			t.Errorf("tasks ran %v times", c.ran)
		}
	})
}

func TestCrewSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		say := func(text string) {
			c.leave(text)
			c.said()
		}
		say("before the start")
		synctest.Wait()
		wantNames(t, "before the start", c.written())
		c.start()
		synctest.Wait()
		wantNames(t, "from the start", c.written(), "before the start")
		goOn := make(chan struct{})
		c.do["talks"] = func() { say("in a task"); <-goOn }
		c.mustDeliver(t, "talks")
		synctest.Wait()
		wantNames(t, "before a task ends", c.written(), "before the start", "in a task")
		close(goOn)
		say("without a task")
		c.end(t)
		wantNames(t, "in the end", c.written(), "before the start", "in a task", "talks", "without a task")
		say("after the end")
		synctest.Wait()
		if n := len(c.written()); n != 4 {
			t.Errorf("%d texts were written, one after the end", n)
		}
	})
}

// TestCrewBoundsWhatIsRead: a message that takes long to take in holds up the reader only once
// maxInbox others wait.
func TestCrewBoundsWhatIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		goOn := make(chan struct{})
		c.onRead = func(string) error { <-goOn; return nil }
		c.start()
		const n = 100
		var delivered atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range n {
				c.mustDeliver(t, fmt.Sprint(i))
				delivered.Add(1)
			}
		}()
		synctest.Wait()
		if got := delivered.Load(); got != 1+maxInbox {
			t.Errorf("%d messages were read, want one and %d that wait", got, maxInbox)
		}
		close(goOn)
		<-done
		c.end(t)
		if got := len(c.written()); got != n {
			t.Errorf("%d of %d messages were answered", got, n)
		}
	})
}

func TestCrewReleaseRunsTasksBeforeTheMessageIsTakenIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestCrew()
		goOn := make(chan struct{})
		c.onRead = func(name string) error {
			if name == "waits" {
				c.release()
				<-goOn
			}
			return nil
		}
		c.start()
		c.mustDeliver(t, "a", "waits", "b")
		synctest.Wait()
		wantNames(t, "while the message waits", c.written(), "a")
		close(goOn)
		c.end(t)
		wantNames(t, "in the end", c.written(), "a", "waits", "b")
	})
}

// TestCrewRandomSchedules: whatever tasks do, everything delivered is done once and answered.
func TestCrewRandomSchedules(t *testing.T) {
	t.Parallel()
	kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"quick", "quick", "quick", "yields", "says", "blocks", "waits for the next"}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		messages := rapid.SliceOfN(kinds, 1, 20).Draw(t, "messages")
		slowRead, slowWrite := rapid.Bool().Draw(t, "slow read"), rapid.Bool().Draw(t, "slow write")
		c := newTestCrew()
		c.onRead = func(string) error { yield(slowRead); return nil }
		c.onWrite = func([]string) error { yield(slowWrite); return nil }
		allRead := make(chan struct{})
		var names, says []string
		bunches := make([][]string, len(messages))
		next := make(chan struct{}) // closed when the task after this one has begun
		for i, message := range messages {
			for j, kind := range message {
				name := fmt.Sprintf("%d.%d", i, j)
				names, bunches[i] = append(names, name), append(bunches[i], name)
				begun := next
				next = make(chan struct{})
				c.do[name] = c.behaviour(kind, name, begun, next, allRead)
				if kind == "says" {
					says = append(says, name+" begins")
				}
			}
		}
		close(next) // there is none after the last
		c.start()
		for _, b := range bunches {
			if err := c.deliver(bunch(b...)); err != nil {
				t.Fatalf("deliver gave %v", err)
			}
		}
		close(allRead)
		finished := make(chan error, 1)
		go func() { finished <- c.finish() }()
		select {
		case err := <-finished:
			if err != nil {
				t.Fatalf("finish gave %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the crew is stuck")
		}
		c.workers.Close()
		for _, name := range names {
			if c.ran[name] != 1 {
				t.Fatalf("task %s ran %d times", name, c.ran[name])
			}
		}
		if got, want := c.written(), slices.Sorted(slices.Values(append(names, says...))); !slices.Equal(got, want) {
			t.Fatalf("written: %q, want %q", got, want)
		}
	})
}

func (c *testCrew) behaviour(kind, name string, begun, next, allRead chan struct{}) func() {
	return func() {
		close(begun)
		switch kind {
		case "yields":
			yield(true)
		case "says":
			c.leave(name + " begins")
			c.said()
		case "blocks":
			<-allRead
		case "waits for the next":
			<-next
		}
	}
}

func yield(often bool) {
	for range 5 {
		if often {
			runtime.Gosched()
		}
	}
}

func TestTaskQueueIsFirstInFirstOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var q taskQueue
		var got, want []int
		pushed := 0
		for _, n := range rapid.SliceOfN(rapid.IntRange(-100, 100), 0, 30).Draw(t, "pushes and pops") {
			for ; n > 0; n-- {
				id := pushed
				pushed++
				q.push(taskFunc(func() { got = append(got, id) }))
			}
			for ; n < 0 && q.len() > 0; n++ {
				want = append(want, len(want))
				q.pop().run()
			}
			if q.len() != pushed-len(want) {
				t.Fatalf("%d wait, want %d", q.len(), pushed-len(want))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if q.len() == 0 && len(q.ring) > maxFresh {
			t.Fatalf("an empty queue keeps room for %d", len(q.ring))
		}
	})
}
