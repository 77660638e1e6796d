// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench compares ways to serve and to call MCP tools: see README.md. It runs
// itself again for each server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/mcpconnect/mcpconnect/bench/measure"
)

func main() {
	if child := measure.Child(os.Args[1:]); child != nil {
		fail(child(os.Stdin, os.Stdout))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	fail(err)
}

func fail(err error) {
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{stderr: os.Stderr}
	quick := flags.Bool("quick", false, "measure what the ratios need, and nothing else")
	out := flags.String("out", ".", "write bench.json and bench.svg to this `folder`")
	flags.IntVar(&o.reps, "reps", 3, "measure everything this often")
	flags.DurationVar(&o.timing.Measure, "time", 0, "time of one measurement (default 300ms, quick 200ms)")
	flags.DurationVar(&o.timing.Warm, "warm", 0, "time to warm up before it (default a quarter)")
	flags.DurationVar(&o.budget, "budget", 0, "begin no repetition of calls that would end after this time (default 11m30s, quick 36s)")
	flags.StringVar(&o.only, "only", "", "measure only contenders whose name matches this `regexp`")
	flags.StringVar(&o.cases, "cases", "", "measure only cases whose name matches this `regexp`; idle and growth-tools, for example, are cases, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.setDefaults(*quick)
	r, failed := o.run(ctx, *quick)
	if r == nil {
		return failed
	}
	// What was measured is told, even if not all was.
	if err := r.WriteTables(stdout); err != nil {
		return err
	}
	if err := errors.Join(
		write(filepath.Join(*out, "bench.json"), r.WriteJSON),
		write(filepath.Join(*out, "bench.svg"), r.WriteChart),
	); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s, %s\n", r.Machine, r.Took.Round(1e8))
	return errors.Join(r.WriteRatios(stdout), r.WriteGrowth(stdout), failed)
}

func write(name string, content func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // results are for everybody
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}
