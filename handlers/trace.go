// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// metaPropagator reads the trace context of `_meta` (SEP-414).
var metaPropagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// startSpan makes a span of one MCP request. Its parent is the caller's span that the
// request names in its metadata or `_meta`; the span of the RPC, which may carry many
// requests, is linked or the parent, whichever is free.
func (s *Server) startSpan(ctx context.Context, method string, header http.Header, meta map[string]any) (context.Context, func(error)) {
	if s.cfg.Tracer == nil {
		return ctx, func(error) {}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	if header.Get("traceparent") == "" && meta["traceparent"] != nil {
		options = append(options, trace.WithLinks(trace.LinkFromContext(ctx)))
		ctx = metaPropagator.Extract(ctx, metaCarrier(meta))
	}
	ctx, span := s.cfg.Tracer.Start(ctx, method, options...) //nolint:spancheck // the function that is returned ends it
	return ctx, func(err error) {                            //nolint:spancheck // see above
		if err != nil {
			// The text may be the tool's, and private; the log has it.
			span.SetStatus(codes.Error, "failed")
		}
		span.End()
	}
}

// metaCarrier lets the propagator read strings of `_meta`.
type metaCarrier map[string]any

func (m metaCarrier) Get(key string) string {
	v, _ := m[key].(string)
	return v
}

func (m metaCarrier) Set(string, string) {}

func (m metaCarrier) Keys() []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
