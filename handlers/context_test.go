// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A contextWorld is a context under test with what hangs on it: one world has a callContext,
// the other what package context makes of the same plan.
type contextWorld struct {
	ctx          context.Context
	cancel       func()
	parent       context.Context
	cancelParent context.CancelCauseFunc
	release      []func()

	children []context.Context
	cancels  []context.CancelFunc
	after    []*atomic.Int32 // how often each function of AfterFunc ran
	stops    []func() bool
}

var errParent = errors.New("the parent was cancelled")

// A contextPlan is what happens to a context.
type contextPlan struct {
	deadline, parentDeadline time.Duration // from the start; zero for none
	steps                    []contextStep
}

type contextStep struct {
	op string
	n  int  // which child, or how many milliseconds
	ok bool // look at Err after it
}

func drawContextPlan(t *rapid.T) contextPlan {
	at := rapid.SampledFrom([]time.Duration{0, 0, -time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, time.Hour})
	p := contextPlan{deadline: at.Draw(t, "deadline"), parentDeadline: at.Draw(t, "deadline of the parent")}
	ops := rapid.SampledFrom([]string{
		"nothing", "sleep", "sleep", "done", "cancel", "cancel parent", "child", "child with deadline", "cancel child", "after", "stop",
	})
	p.steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) contextStep {
		return contextStep{op: ops.Draw(t, "op"), n: rapid.IntRange(0, 10).Draw(t, "n"), ok: rapid.Bool().Draw(t, "look")}
	}), 1, 20).Draw(t, "steps")
	return p
}

func newContextWorld(p contextPlan, start time.Time, own bool) *contextWorld {
	w := &contextWorld{}
	w.parent, w.cancelParent = context.WithCancelCause(context.Background())
	if p.parentDeadline != 0 {
		var stop context.CancelFunc
		w.parent, stop = context.WithDeadline(w.parent, start.Add(p.parentDeadline))
		w.release = append(w.release, stop)
	}
	switch {
	case own:
		c := &callContext{parent: w.parent}
		if p.deadline != 0 {
			c.deadline = start.Add(p.deadline)
		}
		w.ctx, w.cancel = c, c.cancel
	case p.deadline != 0:
		w.ctx, w.cancel = context.WithDeadline(w.parent, start.Add(p.deadline))
	default:
		w.ctx, w.cancel = context.WithCancel(w.parent)
	}
	return w
}

// do does one step, and tells what can be seen of it.
func (w *contextWorld) do(s contextStep) (seen string) {
	switch s.op {
	case "sleep": // by who runs the plan
	case "done":
		done := w.ctx.Done()
		w.children, w.cancels = append(w.children, doneOnly{w.ctx, done}), append(w.cancels, func() {})
		return fmt.Sprint(isClosed(done))
	case "cancel":
		w.cancel()
	case "cancel parent":
		w.cancelParent(errParent)
	case "child":
		ctx, cancel := context.WithCancel(w.ctx)
		w.children, w.cancels = append(w.children, ctx), append(w.cancels, cancel)
	case "child with deadline":
		ctx, cancel := context.WithTimeout(w.ctx, time.Duration(s.n)*3*time.Millisecond)
		w.children, w.cancels = append(w.children, ctx), append(w.cancels, cancel)
	case "cancel child":
		if len(w.cancels) > 0 {
			w.cancels[s.n%len(w.cancels)]()
		}
	case "after":
		ran := &atomic.Int32{}
		w.after = append(w.after, ran)
		w.stops = append(w.stops, context.AfterFunc(w.ctx, func() { ran.Add(1) }))
	case "stop":
		if len(w.stops) > 0 {
			return fmt.Sprint(w.stops[s.n%len(w.stops)]())
		}
	}
	return ""
}

// doneOnly is a channel of Done, looked at as if it were a child.
type doneOnly struct {
	context.Context

	done <-chan struct{}
}

func (d doneOnly) Done() <-chan struct{} { return d.done }

// look tells what can be seen without looking at the context itself.
func (w *contextWorld) look() string {
	var all []any
	for _, c := range w.children {
		closed := isClosed(c.Done())
		if _, ok := c.(doneOnly); ok {
			all = append(all, closed)
			continue
		}
		deadline, ok := c.Deadline()
		all = append(all, closed, c.Err(), deadline, ok)
	}
	for _, n := range w.after {
		all = append(all, n.Load())
	}
	return fmt.Sprint(all...)
}

// runContextPlan does the same in both worlds, and tells what differs.
func runContextPlan(p contextPlan) (difference string) {
	start := time.Now()
	c, model := newContextWorld(p, start, true), newContextWorld(p, start, false)
	defer func() {
		c.cancel()
		synctest.Wait()
		if left := leftOf(c.ctx); left != "" && difference == "" {
			difference = left
		}
		for _, w := range []*contextWorld{c, model} {
			w.cancel()
			for _, cancel := range slices.Concat(w.release, slicesOf(w.cancels)) {
				cancel()
			}
			w.cancelParent(nil)
		}
		synctest.Wait()
	}()
	known := false // somebody has looked since the context ended, or would be told
	for i, s := range p.steps {
		waits := len(model.children)+len(model.after) > 0
		if s.op == "cancel" && model.ctx.Err() != nil && !known && !waits {
			return "" // who cancels what nobody has looked at since it ended may be first, or not
		}
		switch s.op {
		case "sleep":
			time.Sleep(time.Duration(s.n) * time.Millisecond)
		default:
			if got, want := c.do(s), model.do(s); got != want {
				return fmt.Sprintf("step %d: %s gave %s, want %s", i, s.op, got, want)
			}
		}
		synctest.Wait()
		if !known && !waits && model.parent.Err() != nil && p.deadline != 0 && time.Since(start) >= p.deadline {
			return "" // has two reasons to end, and nobody who has seen which was first
		}
		if got, want := c.look(), model.look(); got != want {
			return fmt.Sprintf("step %d: after %s one sees %s, want %s", i, s.op, got, want)
		}
		if d := differentDeadlines(c.ctx, model.ctx); d != "" {
			return d
		}
		if !s.ok {
			continue
		}
		if got, want := c.ctx.Err(), model.ctx.Err(); !errors.Is(got, want) || !errors.Is(want, got) {
			return fmt.Sprintf("step %d: after %s the error is %v, want %v", i, s.op, got, want)
		}
		known = known || model.ctx.Err() != nil
		// The cause is that of the parent if that has ended, too, in either order.
		if got, want := context.Cause(c.ctx), context.Cause(model.ctx); !errors.Is(got, want) && !errors.Is(got, context.Cause(c.parent)) {
			return fmt.Sprintf("step %d: after %s the cause is %v, want %v", i, s.op, got, want)
		}
	}
	return ""
}

func slicesOf(cancels []context.CancelFunc) []func() {
	all := make([]func(), len(cancels))
	for i, cancel := range cancels {
		all[i] = cancel
	}
	return all
}

func differentDeadlines(c, model context.Context) string {
	got, ok := c.Deadline()
	want, wanted := model.Deadline()
	if !got.Equal(want) || ok != wanted {
		return fmt.Sprintf("the deadline is %v, %t, want %v, %t", got, ok, want, wanted)
	}
	return ""
}

// leftOf tells what a context that has ended still holds.
func leftOf(ctx context.Context) string {
	c, ok := ctx.(*callContext)
	if !ok {
		return "no callContext"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.timer != nil && c.timer.Stop():
		return "its timer goes on"
	case c.unhook != nil && c.unhook():
		return "its parent still knows it"
	case len(c.after) > 0:
		return "functions wait for its end"
	}
	return ""
}

// TestCallContextIsAsThoseOfPackageContext whatever happens to it, and around it.
func TestCallContextIsAsThoseOfPackageContext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := drawContextPlan(r)
		var difference string
		// At its end the bubble sees to it that no goroutine is left.
		synctest.Test(t, func(*testing.T) { difference = runContextPlan(p) })
		if difference != "" {
			r.Fatal(difference)
		}
	})
}

// TestCallContextEnds in each way, for those who asked before its end and for those after.
func TestCallContextEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		end    func(c *callContext, cancelParent context.CancelCauseFunc)
		err    error
		caused error
	}{
		{"cancel", func(c *callContext, _ context.CancelCauseFunc) { c.cancel() }, context.Canceled, context.Canceled},
		{"deadline", func(*callContext, context.CancelCauseFunc) { time.Sleep(time.Minute) }, context.DeadlineExceeded, context.DeadlineExceeded},
		{"parent", func(_ *callContext, cancel context.CancelCauseFunc) { cancel(errParent) }, context.Canceled, errParent},
	} {
		for _, asked := range []string{"Done", "a child", "AfterFunc", "nothing"} {
			t.Run(test.name+"/"+asked, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					parent, cancelParent := context.WithCancelCause(t.Context())
					c := &callContext{parent: parent, deadline: time.Now().Add(time.Minute)}
					ended := make(chan struct{})
					switch asked {
					case "Done":
						go func() { <-c.Done(); close(ended) }()
					case "a child":
						child, cancel := context.WithTimeout(c, time.Hour)
						defer cancel()
						go func() { <-child.Done(); close(ended) }()
					case "AfterFunc":
						context.AfterFunc(c, func() { close(ended) })
					case "nothing":
						close(ended)
					}
					synctest.Wait()
					if c.Err() != nil || asked != "nothing" && isClosed(ended) {
						t.Errorf("it has ended at once: %v", c.Err())
					}
					test.end(c, cancelParent)
					synctest.Wait()
					if !isClosed(ended) {
						t.Error("who waits was not told")
					}
					if err := c.Err(); !errors.Is(err, test.err) {
						t.Errorf("the error is %v, want %v", err, test.err)
					}
					if err := context.Cause(c); !errors.Is(err, test.caused) {
						t.Errorf("the cause is %v, want %v", err, test.caused)
					}
					if !isClosed(c.Done()) {
						t.Error("Done is not closed after the end")
					}
					if left := leftOf(c); left != "" {
						t.Error(left)
					}
					c.cancel()
					cancelParent(nil)
					synctest.Wait()
					if err := c.Err(); !errors.Is(err, test.err) {
						t.Errorf("after another end the error is %v, want %v", err, test.err)
					}
				})
			})
		}
	}
}

func TestCallContextCostsNothingUntilSomebodyWaits(t *testing.T) {
	t.Parallel()
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &callContext{parent: parent, deadline: time.Now().Add(time.Hour)}
	_, _ = c.Deadline()
	if c.Err() != nil || c.timer != nil || c.unhook != nil || c.done.Load() != nil {
		t.Errorf("Err and Deadline have set up what only Done needs: %v", c.Err())
	}
	c.cancel()
	if c.timer != nil || c.unhook != nil || !errors.Is(c.Err(), context.Canceled) {
		t.Errorf("cancel has set up what only Done needs: %v", c.Err())
	}
}

func TestCallContextForgetsWhatHasLeft(t *testing.T) {
	t.Parallel()
	c := &callContext{parent: t.Context()}
	for range 10 {
		_, cancel := context.WithCancel(c)
		cancel()
		if stop := context.AfterFunc(c, func() { t.Error("a function that was stopped ran") }); !stop() {
			t.Error("stop says that the function ran")
		}
		if stop := c.AfterFunc(func() { t.Error("a function that was stopped ran") }); !stop() || stop() {
			t.Error("stop says that the function ran, or twice that it does not")
		}
	}
	if len(c.after) > 0 {
		t.Errorf("it still knows %d that have left", len(c.after))
	}
	c.cancel()
}

func TestCallContextHasValues(t *testing.T) {
	t.Parallel()
	type key struct{}
	parent := context.WithValue(withCall(context.WithValue(t.Context(), key{}, "parent"), &call{method: "outer"}), headerKey{}, http.Header{"Outer": {"1"}})
	own, header := &call{method: "own"}, http.Header{"Own": {"1"}}
	for _, test := range []struct {
		name   string
		ctx    *callContext
		method string
		header string
	}{
		{"none of its own", &callContext{parent: parent}, "outer", "Outer"},
		{"a call", &callContext{parent: parent, call: own}, "own", "Outer"},
		{"a header", &callContext{parent: parent, header: header}, "outer", "Own"},
		{"both", &callContext{parent: parent, call: own, header: header}, "own", "Own"},
	} {
		child := context.WithValue(test.ctx, new(int), "child")
		if got := callFrom(child).method; got != test.method {
			t.Errorf("%s: got the call %q, want %q", test.name, got, test.method)
		}
		if got, _ := child.Value(headerKey{}).(http.Header); got.Get(test.header) != "1" {
			t.Errorf("%s: got the header %v, want %q", test.name, got, test.header)
		}
		if child.Value(key{}) != "parent" {
			t.Errorf("%s: the values of the parent are lost", test.name)
		}
	}
}

// TestCallContextAtTheSameTime: all that can end it or wait for it meets.
func TestCallContextAtTheSameTime(t *testing.T) {
	t.Parallel()
	for range 200 {
		parent, cancelParent := context.WithCancel(t.Context())
		c := &callContext{parent: parent, deadline: time.Now().Add(time.Millisecond)}
		told := make(chan struct{}, 4)
		go c.cancel()
		go cancelParent()
		go func() { <-c.Done(); told <- struct{}{} }()
		go context.AfterFunc(c, func() { told <- struct{}{} })
		go func() {
			child, cancel := context.WithCancel(c)
			defer cancel()
			<-child.Done()
			told <- struct{}{}
		}()
		go func() { _ = c.Err(); told <- struct{}{} }()
		for range 4 {
			<-told
		}
		if c.Err() == nil || !isClosed(c.Done()) {
			t.Fatalf("it has not ended: %v", c.Err())
		}
	}
}
