// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A Ratio compares contenders within one run.
type Ratio struct {
	Name    string
	Value   float64 // the median of the ratios of each repetition
	Least   float64
	Most    float64
	Of, And string // the contenders that were compared
}

// peers are contenders of which the best counts.
type peers []string

var (
	mux      = peers{contender.OurMux}
	fastest  = peers{contender.OurMux, contender.OurConnectH2, contender.OurConnectH1, contender.OurGRPC}
	sdkHTTP  = peers{"sdk-http-stateful-json", "sdk-http-stateful-sse", "sdk-http-stateless-json", "sdk-http-stateless-sse", "sdk-http-stateless-json-2025"}
	mcpGo    = peers{"mcpgo-stateful", "mcpgo-stateless", "mcpgo-stateful-2025", "mcpgo-stateless-2025"}
	grpcGo   = peers{"grpcgo-unary", "grpcgo-unary-workers"}
	grpcBest = peers{"grpcgo-unary", "grpcgo-unary-workers", "grpcgo-bidi-batch"}
)

// A figure is what a ratio is about. The greater is the better; costs are inverted.
type figure func(measure.Sample) float64

func inverse(f figure) figure { return func(s measure.Sample) float64 { return 1 / f(s) } }

type definition struct {
	name      string
	kind      string
	inFlight  int
	our, peer peers
	figure    figure
}

// definitions are the ratios, in the order of the README's table.
var definitions = []definition{
	{"mux_vs_sdk_http_64", measure.Small, 64, mux, sdkHTTP, calls},
	{"mux_vs_mcpgo_64", measure.Small, 64, mux, mcpGo, calls},
	{"mux_vs_grpcgo_unary_64", measure.Small, 64, mux, grpcGo, calls},
	{"mux_vs_grpcgo_unary_1024", measure.Small, 1024, mux, grpcGo, calls},
	{"mux_vs_raw_tcp_64", measure.Small, 64, mux, peers{"raw-tcp"}, calls},
	{"mux_vs_grpcgo_bidi_batch_64", measure.Small, 64, mux, peers{"grpcgo-bidi-batch"}, calls},
	{"mux_p50_vs_grpcgo_1", measure.Small, 1, mux, grpcGo, inverse(p50)},
	{"unary_vs_bare_connect_64", measure.Small, 64, peers{contender.OurConnectH2}, peers{"bare-connect-h2"}, calls},
	{"foreign_grpc_vs_bare_connect_64", measure.Small, 64, peers{contender.OurForeign}, peers{"bare-connect-grpcgo"}, calls},
	{"transport_vs_sdk_http_64", measure.Small, 64, peers{contender.OurTransport}, sdkHTTP, calls},
	{"big_vs_sdk_http_64", measure.Text, 64, fastest, sdkHTTP, calls},
	{"big_vs_grpcgo_64", measure.Text, 64, fastest, grpcBest, calls},
	{"list1000_vs_sdk_http_16", measure.List, 16, fastest, sdkHTTP, calls},
	{"list1000_cpu_vs_sdk_http_16", measure.List, 16, fastest, sdkHTTP, inverse(serverCPU)},
}

// Compare computes the ratios whose contenders were measured, and leaves out the others.
func (r *Report) Compare() {
	r.Ratios = nil
	for _, d := range definitions {
		our, peer := r.best(d.our, d, tools.Low), r.best(d.peer, d, tools.Low)
		r.add(d.name, our, peer, d.figure)
	}
	r.compareRegistrations()
	r.compareIdle()
	r.compareChild()
	r.compareGrowth()
}

// best gives the row of the best contender by median.
func (r *Report) best(of peers, d definition, how tools.Registration) (best *Row) {
	for _, name := range of {
		row := r.Row(Cell{name, d.kind, d.inFlight, how})
		if row != nil && (best == nil || row.Of(d.figure).Median > best.Of(d.figure).Median) {
			best = row
		}
	}
	return best
}

// add compares repetition by repetition: what disturbs the machine for longer than that
// disturbs both.
func (r *Report) add(name string, our, peer *Row, f figure) {
	if our == nil || peer == nil {
		return
	}
	label := func(row *Row) string { return fmt.Sprintf("%s (%s)", row.Contender, row.Registration) }
	r.addValues(name, label(our), label(peer), our.values(f), peer.values(f))
}

func (r *Report) addValues(name, our, peer string, a, b []float64) {
	var values []float64
	for i := range min(len(a), len(b)) {
		values = append(values, a[i]/b[i])
	}
	if len(values) > 0 {
		r.Ratios = append(r.Ratios, Ratio{name, Median(values), slices.Min(values), slices.Max(values), our, peer})
	}
}

// compareRegistrations compares on the path of ours that costs least, so that the
// registration is what is seen.
func (r *Report) compareRegistrations() {
	our := r.Row(Cell{contender.OurMux, measure.Typed, 64, tools.Ours})
	sdk := r.Row(Cell{contender.OurMux, measure.Typed, 64, tools.SDK})
	r.add("addtool_vs_sdk_addtool", our, sdk, calls)
}

// OurIdle and PeerIdle are the contenders whose idle streams are compared.
const (
	OurIdle  = contender.OurForeign
	PeerIdle = "grpcgo-bidi-batch"
)

func (r *Report) compareIdle() {
	var our, peer []float64
	for _, row := range r.Idle {
		for _, s := range row.Samples {
			switch row.Contender {
			case OurIdle:
				our = append(our, memory(s))
			case PeerIdle:
				peer = append(peer, memory(s))
			}
		}
	}
	r.addValues("idle_stream_vs_grpcgo", OurIdle, PeerIdle, peer, our)
}

// What a gateway in front of a child process may add to a call, and how many calls per second are
// to go through one child.
const (
	gatewayMayAdd   = 150 // microseconds
	gatewayMustTake = 5000
)

// compareChild compares what a gateway adds, and what goes through it, with these bounds.
func (r *Report) compareChild() {
	at := func(name string, inFlight int, f figure) []float64 {
		if row := r.Row(Cell{name, measure.Stdio, inFlight, tools.Low}); row != nil {
			return row.values(f)
		}
		return nil
	}
	direct, gated, proxied := at(contender.Child, 1, p50), at(contender.OurGated, 1, p50), at(contender.Proxied, 1, p50)
	var may, added, least, taken, must []float64
	for i := range min(len(direct), len(gated)) {
		may, added = append(may, gatewayMayAdd), append(added, max(1, gated[i]-direct[i]))
	}
	for i := range min(len(added), len(proxied)) { // what the machine takes for the way
		least = append(least, max(1, proxied[i]-direct[i]))
	}
	r.addValues("gateway_added_p50_1", contender.OurGated, fmt.Sprintf("%s + %d µs", contender.Child, gatewayMayAdd), may, added)
	r.addValues("gateway_added_vs_proxy_1", contender.OurGated, contender.Proxied, least, added[:len(least)])
	for _, rate := range at(contender.OurGated, 64, calls) {
		taken, must = append(taken, rate), append(must, gatewayMustTake)
	}
	r.addValues("gateway_calls_64", contender.OurGated, fmt.Sprintf("%d calls/s", gatewayMustTake), taken, must)
}

// memory is what the process grew by; where that is unknown, what Go's runtime knows.
func memory(s measure.IdleSample) float64 {
	if s.RSSBytes > 0 {
		return s.RSSBytes
	}
	return s.HeapBytes + s.StackBytes
}

// WriteRatios writes a line for each ratio.
func (r *Report) WriteRatios(w io.Writer) error {
	for _, ratio := range r.Ratios {
		if _, err := fmt.Fprintf(w, "ratio %s %.2f\n", ratio.Name, ratio.Value); err != nil {
			return err
		}
	}
	return nil
}
