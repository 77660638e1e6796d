// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const resource = "https://mcp.example.com/base"

var document = oauthex.ProtectedResourceMetadata{
	Resource:             resource,
	AuthorizationServers: []string{"https://as.example"},
	ScopesSupported:      []string{"read", "write"},
	ResourceName:         "Example",
}

const documentJSON = `{"resource":"https://mcp.example.com/base","authorization_servers":["https://as.example"],"scopes_supported":["read","write"],"bearer_methods_supported":["header"],"resource_name":"Example"}`

func newServer() *mcp.Server {
	return mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
}

func staticTokens(t testing.TB) authn.Bearer {
	t.Helper()
	s, err := authn.NewStatic(map[string]authn.Grant{"dev-token": {Subject: "dev", Scopes: []string{"read"}}})
	if err != nil {
		t.Fatal(err)
	}
	return authn.Bearer{s}
}

// TestDiscovery checks that callers without credentials learn where to get some, always
// the same, by RPC and by well-known path, below a prefix too.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(newServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(staticTokens(t)), mcpconnect.WithResourceMetadata(&document))
	t.Cleanup(func() { h.Close() })
	root := http.NewServeMux()
	root.Handle("/base/", http.StripPrefix("/base", h))
	root.Handle("/.well-known/oauth-protected-resource", h)
	root.Handle("/.well-known/oauth-protected-resource/base", h)
	direct, mounted := serve(t, h, nil), serve(t, root, nil)
	// What a request says of itself changes nothing.
	lies := credential{header: http.Header{
		"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "Forwarded": {"host=evil.example"},
	}}
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			for prefix, s := range map[string]*site{"": direct, "/base": mounted} {
				c := s.call(t, w, lies)
				for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/base"} {
					if res, body := c.fetch(t, http.MethodGet, path); res.StatusCode != http.StatusOK || body != documentJSON {
						t.Errorf("%s: got %s %s", path, res.Status, body)
					}
				}
				c.url += prefix
				for _, get := range []bool{false, true} {
					var opts []connect.ClientOption
					if get {
						opts = append(opts, connect.WithHTTPGet())
					}
					got, err := c.discovery(opts...).GetMetadata(testContext(t), &mcpv1.GetMetadataRequest{})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(decode(t, documentJSON), decode(t, protoNames(t, got))); diff != "" {
						t.Errorf("the RPC differs from the document (-document +RPC):\n%s", diff)
					}
				}
				// A path that ends like a public one is not public.
				for _, path := range []string{
					"/mcp.v1.MCP/ListTools/mcp.v1.AuthDiscovery/GetMetadata", "/x/mcp.v1.AuthDiscovery/GetMetadata",
					"/mcp.v1.MCP/ListTools/.well-known/oauth-protected-resource", "/mcp.v1.MCP/ListTools", "/",
				} {
					if res, _ := c.fetch(t, http.MethodPost, path); res.StatusCode != http.StatusUnauthorized {
						t.Errorf("%s: got %s, want 401", path, res.Status)
					}
				}
			}
		})
	}
}

// TestDiscoveryTakesNoQuery but that of the RPC: each would be another entry in every cache on the
// way, and a credential in it one of the logs.
func TestDiscoveryTakesNoQuery(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(newServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(staticTokens(t)), mcpconnect.WithResourceMetadata(&document))
	t.Cleanup(func() { h.Close() })
	s := serve(t, h, nil)
	const rpc, get = "/mcp.v1.AuthDiscovery/GetMetadata", "?connect=v1&encoding=json&message=%7B%7D"
	for _, w := range wires {
		for _, test := range []struct {
			method, path string
			status       int
		}{
			{http.MethodGet, rpc + get, 200},
			{http.MethodGet, rpc + "?connect=v1&encoding=json&message=e30&base64=1&compression=identity", 200},
			{http.MethodGet, rpc + get + "&x=1", 400},
			{http.MethodGet, rpc + get + "&access_token=abc", 400},
			{http.MethodGet, rpc + get + "&message=%7B%7D", 400},
			{http.MethodGet, rpc + get + "&%zz", 400},
			{http.MethodGet, rpc + get + ";x=1", 400},
			{http.MethodPost, rpc + "?access_token=abc", 400},
			{http.MethodGet, "/.well-known/oauth-protected-resource?x=1", 400},
		} {
			c := s.call(t, w, credential{header: http.Header{"Content-Type": {"application/json"}}})
			res, body := c.fetch(t, test.method, test.path)
			if public := strings.HasPrefix(res.Header.Get("Cache-Control"), "public"); res.StatusCode != test.status || public != (test.status == http.StatusOK) || strings.Contains(body, "abc") {
				t.Errorf("%s %s on %s: got %s, %q %s", test.method, test.path, w.name, res.Status, res.Header.Get("Cache-Control"), body)
			}
		}
	}
}

func protoNames(t *testing.T, m *mcpv1.ProtectedResourceMetadata) string {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOptionMistakes(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]func() mcpconnect.HandlerOption{
		"there is no authenticator":   func() mcpconnect.HandlerOption { return mcpconnect.WithAuthn() },
		"authenticator 0 is nil":      func() mcpconnect.HandlerOption { return mcpconnect.WithAuthn(nil) },
		"WithPolicy(nil)":             func() mcpconnect.HandlerOption { return mcpconnect.WithPolicy(nil) },
		"name the origins one by one": func() mcpconnect.HandlerOption { return mcpconnect.WithOrigins("*") },
		"name the hosts one by one":   func() mcpconnect.HandlerOption { return mcpconnect.WithHosts("*") },
		"WithResourceMetadata(nil)":   func() mcpconnect.HandlerOption { return mcpconnect.WithResourceMetadata(nil) },
		"resource \"http://mcp.example.com\"": func() mcpconnect.HandlerOption {
			return mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: "http://mcp.example.com"})
		},
	} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "mcpconnect: ") || !strings.Contains(text, want) {
					t.Errorf("got %q, want %q", text, want)
				}
			}()
			_ = mcpconnect.NewHandler(newServer(), option()).Close()
		}()
	}
}

// TestHealthStaysOpen pins that probes need no credentials, and learn nothing but health.
func TestHealthStaysOpen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, w := range wires {
		c := l.call(t, w, credential{header: http.Header{"Content-Type": {"application/proto"}}}) // of which an empty body is a message
		if res, body := c.fetch(t, http.MethodPost, "/grpc.health.v1.Health/Check"); res.StatusCode != http.StatusOK || body != "\x08\x01" {
			t.Errorf("%s: got %s %s", w.name, res.Status, body)
		}
	}
}
