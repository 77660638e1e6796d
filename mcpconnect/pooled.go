// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"net/http"
	"strings"

	"github.com/mcpconnect/mcpconnect/internal/h2"
	"github.com/mcpconnect/mcpconnect/internal/worker"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// pooled serves calls on goroutines of a pool. net/http serves each HTTP/2 request on a
// goroutine of its own, whose stack grows several times before a tool is reached: that was a
// fifth of what a small call costs. Streams that stay open keep their own goroutine: they
// would keep two.
func pooled(next http.Handler, pool *worker.Pool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || h2.Served(r.Context()) || !isCall(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		pool.Run(func() { next.ServeHTTP(w, r) })
	})
}

// isCall tells whether a path, below any prefix, is that of an RPC of the service which ends
// with its answer.
func isCall(path string) bool {
	service, method, ok := cutLast(path)
	return ok && !longLived[method] && strings.HasSuffix(service, "/"+mcpv1connect.MCPName)
}

func cutLast(path string) (service, method string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// longLived are the RPCs whose streams may stay open without end.
var longLived = map[string]bool{"Connect": true, "Send": true, "Listen": true, "SubscribeResource": true}
