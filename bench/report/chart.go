// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// Sizes of the chart, in pixels.
const (
	chartWidth = 880
	labelWidth = 272 // left of the bars
	valueWidth = 84  // right of the longest
	plotWidth  = chartWidth - labelWidth - valueWidth
	barHeight  = 16
	barStep    = 23
	groupStep  = 27 // of a group's title
	chartTop   = 66
	lineStep   = 17 // of the caption
)

// A group of bars has a colour.
type group struct {
	title, class string
	bars         []bar
}

type bar struct{ contender, label string }

// groups are what the chart shows of a run: the ways that people would choose between,
// and of each peer its best. The fastest of a group comes first.
var groups = []group{
	{"mcpconnect", "ours", []bar{
		{contender.OurMux, "typed client, multiplexed stream"},
		{contender.OurForeign, "plain grpc-go client, unary"},
		{contender.OurConnectH1, "typed client, Connect over HTTP/1.1"},
		{contender.OurConnectH2, "typed client, Connect over HTTP/2"},
		{contender.OurGRPC, "typed client, unary gRPC"},
		{contender.OurTransport, "go-sdk client on our Transport"},
	}},
	{"Streamable HTTP", "http", []bar{
		{"sdk-http-stateful-json", "go-sdk, stateful, JSON"},
		{"sdk-http-stateful-sse", "go-sdk, stateful, SSE"},
		{"sdk-http-stateless-json", "go-sdk, stateless, JSON"},
		{"sdk-http-stateless-json-2025", "go-sdk, stateless, JSON, 2025-11-25"},
		{"mcpgo-stateful", "mcp-go, stateful"},
		{"mcpgo-stateless", "mcp-go, stateless"},
		{"mcpgo-stateful-2025", "mcp-go, stateful, 2025-11-25"},
		{"mcpgo-stateless-2025", "mcp-go, stateless, 2025-11-25"},
	}},
	{"The same service by hand", "hand", []bar{
		{"grpcgo-unary", "grpc-go, unary"},
		{"grpcgo-unary-workers", "grpc-go, unary, stream workers"},
		{"grpcgo-bidi-batch", "grpc-go, our frames on a stream"},
		{"bare-connect-h2", "connect-go, Connect over HTTP/2"},
		{"bare-connect-h1", "connect-go, Connect over HTTP/1.1"},
	}},
	{"Without any framework", "floor", []bar{
		{"raw-http1", "net/http, protobuf bodies"},
		{"raw-tcp", "TCP, our frames behind their length"},
	}},
}

// chartStyle paints its own background: the chart can be read on a page of any colour, and is
// dark for readers who prefer that.
const chartStyle = `text{font-family:system-ui,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif;font-size:13px;fill:#1f2328}
.head{font-size:17px;font-weight:600}.group{font-weight:600}.small,.tick{font-size:12px;fill:#59636e}.tick{text-anchor:middle}
.label{text-anchor:end}.card{fill:#fff;stroke:#d1d9e0}.grid{stroke:#d1d9e0}.axis{stroke:#818b98}.whisker{stroke:#1f2328;stroke-width:1.3;fill:none}
.ours{fill:#1f6feb}.http{fill:#d4762c}.hand{fill:#2da44e}.floor{fill:#8c959f}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small,.tick{fill:#9198a1}.card{fill:#0d1117;stroke:#3d444d}.grid{stroke:#2a313c}
.axis{stroke:#656c76}.whisker{stroke:#e6edf3}.ours{fill:#4493f8}.http{fill:#db8e4e}.hand{fill:#3fb950}.floor{fill:#7d8590}}`

// WriteChart draws calls per second of the small call with 64 in flight, as SVG. The scale is
// linear, so that bars are as long as they say. The whiskers go from the slowest repetition to
// the fastest.
func (r *Report) WriteChart(w io.Writer) error {
	c := &chart{}
	most, reps := 1.0, 0
	for _, g := range groups {
		for _, row := range r.charted(g) {
			most, reps = max(most, slices.Max(row.values(calls))), max(reps, len(row.Samples))
		}
	}
	c.most = most
	y := chartTop
	for _, g := range groups {
		y = c.group(y, g, r.charted(g))
	}
	c.grid(y)
	c.caption(y+36, r, reps)
	_, err := io.WriteString(w, c.document(y+42+3*lineStep))
	return err
}

// charted gives the rows of a group that were measured, the fastest first.
func (r *Report) charted(g group) (rows []*Row) {
	for _, b := range g.bars {
		if row := r.Row(Cell{b.contender, measure.Small, 64, tools.Low}); row != nil {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(speed(b), speed(a)) })
	return rows
}

// A chart is drawn from top to bottom; the grid lies below the bars.
type chart struct {
	most          float64 // calls per second of the longest whisker
	ground, front strings.Builder
}

func (c *chart) x(v float64) float64 { return labelWidth + v/c.most*plotWidth }

// text writes into front.
func (c *chart) text(x float64, y int, class, text string) {
	fmt.Fprintf(&c.front, `<text x="%.1f" y="%d" class="%s">%s</text>`+"\n", x, y, class, html.EscapeString(text))
}

// group draws a group of bars from y on, and gives where it ends.
func (c *chart) group(y int, g group, rows []*Row) int {
	if len(rows) == 0 {
		return y
	}
	c.text(16, y+16, "group", g.title)
	y += groupStep
	for _, row := range rows {
		label := g.bars[slices.IndexFunc(g.bars, func(b bar) bool { return b.contender == row.Contender })].label
		values := row.values(calls)
		least, most := c.x(slices.Min(values)), c.x(slices.Max(values))
		middle := float64(y) + barHeight/2.0
		c.text(labelWidth-8, y+13, "label", label)
		fmt.Fprintf(&c.front, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" class="%s"/>`+"\n",
			labelWidth, y, c.x(speed(row))-labelWidth, barHeight, g.class)
		fmt.Fprintf(&c.front, `<path d="M%.1f %.1fv8m0-4H%.1fm0-4v8" class="whisker"/>`+"\n", least, middle-4, most)
		c.text(max(most, c.x(speed(row)))+7, y+13, "value", thousands(speed(row)))
		y += barStep
	}
	return y + 6
}

// grid draws the axis at y, and its lines up to the top.
func (c *chart) grid(y int) {
	c.text(labelWidth-24, y+15, "small label", "calls per second")
	step := niceStep(c.most)
	for v := 0.0; v <= c.most; v += step {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		fmt.Fprintf(&c.ground, `<path d="M%.1f %dV%d" class="%s"/>`+"\n", c.x(v), chartTop, y, class)
		c.text(c.x(v), y+15, "tick", thousands(v))
	}
}

func (c *chart) caption(y int, r *Report, reps int) {
	c.text(16, 30, "head", "Small tool calls per second, 64 in flight")
	c.text(16, 50, "small", "Client and server are two processes that share the machine. Longer is better.")
	c.text(16, y+lineStep/2, "small", fmt.Sprintf("Bars: median of %d measurements. Whiskers: from the slowest to the fastest. %s.", reps, r.Started.UTC().Format("2006-01-02")))
	c.text(16, y+lineStep/2+lineStep, "small", r.Machine)
	var versions []string
	for _, module := range Modules {
		if v := r.Versions[module]; v != "" {
			versions = append(versions, nameOf(module)+" "+v)
		}
	}
	c.text(16, y+lineStep/2+2*lineStep, "small", strings.Join(versions, ", "))
}

// Modules are those whose versions matter to a reader.
var Modules = []string{
	"github.com/modelcontextprotocol/go-sdk", "github.com/mark3labs/mcp-go",
	"google.golang.org/grpc", "connectrpc.com/connect", "google.golang.org/protobuf",
}

// nameOf is what people call a module.
func nameOf(module string) string {
	switch name := path.Base(module); name {
	case "grpc", "connect":
		return name + "-go"
	default:
		return name
	}
}

func (c *chart) document(height int) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>Calls per second of MCP tools, by transport</title>
<style>%s</style>
<rect x="0.5" y="0.5" width="%d" height="%d" rx="6" class="card"/>
%s%s</svg>
`, chartWidth, height, chartWidth, height, chartStyle, chartWidth-1, height-1, c.ground.String(), c.front.String())
}

// niceStep is the distance of at least three lines up to most: 1, 2 or 5 times a power of ten.
func niceStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, step := range []float64{2, 1, 0.5, 0.2} {
		if most/(step*power) >= 3 {
			return step * power
		}
	}
	return power / 10
}

// thousands writes a whole number with commas, and three digits that are not zero: the rest
// is noise.
func thousands(v float64) string {
	if v >= 1000 {
		power := math.Pow(10, math.Floor(math.Log10(v))-2)
		v = math.Round(v/power) * power
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
