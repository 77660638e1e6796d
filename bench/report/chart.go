// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// Sizes of the chart, in pixels.
const (
	chartWidth = 860
	labelWidth = 210
	barHeight  = 20
	barStep    = 26
	chartTop   = 58
)

// colours by the beginning of a contender's name; what is not here is a floor.
var colours = []struct{ prefix, colour string }{
	{"ours-", "#1f6feb"},
	{"sdk-", "#d29922"},
	{"mcpgo-", "#bf8700"},
	{"grpcgo-", "#2da44e"},
	{"", "#8c959f"},
}

// WriteChart draws calls per second of the small call with 64 in flight, as SVG. The
// whiskers go from the slowest repetition to the fastest.
func (r *Report) WriteChart(w io.Writer) error {
	var rows []*Row
	for _, row := range r.Rows {
		if row.Case == measure.Small && row.InFlight == 64 && row.Registration == tools.Low && len(row.Samples) > 0 {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(speed(b), speed(a)) })
	most := 1.0
	for _, row := range rows {
		most = max(most, slices.Max(row.values(calls)))
	}
	height := chartTop + barStep*len(rows) + 12
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, height)
	fmt.Fprintf(&b, `<text x="12" y="24" font-size="16" font-weight="bold" fill="#1f2328">Calls per second: small tool call, 64 in flight</text>`+"\n")
	fmt.Fprintf(&b, `<text x="12" y="44" fill="#656d76">%s, medians of %d</text>`+"\n", html.EscapeString(r.Machine), repetitions(rows))
	scale := (chartWidth - labelWidth - 90) / most
	for i, row := range rows {
		y := chartTop + i*barStep
		bar := func(v float64) float64 { return labelWidth + v*scale }
		values := row.values(calls)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#1f2328">%s</text>`+"\n", labelWidth-8, y+15, html.EscapeString(row.Contender))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`+"\n", labelWidth, y, speed(row)*scale, barHeight, colourOf(row.Contender))
		fmt.Fprintf(&b, `<path d="M%.1f %dH%.1f" stroke="#1f2328"/>`+"\n", bar(slices.Min(values)), y+barHeight/2, bar(slices.Max(values)))
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#656d76">%.0f</text>`+"\n", bar(slices.Max(values))+6, y+15, speed(row))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func repetitions(rows []*Row) (n int) {
	for _, row := range rows {
		n = max(n, len(row.Samples))
	}
	return n
}

func colourOf(name string) string {
	for _, c := range colours {
		if strings.HasPrefix(name, c.prefix) {
			return c.colour
		}
	}
	return ""
}
