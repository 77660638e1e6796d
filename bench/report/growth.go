// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/measure"
)

// A GrowthRow is what our server does at one size of a series.
type GrowthRow struct {
	Series  string
	Size    int
	Samples []measure.GrowthSample
	Error   string `json:",omitempty"` // why the row has no more samples
}

// A Growth tells how a cost grows with the size of a series.
type Growth struct {
	Name string
	// Value is the cost of one at the largest size, divided by the least cost of one at a
	// smaller size; the median of the repetitions. What does not grow has about 1, and what
	// grows with the square 10. The least, because what is done once for all makes one of
	// few look dear, and would hide a square.
	Value, Least, Most float64
}

// A cost is a figure of a series. The zero value of a sample has none.
type cost struct {
	name, title string
	of          func(measure.GrowthSample) float64
}

// costs are the figures of the tables, in their order. All but the last are in
// microseconds, of one call, or of one session, listener or tool.
var costs = []cost{
	{"call_16", "call µs, 16", func(s measure.GrowthSample) float64 { return perCall(s.At16) }},
	{"call_64", "call µs, 64", func(s measure.GrowthSample) float64 { return perCall(s.At64) }},
	{"cpu_64", "server CPU µs, 64", func(s measure.GrowthSample) float64 { return micros(s.At64.ServerCPU) / 1000 }},
	{"p50_16", "p50 µs, 16", func(s measure.GrowthSample) float64 { return p50(s.At16) }},
	{"p50_64", "p50 µs, 64", func(s measure.GrowthSample) float64 { return p50(s.At64) }},
	{"p99_16", "p99 µs, 16", func(s measure.GrowthSample) float64 { return p99(s.At16) }},
	{"p99_64", "p99 µs, 64", func(s measure.GrowthSample) float64 { return p99(s.At64) }},
	unitCost(measure.Open, "open µs"),
	unitCost(measure.TellList, "list_changed µs"),
	unitCost(measure.TellResource, "resource updated µs"),
	unitCost(measure.Close, "close µs"),
	unitCost(measure.ListAll, "list µs"),
	unitCost(measure.ListAnew, "list after change µs"),
	{"memory", "RSS KB", func(s measure.GrowthSample) float64 { return s.Bytes / 1000 }},
}

func unitCost(unit measure.Unit, title string) cost {
	return cost{string(unit), title, func(s measure.GrowthSample) float64 { return float64(s.Units[unit]) / float64(time.Microsecond) }}
}

// perCall is the mean time between the ends of two calls.
func perCall(s measure.Sample) float64 {
	if s.CallsPerSecond == 0 {
		return 0
	}
	return 1e6 / s.CallsPerSecond
}

func (r *Report) growthRows(series string) (rows []*GrowthRow) {
	for _, row := range r.Growing {
		if row.Series == series {
			rows = append(rows, row)
		}
	}
	return rows
}

// compareGrowth needs all sizes of a series.
func (r *Report) compareGrowth() {
	r.Growth = nil
	for _, s := range measure.AllSeries {
		rows := r.growthRows(s.Name)
		if len(rows) < 2 {
			continue
		}
		for _, c := range costs {
			if values := growths(rows, c); len(values) > 0 {
				r.Growth = append(r.Growth, Growth{s.Name + "_" + c.name, Median(values), slices.Min(values), slices.Max(values)})
			}
		}
	}
}

// growths gives the growth of a cost for each repetition that all sizes have.
func growths(rows []*GrowthRow, c cost) (values []float64) {
	last := rows[len(rows)-1]
	for i, sample := range last.Samples {
		least := 0.0
		for _, row := range rows[:len(rows)-1] {
			if i >= len(row.Samples) {
				return values
			}
			if v := c.of(row.Samples[i]); v > 0 && (least == 0 || v < least) {
				least = v
			}
		}
		if v := c.of(sample); v > 0 && least > 0 {
			values = append(values, v/least)
		}
	}
	return values
}

func (r *Report) writeGrowth(w io.Writer) error {
	for _, s := range measure.AllSeries {
		rows := r.growthRows(s.Name)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(w, "\ngrowth: %s; costs are of one call, and of one of them\n", s.About)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "  %s\tcalls/s, 16\tcalls/s, 64", s.Name)
		shown := slices.DeleteFunc(slices.Clone(costs), func(c cost) bool { return !known(rows, c) })
		for _, c := range shown {
			fmt.Fprint(t, "\t", c.title)
		}
		fmt.Fprintln(t)
		for _, row := range rows {
			fmt.Fprintf(t, "  %d", row.Size)
			if len(row.Samples) == 0 {
				fmt.Fprintf(t, "\t%s\n", row.Error)
				continue
			}
			fmt.Fprintf(t, "\t%s\t%s", row.of(func(s measure.GrowthSample) float64 { return calls(s.At16) }),
				row.of(func(s measure.GrowthSample) float64 { return calls(s.At64) }))
			for _, c := range shown {
				fmt.Fprint(t, "\t", row.of(c.of))
			}
			fmt.Fprintln(t)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// known tells whether a cost was measured at any size.
func known(rows []*GrowthRow, c cost) bool {
	return slices.ContainsFunc(rows, func(row *GrowthRow) bool {
		return slices.ContainsFunc(row.Samples, func(s measure.GrowthSample) bool { return c.of(s) != 0 })
	})
}

func (r *GrowthRow) of(figure func(measure.GrowthSample) float64) Spread {
	var values []float64
	for _, s := range r.Samples {
		values = append(values, figure(s))
	}
	return SpreadOf(values)
}

// WriteGrowth writes a line for each cost.
func (r *Report) WriteGrowth(w io.Writer) error {
	for _, g := range r.Growth {
		if _, err := fmt.Fprintf(w, "growth %s %.2f\n", g.Name, g.Value); err != nil {
			return err
		}
	}
	return nil
}
