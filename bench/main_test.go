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
)

// TestMain lets the test binary be a server, as the program itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measure.ServeArg {
		fail(measure.ServeChild(os.Args[2:], os.Stdin, os.Stdout))
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
