// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

type exchangeKey struct{}

// A httpExchange is what the RPC handlers need of HTTP and connect does not show.
type httpExchange struct {
	tls bool // the client presented a certificate

	mu      sync.Mutex
	control *http.ResponseController // nil once the handler has returned: it panics then
}

// Wrap puts what the services need of HTTP into the context of each request. It must
// stand in front of their handlers; without it a Connect stream cannot end before its
// client does.
func Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only those that may be cached, and streams of requests, need it.
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, mcpv1connect.MCPConnectProcedure) {
			next.ServeHTTP(w, r)
			return
		}
		x := &httpExchange{
			control: http.NewResponseController(w),
			tls:     r.TLS != nil && len(r.TLS.PeerCertificates) > 0,
		}
		defer x.end()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
	})
}

func (x *httpExchange) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.control = nil
}

func identifiedByTLS(ctx context.Context) bool {
	x, _ := ctx.Value(exchangeKey{}).(*httpExchange)
	return x != nil && x.tls
}

// stopReading makes the Receive that waits on the RPC of ctx return: it heeds neither
// context nor deadline of its RPC, only that of the connection underneath.
func stopReading(ctx context.Context) {
	if x, _ := ctx.Value(exchangeKey{}).(*httpExchange); x != nil {
		x.stopReading()
	}
}

func (x *httpExchange) stopReading() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.control != nil {
		// Without support for deadlines the stream ends with its client.
		_ = x.control.SetReadDeadline(time.Now())
	}
}
