// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/report"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

func small(name string, callsPerSecond ...float64) *report.Row {
	row := &report.Row{Cell: report.Cell{Contender: name, Case: measure.Small, InFlight: 64, Registration: tools.Low}}
	for _, c := range callsPerSecond {
		row.Samples = append(row.Samples, measure.Sample{CallsPerSecond: c, P50: time.Millisecond})
	}
	return row
}

// TestRatios compares with the better peer, repetition by repetition, and leaves out what
// was not measured.
func TestRatios(t *testing.T) {
	t.Parallel()
	r := &report.Report{Rows: []*report.Row{
		small(contender.OurMux, 100, 300, 500),
		small("mcpgo-stateful", 50, 100, 100),
		small("mcpgo-stateless", 40, 90, 200),
		{Cell: report.Cell{Contender: "raw-tcp", Case: measure.Small, InFlight: 64, Registration: tools.Low}, Error: "refused"},
	}}
	r.Compare()
	var out bytes.Buffer
	if err := r.WriteRatios(&out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "ratio mux_vs_mcpgo_64 3.00\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// grown is a row of a series whose listing takes so many microseconds for each tool.
func grown(size int, list ...int) *report.GrowthRow {
	row := &report.GrowthRow{Series: measure.GrowingTools, Size: size}
	for _, d := range list {
		row.Samples = append(row.Samples, measure.GrowthSample{Units: map[measure.Unit]time.Duration{measure.ListAll: time.Duration(d) * time.Microsecond}})
	}
	return row
}

// TestGrowth compares the largest size with the cheapest of the others, repetition by
// repetition.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		rows []*report.GrowthRow
		want string
	}{
		{"what is done once does not hide a square", []*report.GrowthRow{grown(1, 500), grown(100, 6), grown(1000, 10), grown(10_000, 100)}, "growth tools_list 16.67\n"},
		{"the median of the repetitions", []*report.GrowthRow{grown(10, 1, 2, 1), grown(1000, 2, 4, 3)}, "growth tools_list 2.00\n"},
		{"only where all sizes were measured", []*report.GrowthRow{grown(10, 1), grown(100, 1, 1), grown(1000, 3, 2)}, "growth tools_list 3.00\n"},
		{"nothing of one size", []*report.GrowthRow{grown(10, 1)}, ""},
		{"nothing if the largest failed", []*report.GrowthRow{grown(10, 1), grown(100)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &report.Report{Growing: test.rows}
			r.Compare()
			var out bytes.Buffer
			if err := r.WriteGrowth(&out); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{[]float64{100}, "100 (±0)"},
		{[]float64{110, 100, 90}, "100 (±10)"},
		{[]float64{1, 2}, "1.50 (±33)"},
		{[]float64{0.0123, 0.0123}, "0.0123 (±0)"},
		{[]float64{0, 0}, "0"},
	} {
		if got := report.SpreadOf(test.values).String(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.values, got, test.want)
		}
	}
}

// TestChart checks that the chart is XML with a bar for each contender that was measured,
// numbers that people can read, and what they were measured on.
func TestChart(t *testing.T) {
	t.Parallel()
	r := &report.Report{
		Machine:  "a <fast> one",
		Versions: map[string]string{"google.golang.org/grpc": "v1.2.3"},
		Rows:     []*report.Row{small(contender.OurMux, 10_000, 20_000), small("raw-tcp", 1_234_567), small("grpcgo-unary")},
	}
	var out bytes.Buffer
	if err := r.WriteChart(&out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), `rx="2"`); got != 2 {
		t.Errorf("got %d bars, want 2", got)
	}
	var text strings.Builder
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
	for _, want := range []string{"a <fast> one", "grpc-go v1.2.3", "15,000", "1,230,000", "200,000", "median of 2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %q", want, text.String())
		}
	}
}

// TestChartNamesContenders finds out when one was renamed.
func TestChartNamesContenders(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	for _, c := range contender.All() {
		r.Rows = append(r.Rows, small(c.Name(), 1))
	}
	var out bytes.Buffer
	if err := r.WriteChart(&out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), `rx="2"`); got != 21 {
		t.Errorf("got %d bars, want 21", got)
	}
}
