// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// TestStdioOutlivesTokens, which last for a second: a session goes on with the next one. A call
// that is in flight when a stream ends with its token has an error.
func TestStdioOutlivesTokens(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"grpc", "grpcweb", "connect", "http"} {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				as := oauthtest.NewAuthorizationServer(t)
				as.Lifetime = 1
				url, up := guarded(t, as, way)
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: up}), version, `{}`)
				answered, failed := 0, 0
				refreshed := func() (n int) {
					as.Set(func() { n = len(as.Grants) })
					return n
				}
				for refreshed() < 4 && failed < 20 {
					call := callOf("greet", `{"name":"x"}`)
					if o := over.Call(rpctest.Context(t), call.method, call.paramsFor(version)); o.Err != nil {
						t.Logf("%s: %v", url, o.Err)
						failed++
					} else {
						answered++
					}
				}
				if failed > 6 || answered < 20 || len(as.Logins) != 1 {
					t.Errorf("%d calls were answered and %d failed, with %d logins", answered, failed, len(as.Logins))
				}
			})
		}
	}
}

// guarded serves the everything-server to people who have logged in at as, and gives the way there
// of somebody who does.
func guarded(t *testing.T, as *oauthtest.AuthorizationServer, way string) (string, gateway.Upstream) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	h := mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP(), mcpconnect.WithAuthn(authn.Bearer{as}),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: url, AuthorizationServers: []string{as.URL}}))
	serveOn(t, ln, h)
	loopback, err := oauth.NewLoopback(oauthtest.Browse)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loopback.Close() })
	source, err := oauth.New(oauth.Config{Resource: url, Authorize: loopback.Authorize, RedirectURL: loopback.RedirectURL()})
	if err != nil {
		t.Fatal(err)
	}
	if way == "http" {
		base := new(http.Transport)
		t.Cleanup(base.CloseIdleConnections)
		transport, err := oauth.NewTransport(url, source, base)
		if err != nil {
			t.Fatal(err)
		}
		return url, gateway.Upstream{Name: "up", URL: url + "/mcp", HTTP: &http.Client{Transport: transport}}
	}
	protocol := map[string]mcpconnect.Protocol{"grpc": mcpconnect.ProtocolGRPC, "grpcweb": mcpconnect.ProtocolGRPCWeb, "connect": mcpconnect.ProtocolConnect}[way]
	return url, gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url, mcpconnect.WithProtocol(protocol), mcpconnect.WithAuthorization(source))}
}
