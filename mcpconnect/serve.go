// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/busypoll"
	"github.com/mcpconnect/mcpconnect/internal/h2"
)

const (
	readHeaderTimeout    = 5 * time.Second   // also the time for a TLS handshake
	idleTimeout          = 120 * time.Second // of connections without an open stream
	maxHeaderBytes       = 32 << 10
	maxConcurrentStreams = 128              // per connection; clients open another one
	pingAfter            = 15 * time.Second // without a frame from the peer
	pingTimeout          = 5 * time.Second  // dead peers are found after pingAfter + pingTimeout
	answerTimeout        = time.Second      // for calls that are cut off to say so: browsers make calls again that end without an answer
	closeTimeout         = 5 * time.Second  // for what drainers hold, which may wait for a call that does not end
	writeByteTimeout     = 15 * time.Second // a connection that takes no byte holds up all its streams
)

// Serve accepts connections on ln and serves h until ctx ends, then stops without harm:
//
//  1. The handler's health turns NOT_SERVING (see [Drainer]).
//  2. For the time of [WithDrainDelay] all goes on as before.
//  3. Long streams are told to end, and the listener closes.
//  4. Calls in flight have the time of [WithGracePeriod] to finish. The end of ctx does not
//     cancel them.
//  5. The contexts of calls that are left are cancelled, with [http.ErrServerClosed] as the
//     cause. They have a second to say so, then their connections are closed.
//  6. What the handler holds is freed (see [Drainer]): legacy sessions end.
//
// Serve speaks HTTP/1.1 and HTTP/2 on the one port, in clear or with [WithTLSConfig]. It has
// no timeout for a whole request or response, so streams may live as long as they like. It
// finds dead HTTP/2 peers by pings within 20 s, and gives a client 5 s to send its headers,
// of 32 KiB at most. For everything else that a server in front of unknown clients has to
// bound, h must see to itself, as the handler of this package does. HTTP/2 is
// not served by net/http, see [WithStandardHTTP2].
//
// On Unix, connections that are a *net.TCPConn or a *net.UnixConn are handed on in another type, also
// to who hijacks one; its method NetConn gives them. While only one connection of the process
// carries anything, and its small messages come one soon after the other, its reader polls for the next one for
// 200 µs at most before it sleeps: a caller who makes one call after the other waits a third of the
// time. That keeps one processor busy at most, and none if GOMAXPROCS is 1. Clients do the same.
//
// Serve closes ln, and h if it can be closed: it cannot be served again. Serve returns nil
// when every call has finished, an error that wraps [context.DeadlineExceeded] when some had
// to be cut off, and the listener's error when that fails before ctx ends; calls in flight
// then have their grace period too. Errors of closing are joined to these. A call that goes on
// though its context is cancelled outlives Serve. Serve panics if h is nil.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, opts ...ServeOption) error {
	if h == nil {
		// net/http would serve http.DefaultServeMux
		panic("mcpconnect: Serve with a nil handler") //nolint:forbidigo // set-up misuse, documented
	}
	defer ln.Close() // again, in the usual case: ServeTLS leaves it open when it does not like the configuration
	cfg := newServeConfig(h, opts)
	calls := &callCounter{next: h}
	// Calls see the values of ctx but not its end: they may finish.
	base, cutOffCalls := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cutOffCalls(nil)
	server := newServer(base, calls, cfg)
	served := make(chan error, 1)
	polled := busypoll.Listener(ln)
	if !cfg.standardHTTP2 {
		defer h2.Configure(server)()
	}
	go func() {
		if cfg.tls != nil {
			served <- server.ServeTLS(polled, "", "")
			return
		}
		served <- server.Serve(polled)
	}()

	var failed error
	select {
	case <-ctx.Done():
		failed = cfg.beginDrain(served)
	case failed = <-served:
		cfg.notServing()
	}
	cutOff := errors.Join(cfg.shutdown(base, server, calls, cutOffCalls), cfg.close())
	if failed == nil {
		failed = <-served // ends because of shutdown, if it has not failed by itself before
	}
	if errors.Is(failed, http.ErrServerClosed) {
		return cutOff
	}
	return errors.Join(failed, cutOff)
}

func newServer(ctx context.Context, h http.Handler, cfg *serveConfig) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(cfg.tls == nil)
	return &http.Server{
		Handler:           h,
		TLSConfig:         cfg.tls.Clone(), // ServeTLS adds the protocols for ALPN
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: cfg.streams,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
			WriteByteTimeout:     writeByteTimeout,
		},
		ConnContext: authn.ConnContext,
		ErrorLog:    slog.NewLogLogger(cfg.logger.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// beginDrain tells the world that this server goes away, and gives it the drain delay to
// react. It returns the listener's error if that fails meanwhile.
func (cfg *serveConfig) beginDrain(served <-chan error) error {
	cfg.logger.Info("server is draining",
		slog.Duration("drain_delay", cfg.drainDelay), slog.Duration("grace_period", cfg.gracePeriod))
	cfg.notServing()
	if cfg.drainDelay <= 0 {
		return nil
	}
	delay := time.NewTimer(cfg.drainDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
		return nil
	case err := <-served:
		return err
	}
}

func (cfg *serveConfig) notServing() {
	for _, d := range cfg.drainers {
		d.NotServing()
	}
}

// shutdown ends streams and waits for calls, then cuts off and closes what is left.
func (cfg *serveConfig) shutdown(ctx context.Context, server *http.Server, calls *callCounter, cutOff context.CancelCauseFunc) error {
	for _, d := range cfg.drainers {
		d.Drain()
	}
	gracePeriod := max(cfg.gracePeriod, 0)
	grace, cancel := context.WithTimeout(ctx, gracePeriod)
	defer cancel()
	err := server.Shutdown(grace)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	// Shutdown also waits for connections without a call: a second for HTTP/2 clients to hang
	// up, and five for a first request. That is no loss.
	left := calls.inFlight.Load()
	if left > 0 {
		answers, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
		defer cancel()
		cutOff(http.ErrServerClosed)
		_ = server.Shutdown(answers) // what it fails with is that calls are left, again
	}
	_ = server.Close() // its listeners are closed already, and nobody can act on a connection's error
	if left == 0 {
		return nil
	}
	cfg.logger.Warn("calls in flight were cut off", slog.Int64("calls", left), slog.Duration("grace_period", gracePeriod))
	return fmt.Errorf("mcpconnect: cut off %d call(s) still in flight after a grace period of %g seconds: %w",
		left, gracePeriod.Seconds(), err)
}

// close closes drainers. One that does not come to an end goes on without Serve.
func (cfg *serveConfig) close() error {
	closed := make(chan error, 1)
	go func() {
		var errs []error
		for _, d := range cfg.drainers {
			if c, ok := d.(io.Closer); ok {
				errs = append(errs, c.Close())
			}
		}
		closed <- errors.Join(errs...)
	}()
	patience := time.NewTimer(closeTimeout)
	defer patience.Stop()
	select {
	case err := <-closed:
		return err
	case <-patience.C:
		cfg.logger.Warn("closing takes too long; it goes on in the background", slog.Duration("waited", closeTimeout))
		return nil
	}
}

// A callCounter counts the calls in flight, which http.Server does not tell.
type callCounter struct {
	next     http.Handler
	inFlight atomic.Int64
}

func (c *callCounter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.inFlight.Add(1)
	defer c.inFlight.Add(-1)
	c.next.ServeHTTP(w, r)
}
