// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/report"
)

// TestMain lets the test binary be a server or a crowd, as the program itself is.
func TestMain(m *testing.M) {
	if child := measure.Child(os.Args[1:]); child != nil {
		fail(child(os.Stdin, os.Stdout))
		return
	}
	os.Exit(m.Run())
}

func TestPlansNameWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(quickPlan(), fullPlan()) {
		if _, err := contender.Find(c.Contender); err != nil {
			t.Error(err)
		}
		if measure.FindCase(c.Case).About == "" {
			t.Errorf("no case is called %q", c.Case)
		}
	}
}

// TestGrow measures a small size of each series with two processes.
func TestGrow(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{exe: exe, options: options{timing: measure.Timing{Warm: time.Millisecond, Measure: 20 * time.Millisecond}}}
	for _, series := range measure.AllSeries {
		row := &report.GrowthRow{Series: series.Name, Size: 10}
		if err := r.grow(t.Context(), row); err != nil || row.Error != "" {
			t.Fatal(series.Name, err, row.Error)
		}
		s := row.Samples[0]
		if s.At16.CallsPerSecond <= 0 || s.At64.CallsPerSecond <= 0 {
			t.Errorf("%s: got %+v", series.Name, s)
		}
		for unit, d := range s.Units {
			if d <= 0 {
				t.Errorf("%s: %s took %v", series.Name, unit, d)
			}
		}
	}
}

// TestChild measures a child process by itself, behind a gateway, and behind a proxy.
func TestChild(t *testing.T) {
	t.Parallel()
	o := options{
		reps: 1, cases: "^" + measure.Stdio + "$", stderr: io.Discard,
		timing: measure.Timing{Warm: time.Millisecond, Measure: 20 * time.Millisecond},
	}
	o.setDefaults(true)
	r, err := o.run(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if len(row.Samples) != 1 {
			t.Errorf("%+v: %s", row.Cell, row.Error)
		}
	}
	if len(r.Rows) != 6 || len(r.Ratios) != 3 {
		t.Errorf("got %d rows, and the ratios %v", len(r.Rows), r.Ratios)
	}
}

// TestRun measures one cell with two processes.
func TestRun(t *testing.T) {
	t.Parallel()
	o := options{
		reps: 1, only: "^raw-tcp$", cases: measure.Small, stderr: io.Discard,
		timing: measure.Timing{Warm: time.Millisecond, Measure: 20 * time.Millisecond},
	}
	o.setDefaults(true)
	r, err := o.run(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 1 || len(r.Rows[0].Samples) != 1 {
		t.Fatalf("got %+v, want one row", r.Rows)
	}
	if s := r.Rows[0].Samples[0]; s.CallsPerSecond <= 0 || s.P99 < s.P50 || s.TxBytes <= 0 || s.Allocs <= 0 {
		t.Errorf("got %+v", s)
	}
}
