// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/report"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// options are what a run is told.
type options struct {
	reps        int
	timing      measure.Timing
	only, cases string
	stderr      io.Writer

	budget, idleBudget, growthBudget time.Duration
}

func (o *options) setDefaults(quick bool) {
	if o.timing.Measure == 0 {
		o.timing.Measure = 300 * time.Millisecond
		if quick {
			o.timing.Measure = 200 * time.Millisecond
		}
	}
	if o.budget == 0 {
		o.budget = 690 * time.Second // leaves the rest of 15 minutes to idle streams and growth
		if quick {
			o.budget = 36 * time.Second // leaves the rest of 50 to idle streams
		}
	}
	o.idleBudget, o.growthBudget = 50*time.Second, 140*time.Second
	if o.timing.Warm == 0 {
		o.timing.Warm = o.timing.Measure / 4
	}
}

// idleStreams is how many idle streams are opened: few enough for the limits of files.
const idleStreams = 2000

// A runner has what a run keeps between measurements: the servers.
type runner struct {
	options

	exe     string
	servers map[serverKey]*measure.Server
}

type serverKey struct {
	contender string
	setup     contender.Setup
}

func (o *options) run(ctx context.Context, quick bool) (*report.Report, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &runner{options: *o, exe: exe, servers: map[serverKey]*measure.Server{}}
	defer r.stop()
	result, err := r.plan(quick)
	if err != nil {
		return nil, err
	}
	idleReps := o.reps
	if quick {
		idleReps = 1 // it varies little
	}
	err = errors.Join(
		r.repeat("calls", o.reps, o.budget, func(rep int) error { return r.calls(ctx, result, rep) }),
		r.repeat("idle streams", idleReps, o.idleBudget, func(int) error { return r.idleAll(ctx, result) }),
		r.repeat("growth", o.reps, o.growthBudget, func(rep int) error { return r.growAll(ctx, result, rep) }),
	)
	fmt.Fprintf(o.stderr, "\r%-100s\r", "")
	result.Took = time.Since(result.Started)
	result.Compare()
	return result, err
}

// repeat measures something several times, as often as goes into the budget. All of a
// repetition comes before the next one: contenders take turns, and what is compared is
// measured within seconds.
func (r *runner) repeat(what string, reps int, budget time.Duration, once func(rep int) error) error {
	started := time.Now()
	for rep := range reps {
		elapsed := time.Since(started)
		if rep > 0 && elapsed+elapsed/time.Duration(rep) > budget {
			r.sayf("the machine is slow: %d of %d repetitions of %s", rep, reps, what)
			fmt.Fprintln(r.stderr)
			return nil
		}
		if err := once(rep); err != nil {
			return err
		}
	}
	return nil
}

// sayf tells on one line what goes on.
func (r *runner) sayf(format string, args ...any) {
	fmt.Fprintf(r.stderr, "\r%-100s", fmt.Sprintf(format, args...))
}

// calls measures all cells once.
func (r *runner) calls(ctx context.Context, result *report.Report, rep int) error {
	for i, row := range result.Rows {
		r.sayf("%d of %d, %d of %d: %s %s %d", rep+1, r.reps, i+1, len(result.Rows), row.Contender, row.Case, row.InFlight)
		if err := r.measure(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// measure adds a sample to a row. What a contender cannot do is left out; if it fails,
// the row says so, and the others go on.
func (r *runner) measure(ctx context.Context, row *report.Row) error {
	if row.Error != "" {
		return nil
	}
	k := measure.FindCase(row.Case)
	c, err := contender.Find(row.Contender)
	if err != nil {
		return err
	}
	s, err := r.server(row.Contender, contender.Setup{Registration: row.Registration, Tools: k.Tools})
	if err != nil {
		return err
	}
	sample, err := r.sample(ctx, s, c, k, row.InFlight)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		row.Error = err.Error()
	default:
		row.Samples = append(row.Samples, sample)
	}
	return nil
}

func (r *runner) sample(ctx context.Context, s *measure.Server, c contender.Contender, k measure.Case, inFlight int) (measure.Sample, error) {
	client, err := c.Dial(ctx, s.Addr, inFlight)
	if err != nil {
		return measure.Sample{}, err
	}
	sample, err := measure.Run(ctx, s, client, k.Call, inFlight, r.timing)
	return sample, errors.Join(err, client.Close())
}

func (r *runner) idleAll(ctx context.Context, result *report.Report) error {
	for _, row := range result.Idle {
		r.sayf("idle streams: %s", row.Contender)
		if err := r.idle(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) idle(ctx context.Context, row *report.IdleRow) error {
	c, err := contender.Find(row.Contender)
	if err != nil || row.Error != "" {
		return err
	}
	idler, ok := c.(contender.Idler)
	if !ok {
		return fmt.Errorf("%s keeps no idle streams", row.Contender)
	}
	// A process of its own: memory of calls before would be used again, and not be seen.
	s, err := measure.Start(r.exe, row.Contender, contender.Setup{Registration: tools.Low, Tools: tools.Few})
	if err != nil {
		return err
	}
	sample, err := measure.Idle(ctx, s, idler, idleStreams)
	if err != nil {
		row.Error = err.Error()
	} else {
		row.Samples = append(row.Samples, sample)
	}
	_ = s.Stop() // it has nothing to say any more
	return ctx.Err()
}

func (r *runner) server(name string, setup contender.Setup) (*measure.Server, error) {
	key := serverKey{name, setup}
	if s := r.servers[key]; s != nil {
		return s, nil
	}
	s, err := measure.Start(r.exe, name, setup)
	if err == nil {
		r.servers[key] = s
	}
	return s, err
}

func (r *runner) stop() {
	for _, s := range r.servers {
		_ = s.Stop() // they have nothing to say any more
	}
}

// growAll measures all sizes of all series once.
func (r *runner) growAll(ctx context.Context, result *report.Report, rep int) error {
	for _, row := range result.Growing {
		r.sayf("growth, %d of %d: %d %s", rep+1, r.reps, row.Size, row.Series)
		if err := r.grow(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) grow(ctx context.Context, row *report.GrowthRow) error {
	c, err := contender.Find(contender.OurMux)
	if err != nil || row.Error != "" {
		return err
	}
	s, err := measure.Start(r.exe, c.Name(), measure.GrowthSetup(row.Series, row.Size))
	if err != nil {
		return err
	}
	timing := r.timing
	timing.Measure *= 2 // the 99th percentiles are compared
	sample, err := measure.Growth(ctx, r.exe, s, c, row.Series, row.Size, timing)
	if err != nil {
		row.Error = err.Error()
	} else {
		row.Samples = append(row.Samples, sample)
	}
	_ = s.Stop() // it has nothing to say any more
	return ctx.Err()
}

// plan gives a report with a row for everything that is to be measured.
func (o *options) plan(quick bool) (*report.Report, error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	cases, err := regexp.Compile(o.cases)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, c := range slices.Concat(contender.All(), contender.Children()) {
		names[c.Name()] = only.MatchString(c.Name())
	}
	all := fullPlan()
	if quick {
		all = quickPlan()
	}
	result := &report.Report{Started: time.Now(), Machine: machine(), Versions: versions()}
	for _, c := range all {
		if names[c.Contender] && cases.MatchString(c.Case) {
			result.Rows = append(result.Rows, &report.Row{Cell: c})
		}
	}
	idlers := idlePlan
	if quick {
		idlers = []string{report.OurIdle, report.PeerIdle}
	}
	for _, name := range idlers {
		if names[name] && cases.MatchString("idle") {
			result.Idle = append(result.Idle, &report.IdleRow{Contender: name})
		}
	}
	if quick || !names[contender.OurMux] {
		return result, nil
	}
	for _, series := range measure.AllSeries {
		if !cases.MatchString("growth-" + series.Name) {
			continue
		}
		for _, size := range series.Sizes {
			result.Growing = append(result.Growing, &report.GrowthRow{Series: series.Name, Size: size})
		}
	}
	return result, nil
}
