// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeLink is a link to a server that is in the test's hands. It takes calls, and no answers.
type fakeLink struct {
	says   chan *message
	calls  chan *message
	closed chan struct{}
	once   sync.Once
}

func newFakeLink() *fakeLink {
	return &fakeLink{says: make(chan *message), calls: make(chan *message, 1), closed: make(chan struct{})}
}

func (l *fakeLink) send(ctx context.Context, m *message) error {
	if m.isCall() {
		l.calls <- m
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *fakeLink) receive() (*message, error) {
	select {
	case m := <-l.says:
		return m, nil
	case <-l.closed:
		return nil, errors.New("closed")
	}
}

func (l *fakeLink) close() { l.once.Do(func() { close(l.closed) }) }
func (l *fakeLink) wait()  {}

// TestAServerThatDoesNotRead our answers delays no call: not with pings, nor with questions that
// are for nobody.
func TestAServerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLink()
		c := &conn{u: &upstream{g: &Gateway{cfg: Config{Logger: slog.New(slog.DiscardHandler)}}}}
		c.peer = newPeer(l, c.stray)
		c.peer.start()
		defer c.peer.close()
		began := time.Now()
		go func() {
			asked := <-l.calls
			for i := range 3 * maxReplies {
				l.says <- &message{ID: number(int64(2 * i)), Method: methodPing}
				l.says <- &message{ID: number(int64(2*i + 1)), Method: methodListRoots}
			}
			l.says <- &message{ID: asked.ID, Result: json.RawMessage(`{}`)}
		}()
		if _, err := c.peer.request(t.Context(), methodListTools, nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the answer took %v", took)
		}
	})
}

// TestLoneCalls are those beside which no other is awaited: what listens stays for as long as the
// connection does.
func TestLoneCalls(t *testing.T) {
	t.Parallel()
	l := newFakeLink()
	p := newPeer(l, func(*message) {})
	begin := func(method string) (*call, bool) {
		t.Helper()
		c, err := p.begin(t.Context(), nil, method, func(*call) (json.RawMessage, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		return c, (<-l.calls).alone
	}
	listen, _ := begin(methodListen)
	first, alone := begin(methodCallTool)
	if !alone {
		t.Error("a call beside a listen is not alone")
	}
	second, alone := begin(methodCallTool)
	if alone {
		t.Error("the second call is alone")
	}
	p.finish(first)
	p.finish(first) // as answers do, and callers
	p.finish(second)
	p.finish(listen)
	if _, alone = begin(methodCallTool); !alone {
		t.Error("a call after others is not alone")
	}
}

// TestCallsAreParkedAsTheGatewayEnds: whoever takes one out of those that wait finds it whole.
func TestCallsAreParkedAsTheGatewayEnds(t *testing.T) {
	t.Parallel()
	for range 100 {
		g := &Gateway{cfg: Config{AnswerTimeout: time.Hour}, parked: map[string]*parked{}}
		w := &waiter{request: &request{g: g}, conn: &conn{}}
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := w.park(&message{ID: json.RawMessage("1"), Method: methodElicit}); err != nil {
				t.Error(err)
			}
		})
		for taken := false; !taken; runtime.Gosched() {
			g.mu.Lock()
			var states []string
			for state := range g.parked {
				states = append(states, state)
			}
			g.mu.Unlock()
			for _, state := range states {
				if p := g.unpark(state); p == nil || p.timer == nil {
					t.Errorf("%s: got %v", strconv.Quote(state), p)
				}
				taken = true
			}
		}
		all.Wait()
	}
}
