// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/measure"
	"github.com/mcpconnect/mcpconnect/bench/report"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A block is a case with the numbers of calls in flight.
type block struct {
	kind     string
	inFlight []int
}

// fullPlan is everything.
func fullPlan() (cells []report.Cell) {
	for _, b := range []block{
		{measure.Small, []int{1, 16, 64, 1024}},
		{measure.Text, []int{1, 16, 64}},
		{measure.Blob, []int{1, 16}},
		{measure.List, []int{1, 16}},
		{measure.Progress, []int{1, 16, 64}},
	} {
		for _, n := range b.inFlight {
			for _, c := range contender.All() {
				cells = append(cells, report.Cell{Contender: c.Name(), Case: b.kind, InFlight: n, Registration: tools.Low})
			}
		}
	}
	for _, kind := range []string{measure.Small, measure.Typed} {
		for _, name := range []string{contender.OurMux, contender.OurGRPC, contender.OurTransport, "sdk-http-stateful-json"} {
			for _, how := range tools.Registrations {
				if kind == measure.Small && how == tools.Low {
					continue // is above
				}
				cells = append(cells, report.Cell{Contender: name, Case: kind, InFlight: 64, Registration: how})
			}
		}
	}
	return append(cells, childCells()...)
}

// childCells measure what a gateway, and a proxy, add to a call of a child process.
func childCells() (cells []report.Cell) {
	for _, n := range []int{1, 64} {
		for _, c := range contender.Children() {
			cells = append(cells, report.Cell{Contender: c.Name(), Case: measure.Stdio, InFlight: n, Registration: tools.Low})
		}
	}
	return cells
}

// quickPlan is what the ratios need. What is compared stands together.
func quickPlan() (cells []report.Cell) {
	for _, b := range []struct {
		kind     string
		inFlight int
		names    []string
	}{
		{measure.Small, 64, []string{
			contender.OurMux, "grpcgo-unary", "grpcgo-unary-workers", "grpcgo-bidi-batch", "raw-tcp",
			contender.OurConnectH2, "bare-connect-h2",
			contender.OurForeign, "bare-connect-grpcgo",
			contender.OurTransport, "sdk-http-stateful-json", "sdk-http-stateful-sse", "sdk-http-stateless-json-2025",
			"mcpgo-stateful-2025", "mcpgo-stateless-2025",
		}},
		{measure.Small, 1024, []string{contender.OurMux, "grpcgo-unary", "grpcgo-unary-workers"}},
		{measure.Small, 1, []string{contender.OurMux, "grpcgo-unary", "grpcgo-unary-workers"}},
		{measure.Text, 64, []string{
			contender.OurMux, contender.OurConnectH2, contender.OurConnectH1, "grpcgo-unary", "grpcgo-bidi-batch",
			"sdk-http-stateful-json", "sdk-http-stateless-json-2025",
		}},
		{measure.List, 16, []string{contender.OurMux, contender.OurConnectH1, "sdk-http-stateful-json", "sdk-http-stateless-json-2025"}},
	} {
		for _, name := range b.names {
			cells = append(cells, report.Cell{Contender: name, Case: b.kind, InFlight: b.inFlight, Registration: tools.Low})
		}
	}
	for _, how := range []tools.Registration{tools.Ours, tools.SDK} {
		cells = append(cells, report.Cell{Contender: contender.OurMux, Case: measure.Typed, InFlight: 64, Registration: how})
	}
	return append(cells, childCells()...)
}

// idlePlan are the contenders whose idle streams are measured.
var idlePlan = []string{
	contender.OurMux, contender.OurTransport, report.OurIdle, report.PeerIdle,
	"sdk-http-stateful-sse", "sdk-http-stateless-sse",
}
