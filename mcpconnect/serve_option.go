// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"
)

// A ServeOption changes what [Serve] does. If an option is given twice the last one counts,
// except that each [WithDrain] adds to those before.
type ServeOption interface {
	apply(*serveConfig)
}

type serveOptionFunc func(*serveConfig)

func (f serveOptionFunc) apply(cfg *serveConfig) { f(cfg) }

type serveConfig struct {
	tls         *tls.Config
	gracePeriod time.Duration
	drainDelay  time.Duration
	drainers    []Drainer
	logger      *slog.Logger
	streams     int

	standardHTTP2 bool
}

func newServeConfig(h http.Handler, opts []ServeOption) *serveConfig {
	cfg := &serveConfig{gracePeriod: 30 * time.Second, streams: maxConcurrentStreams}
	if d, ok := h.(Drainer); ok {
		cfg.drainers = append(cfg.drainers, d)
	}
	for _, opt := range opts {
		opt.apply(cfg)
	}
	if cfg.logger == nil {
		cfg.logger = slog.Default()
	}
	return cfg
}

// A Drainer has something to end before its server can. Serve calls both methods once for
// each Drainer, NotServing first, from one goroutine. They must not block, and may be called
// while requests are served.
//
// If it is an [io.Closer] too, Serve calls Close when the server has ended, and waits for it
// for 5 s at most. Others may call Close again, before or after that. A Drainer that several
// servers share is closed by the first that ends.
type Drainer interface {
	// NotServing makes health checks say that the server takes no more calls, so that load
	// balancers look for another one. Calls are served as before.
	NotServing()

	// Drain tells long streams to end, and makes new ones end at once. Calls in flight go
	// on.
	Drain()
}

// WithTLSConfig makes Serve speak TLS, HTTP/2 and HTTP/1.1 by ALPN, and nothing in clear.
// The configuration needs a certificate, in Certificates, GetCertificate or
// GetConfigForClient. It is cloned. By default, or if config is nil, Serve speaks in clear:
// HTTP/1.1, and HTTP/2 to clients that start with it (h2c by prior knowledge, as gRPC does).
func WithTLSConfig(config *tls.Config) ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) { cfg.tls = config })
}

// WithGracePeriod sets how long calls in flight have to finish when the server stops,
// counted from the moment at which it stops accepting connections. By default, 30 s. If zero
// or negative, they have no time at all.
func WithGracePeriod(d time.Duration) ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) { cfg.gracePeriod = d })
}

// WithDrainDelay sets how long the server goes on as before while its health already says
// NOT_SERVING, for load balancers to notice, and for the connections that are on their way: the
// kernel resets those that wait to be accepted when the listener is closed. By default, zero. The
// [WithGracePeriod] follows after it.
func WithDrainDelay(d time.Duration) ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) { cfg.drainDelay = d })
}

// WithDrain has d told when the server stops. The handler that is given to Serve is told
// without it: WithDrain is for handlers below a mux or a middleware. It may be given several
// times. WithDrain panics if d is nil.
func WithDrain(d Drainer) ServeOption {
	if d == nil {
		// Now, not in the middle of a shutdown.
		panic("mcpconnect: WithDrain(nil)") //nolint:forbidigo // set-up misuse, documented
	}
	return serveOptionFunc(func(cfg *serveConfig) { cfg.drainers = append(cfg.drainers, d) })
}

// WithServeLogger sets where Serve tells how it stops, and net/http its troubles with
// connections (as warnings). By default, or if logger is nil, [slog.Default].
func WithServeLogger(logger *slog.Logger) ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) { cfg.logger = logger })
}

// WithConcurrentStreams sets how many RPCs may run at the same time on one HTTP/2 connection,
// for clients that keep many streams open: each Connect or Listen is one. Beyond it a client
// waits, or opens another connection. By default, or if n is not positive, 128 (SPEC.md §12).
func WithConcurrentStreams(n int) ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) {
		if cfg.streams = n; n <= 0 {
			cfg.streams = maxConcurrentStreams
		}
	})
}

// WithStandardHTTP2 has HTTP/2 connections served by net/http's own HTTP/2 server. By default,
// Serve does that itself: a request takes fewer goroutines and writes, so that when many are in
// flight on a connection, a small unary RPC costs the server about two thirds of the CPU time.
// Handlers see no difference. There should be no need for this option; it is there to find out.
func WithStandardHTTP2() ServeOption {
	return serveOptionFunc(func(cfg *serveConfig) { cfg.standardHTTP2 = true })
}
