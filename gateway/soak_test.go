// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// heldByTimers is how long net/http's HTTP/2 transport keeps a connection in memory that has been
// closed, about 14 KiB: the timer of its next ping still knows it.
const heldByTimers = 15 * time.Second

// soak is how many sessions there are, one after the other on each of some connections, and how
// many calls each makes. `make soak` takes longer.
func soak() (sessions, calls int) {
	if os.Getenv("SOAK") != "" {
		return 10_000, 10
	}
	return 400, 10
}

// TestMemoryStaysFlat over many sessions and calls of both eras, through all of the chain: stdio,
// gateway, child. Nothing of a session may stay when it has ended.
func TestMemoryStaysFlat(t *testing.T) {
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP()))
	sessions, calls := soak()
	use := func(n int) {
		work := make(chan int)
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for i := range work {
					oneSession(t, url, i, calls)
				}
			})
		}
		for i := range n {
			work <- i
		}
		close(work)
		workers.Wait()
	}
	use(sessions / 4) // what is made once and kept
	before, goroutines := memory(t)
	use(sessions)
	var after int64
	var now int
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for deadline := time.Now().Add(heldByTimers + patience); ; <-look.C {
		after, now = memory(t)
		if after < before+2<<20 && now < goroutines+50 {
			t.Logf("%d sessions, %d calls: heap %d KiB, then %d KiB; goroutines %d, then %d", sessions, sessions*calls, before>>10, after>>10, goroutines, now)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("what has ended is not gone: the heap has grown by %d KiB, and there are %d goroutines more", (after-before)>>10, now-goroutines)
		}
	}
}

// oneSession opens a session in one of the ways, and makes calls in it.
func oneSession(t *testing.T, url string, i, calls int) {
	version := []string{rpctest.ModernVersion, "2025-11-25"}[i%2]
	way := []string{"http", "grpc", "grpcweb", "connect"}[i/2%4]
	t.Run("", func(t *testing.T) { // what it opens ends with it
		c := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: remotes[way](url)}), version, `{}`)
		r := callOf("greet", `{"name":"x"}`)
		for range calls {
			if o := c.Call(rpctest.Context(t), r.method, r.paramsFor(version)); o.Err != nil {
				t.Errorf("%s, %s: a call gave %v", way, version, o)
			}
		}
	})
}

// memory gives the heap that is in use once all that has ended is gone.
func memory(t *testing.T) (heap int64, goroutines int) {
	t.Helper()
	last := -1
	eventually(t, "what has ended is gone", func() bool {
		n := runtime.NumGoroutine()
		defer func() { last = n }()
		return n == last
	})
	var m runtime.MemStats
	for range 3 { // pools are emptied by the second one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), runtime.NumGoroutine()
}
