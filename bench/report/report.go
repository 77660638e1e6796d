// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package report turns measurements into a table, JSON, a chart and ratios.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A Cell is what is measured.
type Cell struct {
	Contender    string
	Case         string
	InFlight     int
	Registration tools.Registration
}

// A Row is a cell and what was measured of it, once for each repetition.
type Row struct {
	Cell

	Samples []measure.Sample
	Error   string `json:",omitempty"` // why the cell has no more samples
}

// An IdleRow is what idle streams cost a contender.
type IdleRow struct {
	Contender string
	Samples   []measure.IdleSample
	Error     string `json:",omitempty"`
}

// A Report is all of a run.
type Report struct {
	Started  time.Time
	Took     time.Duration
	Machine  string
	Versions map[string]string
	Rows     []*Row
	Idle     []*IdleRow
	Growing  []*GrowthRow
	Ratios   []Ratio
	Growth   []Growth
}

// Row gives the row of a cell, nil if it was not measured.
func (r *Report) Row(c Cell) *Row {
	for _, row := range r.Rows {
		if row.Cell == c && len(row.Samples) > 0 {
			return row
		}
	}
	return nil
}

// Spread is a median, and half of the way from the least to the greatest in percent.
type Spread struct {
	Median, Percent float64
}

func (s Spread) String() string {
	if s.Median == 0 {
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(s.Median)))))
	return fmt.Sprintf("%.*f (±%.0f)", digits, s.Median, s.Percent)
}

// SpreadOf gives the spread of some values, at least one.
func SpreadOf(values []float64) Spread {
	m := Median(values)
	if m == 0 {
		return Spread{}
	}
	return Spread{m, 50 * (slices.Max(values) - slices.Min(values)) / math.Abs(m)}
}

// Median gives the median of some values, at least one.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[half-1] + sorted[half]) / 2
	}
	return sorted[half]
}

// Of gives the spread of a figure of a row.
func (r *Row) Of(figure func(measure.Sample) float64) Spread { return SpreadOf(r.values(figure)) }

func (r *Row) values(figure func(measure.Sample) float64) []float64 {
	values := make([]float64, len(r.Samples))
	for i, s := range r.Samples {
		values[i] = figure(s)
	}
	return values
}

// Figures of a sample.
func calls(s measure.Sample) float64     { return s.CallsPerSecond }
func p50(s measure.Sample) float64       { return micros(s.P50) }
func p99(s measure.Sample) float64       { return micros(s.P99) }
func serverCPU(s measure.Sample) float64 { return s.ServerCPU.Seconds() }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

type column struct {
	title  string
	figure func(measure.Sample) float64
}

var columns = []column{
	{"calls/s", calls},
	{"p50 µs", p50},
	{"p99 µs", p99},
	{"server CPU s/1k", serverCPU},
	{"client CPU s/1k", func(s measure.Sample) float64 { return s.ClientCPU.Seconds() }},
	{"allocs", func(s measure.Sample) float64 { return s.Allocs }},
	{"alloc KB", func(s measure.Sample) float64 { return s.AllocBytes / 1000 }},
	{"rx B", func(s measure.Sample) float64 { return s.RxBytes }},
	{"tx B", func(s measure.Sample) float64 { return s.TxBytes }},
	{"reads", func(s measure.Sample) float64 { return s.Reads }},
	{"writes", func(s measure.Sample) float64 { return s.Writes }},
	{"other load", func(s measure.Sample) float64 { return s.OtherLoad }},
}

// WriteTables writes a table for each case and number of calls in flight, the fastest
// contender first.
func (r *Report) WriteTables(w io.Writer) error {
	type key struct {
		name     string
		inFlight int
	}
	tables := map[key][]*Row{}
	var keys []key
	for _, row := range r.Rows {
		k := key{row.Case, row.InFlight}
		if tables[k] == nil {
			keys = append(keys, k)
		}
		tables[k] = append(tables[k], row)
	}
	for _, k := range keys {
		_, err := fmt.Fprintf(w, "\n%s, %d in flight: %s\n", k.name, k.inFlight, measure.FindCase(k.name).About)
		if err != nil {
			return err
		}
		if err := writeTable(w, tables[k]); err != nil {
			return err
		}
	}
	if err := r.writeIdle(w); err != nil {
		return err
	}
	return r.writeGrowth(w)
}

func writeTable(w io.Writer, rows []*Row) error {
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(speed(b), speed(a)) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  contender\tregistered by")
	for _, c := range columns {
		fmt.Fprint(t, "\t", c.title)
	}
	fmt.Fprintln(t)
	for _, row := range rows {
		fmt.Fprintf(t, "  %s\t%s", row.Contender, row.Registration)
		if len(row.Samples) == 0 {
			fmt.Fprintf(t, "\t%s\n", row.Error)
			continue
		}
		for _, c := range columns {
			fmt.Fprint(t, "\t", row.Of(c.figure))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func speed(r *Row) float64 {
	if len(r.Samples) == 0 {
		return 0
	}
	return r.Of(calls).Median
}

func (r *Report) writeIdle(w io.Writer) error {
	if len(r.Idle) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nidle streams: what the server's process grew by, for each stream")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  contender\tstreams\tconnections\tRSS KB\theap KB\tstack KB\tgoroutines")
	for _, row := range r.Idle {
		if len(row.Samples) == 0 {
			fmt.Fprintf(t, "  %s\t%s\n", row.Contender, row.Error)
			continue
		}
		of := func(figure func(measure.IdleSample) float64) Spread {
			var values []float64
			for _, s := range row.Samples {
				values = append(values, figure(s))
			}
			return SpreadOf(values)
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%s\t%s\t%s\t%s\n", row.Contender, row.Samples[0].Streams, row.Samples[0].Conns,
			of(func(s measure.IdleSample) float64 { return s.RSSBytes / 1000 }),
			of(func(s measure.IdleSample) float64 { return s.HeapBytes / 1000 }),
			of(func(s measure.IdleSample) float64 { return s.StackBytes / 1000 }),
			of(func(s measure.IdleSample) float64 { return s.Goroutines }))
	}
	return t.Flush()
}

// WriteJSON writes everything, each repetition by itself. Durations are in nanoseconds.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}
