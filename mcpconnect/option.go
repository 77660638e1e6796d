// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/handlers"
)

// A HandlerOption changes what [NewHandler] builds. If an option is given twice the last
// one counts, except that [WithConnectOptions] and [WithService] add to those before.
type HandlerOption interface {
	apply(*handlerConfig)
}

type handlerOptionFunc func(*handlerConfig)

func (f handlerOptionFunc) apply(c *handlerConfig) { f(c) }

type handlerConfig struct {
	limits         Limits
	logger         *slog.Logger
	reflection     bool
	streamable     bool
	unknownMethods bool
	authn          []authn.Authenticator
	metadata       *authn.Metadata
	policy         *authn.Policy
	gate           authn.GateConfig
	tracer         trace.TracerProvider
	meter          metric.MeterProvider
	telemetry      connect.Interceptor
	connect        []connect.HandlerOption
	mounts         []Mount
}

func newHandlerConfig(opts []HandlerOption) *handlerConfig {
	c := &handlerConfig{}
	for _, opt := range opts {
		opt.apply(c)
	}
	if err := c.limits.check(); err != nil {
		panic("mcpconnect: Limits: " + err.Error()) //nolint:forbidigo // set-up misuse, documented
	}
	c.limits.setDefaults()
	if c.logger == nil {
		c.logger = slog.Default()
	}
	c.observe()
	return c
}

// WithLimits sets the limits of the handler. By default, those that [Limits] names.
// [NewHandler] panics if one is negative.
func WithLimits(l Limits) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.limits = l })
}

// WithLogger sets where the handler tells what callers must not see: panics, and errors
// of tools that carry no JSON-RPC error. Arguments, results and credentials are never
// logged. By default, or if logger is nil, [slog.Default].
func WithLogger(logger *slog.Logger) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.logger = logger })
}

// WithReflection adds gRPC server reflection, v1 and v1alpha, so that grpcurl and its
// like can list the services. By default there is none.
func WithReflection() HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.reflection = true })
}

// WithStreamableHTTP serves MCP's own Streamable HTTP too, at the path /mcp, for clients that
// know no other transport: MCP 2026-07-28 and the versions with sessions, from 2025-03-26 on,
// both there (SPEC.md §17). Authentication, policy, limits and errors are those of the RPCs.
// Sessions count together with theirs, and each belongs to the transport that it was opened on. Clients that lose a response can come back for it with
// Last-Event-ID, out of the last 10 MiB of all sessions. By default there is none.
func WithStreamableHTTP() HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.streamable = true })
}

// WithTracerProvider makes a span of every RPC, and of every MCP request below it, with
// the trace context of the caller's headers or `_meta` as parent. By default there are
// none.
func WithTracerProvider(p trace.TracerProvider) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.tracer = p })
}

// WithMeterProvider measures every RPC, by the names of OpenTelemetry's conventions for
// RPC. By default nothing is measured.
func WithMeterProvider(p metric.MeterProvider) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.meter = p })
}

// WithConnectOptions passes options to the Connect handlers of all services, after those
// of this package: interceptors, for example. A codec or compression replaces ours. They must
// not change responses: those of lists are shared between calls. The envelopes of a Connect
// stream are encoded when interceptors see them, unless a codec named "proto" is given.
func WithConnectOptions(opts ...connect.HandlerOption) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.connect = append(c.connect, opts...) })
}

// A Mount makes the Connect handler of a service, and gives the path that it belongs at: a
// generated constructor, with its implementation filled in.
type Mount func(opts ...connect.HandlerOption) (path string, handler http.Handler)

// WithService serves another Connect service beside those of MCP, behind the same gate,
// authentication, limits of messages and telemetry. A policy does not know it, and
// [Limits].ReadTimeout does not bound it: its RPCs may be streams. Each WithService adds one.
//
//	mcpconnect.WithService(func(opts ...connect.HandlerOption) (string, http.Handler) {
//		return greetv1connect.NewGreeterHandler(greeter, opts...)
//	})
func WithService(mount Mount) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.mounts = append(c.mounts, mount) })
}

// observe builds the interceptor for the providers that were given.
func (c *handlerConfig) observe() {
	if c.tracer == nil && c.meter == nil {
		return
	}
	// The caller's trace goes on: these are calls inside one system, not of a browser.
	opts := []otelconnect.Option{otelconnect.WithTrustRemote(), otelconnect.WithPropagator(propagator)}
	if c.tracer == nil {
		opts = append(opts, otelconnect.WithoutTracing())
	} else {
		opts = append(opts, otelconnect.WithTracerProvider(c.tracer))
	}
	if c.meter == nil {
		opts = append(opts, otelconnect.WithoutMetrics())
	} else {
		opts = append(opts, otelconnect.WithMeterProvider(c.meter))
	}
	i, err := otelconnect.NewInterceptor(opts...)
	if err != nil {
		panic(fmt.Sprintf("mcpconnect: OpenTelemetry: %v", err)) //nolint:forbidigo // set-up misuse, documented
	}
	c.telemetry = i
}

var propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

func (c *handlerConfig) services() handlers.Config {
	cfg := handlers.Config{
		Logger:           c.logger,
		MaxJSONDepth:     c.limits.JSONDepth,
		MaxJSONNodes:     c.limits.JSONNodes,
		MaxMessageBytes:  c.limits.MessageBytes,
		MaxCalls:         c.limits.StreamCalls,
		MaxSessions:      c.limits.Sessions,
		SessionIdle:      c.limits.SessionIdle,
		MaxUnaryTime:     c.limits.UnaryTime,
		ResourceMetadata: resourceMetadata(c.metadata),
		Metadata:         c.metadata,
		Policy:           c.policy,
		UnknownMethods:   c.unknownMethods,
	}
	if c.tracer != nil {
		cfg.Tracer = c.tracer.Tracer("github.com/mcpconnect/mcpconnect")
	}
	return cfg
}

// recovered is the last net below the one of the dispatcher.
func (c *handlerConfig) recovered(ctx context.Context, spec connect.Spec, _ http.Header, p any) error {
	c.logger.ErrorContext(ctx, "RPC panicked", "procedure", spec.Procedure, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return connect.NewError(connect.CodeInternal, errors.New("internal error"))
}

// WithUnknownMethods passes requests of methods that the server does not know to its receiving
// middleware, instead of refusing them: for gateways, whose middleware serves them. Their params
// can be encoded as JSON, to what the client has written. By default they are refused with -32601.
func WithUnknownMethods() HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.unknownMethods = true })
}
