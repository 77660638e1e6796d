// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"log/slog"
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
