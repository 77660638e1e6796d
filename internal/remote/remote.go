// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package remote reaches MCP servers that a URL names, for the command: over any protocol, with
// credentials that go to that server only.
package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/loopback"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// Protocols are the names of the protocols, the default first.
var Protocols = []string{"grpc", "grpcweb", "connect", "http"}

// A Server says where a server is, and how to speak to it.
type Server struct {
	// URL is where it is: scheme, host, and the path that it is mounted under. For
	// Streamable HTTP a URL without a path means the path /mcp.
	URL string
	// Protocol is one of Protocols. If empty, the first.
	Protocol string
	// HTTP1 speaks HTTP/1.1.
	HTTP1 bool
	// Header goes with every request.
	Header http.Header
	// TLS has private CAs and client certificates. If nil, the system's roots.
	TLS *tls.Config
	// Authorization has the tokens. It may be nil.
	Authorization auth.OAuthHandler
	// MaxMessageBytes bounds what is taken. If zero, 4 MiB.
	MaxMessageBytes int
	// Failed is told the code of each request that fails, as far as HTTP or an RPC says it. It
	// may be nil, and must be safe for concurrent use.
	Failed func(connect.Code)
}

// Check tells what is wrong with the description.
func (s *Server) Check() error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil:
		return fmt.Errorf("URL %q: %w", s.URL, errors.Unwrap(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("URL %q: want http:// or https://", u.Redacted())
	case u.Host == "":
		return fmt.Errorf("URL %q has no host", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("URL %q: credentials do not belong into URLs: use a header", u.Redacted())
	case !slices.Contains(Protocols, s.protocol()):
		return fmt.Errorf("protocol %q: want one of %s", s.Protocol, strings.Join(Protocols, ", "))
	case s.HTTP1 && s.protocol() == "grpc":
		return errors.New("gRPC needs HTTP/2: with HTTP/1.1 use the protocol grpcweb, connect or http")
	case u.Scheme == "http" && s.TLS != nil:
		return fmt.Errorf("URL %q: certificates are for https://", s.URL)
	case u.Scheme == "http" && s.hasCredentials() && !loopback.IsHost(u.Hostname()):
		return fmt.Errorf("URL %q: credentials go in clear over http:// to this machine only: use https://", s.URL)
	}
	return nil
}

func (s *Server) protocol() string {
	if s.Protocol == "" {
		return Protocols[0]
	}
	return s.Protocol
}

// hasCredentials tells whether a header may be one. Those that are not are few.
func (s *Server) hasCredentials() bool {
	for name := range s.Header {
		switch http.CanonicalHeaderKey(name) {
		case "User-Agent", "Accept-Language", "Traceparent", "Tracestate", "Baggage", "X-Request-Id":
		default:
			return true
		}
	}
	return false
}

// Endpoint is the URL of Streamable HTTP.
func (s *Server) Endpoint() string {
	u, err := url.Parse(s.URL)
	if err == nil && (u.Path == "" || u.Path == "/") {
		u.Path = "/mcp"
		return u.String()
	}
	return s.URL
}

// Upstream is the server as a gateway has it.
func (s *Server) Upstream(name string) (gateway.Upstream, error) {
	if err := s.Check(); err != nil {
		return gateway.Upstream{}, err
	}
	if s.protocol() == "http" {
		return gateway.Upstream{Name: name, URL: s.Endpoint(), HTTP: s.HTTPClient()}, nil
	}
	return gateway.Upstream{Name: name, Transport: mcpconnect.NewTransport(s.URL, s.Options()...)}, nil
}

// Transport is the way to the server for a client of the SDK.
func (s *Server) Transport() (mcp.Transport, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.protocol() == "http" {
		return &mcp.StreamableClientTransport{Endpoint: s.Endpoint(), HTTPClient: s.HTTPClient()}, nil
	}
	return mcpconnect.NewTransport(s.URL, s.Options()...), nil
}

// Options are those of a client of gRPC, gRPC-Web or Connect.
func (s *Server) Options() []mcpconnect.ClientOption {
	protocol := map[string]mcpconnect.Protocol{
		"grpc": mcpconnect.ProtocolGRPC, "grpcweb": mcpconnect.ProtocolGRPCWeb, "connect": mcpconnect.ProtocolConnect,
	}[s.protocol()]
	opts := []mcpconnect.ClientOption{mcpconnect.WithProtocol(protocol), mcpconnect.WithMaxMessageBytes(s.MaxMessageBytes)}
	if s.HTTP1 {
		opts = append(opts, mcpconnect.WithHTTP1())
	}
	if s.TLS != nil {
		opts = append(opts, mcpconnect.WithTLSClientConfig(s.TLS))
	}
	if s.Failed != nil {
		opts = append(opts, mcpconnect.WithClientConnectOptions(connect.WithInterceptors(observer(s.Failed))))
	}
	if s.Authorization != nil {
		opts = append(opts, mcpconnect.WithAuthorization(s.Authorization))
	}
	for name, values := range s.Header {
		for _, value := range values {
			opts = append(opts, mcpconnect.WithHeader(name, value))
		}
	}
	return opts
}

// HTTPClient sends the header with every request, and follows redirects within the server's
// origin only.
func (s *Server) HTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // that is what it is
	t.MaxIdleConnsPerHost = 64
	if s.TLS != nil {
		t.TLSClientConfig = s.TLS.Clone()
	}
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(!s.HTTP1)
	t.Protocols = p
	client := &http.Client{Transport: &headerTransport{t, s.Header, s.Failed}, CheckRedirect: sameOrigin}
	if s.Authorization != nil {
		if authorized, err := oauth.NewTransport(s.resource(), s.Authorization, client.Transport); err == nil { // or Check has said so
			client.Transport = authorized
		}
	}
	return client
}

func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case r.URL.Scheme != first.Scheme || r.URL.Host != first.Host:
		return fmt.Errorf("the server redirects to another origin: %s", r.URL.Host)
	case len(via) >= 5:
		return errors.New("too many redirects")
	}
	return nil
}

// Dial opens a TCP connection to the server's address. It does not speak TLS on it.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", Address(u))
}

// Address is the host and port that a URL means.
func Address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
