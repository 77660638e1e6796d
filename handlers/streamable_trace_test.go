// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestStreamableHTTPIsObserved as the RPCs are: the handler runs in the trace of the request
// that calls it, also where another one has opened the session; and requests are measured.
func TestStreamableHTTPIsObserved(t *testing.T) {
	t.Parallel()
	for _, version := range []string{modernVersion, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			spans, measures := tracetest.NewInMemoryExporter(), metric.NewManualReader()
			inHandler := make(chan trace.SpanContext, 8)
			url := serve(t, tracingServer(inHandler),
				mcpconnect.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))),
				mcpconnect.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(measures))))
			p := newPoster(t, peer{wire: wires[4], url: url, version: version, capabilities: noneDeclared})
			p.header = http.Header{"Traceparent": {headerParent}, "Authorization": {"Bearer swordfish"}}
			params := `{"name":"traced","arguments":{"password":"swordfish"}}`
			if version == modernVersion {
				params = `{"_meta":{` + modernMeta + `},` + params[1:]
			}
			if o := p.call(testContext(t), "tools/call", []byte(params)); o.err == nil {
				t.Errorf("got %v, want an error", o)
			}
			const want = "0af7651916cd43dd8448eb211c80319c"
			if got := (<-inHandler).TraceID().String(); got != want {
				t.Errorf("the handler runs in trace %s, want %s", got, want)
			}
			// The span of the HTTP request ends after the client has its answer.
			byName := map[string]int{}
			waitUntil(t, "the spans are there", func() bool {
				clear(byName)
				for _, s := range spans.GetSpans() {
					if s.SpanContext.TraceID().String() == want {
						byName[s.Name]++
					}
				}
				return byName["tools/call"] == 1 && len(byName) == 2
			})
			var data metricdata.ResourceMetrics
			if err := measures.Collect(t.Context(), &data); err != nil {
				t.Fatal(err)
			}
			measured := jsonText(t, data)
			if !strings.Contains(measured, "http.server.request.duration") {
				t.Errorf("requests are not measured: %s", measured)
			}
			if text := measured + jsonText(t, spans.GetSpans()); strings.Contains(text, "swordfish") {
				t.Errorf("spans or metrics hold a secret: %s", text)
			}
		})
	}
}
