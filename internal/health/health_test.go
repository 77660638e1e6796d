// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package health_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/mcpconnect/mcpconnect/internal/health"
	healthv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcpconnect/health/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const service = "mcp.v1.MCP"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// protocols are the ways in which a client can speak to the service. The names are those of
// the subtests.
var protocols = map[string]struct {
	opts  []connect.ClientOption
	http1 bool
}{
	"gRPC":               {opts: []connect.ClientOption{connect.WithGRPC()}},
	"gRPC-Web":           {opts: []connect.ClientOption{connect.WithGRPCWeb()}},
	"gRPC-Web, HTTP/1.1": {opts: []connect.ClientOption{connect.WithGRPCWeb()}, http1: true},
	"Connect":            {},
	"Connect, JSON":      {opts: []connect.ClientOption{connect.WithProtoJSON()}},
	"Connect, HTTP/1.1":  {http1: true},
}

// forEachProtocol runs test with a server of its own for each protocol.
func forEachProtocol(t *testing.T, test func(t *testing.T, srv *health.Server, c client)) {
	t.Helper()
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := health.New(service)
			ts := start(t, srv)
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(protocol.http1)
			transport.Protocols.SetUnencryptedHTTP2(!protocol.http1)
			t.Cleanup(transport.CloseIdleConnections)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			t.Cleanup(cancel)
			hc := &http.Client{Transport: transport}
			test(t, srv, client{
				ctx:   ctx,
				check: connect.NewClient[healthv1.WatchRequest, healthv1.WatchResponse](hc, ts.URL+health.CheckProcedure, protocol.opts...),
				watch: connect.NewClient[healthv1.WatchRequest, healthv1.WatchResponse](hc, ts.URL+health.WatchProcedure, protocol.opts...),
			})
		})
	}
}

// start serves srv on loopback, over HTTP/1.1 and h2c, until the test ends.
func start(t *testing.T, srv *health.Server) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(srv.Handler())
	ts := httptest.NewUnstartedServer(mux)
	ts.Config.Protocols = new(http.Protocols)
	ts.Config.Protocols.SetHTTP1(true)
	ts.Config.Protocols.SetUnencryptedHTTP2(true)
	ts.Start()
	t.Cleanup(ts.Close)
	t.Cleanup(srv.Close) // first: ts.Close waits for open streams
	return ts
}

// A client calls both RPCs. It sends and expects the Watch messages for Check too: the wire
// is the same.
type client struct {
	ctx          context.Context //nolint:containedctx // lives as long as the test
	check, watch *connect.Client[healthv1.WatchRequest, healthv1.WatchResponse]
}

func (c client) status(service string) (healthv1.WatchResponse_ServingStatus, error) {
	res, err := c.check.CallUnary(c.ctx, connect.NewRequest(&healthv1.WatchRequest{Service: service}))
	if err != nil {
		return 0, err
	}
	return res.Msg.GetStatus(), nil
}

func (c client) open(t *testing.T, service string) *connect.ServerStreamForClient[healthv1.WatchResponse] {
	t.Helper()
	stream, err := c.watch.CallServerStream(c.ctx, connect.NewRequest(&healthv1.WatchRequest{Service: service}))
	if err != nil {
		t.Fatalf("watch %q: %v", service, err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	return stream
}

func expect(t *testing.T, stream *connect.ServerStreamForClient[healthv1.WatchResponse], want healthv1.WatchResponse_ServingStatus) {
	t.Helper()
	if !stream.Receive() {
		t.Fatalf("stream ended with %v, want %v", stream.Err(), want)
	}
	if got := stream.Msg().GetStatus(); got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func expectEnd(t *testing.T, stream *connect.ServerStreamForClient[healthv1.WatchResponse]) {
	t.Helper()
	if stream.Receive() {
		t.Fatalf("got %v, want the end of the stream", stream.Msg().GetStatus())
	}
	if got := connect.CodeOf(stream.Err()); got != connect.CodeUnavailable {
		t.Fatalf("stream ended with %v (%v), want unavailable", got, stream.Err())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	forEachProtocol(t, func(t *testing.T, srv *health.Server, c client) {
		check := func(service string, want healthv1.WatchResponse_ServingStatus) {
			t.Helper()
			if got, err := c.status(service); err != nil || got != want {
				t.Errorf("service %q: got %v, %v, want %v", service, got, err, want)
			}
		}
		check("", healthv1.WatchResponse_SERVING_STATUS_SERVING)
		check(service, healthv1.WatchResponse_SERVING_STATUS_SERVING)
		if _, err := c.status("no.Such"); connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("unknown service: got %v, want not_found", err)
		}
		srv.SetStatus(service, false)
		check(service, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		check("", healthv1.WatchResponse_SERVING_STATUS_SERVING)
		srv.SetAllNotServing()
		srv.SetStatus("", true)
		check("", healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		srv.Close()
		check(service, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
	})
}

func TestWatch(t *testing.T) {
	t.Parallel()
	forEachProtocol(t, func(t *testing.T, srv *health.Server, c client) {
		whole, one := c.open(t, ""), c.open(t, service)
		expect(t, whole, healthv1.WatchResponse_SERVING_STATUS_SERVING)
		expect(t, one, healthv1.WatchResponse_SERVING_STATUS_SERVING)

		srv.SetStatus(service, false)
		expect(t, one, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		srv.SetStatus(service, true)
		expect(t, one, healthv1.WatchResponse_SERVING_STATUS_SERVING)

		srv.SetAllNotServing()
		srv.SetStatus(service, true) // too late, must not be told
		expect(t, whole, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		expect(t, one, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		srv.Close()
		expectEnd(t, whole)
		expectEnd(t, one)

		late := c.open(t, service)
		expect(t, late, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		expectEnd(t, late)
	})
}

func TestWatchOfUnknownServiceStaysOpen(t *testing.T) {
	t.Parallel()
	forEachProtocol(t, func(t *testing.T, srv *health.Server, c client) {
		stream := c.open(t, "to.come")
		expect(t, stream, healthv1.WatchResponse_SERVING_STATUS_SERVICE_UNKNOWN)
		srv.SetStatus("to.come", true)
		expect(t, stream, healthv1.WatchResponse_SERVING_STATUS_SERVING)
	})
}

func TestCloseTellsTheStatusBeforeTheEnd(t *testing.T) {
	t.Parallel()
	forEachProtocol(t, func(t *testing.T, srv *health.Server, c client) {
		stream := c.open(t, service)
		expect(t, stream, healthv1.WatchResponse_SERVING_STATUS_SERVING)
		srv.Close()
		srv.Close()
		expect(t, stream, healthv1.WatchResponse_SERVING_STATUS_NOT_SERVING)
		expectEnd(t, stream)
	})
}

func TestCheckAndWatchAgreeInConnectJSON(t *testing.T) {
	t.Parallel()
	srv := health.New(service)
	ts := start(t, srv)
	srv.Close() // so that the stream ends
	for _, test := range []struct{ procedure, contentType, body, want string }{
		{health.CheckProcedure, "application/json", `{"service":"mcp.v1.MCP"}`, `{"status":"SERVING_STATUS_NOT_SERVING"}`},
		{health.WatchProcedure, "application/connect+json", envelope(`{"service":"mcp.v1.MCP"}`), envelope(`{"status":"SERVING_STATUS_NOT_SERVING"}`)},
		{health.WatchProcedure, "application/connect+json", envelope(`{"service":"no.Such"}`), envelope(`{"status":"SERVING_STATUS_SERVICE_UNKNOWN"}`)},
		{health.WatchProcedure, "application/connect+proto", envelope("\x0a\x0amcp.v1.MCP"), envelope("\x08\x02")},
	} {
		res, err := ts.Client().Post(ts.URL+test.procedure, test.contentType, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(got), test.want) {
			t.Errorf("%s: got %q, want it to start with %q", test.procedure, got, test.want)
		}
	}
}

// envelope frames one message as gRPC and the streams of Connect do.
func envelope(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

func TestSlowWatcherGetsTheNewestStatusOnly(t *testing.T) {
	t.Parallel()
	srv := health.New()
	_, h := srv.Handler()
	w := &steppedWriter{header: make(http.Header), flushing: make(chan struct{}), proceed: make(chan struct{})}
	r := httptest.NewRequest(http.MethodPost, health.WatchProcedure, strings.NewReader(envelope("")))
	r.Header.Set("Content-Type", "application/connect+proto")
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(w, r)
	}()

	<-w.flushing // the watcher is stuck in its first message
	for range 1000 {
		srv.SetStatus("", false)
		srv.SetStatus("", true)
	}
	srv.SetStatus("", false)
	close(w.proceed)
	<-w.flushing
	srv.Close()
	<-done

	end := `{"error":{"code":"unavailable","message":"server is shutting down"}}`
	want := envelope("\x08\x01") + envelope("\x08\x02") + "\x02" + envelope(end)[1:]
	if diff := cmp.Diff(want, w.body.String()); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}

// A steppedWriter reports its first two flushes and holds the first one up.
type steppedWriter struct {
	header            http.Header
	body              bytes.Buffer
	flushes           int
	flushing, proceed chan struct{}
}

func (w *steppedWriter) Header() http.Header         { return w.header }
func (w *steppedWriter) WriteHeader(int)             {}
func (w *steppedWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

func (w *steppedWriter) Flush() {
	w.flushes++
	if w.flushes <= 2 {
		w.flushing <- struct{}{}
		<-w.proceed
	}
}

func TestNamesOfTheStandardAreNotRegistered(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"grpc.health.v1.HealthCheckRequest", "grpc.health.v1.Health"} {
		if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name)); err == nil {
			t.Errorf("%s is registered by %s: a binary with grpc-go would panic", name, d.ParentFile().Path())
		}
	}
	if f, err := protoregistry.GlobalFiles.FindFileByPath("grpc/health/v1/health.proto"); err == nil {
		t.Errorf("%s is registered: a binary with grpc-go would panic", f.Path())
	}
}
