// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/mcpconnect/mcpconnect/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRunInSeveralBubbles: what a pool keeps must not reach another one. In the bubbles of
// testing/synctest that would be fatal.
func TestRunInSeveralBubbles(t *testing.T) {
	t.Parallel()
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			var p worker.Pool
			defer p.Close()
			var ran atomic.Int32
			for range 100 {
				p.Run(func() { ran.Add(1) })
			}
			if got := ran.Load(); got != 100 {
				t.Errorf("%d of 100 functions were run", got)
			}
		})
	}
}

// TestRunGoesOnInTheCaller with a panic, and with the end of the goroutine; and the pool is of
// use after both.
func TestRunGoesOnInTheCaller(t *testing.T) {
	t.Parallel()
	var p worker.Pool
	defer p.Close()
	for range 3 {
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v, want the panic of the function", got)
				}
			}()
			p.Run(func() { panic("boom") })
		}()
		ended := make(chan bool)
		go func() {
			returned := false
			defer func() { ended <- !returned }()
			p.Run(runtime.Goexit)
			returned = true
		}()
		if !<-ended {
			t.Error("Run has returned though its function ended the goroutine")
		}
		ran := false
		p.Run(func() { ran = true })
		if !ran {
			t.Error("the pool runs nothing any more")
		}
	}
}
