// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func TestMistakesSayWhatToWrite(t *testing.T) {
	t.Parallel()
	http1, tlsConfig := mcpconnect.WithHTTP1(), mcpconnect.WithTLSClientConfig(&tls.Config{})
	tests := []struct {
		name, url, want string
		opts            []mcpconnect.ClientOption
	}{
		{"no scheme", "127.0.0.1:8080", `write "http://127.0.0.1:8080"`, nil},
		{"host name without scheme", "example.com", `write "http://example.com"`, nil},
		{"another scheme", "grpc://127.0.0.1:8080", "write http://", nil},
		{"no host", "http:///mcp", "has no host: write one", nil},
		{"not a URL", "http://[::1", "missing ']'", nil},
		{"credentials", "http://user:secret@127.0.0.1", `write WithHeader("authorization"`, nil},
		{"query", "http://127.0.0.1?a=b", "write scheme, host and the handler's path alone", nil},
		{"gRPC over HTTP/1.1", "http://127.0.0.1", "remove WithHTTP1, or write WithProtocol(ProtocolGRPCWeb)", []mcpconnect.ClientOption{http1}},
		{"TLS in clear", "http://127.0.0.1", `write "https://127.0.0.1"`, []mcpconnect.ClientOption{tlsConfig}},
		{"TLS for another's client", "https://127.0.0.1", "configure TLS there", []mcpconnect.ClientOption{tlsConfig, mcpconnect.WithHTTPClient(http.DefaultClient)}},
		{"no such protocol", "http://127.0.0.1", "write ProtocolGRPC,", []mcpconnect.ClientOption{mcpconnect.WithProtocol(9)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := mcpconnect.NewTransport(test.url, test.opts...).Connect(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("transport: got %v, want %q in it", err, test.want)
			}
			c := mcpconnect.NewClient(test.url, test.opts...)
			_, err = c.CallTool(t.Context(), tool("x", ""))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("client: got %v, want %q in it", err, test.want)
			}
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestHandlerUnderAPath(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet))
	t.Cleanup(func() { _ = h.Close() })
	mux := http.NewServeMux()
	mux.Handle("/a/b/", http.StripPrefix("/a/b", h))
	base := serve(t, mux)
	eachWire(t, func(t *testing.T, w wire) {
		for _, path := range []string{"/a/b", "/a/b/"} {
			if _, err := newClient(t, base+path, w).Ping(t.Context()); err != nil {
				t.Error(err)
			}
			session := connect(t, mcp.NewClient(implementation, nil), base+path, w, modern)
			if got := texts(call(t, session, "structured_number", "")); got != "42" {
				t.Errorf("got %q", got)
			}
		}
	})
}

// inspected is what inspect_request tells of headers.
func inspected(t *testing.T, res *mcp.CallToolResult, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	all, _ := res.StructuredContent.(map[string]any)
	headers, _ := all["headers"].(map[string]any)
	return headers
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	const args = `{"headers":["X-Own","Mcp-Method","Mcp-Name","Mcp-Protocol-Version"]}`
	mirrored := map[string]any{
		"X-Own": []any{"one", "two"}, "Mcp-Method": []any{"tools/call"}, "Mcp-Name": []any{"inspect_request"},
		"Mcp-Protocol-Version": []any{modern},
	}
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		w.opts = slices.Concat(w.opts, []mcpconnect.ClientOption{mcpconnect.WithHeader("x-own", "one"), mcpconnect.WithHeader("x-own", "two")})
		single := w
		single.opts = append(slices.Clone(w.opts), mcpconnect.WithoutMultiplexing())
		res, err := newClient(t, url, single).CallTool(t.Context(), tool("inspect_request", args))
		if diff := cmp.Diff(mirrored, inspected(t, res, err)); diff != "" {
			t.Errorf("typed: headers differ (-want +got):\n%s", diff)
		}
		res, err = call(t, connect(t, mcp.NewClient(implementation, nil), url, w, modern), "inspect_request", args)
		want := mirrored
		if w.name == "gRPC" || w.name == "Connect over HTTP/2" { // a stream has no method
			want = map[string]any{"X-Own": mirrored["X-Own"]}
		}
		if diff := cmp.Diff(want, inspected(t, res, err)); diff != "" {
			t.Errorf("transport: headers differ (-want +got):\n%s", diff)
		}
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet))
	t.Cleanup(func() { _ = h.Close() })
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	eachWire(t, func(t *testing.T, w wire) {
		for _, own := range []mcpconnect.ClientOption{
			mcpconnect.WithTLSClientConfig(&tls.Config{RootCAs: config.RootCAs}),
			mcpconnect.WithHTTPClient(server.Client()),
		} {
			w := wire{w.name, slices.Concat(w.opts, []mcpconnect.ClientOption{own})}
			if _, err := newClient(t, server.URL, w).Ping(t.Context()); err != nil {
				t.Error(err)
			}
			for _, version := range versions {
				session := connect(t, mcp.NewClient(implementation, nil), server.URL, w, version)
				if got := texts(call(t, session, "structured_number", "")); got != "42" {
					t.Errorf("got %q", got)
				}
			}
		}
	})
}

func TestMessagesHaveALimit(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		_, url := serveEverything(t)
		c := newClient(t, url, w, mcpconnect.WithMaxMessageBytes(1000))
		if _, err := c.ListTools(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "resource_exhausted") {
			t.Errorf("got %v, want resource_exhausted", err)
		}
		if _, err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
