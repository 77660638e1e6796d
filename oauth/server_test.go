// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
)

// A resource is a server that lets in who has the scopes that a path names.
type resource struct {
	url      string
	as       *oauthtest.AuthorizationServer
	metadata map[string]any
	seen     chan string // the tokens, "" for none
	silent   bool        // has no resource_metadata in its challenges
}

func newResource(t *testing.T, as *oauthtest.AuthorizationServer) *resource {
	t.Helper()
	res := &resource{as: as, seen: make(chan string, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/mcp", func(w http.ResponseWriter, _ *http.Request) {
		var text []byte
		as.Set(func() { text, _ = json.Marshal(res.metadata) }) // it is JSON
		if string(text) == "null" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
	mux.HandleFunc("POST /mcp/", res.serve)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	res.url = server.URL + "/mcp"
	res.metadata = map[string]any{"resource": res.url, "authorization_servers": []string{as.URL}, "scopes_supported": []string{"read"}}
	return res
}

// serve answers POST /mcp/<scope>.
func (res *resource) serve(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	res.seen <- token
	scopes, good := res.as.Granted(token)
	challenge := "Bearer"
	if !res.silent {
		challenge += fmt.Sprintf(` resource_metadata="%s/.well-known/oauth-protected-resource/mcp"`, strings.TrimSuffix(res.url, "/mcp"))
	}
	need := strings.TrimPrefix(r.URL.Path, "/mcp/")
	switch {
	case !good:
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	case !slices.Contains(scopes, need):
		w.Header().Set("WWW-Authenticate", strings.Replace(challenge, "Bearer", `Basic realm="x", Bearer error="insufficient_scope", scope="`+need+`",`, 1))
		w.WriteHeader(http.StatusForbidden)
	default:
		fmt.Fprint(w, "done")
	}
}
