// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"errors"
	"net/http"
	"net/url"

	"connectrpc.com/connect"
)

// withoutQuery takes no query but that of an RPC by GET. What caches keep is the same for everybody:
// each other query would be another entry in all of them, and a credential in it one in their logs.
func withoutQuery(path string, next http.Handler, opts ...connect.HandlerOption) (string, http.Handler) {
	refuse := connect.NewErrorWriter(opts...)
	return path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" && (r.Method != http.MethodGet || !isRPCQuery(r.URL.RawQuery)) {
			w.Header().Set("Cache-Control", "no-store")
			_ = refuse.Write(w, r, connect.NewError(connect.CodeInvalidArgument, errors.New("the query has what no RPC has"))) // the client may be gone
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isRPCQuery tells whether a query is one of a Connect GET, and nothing else.
func isRPCQuery(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name, all := range values {
		switch name {
		case "connect", "encoding", "message", "base64", "compression":
			if len(all) > 1 {
				return false
			}
		default:
			return false
		}
	}
	return true
}
