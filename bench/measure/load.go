// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
)

// A Sample is what one measurement of a cell gave. Per means per call.
type Sample struct {
	CallsPerSecond float64
	P50, P99       time.Duration
	ServerCPU      time.Duration // of 1,000 calls
	ClientCPU      time.Duration // of 1,000 calls
	Allocs         float64       // per call, of the server
	AllocBytes     float64       // per call, of the server
	RxBytes        float64       // per call, as the server sees it
	TxBytes        float64
	Reads, Writes  float64 // of the kernel, per call
	OtherLoad      float64 // cores that others used meanwhile; 0 where unknown
	Calls          int
}

// Timing says how long a measurement takes.
type Timing struct {
	Warm, Measure time.Duration
}

// patience bounds a measurement that makes no progress.
const patience = time.Minute

// Run keeps inFlight calls going at a time, and measures for the time given after
// warming up: calls that end in that time count. Both go on for up to four times as long
// if fewer calls have ended than are in flight.
func Run(ctx context.Context, s *Server, client contender.Client, call Call, inFlight int, t Timing) (Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, patience+10*t.Measure)
	defer cancel()
	if err := call(ctx, client, 0); err != nil {
		return Sample{}, err // what it cannot do, it says before the load
	}
	runtime.GC()
	if _, err := s.Collect(); err != nil {
		return Sample{}, err
	}
	l := &load{client: client, call: call, latencies: make([][]time.Duration, inFlight)}
	for i := range inFlight {
		l.workers.Go(func() { l.work(ctx, i) })
	}
	sample, err := l.observe(ctx, s, inFlight, t)
	l.phase.Store(over)
	l.workers.Wait()
	if failed := l.failed.Load(); failed != nil {
		return sample, *failed
	}
	return sample, err
}

const (
	warming = iota
	measuring
	over
)

type load struct {
	client    contender.Client
	call      Call
	phase     atomic.Int32
	done      atomic.Int64 // calls that ended
	failed    atomic.Pointer[error]
	workers   sync.WaitGroup
	latencies [][]time.Duration // of each worker
}

func (l *load) work(ctx context.Context, i int) {
	ctx, cancel := context.WithCancel(ctx) // callers share no context
	defer cancel()
	var mine []time.Duration
	for n := i; l.phase.Load() != over; n++ {
		start := time.Now()
		if err := l.call(ctx, l.client, n); err != nil {
			l.failed.CompareAndSwap(nil, &err)
			l.phase.Store(over)
			break
		}
		if l.phase.Load() == measuring {
			mine = append(mine, time.Since(start))
		}
		l.done.Add(1)
	}
	l.latencies[i] = mine
}

func (l *load) observe(ctx context.Context, s *Server, inFlight int, t Timing) (Sample, error) {
	// Callers begin all at once; until each has had its answer the server sees bursts.
	l.await(ctx, t.Warm, int64(inFlight))
	before, err := s.Counters()
	if err != nil {
		return Sample{}, err
	}
	system, client := systemCPU(), ownCPU()
	start := time.Now()
	if !l.phase.CompareAndSwap(warming, measuring) {
		return Sample{}, nil // failed
	}
	l.await(ctx, t.Measure, l.done.Load()+int64(inFlight))
	l.phase.Store(over)
	elapsed := time.Since(start)
	client, system = ownCPU()-client, systemCPU()-system
	after, err := s.Counters()
	if err != nil {
		return Sample{}, err
	}
	l.workers.Wait()
	return l.sample(before, after, client, system, elapsed)
}

// await lets the load go on for d, and for up to four times as long if fewer calls than
// done have ended since the start.
func (l *load) await(ctx context.Context, d time.Duration, done int64) {
	start := time.Now()
	wait(ctx, d)
	for l.done.Load() < done && l.phase.Load() != over && time.Since(start) < 4*d && ctx.Err() == nil {
		wait(ctx, d/8)
	}
}

func (l *load) sample(before, after Counters, client, system, elapsed time.Duration) (Sample, error) {
	all := slices.Concat(l.latencies...)
	if len(all) == 0 {
		return Sample{}, errors.New("no call ended in time")
	}
	slices.Sort(all)
	n := float64(len(all))
	wire, server := after.Wire.minus(before.Wire), after.CPU-before.CPU
	other := 0.0
	if system > 0 {
		other = float64(system-server-client) / float64(elapsed)
	}
	return Sample{
		CallsPerSecond: n / elapsed.Seconds(),
		P50:            all[len(all)/2], P99: all[len(all)*99/100],
		ServerCPU: time.Duration(float64(server) / n * 1000), ClientCPU: time.Duration(float64(client) / n * 1000),
		Allocs: float64(after.Mallocs-before.Mallocs) / n, AllocBytes: float64(after.AllocBytes-before.AllocBytes) / n,
		RxBytes: float64(wire.Rx) / n, TxBytes: float64(wire.Tx) / n,
		Reads: float64(wire.Reads) / n, Writes: float64(wire.Writes) / n,
		OtherLoad: other, Calls: len(all),
	}, nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// systemCPU is how long all cores together were busy; 0 where there is no /proc/stat.
func systemCPU() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 {
		return 0
	}
	var ticks int64
	for i, f := range fields[1:8] {
		if i == 3 || i == 4 { // idle, waiting for a disk
			continue
		}
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// An IdleSample is what open streams cost a server. Per means per stream.
type IdleSample struct {
	Streams    int
	Conns      int64
	RSSBytes   float64 // per stream; 0 where unknown
	HeapBytes  float64 // per stream
	StackBytes float64
	Goroutines float64
}

// Idle measures what n idle streams cost.
func Idle(ctx context.Context, s *Server, c contender.Idler, n int) (IdleSample, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Streams that come and go first, so that what a server sets up once is not counted.
	closeFew, err := c.Idle(ctx, s.Addr, 8)
	if err != nil {
		return IdleSample{}, err
	}
	closeFew()
	before, err := s.Collect()
	if err != nil {
		return IdleSample{}, err
	}
	closeAll, err := c.Idle(ctx, s.Addr, n)
	if err != nil {
		return IdleSample{}, fmt.Errorf("opening %d streams: %w", n, err)
	}
	defer closeAll()
	after, err := s.Collect()
	if err != nil {
		return IdleSample{}, err
	}
	per := func(x float64) float64 { return x / float64(n) }
	return IdleSample{
		Streams: n, Conns: after.Wire.Conns - before.Wire.Conns,
		RSSBytes:   per(float64(after.RSS - before.RSS)),
		HeapBytes:  per(float64(after.Heap) - float64(before.Heap)),
		StackBytes: per(float64(after.Stack) - float64(before.Stack)),
		Goroutines: per(float64(after.Goroutines - before.Goroutines)),
	}, nil
}
