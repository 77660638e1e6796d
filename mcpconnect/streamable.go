// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// streamablePath is where [WithStreamableHTTP] puts Streamable HTTP.
const streamablePath = "/mcp"

// observed measures and traces what is no RPC, by OpenTelemetry's conventions for HTTP.
func (c *handlerConfig) observed(next http.Handler) http.Handler {
	if c.tracer == nil && c.meter == nil {
		return next
	}
	opts := []otelhttp.Option{otelhttp.WithPropagators(propagator)}
	// What is not given would be the global one.
	if c.tracer == nil {
		opts = append(opts, otelhttp.WithTracerProvider(tracenoop.NewTracerProvider()))
	} else {
		opts = append(opts, otelhttp.WithTracerProvider(c.tracer))
	}
	if c.meter == nil {
		opts = append(opts, otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()))
	} else {
		opts = append(opts, otelhttp.WithMeterProvider(c.meter))
	}
	return otelhttp.NewHandler(next, streamablePath, opts...)
}
