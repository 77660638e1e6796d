// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/internal/authntest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// patience bounds every wait of the tests.
const patience = 30 * time.Second

// A wire is one way to reach a handler.
type wire struct {
	name    string
	tls     bool
	http1   bool
	options []connect.ClientOption
}

var wires = []wire{
	{"gRPC over TLS", true, false, []connect.ClientOption{connect.WithGRPC()}},
	{"gRPC in clear", false, false, []connect.ClientOption{connect.WithGRPC()}},
	{"gRPC-Web over HTTP/1.1", false, true, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"gRPC-Web over HTTP/2", true, false, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"Connect proto over HTTP/2", false, false, nil},
	{"Connect proto over HTTP/1.1 and TLS", true, true, nil},
	{"Connect JSON over HTTP/1.1", false, true, []connect.ClientOption{connect.WithProtoJSON()}},
	{"Connect JSON over HTTP/2 and TLS", true, false, []connect.ClientOption{connect.WithProtoJSON()}},
}

func (w wire) grpc() bool    { return strings.HasPrefix(w.name, "gRPC ") }
func (w wire) grpcWeb() bool { return strings.HasPrefix(w.name, "gRPC-Web") }

// A site is a handler that can be reached on all wires, with and without a name of its own.
type site struct {
	clear, secure, socket string // addresses
	roots                 *x509.CertPool
}

// serve serves h on three listeners until the test ends: in clear, over TLS, and on a Unix
// socket. clients are the CAs whose client certificates TLS accepts.
func serve(t testing.TB, h http.Handler, clients *x509.CertPool) *site {
	t.Helper()
	ca := authntest.NewCA("servers")
	cert := ca.Issue(func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
	s := &site{roots: ca.Pool(), socket: filepath.Join(t.TempDir(), "s")}
	s.clear = start(t, "tcp", "127.0.0.1:0", h, nil)
	s.secure = start(t, "tcp", "127.0.0.1:0", h, &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients, MinVersion: tls.VersionTLS12,
	})
	start(t, "unix", s.socket, h, nil)
	return s
}

func start(t testing.TB, network, address string, h http.Handler, config *tls.Config) string {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- mcpconnect.Serve(ctx, ln, unclosed{h}, mcpconnect.WithTLSConfig(config), mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(patience))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
	})
	return ln.Addr().String()
}

// unclosed hides Close from Serve: a handler is served three times.
type unclosed struct{ http.Handler }

var quiet = slog.New(slog.DiscardHandler)

// A caller is one client with its credentials. It notes what comes back.
type caller struct {
	wire   wire
	url    string
	client *http.Client
	rec    *recorder
}

// credential is what a caller shows.
type credential struct {
	header http.Header
	query  string
	cert   *tls.Certificate
	socket bool // over the Unix socket
}

// call gives a caller on a wire.
func (s *site) call(t testing.TB, w wire, c credential) *caller {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(w.http1)
	p.SetHTTP2(!w.http1)
	p.SetUnencryptedHTTP2(!w.http1)
	network, address, url := "tcp", s.clear, "http://"+s.clear
	if w.tls && !c.socket {
		address, url = s.secure, "https://"+s.secure
	}
	if c.socket {
		network, address, url = "unix", s.socket, "http://localhost"
	}
	config := &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if c.cert != nil {
		// Otherwise it would be sent to servers only that say that they take it.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.cert, nil }
	}
	transport := &http.Transport{
		Protocols: p, TLSClientConfig: config,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	rec := &recorder{next: transport, add: c.header, query: c.query}
	return &caller{w, url, &http.Client{Transport: rec}, rec}
}

func (c *caller) mcp(opts ...connect.ClientOption) mcpv1connect.MCPClient {
	return mcpv1connect.NewMCPClient(c.client, c.url, append(slices.Clone(c.wire.options), opts...)...)
}

func (c *caller) discovery(opts ...connect.ClientOption) mcpv1connect.AuthDiscoveryClient {
	return mcpv1connect.NewAuthDiscoveryClient(c.client, c.url, append(slices.Clone(c.wire.options), opts...)...)
}

// A recorder adds headers to requests, and keeps the last response.
type recorder struct {
	next  http.RoundTripper
	add   http.Header
	query string

	mu  sync.Mutex
	res *http.Response
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if r.query != "" {
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+r.query, "&")
	}
	for name, values := range r.add {
		if name == "Host" {
			req.Host = values[0]
			continue
		}
		req.Header[name] = values
	}
	res, err := r.next.RoundTrip(req)
	if err == nil {
		r.mu.Lock()
		r.res = res
		r.mu.Unlock()
	}
	return res, err
}

// last gives the status of the last response, and what it says of credentials, in headers
// and trailers.
func (r *recorder) last() (status int, challenges []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.res == nil {
		return 0, nil
	}
	return r.res.StatusCode, append(r.res.Header.Values("Www-Authenticate"), r.res.Trailer.Values("Www-Authenticate")...)
}

// text gives the headers and trailers of the last response.
func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.res == nil {
		return ""
	}
	return fmt.Sprint(r.res.Header, r.res.Trailer)
}

// fetch gets a page, and gives its status, header and text.
func (c *caller) fetch(t testing.TB, method, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), method, c.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func bearer(token string) credential {
	return credential{header: http.Header{"Authorization": {"Bearer " + token}}}
}

func apiKey(key string) credential { return credential{header: http.Header{"X-Mcp-Api-Key": {key}}} }
