// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestAFlood of what a server says delays no answer, and does not pile up, though one client reads
// nothing.
func TestAFlood(t *testing.T) {
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "flood")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	const all = `{"level":"debug"}`
	deaf := rpctest.Dial(t, mcpconnect.NewTransport(url), "2025-11-25", `{}`)
	if o := deaf.Call(rpctest.Context(t), "logging/setLevel", all); o.Err != nil {
		t.Fatalf("got %v", o)
	}
	for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
		c := rpctest.Dial(t, mcpconnect.NewTransport(url), version, `{}`)
		if version < rpctest.ModernVersion {
			if o := c.Call(rpctest.Context(t), "logging/setLevel", all); o.Err != nil {
				t.Fatalf("got %v", o)
			}
		}
		r := callOf("pid", `{}`)
		for range 50 {
			if o := c.Call(rpctest.Context(t), r.method, r.paramsFor(version)); o.Err != nil {
				t.Fatalf("%s: got %v", version, o)
			}
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("heap %d KiB", m.HeapAlloc>>10)
	if m.HeapAlloc > 64<<20 {
		t.Errorf("the heap has grown to %d MiB", m.HeapAlloc>>20)
	}
}

// TestASlowUpstream, which writes byte by byte and has calls that do not end, delays no other, and
// its answers are whole.
func TestASlowUpstream(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "slow", "trickle"), child(t, "stuck", "everything"), child(t, "good", "fast")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	var stuck, others sync.WaitGroup
	end := make([]*rpctest.Client, 64)
	ctx := rpctest.Context(t)
	for i := range end {
		end[i] = rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
		stuck.Go(func() {
			if o := end[i].Call(ctx, "tools/call", `{"_meta":{`+modernMeta+`},"name":"stuck_block","arguments":{}}`); o.Err == nil {
				t.Errorf("a call that does not end gave %v", o)
			}
		})
	}
	for i := range 8 {
		c := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
		others.Go(func() {
			for n := range 50 {
				tool := []string{"slow_pid", "good_pid", "stuck_greet"}[n%3]
				o := c.Call(rpctest.Context(t), "tools/call", fmt.Sprintf(`{"_meta":{%s},"name":%q,"arguments":{"name":"x%d"}}`, modernMeta, tool, i))
				if o.Err != nil || tool == "stuck_greet" && !strings.Contains(string(o.Result), fmt.Sprintf("Hi x%d", i)) {
					t.Errorf("%s gave %v", tool, o)
				}
			}
		})
	}
	others.Wait()
	_ = g.Close()
	stuck.Wait()
}

// TestRestartsUnderLoad: a server drains, and another takes its place, while clients call it over
// stdio. Each call has an answer of its own, or an error, and those that the drain has seen have
// answers.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				r := newRestartable(t, patience)
				stop := make(chan struct{})
				var load sync.WaitGroup
				var answered, failed atomic.Int64
				for i := range 4 {
					c := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + r.addr), Patience: patience}), version, `{}`)
					load.Go(func() {
						for n := 0; ; n++ {
							select {
							case <-stop:
								return
							default:
							}
							name := fmt.Sprintf("%d-%d", i, n)
							call := callOf("greet", `{"name":"`+name+`"}`)
							switch o := c.Call(rpctest.Context(t), call.method, call.paramsFor(version)); {
							case o.Err != nil:
								failed.Add(1)
							case strings.Contains(string(o.Result), "Hi "+name+`"`):
								answered.Add(1)
							default:
								t.Errorf("call %s gave %v", name, o)
							}
						}
					})
				}
				for range 3 {
					before := answered.Load()
					eventually(t, "calls are answered", func() bool { return answered.Load() > before+40 })
					r.stop()
					r.start()
				}
				close(stop)
				load.Wait()
				t.Logf("%d calls answered, %d failed", answered.Load(), failed.Load())
				// Streams of HTTP/2 tell what was not done. Elsewhere a call may be on its way to a
				// connection that the server is closing, and nobody knows.
				if way == "grpc" || way == "connect" {
					if failed.Load() > 0 {
						t.Errorf("%d calls failed", failed.Load())
					}
				}
			})
		}
	}
}
