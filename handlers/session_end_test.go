// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"log/slog"
	"runtime"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestSessionsEndDuringClose is for the race detector: streams end their sessions while Close waits.
func TestSessionsEndDuringClose(t *testing.T) {
	t.Parallel()
	for range 100 {
		s := New(mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil), Config{Logger: slog.New(slog.DiscardHandler)})
		var ending sync.WaitGroup
		begin := make(chan struct{})
		for range 8 {
			n, err := s.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ending.Go(func() {
				<-begin
				s.end(n, errSessionEnded)
			})
		}
		close(begin)
		_ = s.Close() // always nil
		ending.Wait()
	}
}

// TestCloseTwice waits for the sessions both times.
func TestCloseTwice(t *testing.T) {
	t.Parallel()
	s := New(mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil), Config{Logger: slog.New(slog.DiscardHandler)})
	n, err := s.open(t.Context())
	if err == nil {
		err = s.list(n)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock() // holds up the end of the session
	var closing sync.WaitGroup
	closing.Go(func() { _ = s.Close() }) // always nil
	for left := 1; left > 0; runtime.Gosched() {
		s.sessions.mu.Lock()
		left = len(s.sessions.byID)
		s.sessions.mu.Unlock()
	}
	closing.Go(func() {
		_ = s.Close()
		if n.ctx.Err() == nil {
			t.Error("the session has not ended")
		}
	})
	for range 1000 {
		runtime.Gosched() // the second has its chance to be too early
	}
	n.mu.Unlock()
	closing.Wait()
}
