// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"net"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// streamablePath is where [WithStreamableHTTP] puts Streamable HTTP.
const streamablePath = "/mcp"

// observed measures and traces what is no RPC, by OpenTelemetry's conventions for HTTP. Attributes
// of metrics are kept for ever, so callers choose none: what the server is called, and what version
// of HTTP they speak, they could make up without end.
func (c *handlerConfig) observed(next http.Handler) http.Handler {
	if c.tracer == nil && c.meter == nil {
		return next
	}
	opts := []otelhttp.Option{otelhttp.WithPropagators(propagator), otelhttp.WithServerName(c.serverName())}
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
	observed := otelhttp.NewHandler(next, streamablePath, opts...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && r.ProtoMinor > 1 {
			r = r.WithContext(r.Context())
			r.Proto = "HTTP/1.1"
		}
		observed.ServeHTTP(w, r)
	})
}

// serverName is what the server is called, with a port: without one it would be that of the request's
// Host, and without a name all of it.
func (c *handlerConfig) serverName() string {
	if len(c.gate.Hosts) == 0 {
		return ":0"
	}
	if _, _, err := net.SplitHostPort(c.gate.Hosts[0]); err != nil {
		return c.gate.Hosts[0] + ":0"
	}
	return c.gate.Hosts[0]
}
