// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// operations is what the people who run a server look at.
type operations struct {
	log      *slog.Logger
	registry *prometheus.Registry
	meters   *metric.MeterProvider
	tracers  *sdktrace.TracerProvider // nil for none
	ready    atomic.Bool
}

// newOperations makes metrics, and traces if the environment says where they go.
func newOperations(ctx context.Context, log *slog.Logger) (*operations, error) {
	o := &operations{log: log, registry: prometheus.NewRegistry()}
	o.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(o.registry))
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	o.meters = metric.NewMeterProvider(metric.WithReader(exporter), metric.WithResource(about))
	if !wantsTraces() {
		return o, nil
	}
	if p := firstEnv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); p != "" && p != "http/protobuf" {
		return nil, usage(fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: traces are sent as http/protobuf only", p))
	}
	traces, err := otlptracehttp.New(ctx) // reads OTEL_EXPORTER_OTLP_*
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	o.tracers = sdktrace.NewTracerProvider(sdktrace.WithBatcher(traces), sdktrace.WithResource(about)) // reads OTEL_TRACES_SAMPLER
	return o, nil
}

func wantsTraces() bool {
	return os.Getenv("OTEL_SDK_DISABLED") != "true" && os.Getenv("OTEL_TRACES_EXPORTER") != "none" &&
		firstEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

func firstEnv(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

func (o *operations) options() []mcpconnect.HandlerOption {
	opts := []mcpconnect.HandlerOption{mcpconnect.WithLogger(o.log), mcpconnect.WithMeterProvider(o.meters)}
	if o.tracers != nil {
		opts = append(opts, mcpconnect.WithTracerProvider(o.tracers))
	}
	return opts
}

// close sends what has not been sent.
func (o *operations) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := o.meters.Shutdown(ctx)
	if o.tracers != nil {
		err = errors.Join(err, o.tracers.Shutdown(ctx))
	}
	return err
}

// NotServing, with Drain, makes it an mcpconnect.Drainer: readiness ends where health does.
func (o *operations) NotServing() { o.ready.Store(false) }

// Drain implements mcpconnect.Drainer.
func (o *operations) Drain() {}

// handler serves the probes and the metrics.
func (o *operations) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !o.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{}))
	return mux
}

// serve serves the probes and the metrics on addr until stop is called.
func (o *operations) serve(ctx context.Context, addr string) (at net.Addr, stop func(), err error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: o.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	return ln.Addr(), func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			o.log.Error("the listener for probes and metrics failed", "error", err)
		}
	}, nil
}
