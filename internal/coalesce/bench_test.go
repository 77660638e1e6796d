// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkHTTP2 compares connections with and without coalescing, client and server in one
// process. An operation is a call.
func BenchmarkHTTP2(b *testing.B) {
	for _, tt := range []struct {
		name            string
		pieces, size    int // of an answer; each piece is flushed
		conns, inFlight int // in flight on each connection
	}{
		{"small, 1 conn, 1 in flight", 1, 50, 1, 1},
		{"small, 1 conn, 16 in flight", 1, 50, 1, 16},
		{"small, 1 conn, 64 in flight", 1, 50, 1, 64},
		{"small, 32 conns, 1 in flight", 1, 50, 32, 1},
		{"50 small pieces, 1 conn, 16 in flight", 50, 50, 1, 16},
		{"64 KiB, 1 conn, 16 in flight", 1, 64 << 10, 1, 16},
	} {
		for _, coalesced := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/coalesced=%v", tt.name, coalesced), func(b *testing.B) {
				url := benchServer(b, coalesced, tt.pieces, strings.Repeat("x", tt.size))
				clients := make([]*http.Client, tt.conns)
				for i := range clients {
					clients[i] = benchClient(b, coalesced)
					benchCall(b, clients[i], url) // dials
				}
				var left atomic.Int64
				left.Store(int64(b.N))
				var all sync.WaitGroup
				b.ResetTimer()
				for i := range tt.conns * tt.inFlight {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							benchCall(b, clients[i%tt.conns], url)
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

func benchServer(b *testing.B, coalesced bool, pieces int, piece string) (url string) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	url = "http://" + ln.Addr().String()
	if coalesced {
		ln = Listener{ln}
	}
	server := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range pieces {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	})}
	server.Protocols.SetUnencryptedHTTP2(true)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	b.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return url
}

func benchClient(b *testing.B, coalesced bool) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	if coalesced {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return Client(conn), nil
		}
	}
	b.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func benchCall(b *testing.B, c *http.Client, url string) {
	resp, err := c.Post(url, "text/plain", strings.NewReader("question"))
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
