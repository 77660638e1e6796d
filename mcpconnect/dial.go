// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/internal/httpclient"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A link is the way to one server.
type link struct {
	rpc       mcpv1connect.MCPClient
	stream    mcpv1connect.MCPClient // for Connect alone, with envelopes as wire.Codec leaves them
	discovery mcpv1connect.AuthDiscoveryClient
	duplex    bool // Connect streams work: HTTP/2, and a protocol that has them
	close     func()
}

// dial gives the link to the server at rawURL. It opens no connection yet.
func (c *clientConfig) dial(rawURL string) (*link, error) {
	base, err := c.check(rawURL)
	if err != nil {
		return nil, err
	}
	l := &link{duplex: !c.http1 && c.protocol != ProtocolGRPCWeb, close: func() {}}
	client := c.httpClient
	if client == nil {
		client, l.close = httpclient.New(httpclient.Config{
			Secure:    base.Scheme == "https",
			TLS:       c.tls,
			HTTP1:     c.http1,
			HTTP2Only: c.protocol == ProtocolGRPC,
		})
	}
	if client, err = c.authorized(base, client); err != nil {
		l.close()
		return nil, err
	}
	l.discovery = mcpv1connect.NewAuthDiscoveryClient(client, base.String(), c.connectOptions()...)
	l.rpc = mcpv1connect.NewMCPClient(promptly{client}, base.String(), c.connectOptions()...)
	l.stream = mcpv1connect.NewMCPClient(promptly{client}, base.String(), c.connectOptions(connect.WithCodec(wire.Codec{}))...)
	return l, nil
}

// promptly ends Connect streams with their context. While a request waits for a server
// that reads no more, net/http does not look at the context: closing the response is what
// ends both.
type promptly struct{ client *http.Client }

var _ connect.HTTPClient = promptly{}

// Do implements [connect.HTTPClient].
func (p promptly) Do(r *http.Request) (*http.Response, error) {
	res, err := p.client.Do(r) //nolint:gosec // the URL is the one that the program gives
	if err == nil && strings.HasSuffix(r.URL.Path, mcpv1connect.MCPConnectProcedure) {
		context.AfterFunc(r.Context(), func() { _ = res.Body.Close() }) // the stream's error says more
	}
	return res, err
}

// check finds mistakes in the URL and in options that do not go together.
func (c *clientConfig) check(rawURL string) (*url.URL, error) {
	if !strings.Contains(rawURL, "://") {
		return nil, fmt.Errorf("mcpconnect: URL %q has no scheme: write %q, or %q for TLS", rawURL, "http://"+rawURL, "https://"+rawURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("mcpconnect: URL %q: %w", rawURL, err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("mcpconnect: URL %q has the scheme %q: write http://, or https:// for TLS", rawURL, u.Scheme)
	case u.Host == "":
		return nil, fmt.Errorf("mcpconnect: URL %q has no host: write one, as in %q", rawURL, u.Scheme+"://127.0.0.1:8080")
	case u.User != nil:
		return nil, fmt.Errorf("mcpconnect: URL %q holds credentials: remove them, and write WithHeader(\"authorization\", …)", u.Redacted())
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("mcpconnect: URL %q has a query or a fragment: write scheme, host and the handler's path alone", rawURL)
	case c.protocol < ProtocolGRPC || c.protocol > ProtocolConnect:
		return nil, fmt.Errorf("mcpconnect: WithProtocol(%d): write ProtocolGRPC, ProtocolGRPCWeb or ProtocolConnect", c.protocol)
	case c.http1 && c.protocol == ProtocolGRPC:
		return nil, fmt.Errorf("mcpconnect: gRPC needs HTTP/2: remove WithHTTP1, or write WithProtocol(ProtocolGRPCWeb) or WithProtocol(ProtocolConnect) with it")
	case c.tls != nil && u.Scheme == "http":
		return nil, fmt.Errorf("mcpconnect: WithTLSClientConfig needs TLS: write %q, or remove it", "https"+strings.TrimPrefix(rawURL, "http"))
	case c.tls != nil && c.httpClient != nil:
		return nil, fmt.Errorf("mcpconnect: WithTLSClientConfig has no effect on the client of WithHTTPClient: configure TLS there")
	}
	return u, c.checkCredentials(u)
}

// connectOptions are the options of the service's client. Messages travel as they are,
// both ways: a gzip writer costs more than all the rest of a call. Users may ask for
// compressed answers.
func (c *clientConfig) connectOptions(more ...connect.ClientOption) []connect.ClientOption {
	opts := []connect.ClientOption{
		connect.WithReadMaxBytes(c.messageBytes),
		connect.WithCompressMinBytes(compressMinBytes), // for users who ask for compression
		c.acceptGzip(),
		connect.WithInterceptors(metadataInterceptor{fixed: c.header}),
	}
	opts = append(opts, more...)
	opts = append(opts, c.connect...)
	switch c.protocol {
	case ProtocolGRPC:
		opts = append(opts, connect.WithGRPC())
	case ProtocolGRPCWeb:
		opts = append(opts, connect.WithGRPCWeb())
	case ProtocolConnect: // connect's default
	}
	return opts
}
