// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"crypto/tls"
	"net/http"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
)

// A Protocol is one of the three ways to speak to a server. All of them carry the same
// messages, and a [Handler] serves all of them on one port.
type Protocol int

const (
	// ProtocolGRPC is gRPC. It needs HTTP/2 from end to end.
	ProtocolGRPC Protocol = iota
	// ProtocolGRPCWeb is gRPC-Web, for proxies that do not pass HTTP trailers on.
	ProtocolGRPCWeb
	// ProtocolConnect is the Connect protocol: errors and metadata of plain HTTP.
	ProtocolConnect
)

// String gives the name of p for people.
func (p Protocol) String() string {
	switch p {
	case ProtocolGRPC:
		return "gRPC"
	case ProtocolGRPCWeb:
		return "gRPC-Web"
	case ProtocolConnect:
		return "Connect"
	}
	return "unknown protocol"
}

// A ClientOption changes how [NewTransport] and [NewClient] reach their server, or what a
// [Client] can do. If an option is given twice the last one counts, except that each
// [WithHeader] and [WithClientConnectOptions] adds to those before.
type ClientOption interface {
	apply(*clientConfig)
}

type clientOptionFunc func(*clientConfig)

func (f clientOptionFunc) apply(c *clientConfig) { f(c) }

type clientConfig struct {
	protocol     Protocol
	http1        bool
	httpClient   *http.Client
	tls          *tls.Config
	header       http.Header
	messageBytes int
	compression  bool
	connect      []connect.ClientOption

	authorization auth.OAuthHandler
	insecure      bool

	typed typedConfig
}

func newClientConfig(opts []ClientOption) *clientConfig {
	c := &clientConfig{header: http.Header{}, messageBytes: defaultMessageBytes}
	for _, opt := range opts {
		opt.apply(c)
	}
	return c
}

// defaultMessageBytes is the limit of SPEC.md §12, the same as that of a [Handler].
const defaultMessageBytes = 4 << 20

// WithProtocol sets the protocol. By default, gRPC.
func WithProtocol(p Protocol) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.protocol = p })
}

// WithHTTP1 speaks HTTP/1.1, to servers and through proxies that have no HTTP/2, or none
// without TLS. It works with gRPC-Web and Connect; with gRPC, which needs HTTP/2, the
// first use fails. By default, an http:// URL means HTTP/2 by prior knowledge (h2c), and
// with https:// the server chooses.
//
// Together with [WithHTTPClient] it says what that client speaks.
func WithHTTP1() ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.http1 = true })
}

// WithHTTPClient sends the RPCs with client, which stays the caller's: it is never
// closed. It must speak HTTP/2 to the server, in clear for http:// URLs, unless
// [WithHTTP1] is given too, and must have no Timeout, which would cut off streams. Redirects to
// another origin are not followed, whatever it says: what [WithHeader] adds is not for others. By
// default, or if client is nil, there is one for each [Transport] connection and each
// [Client], which finds dead HTTP/2 peers by pings.
func WithHTTPClient(client *http.Client) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.httpClient = client })
}

// WithTLSClientConfig sets the TLS configuration for https:// URLs: roots, client
// certificates. It is cloned. It cannot be used with [WithHTTPClient], which has its own.
// By default, or if config is nil, the system's roots.
func WithTLSClientConfig(config *tls.Config) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.tls = config.Clone() })
}

// WithHeader adds a header to every RPC, for example an authorization. Values that change
// are better set by an interceptor (see [WithClientConnectOptions]) or by the HTTP client.
func WithHeader(key, value string) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.header.Add(key, value) })
}

// WithMaxMessageBytes sets the largest message that is taken from the server, on the wire
// and after decompression. What is larger fails with resource_exhausted, and ends the
// stream that it came on. By default, or if n is not positive, 4 MiB.
func WithMaxMessageBytes(n int) ClientOption {
	return clientOptionFunc(func(c *clientConfig) {
		if c.messageBytes = n; n <= 0 {
			c.messageBytes = defaultMessageBytes
		}
	})
}

// WithCompression lets the server compress its answers with gzip, for connections on which
// bytes cost more than CPU time: compressing 64 KiB takes a server some milliseconds. By
// default messages are not compressed. Requests never are, unless an option of
// [WithClientConnectOptions] says so.
func WithCompression() ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.compression = true })
}

// WithClientConnectOptions passes options to the Connect client of the service, after
// those of this package: interceptors, for example. The protocol is set by [WithProtocol].
func WithClientConnectOptions(opts ...connect.ClientOption) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.connect = append(c.connect, opts...) })
}
