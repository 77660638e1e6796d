// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/mcpconnect/mcpconnect/internal/health"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
	healthv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcpconnect/health/v1"
)

// rpcProtocols are those that work over any version of HTTP.
var rpcProtocols = map[string]connect.ClientOption{
	"Connect":  connect.WithProtoJSON(),
	"gRPC-Web": connect.WithGRPCWeb(),
}

func TestServeSpeaksEveryVersionOfHTTPOnOnePort(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	serverTLS := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	for _, network := range []struct {
		name, scheme string
		listen       func() (net.Listener, error)
		opts         []ServeOption
	}{
		{"TCP in clear", "http", func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }, nil},
		{"TCP with TLS", "https", func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }, []ServeOption{WithTLSConfig(serverTLS)}},
		{"Unix domain socket", "http", func() (net.Listener, error) { return net.Listen("unix", filepath.Join(t.TempDir(), "s")) }, nil},
	} {
		t.Run(network.name, func(t *testing.T) {
			t.Parallel()
			ln, err := network.listen()
			if err != nil {
				t.Fatal(err)
			}
			fake := newFakeMCP()
			stop := startServe(t, ln, withProto(fake.handler()), append(network.opts, WithDrain(fake))...)
			for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
				transport := &http.Transport{
					DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
						return new(net.Dialer).DialContext(ctx, ln.Addr().Network(), ln.Addr().String())
					},
					TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12},
					Protocols:       new(http.Protocols),
				}
				transport.Protocols.SetHTTP1(version == "HTTP/1.1")
				transport.Protocols.SetHTTP2(version == "HTTP/2.0")
				transport.Protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
				for name, opt := range rpcProtocols {
					checkCalls(t, name, version, mcpv1connect.NewMCPClient(&http.Client{Transport: transport}, network.scheme+"://localhost", opt))
				}
				if version == "HTTP/2.0" {
					checkCalls(t, "gRPC", version, mcpv1connect.NewMCPClient(&http.Client{Transport: transport}, network.scheme+"://localhost", connect.WithGRPC()))
				}
				transport.CloseIdleConnections()
			}
			if err := stop(); err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
	if len(serverTLS.NextProtos) > 0 {
		t.Errorf("Serve changed the caller's configuration: NextProtos is %q", serverTLS.NextProtos)
	}
}

// checkCalls calls a unary RPC and opens and leaves a stream, and looks that both went over
// the version.
func checkCalls(t *testing.T, name, version string, client mcpv1connect.MCPClient) {
	t.Helper()
	ctx, info := connect.NewClientContext(t.Context())
	if _, err := client.Ping(ctx, &mcpv1.PingRequest{}); err != nil {
		t.Errorf("%s over %s: Ping: %v", name, version, err)
		return
	}
	if got := info.ResponseHeader().Get("Test-Proto"); got != version {
		t.Errorf("%s: went over %s, want %s", name, got, version)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := client.Listen(ctx, &mcpv1.ListenRequest{})
	if err != nil || !stream.Receive() {
		t.Errorf("%s over %s: Listen: %v", name, version, errors.Join(err, stream.Err()))
	}
	cancel()
	_ = stream.Close()
}

// withProto tells the client which version of HTTP its request came in.
func withProto(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Test-Proto", r.Proto)
		h.ServeHTTP(w, r)
	})
}

// startServe runs Serve until stop, which returns what it returned.
func startServe(t *testing.T, ln net.Listener, h http.Handler, opts ...ServeOption) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	opts = append([]ServeOption{WithServeLogger(slog.New(slog.DiscardHandler))}, opts...)
	go func() { done <- Serve(ctx, ln, h, opts...) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		return <-done
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}

// forEachVersion runs test in a bubble of its own for HTTP/1.1 and h2c, with a client that
// speaks Connect.
func forEachVersion(t *testing.T, test func(t *testing.T, ln *memoryListener, hc *http.Client)) {
	t.Helper()
	for name, http1 := range map[string]bool{"HTTP/1.1": true, "HTTP/2": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ln := newMemoryListener()
				hc, transport := ln.client(http1)
				defer transport.CloseIdleConnections()
				test(t, ln, hc)
			})
		})
	}
}

func TestDrainLetsCallsFinish(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		entered := make(chan struct{})
		fake.ping = func(ctx context.Context) error {
			close(entered)
			<-fake.draining
			select {
			case <-time.After(29 * time.Second): // within the default grace period
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		stop := startServe(t, ln, fake.handler(), WithDrain(fake))
		client := mcpv1connect.NewMCPClient(hc, "http://memory")
		answered := make(chan error, 1)
		go func() {
			_, err := client.Ping(t.Context(), &mcpv1.PingRequest{})
			answered <- err
		}()
		<-entered
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := <-answered; err != nil {
			t.Errorf("call in flight: %v", err)
		}
		if _, err := client.Ping(t.Context(), &mcpv1.PingRequest{}); connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("call after the end: got %v, want unavailable", err)
		}
	})
}

func TestDrainEndsStreams(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		stop := startServe(t, ln, fake.handler(), WithDrain(fake))
		stream, err := mcpv1connect.NewMCPClient(hc, "http://memory").Listen(t.Context(), &mcpv1.ListenRequest{})
		if err != nil || !stream.Receive() {
			t.Fatal(err, stream.Err())
		}
		ended := make(chan error, 1)
		go func() { // reads while the server stops: the connections have no buffers
			stream.Receive()
			ended <- stream.Err()
		}()
		start := time.Now()
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("drain took %v", took)
		}
		if err := <-ended; connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("stream ended with %v, want unavailable", err)
		}
		_ = stream.Close()
	})
}

func TestDrainCutsOffHungCallsAfterTheGracePeriod(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		entered, left := make(chan struct{}), make(chan time.Time, 1)
		fake.ping = func(ctx context.Context) error {
			close(entered)
			<-ctx.Done()
			left <- time.Now()
			return ctx.Err()
		}
		stop := startServe(t, ln, fake.handler(), WithDrain(fake), WithGracePeriod(7500*time.Millisecond))
		answered := make(chan error, 1)
		go func() {
			_, err := mcpv1connect.NewMCPClient(hc, "http://memory").Ping(t.Context(), &mcpv1.PingRequest{})
			answered <- err
		}()
		<-entered
		start := time.Now()
		err := stop()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 call(s) still in flight after a grace period of 7.5 seconds") {
			t.Errorf("Serve: got %v, want an error that says 1 call and 7.5 seconds", err)
		}
		if got := (<-left).Sub(start); got != 7500*time.Millisecond {
			t.Errorf("call was cancelled after %v, want the grace period", got)
		}
		if err := <-answered; err == nil {
			t.Error("hung call succeeded")
		}
	})
}

func TestDrainTakesNoHarmFromIdleConnections(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		stop := startServe(t, ln, fake.handler(), WithDrain(fake), WithGracePeriod(100*time.Millisecond))
		if _, err := mcpv1connect.NewMCPClient(hc, "http://memory").Ping(t.Context(), &mcpv1.PingRequest{}); err != nil {
			t.Fatal(err)
		}
		silent, err := ln.dial(t.Context()) // as port probes do
		if err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		_ = silent.Close()
	})
}

func TestDrainTellsHealthFirst(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		stop := startServe(t, ln, drainingHandler{fake.handler(), fake}, WithDrainDelay(10*time.Second))
		watch := connect.NewClient[healthv1.WatchRequest, healthv1.WatchResponse](hc, "http://memory"+health.WatchProcedure)
		stream, err := watch.CallServerStream(t.Context(), connect.NewRequest(&healthv1.WatchRequest{Service: "mcp.v1.MCP"}))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		receive := func() string {
			if stream.Receive() {
				return stream.Msg().GetStatus().String()
			}
			return connect.CodeOf(stream.Err()).String()
		}
		got := []string{receive()}

		start := time.Now()
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		got = append(got, receive())
		if took := time.Since(start); took != 0 {
			t.Errorf("health was told after %v, want at once", took)
		}
		// Load balancers have not noticed yet: new connections must be served.
		other, transport := ln.client(true)
		client := mcpv1connect.NewMCPClient(other, "http://memory")
		if _, err := client.Ping(t.Context(), &mcpv1.PingRequest{}); err != nil {
			t.Errorf("call during the drain delay: %v", err)
		}
		transport.CloseIdleConnections()

		got = append(got, receive())
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("watch ended after %v, want the drain delay", took)
		}
		if err := <-stopped; err != nil {
			t.Errorf("Serve: %v", err)
		}
		got = append(got, <-fake.events, <-fake.events)
		want := []string{"SERVING_STATUS_SERVING", "SERVING_STATUS_NOT_SERVING", "unavailable", "not serving", "drain"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order of events (-want +got):\n%s", diff)
		}
	})
}

// A drainingHandler is a handler that Serve tells to drain without being asked to.
type drainingHandler struct {
	http.Handler
	Drainer
}

func TestServeReturnsTheListenersError(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		entered := make(chan struct{})
		fake.ping = func(context.Context) error {
			close(entered)
			<-fake.draining
			return nil
		}
		done := make(chan error, 1)
		go func() {
			done <- Serve(t.Context(), ln, fake.handler(), WithDrain(fake), WithServeLogger(slog.New(slog.DiscardHandler)))
		}()
		answered := make(chan error, 1)
		go func() {
			_, err := mcpv1connect.NewMCPClient(hc, "http://memory").Ping(t.Context(), &mcpv1.PingRequest{})
			answered <- err
		}()
		<-entered
		_ = ln.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want the listener's error", err)
		}
		if err := <-answered; err != nil {
			t.Errorf("call in flight: %v", err)
		}
	})
}

func TestServeClosesTheListenerWhenItCannotStart(t *testing.T) {
	t.Parallel()
	ln := newMemoryListener()
	if err := Serve(t.Context(), ln, newFakeMCP().handler(), WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS13})); err == nil {
		t.Error("Serve without a certificate succeeded")
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listener: got %v, want it closed", err)
	}
}

func TestServeWithAnEndedContextDrainsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Serve(ctx, newMemoryListener(), newFakeMCP().handler(), WithServeLogger(slog.New(slog.DiscardHandler))); err != nil {
		t.Error(err)
	}
}
