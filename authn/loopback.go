// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"net"
	"net/http"
	"path"
)

// arrivedLocally tells whether r came in on a loopback address or a Unix socket of this
// server. net/http says so; what the request says does not count.
func arrivedLocally(r *http.Request) bool {
	switch a := r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// cleanPath is the path without what different readers read differently.
func cleanPath(p string) string { return path.Clean("/" + p) }
