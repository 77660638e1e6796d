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
	"runtime"
	"runtime/debug"
	"strings"
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
	budget      time.Duration
	stderr      io.Writer
}

func (o *options) setDefaults(quick bool) {
	if o.timing.Measure == 0 {
		o.timing.Measure = 300 * time.Millisecond
		if quick {
			o.timing.Measure = 200 * time.Millisecond
		}
	}
	if o.budget == 0 {
		o.budget = 13 * time.Minute
		if quick {
			o.budget = 36 * time.Second // leaves the rest of 50 to idle streams
		}
	}
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
	result := &report.Report{Started: time.Now(), Machine: machine(), Versions: versions()}
	cells, idlers, err := r.plan(quick)
	if err != nil {
		return nil, err
	}
	for _, c := range cells {
		result.Rows = append(result.Rows, &report.Row{Cell: c})
	}
	for _, name := range idlers {
		result.Idle = append(result.Idle, &report.IdleRow{Contender: name})
	}
	// All of a repetition before the next one: contenders take turns, and what is compared
	// is measured within seconds.
	reps := 0
	for ; reps < o.reps; reps++ {
		if o.late(result.Started, reps) {
			fmt.Fprintf(o.stderr, "\r%-100s\n", fmt.Sprintf("the machine is slow: %d repetitions instead of %d", reps, o.reps))
			break
		}
		for i, row := range result.Rows {
			fmt.Fprintf(o.stderr, "\r%-100s", fmt.Sprintf("%d of %d, %d of %d: %s %s %d", reps+1, o.reps, i+1, len(cells), row.Contender, row.Case, row.InFlight))
			if err := r.measure(ctx, row); err != nil {
				return nil, err
			}
		}
	}
	idleReps := min(reps, 3)
	if quick {
		idleReps = 1 // it varies little
	}
	for range idleReps {
		for _, row := range result.Idle {
			if err := r.idle(ctx, row); err != nil {
				return nil, err
			}
		}
	}
	fmt.Fprintf(o.stderr, "\r%-100s\r", "")
	result.Took = time.Since(result.Started)
	result.Compare()
	return result, nil
}

// late tells whether another repetition, as long as those before, would go over the budget.
func (o *options) late(started time.Time, done int) bool {
	if done == 0 {
		return false
	}
	elapsed := time.Since(started)
	return elapsed+elapsed/time.Duration(done) > o.budget
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

// plan gives the cells and the contenders whose idle streams are measured.
func (o *options) plan(quick bool) ([]report.Cell, []string, error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, nil, err
	}
	cases, err := regexp.Compile(o.cases)
	if err != nil {
		return nil, nil, err
	}
	names := map[string]bool{}
	for _, c := range contender.All() {
		names[c.Name()] = only.MatchString(c.Name())
	}
	all := fullPlan()
	if quick {
		all = quickPlan()
	}
	var cells []report.Cell
	for _, c := range all {
		if names[c.Contender] && cases.MatchString(c.Case) {
			cells = append(cells, c)
		}
	}
	var idlers []string
	for _, name := range []string{report.OurIdle, report.PeerIdle} {
		if names[name] && cases.MatchString("idle") {
			idlers = append(idlers, name)
		}
	}
	return cells, idlers, nil
}

func machine() string {
	model := ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value) + ", "
				break
			}
		}
	}
	return fmt.Sprintf("%s%d cores for client and server together, %s %s/%s", model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// compared are the modules whose versions matter to a reader.
var compared = []string{
	"connectrpc.com/connect", "github.com/mark3labs/mcp-go", "github.com/modelcontextprotocol/go-sdk",
	"google.golang.org/grpc", "google.golang.org/protobuf",
}

func versions() map[string]string {
	found := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, m := range info.Deps {
		for _, path := range compared {
			if m.Path == path {
				found[path] = m.Version
			}
		}
	}
	return found
}
