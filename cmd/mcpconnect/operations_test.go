// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/trace"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestLogsNameTheirRequest, and its trace.
func TestLogsNameTheirRequest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := (&logFlags{level: "info", format: "json"}).logger(&out)
	if err != nil {
		t.Fatal(err)
	}
	log = log.With("a", "b").WithGroup("g")
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	h := withRequestID(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tid, err := trace.TraceIDFromHex(traceID)
		if err != nil {
			t.Error(err)
		}
		sid, err := trace.SpanIDFromHex(spanID)
		if err != nil {
			t.Error(err)
		}
		ctx := trace.ContextWithSpanContext(r.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: tid, SpanID: sid}))
		log.InfoContext(ctx, "here")
	}))
	for _, tt := range []struct {
		given string
		kept  bool
	}{
		{"id-of-the-client", true},
		{"", false},
		{"two words", false},
		{"a\"quote", false},
		{strings.Repeat("x", 65), false},
		{"ü", false},
	} {
		out.Reset()
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(requestIDHeader, tt.given)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var record struct {
			A string `json:"a"`
			G struct {
				RequestID string `json:"request_id"`
				TraceID   string `json:"trace_id"`
				SpanID    string `json:"span_id"`
			} `json:"g"`
		}
		if err := json.Unmarshal(out.Bytes(), &record); err != nil {
			t.Fatal(err)
		}
		id := record.G.RequestID
		if id == "" || (id == tt.given) != tt.kept || w.Header().Get(requestIDHeader) != id || record.A != "b" || record.G.TraceID != traceID || record.G.SpanID != spanID {
			t.Errorf("%q: got %s, and the response has %q", tt.given, out.String(), w.Header().Get(requestIDHeader))
		}
	}
}

// TestTracesByEnvironment: the standard variables alone send the spans of a call to a collector, in the
// trace of the caller; and a request that is refused is in the log by its id.
func TestTracesByEnvironment(t *testing.T) {
	t.Parallel()
	demo, _, stop := startDemo(t)
	t.Cleanup(func() { _ = stop() })
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	raw, err := hex.DecodeString(traceID)
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && bytes.Contains(body, raw) && bytes.Contains(body, []byte("the-gateway")) {
			select {
			case found <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("X-Tenant"):
			default:
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(collector.Close)
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := "listen: 127.0.0.1:0\nauth: {tokens: [{token: letmein, subject: s}]}\nservers: {demo: {url: '" + demo + "', protocol: grpc, prefix: ''}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "mcpconnect"), "gateway", "--config", file, "--log-format", "json")
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-tenant=ops", "OTEL_SERVICE_NAME=the-gateway", "OTEL_TRACES_SAMPLER=always_on")
	log := &lines{ready: make(chan string, 1)}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := "http://" + <-log.ready
	for _, protocol := range []string{"grpc", "http"} {
		out, err := shell(t, "mcpconnect call "+url+" add a=2 b=3 --token letmein --header 'Traceparent: 00-"+traceID+"-00f067aa0ba902b7-01' --protocol "+protocol, "")
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	if out, err := shell(t, "mcpconnect ls "+url+" --token wrong --protocol http --header 'X-Request-Id: id-of-the-client'", ""); err == nil {
		t.Errorf("a wrong token was let in: %s", out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // which sends what has not been sent
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
	select {
	case got := <-found:
		if got != "POST /v1/traces application/x-protobuf ops" {
			t.Errorf("the collector got %q", got)
		}
	default:
		t.Error("no span of the call's trace has come to the collector")
	}
	if said := log.String(); !strings.Contains(said, `"request_id":"id-of-the-client"`) || strings.Contains(said, "letmein") {
		t.Errorf("the log is\n%s", said)
	}
}

// lines keep a log, and tell the address that is in it.
type lines struct {
	ready chan string

	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(p) {
		var record struct{ Msg, Address string }
		if json.Unmarshal(line, &record) == nil && record.Msg == "the gateway is ready" {
			l.ready <- record.Address
		}
	}
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// TestNotReadyInTheDrain: while calls in flight are answered nobody is to send more.
func TestNotReadyInTheDrain(t *testing.T) {
	t.Parallel()
	demo, _, stopDemo := startDemo(t)
	t.Cleanup(func() { _ = stopDemo() })
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nservers: {demo: {url: '" + demo + "', protocol: grpc, prefix: ''}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addrs, stop := gatewayOf(t, "--config", file)
	admin := "http://" + addrs["probes and metrics are served"]
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	progress, answered := make(chan struct{}, 1), make(chan error, 1)
	client := mcpconnect.NewClient("http://"+addrs["the gateway is ready"], mcpconnect.WithProgressHandler(func(context.Context, *mcp.ProgressNotificationParams) {
		select {
		case progress <- struct{}{}:
		default:
		}
	}))
	defer client.Close()
	go func() {
		_, err := client.CallTool(ctx, &mcp.CallToolParams{Name: "countdown", Arguments: map[string]any{"from": 1000, "interval_ms": 50}})
		answered <- err
	}()
	<-progress
	if status, _ := get(t, admin+"/readyz"); status != http.StatusOK {
		t.Errorf("before the drain /readyz gave %d", status)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	began := time.Now()
	for status := 0; status != http.StatusServiceUnavailable; status, _ = get(t, admin+"/readyz") {
		if time.Since(began) > time.Minute {
			t.Fatal("/readyz stays good in the drain")
		}
	}
	if status, _ := get(t, admin+"/livez"); status != http.StatusOK {
		t.Errorf("in the drain /livez gave %d", status)
	}
	select {
	case err := <-answered:
		t.Errorf("the call in flight has ended: %v", err)
	default:
	}
	hangUp()
	if err := <-answered; err == nil {
		t.Error("the call has an answer")
	}
	if err := <-stopped; err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}
