// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestCallersMakeNoMetrics: what anybody can write into a request does not become a label, since each
// of them is kept for ever.
func TestCallersMakeNoMetrics(t *testing.T) {
	t.Parallel()
	for name, hosts := range map[string][]string{"any host": nil, "one host": {"localhost"}} {
		measures := sdkmetric.NewManualReader()
		h := mcpconnect.NewHandler(everything.New(nil).MCP(), mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP(), mcpconnect.WithHosts(hosts...),
			mcpconnect.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(measures))))
		t.Cleanup(func() { _ = h.Close() })
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		for i := range 50 {
			host := "localhost"
			if hosts == nil {
				host = fmt.Sprint("localhost:", i+1)
			}
			send(t, s, fmt.Sprintf("POST /mcp HTTP/1.%d\r\nHost: %s\r\nUser-Agent: u%d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", i%10, host, i))
			send(t, s, fmt.Sprintf("X%d /mcp HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 10.0.0.%d\r\nConnection: close\r\n\r\n", i, host, i))
		}
		var all metricdata.ResourceMetrics
		if err := measures.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		series := 0
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				switch data := m.Data.(type) {
				case metricdata.Histogram[float64]:
					series = max(series, len(data.DataPoints))
				case metricdata.Histogram[int64]:
					series = max(series, len(data.DataPoints))
				}
			}
		}
		if series == 0 || series > 6 {
			t.Errorf("%s: 100 requests made %d series", name, series)
		}
	}
}

// send writes a request as it is, and waits for the answer.
func send(t *testing.T, s *httptest.Server, request string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}
