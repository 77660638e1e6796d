// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"connectrpc.com/connect"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const (
	headerParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	metaParent   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

// TestTraceContextReachesTheHandler: from headers as if it stood in `_meta`, from `_meta`
// as it is, which counts if both are there (SPEC.md §7.3).
func TestTraceContextReachesTheHandler(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	headers := map[string]string{"traceparent": headerParent, "tracestate": "a=b", "baggage": "user=ada"}
	for _, w := range wires {
		rpc := w.client(t, url)
		for name, c := range map[string]struct {
			headers map[string]string
			meta    *mcpv1.RequestMeta
			want    map[string]any // of the handler's `_meta`
		}{
			"headers":          {headers, nil, map[string]any{"traceparent": headerParent, "tracestate": "a=b", "baggage": "user=ada"}},
			"meta":             {nil, &mcpv1.RequestMeta{Traceparent: new(metaParent), Baggage: new("c=d")}, map[string]any{"traceparent": metaParent, "baggage": "c=d"}},
			"both: meta wins":  {headers, &mcpv1.RequestMeta{Traceparent: new(metaParent)}, map[string]any{"traceparent": metaParent}},
			"neither":          {nil, nil, map[string]any{}},
			"header and other": {map[string]string{"traceparent": headerParent}, &mcpv1.RequestMeta{ExtraJson: []byte(`{"x":"y"}`)}, map[string]any{"traceparent": headerParent, "x": "y"}},
		} {
			for _, form := range []string{"typed", "Send"} {
				ctx, info := connect.NewClientContext(testContext(t))
				for k, v := range c.headers {
					info.RequestHeader().Set(k, v)
				}
				got := inspected(ctx, t, rpc, form, c.meta)
				delete(got, "io.modelcontextprotocol/protocolVersion")
				if a, b := jsonText(t, got), jsonText(t, c.want); a != b {
					t.Errorf("%s, %s, %s: the handler sees %s, want %s", w.name, name, form, a, b)
				}
			}
		}
	}
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type caller interface {
	toolInvoker
	sendClient
}

// inspected gives the `_meta` that a tool sees.
func inspected(ctx context.Context, t testing.TB, rpc caller, form string, meta *mcpv1.RequestMeta) map[string]any {
	t.Helper()
	var o outcome
	req := &mcpv1.CallToolRequest{Name: new("inspect_request"), Meta: meta}
	if form == "Send" {
		stream, err := rpc.Send(ctx, envelope(1, "tools/call", asJSON(req).result))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Close() }()
		if o, err = read(sendStream{stream}); err != nil {
			t.Fatal(err)
		}
	} else {
		res, err := rpc.InvokeTool(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		o = asJSON(res)
	}
	var v struct {
		StructuredContent struct{ Meta map[string]any }
	}
	if err := json.Unmarshal(o.result, &v); err != nil {
		t.Fatalf("%v: %v", o, err)
	}
	if v.StructuredContent.Meta == nil {
		return map[string]any{}
	}
	return v.StructuredContent.Meta
}

// TestSpansContinueTheCallersTrace, and hold nothing that is nobody's business.
func TestSpansContinueTheCallersTrace(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		for name, c := range map[string]struct {
			header, meta, want string
		}{
			"header": {headerParent, "", "0af7651916cd43dd8448eb211c80319c"},
			"meta":   {"", metaParent, "4bf92f3577b34da6a3ce929d0e0e4736"},
		} {
			for _, form := range []string{"typed", "Send"} {
				t.Run(w.name+"/"+name+"/"+form, func(t *testing.T) {
					t.Parallel()
					exporter := tracetest.NewInMemoryExporter()
					provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
					inHandler := make(chan trace.SpanContext, 8)
					url := serve(t, tracingServer(inHandler), mcpconnect.WithTracerProvider(provider))
					ctx, info := connect.NewClientContext(testContext(t))
					info.RequestHeader().Set("Authorization", "Bearer swordfish")
					if c.header != "" {
						info.RequestHeader().Set("traceparent", c.header)
					}
					var meta *mcpv1.RequestMeta
					if c.meta != "" {
						meta = &mcpv1.RequestMeta{Traceparent: &c.meta}
					}
					callTraced(ctx, t, w.client(t, url), form, meta)
					if got := (<-inHandler).TraceID().String(); got != c.want {
						t.Errorf("the handler runs in trace %s, want %s", got, c.want)
					}
					// The span of the RPC ends after the client has its answer.
					waitUntil(t, "the spans are there", func() bool { return len(exporter.GetSpans()) >= 2 })
					found := false
					for _, s := range exporter.GetSpans() {
						if s.Name == "tools/call" {
							found = found || s.SpanContext.TraceID().String() == c.want
						}
						if text := jsonText(t, tracetest.SpanStubs{s}); strings.Contains(text, "swordfish") {
							t.Errorf("span %s holds a secret: %s", s.Name, text)
						}
					}
					if !found {
						t.Errorf("no span tools/call in trace %s: %v", c.want, exporter.GetSpans())
					}
				})
			}
		}
	}
}

func callTraced(ctx context.Context, t testing.TB, rpc caller, form string, meta *mcpv1.RequestMeta) {
	t.Helper()
	req := &mcpv1.CallToolRequest{Name: new("traced"), ArgumentsJson: []byte(`{"password":"swordfish"}`), Meta: meta}
	if form == "typed" {
		if res, err := rpc.InvokeTool(ctx, req); err == nil {
			t.Errorf("got %v, want an error", res)
		}
		return
	}
	stream, err := rpc.Send(ctx, envelope(1, "tools/call", asJSON(req).result))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if o, err := read(sendStream{stream}); err != nil || o.err == nil {
		t.Errorf("got %v, %v, want an error", o, err)
	}
}

// TestNoSpansWithoutAProvider: not even those of a provider that is set globally.
func TestNoSpansWithoutAProvider(t *testing.T) {
	t.Parallel()
	inHandler := make(chan trace.SpanContext, 1)
	url := serve(t, tracingServer(inHandler))
	ctx, info := connect.NewClientContext(testContext(t))
	info.RequestHeader().Set("traceparent", headerParent)
	callTraced(ctx, t, wires[0].client(t, url), "typed", nil)
	if got := <-inHandler; got.IsValid() {
		t.Errorf("the handler runs in span %v", got)
	}
}
