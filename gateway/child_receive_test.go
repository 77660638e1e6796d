// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package gateway

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A lone is the only call in flight of a child that is a shell script. It has no reader: only the test
// reads what it writes.
type lone struct {
	*childLink

	peer   *peer
	call   *call
	strays atomic.Int32
}

const (
	loneAnswer = `{"jsonrpc":"2.0","id":1,"result":{}}`
	loneStray  = `{"jsonrpc":"2.0","method":"notifications/of/nobody"}`
)

func newLone(t *testing.T, script string) *lone {
	t.Helper()
	u := &Upstream{Name: "script", Command: []string{"/bin/sh", "-c", script}}
	started, err := startChild(u, slog.New(slog.DiscardHandler), 4<<10)
	if err != nil {
		t.Fatal(err)
	}
	l := &lone{childLink: started.(*childLink)}
	t.Cleanup(func() {
		l.close()
		l.wait()
	})
	l.peer = newPeer(l.childLink, func(*message) { l.strays.Add(1) })
	l.call = &call{id: 1, answer: make(chan *message, 1), said: newSaid()}
	l.peer.calls[1] = l.call
	return l
}

// receiveAwake does so when there is something to receive. Other calls, of other tests, may be awake.
func (l *lone) receiveAwake(t *testing.T) {
	t.Helper()
	if err := l.out.await(); err != nil {
		t.Fatal(err)
	}
	before := l.lines.Buffered()
	for begun := time.Now(); l.lines.Buffered() == before && !l.call.hasNews() && l.strays.Load() == 0 && l.broken == nil; {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("nothing was received")
		}
		l.doze = 0
		l.childLink.receiveAwake(l.peer, l.call)
	}
}

// TestCallersReceive what comes at once, and leave to the reader what does not.
func TestCallersReceive(t *testing.T) {
	t.Parallel()
	const wait = "; exec cat >/dev/null"
	long := strings.Repeat("x", 8<<10)
	for _, tt := range []struct {
		name     string
		script   string
		answered bool
		strays   int32
		then     bool   // the rest has the answer
		end      string // in the error that the reader ends with
	}{
		{"an answer", "echo '" + loneAnswer + "'" + wait, true, 0, false, ""},
		{"what comes with it", "printf '" + loneStray + `\n` + loneAnswer + `\n` + loneStray + `\n'` + wait, true, 2, false, ""},
		{"a list", "echo '[" + loneStray + "," + loneAnswer + "," + loneStray + "]'" + wait, true, 2, false, ""},
		{"a part of an answer", "printf '" + loneAnswer[:10] + "'; read _; echo '" + loneAnswer[10:] + "'" + wait, false, 0, true, ""},
		{"a part after an answer", "printf '" + loneAnswer + `\n` + loneStray[:10] + "'" + wait, true, 0, false, ""},
		{"a message too large", "echo '" + long + "'" + wait, false, 0, false, "larger than the limit of 4096 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLone(t, tt.script)
			l.receiveAwake(t)
			l.childLink.receiveAwake(l.peer, l.call) // another call, before the reader has had its turn
			if got := l.call.hasNews(); got != tt.answered {
				t.Errorf("it is answered: %v, want %v", got, tt.answered)
			}
			if broken := l.broken != nil; broken != (tt.end != "") {
				t.Errorf("the caller has met %v", l.broken)
			}
			if n := l.strays.Load(); n != tt.strays {
				t.Errorf("%d other messages came, want %d", n, tt.strays)
			}
			ended := make(chan error, 1)
			go func() { ended <- l.receiveAll(l.peer) }()
			if tt.then {
				if err := l.send(t.Context(), &message{Method: "go"}); err != nil {
					t.Error(err)
				}
				<-l.call.answer
			}
			if tt.end == "" {
				l.close()
				tt.end = "the process has ended"
			}
			if err := <-ended; !strings.Contains(err.Error(), tt.end) {
				t.Errorf("the reader ends with %v", err)
			}
		})
	}
}

// TestCallersReceiveNoFlood: a child that says this and that all the time keeps no caller awake.
func TestCallersReceiveNoFlood(t *testing.T) {
	t.Parallel()
	l := newLone(t, "while echo '"+loneStray+"'; do :; done")
	l.receiveAwake(t)
	if l.strays.Load() == 0 || l.call.hasNews() {
		t.Errorf("%d messages came, an answer: %v", l.strays.Load(), l.call.hasNews())
	}
}

// TestCallersDoze while children take longer than callers stay awake, and then try it again.
func TestCallersDoze(t *testing.T) {
	t.Parallel()
	l := newLone(t, "exec cat >/dev/null")
	until := func(ok func() bool) {
		t.Helper()
		for begun := time.Now(); !ok(); { // callers of other tests may be awake
			if time.Since(begun) > 30*time.Second {
				t.Fatalf("misses: %d, doze: %d", l.misses, l.doze)
			}
			l.childLink.receiveAwake(l.peer, l.call)
		}
	}
	until(func() bool { return l.misses == maxDoze })
	for left := maxDoze - 1; left >= 0; left-- {
		l.childLink.receiveAwake(l.peer, l.call)
		if l.doze != left {
			t.Fatalf("after a call %d doze, want %d", l.doze, left)
		}
	}
	l.call.answer <- &message{}
	until(func() bool { return l.misses == 0 })
}
