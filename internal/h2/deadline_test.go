// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadlines: who waits does so until the deadline, wherever it was moved meanwhile.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	const never = 0
	for _, tt := range []struct {
		name          string
		first, second time.Duration // from the beginning on; the second is set after a second
		want          time.Duration
	}{
		{"never moved", 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{"moved to an earlier time", time.Hour, 2 * time.Second, 2 * time.Second},
		{"moved to a later time", 2 * time.Second, time.Hour, time.Hour},
		{"moved into the past", time.Hour, -time.Hour, time.Second},
		{"set while somebody waits", never, 2 * time.Second, 2 * time.Second},
		{"past from the beginning", -time.Hour, time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				arrived := sync.Cond{L: &mu}
				var d deadline
				begun := time.Now()
				move := func(after time.Duration) {
					mu.Lock()
					defer mu.Unlock()
					d.set(begun.Add(after), &arrived)
				}
				if tt.first != never {
					move(tt.first)
				}
				wakes := 0
				over := make(chan time.Duration, 1)
				go func() {
					mu.Lock()
					defer mu.Unlock()
					for ; !d.over(); wakes++ {
						d.wait(&arrived)
					}
					over <- time.Since(begun)
				}()
				time.Sleep(time.Second)
				move(tt.second)
				if got := <-over; got != tt.want || wakes > 1 {
					t.Errorf("over after %v, want %v; %d wake-ups", got, tt.want, wakes)
				}
			})
		})
	}
}
