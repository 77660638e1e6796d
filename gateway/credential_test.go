// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A wiretap keeps all that an upstream is sent.
type wiretap struct {
	mu   sync.Mutex
	seen strings.Builder
}

// A tapped connection shows what is read from it.
type tapped struct {
	net.Conn

	tap *wiretap
}

func (c tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.tap.seen.Write(p[:n])
	return n, err
}

// note keeps the header of a request, which HTTP/2 compresses.
func (w *wiretap) note(h http.Header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintln(&w.seen, h)
}

func (w *wiretap) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.String()
}

// listenTapped is a listener whose connections show what is read from them.
type listenTapped struct {
	net.Listener

	tap *wiretap
}

func (l listenTapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return tapped{c, l.tap}, err
}

// TestCredentialsOfCallersStayHere: an upstream gets nothing of what a caller shows to the gateway, in
// headers or otherwise.
func TestCredentialsOfCallersStayHere(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	for _, way := range []string{"grpc", "grpcweb", "connect", "http", "child"} {
		for _, perUser := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, per user %t", way, perUser), func(t *testing.T) {
				t.Parallel()
				up, shown := tappedUpstream(t, way)
				up.PerUser = perUser
				g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
				tokens, err := authn.NewStatic(map[string]authn.Grant{canary + "-token": {Subject: "ann"}})
				if err != nil {
					t.Fatal(err)
				}
				url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{tokens})))
				for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
					c := rpctest.Dial(t, mcpconnect.NewTransport(url,
						mcpconnect.WithHeader("Authorization", "Bearer "+canary+"-token"), mcpconnect.WithHeader("Cookie", "session="+canary),
						mcpconnect.WithHeader("X-Forwarded-User", canary), mcpconnect.WithHeader("X-Custom", canary),
					), version, `{}`)
					call := callOf("greet", `{"name":"Ada"}`)
					if o := c.Call(rpctest.Context(t), call.method, call.paramsFor(version)); o.Err != nil || !strings.Contains(string(o.Result), "Hi Ada") {
						t.Errorf("%s: the call gave %v", version, o)
					}
				}
				seen := shown()
				if !strings.Contains(seen, "greet") {
					t.Errorf("the tap has not seen the calls: %d bytes", len(seen))
				}
				if strings.Contains(seen, canary) {
					t.Error("the upstream was shown the caller's credentials")
				}
			})
		}
	}
}

// tappedUpstream serves the everything-server in a way that shows all it is sent.
func tappedUpstream(t *testing.T, way string) (_ gateway.Upstream, seen func() string) {
	t.Helper()
	if way == "child" {
		path := filepath.Join(t.TempDir(), "seen")
		up := child(t, "up", "everything")
		up.Command = []string{"/bin/sh", "-c", `env >>"$1"; tee -a "$1" | "$0"`, up.Command[0], path}
		return up, func() string {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			return string(text)
		}
	}
	tap := &wiretap{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	h := mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tap.note(r.Header)
		h.ServeHTTP(w, r)
	}), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listenTapped{ln, tap}) }()
	t.Cleanup(func() {
		_ = h.Close()
		_ = server.Close()
		<-served
	})
	if way == "http" {
		return gateway.Upstream{Name: "up", URL: url + "/mcp"}, tap.text
	}
	protocol := map[string]mcpconnect.Protocol{"grpc": mcpconnect.ProtocolGRPC, "grpcweb": mcpconnect.ProtocolGRPCWeb, "connect": mcpconnect.ProtocolConnect}[way]
	return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url, mcpconnect.WithProtocol(protocol))}, tap.text
}
