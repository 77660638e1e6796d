// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/remote"
)

// network are the steps below the protocols.
type network struct {
	server *remote.Server
	url    *url.URL
}

func (n *network) resolve(ctx context.Context) (string, error) {
	host := n.url.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return host + " is an address", nil
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", &advised{err, "is the name spelt right, and known on this network?"}
	}
	return strings.Join(addrs, ", "), nil
}

func (n *network) connect(ctx context.Context) (string, error) {
	began := time.Now()
	conn, err := n.server.Dial(ctx)
	if err != nil {
		return "", &advised{err, "does the server run, does it listen on this address, and does no firewall stand between?"}
	}
	defer conn.Close()
	return fmt.Sprintf("%s in %v", conn.RemoteAddr(), time.Since(began).Round(10*time.Microsecond)), nil
}

// tlsConfig is what to begin TLS with.
func (n *network) tlsConfig() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.server.TLS != nil {
		c = n.server.TLS.Clone()
	}
	c.ServerName, c.NextProtos = n.url.Hostname(), []string{"h2", "http/1.1"}
	return c
}

func (n *network) dialTLS(ctx context.Context) (*tls.Conn, error) {
	conn, err := n.server.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := tls.Client(conn, n.tlsConfig())
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (n *network) handshake(ctx context.Context) (string, error) {
	c, err := n.dialTLS(ctx)
	if err != nil {
		return "", &advised{err, tlsAdvice(err)}
	}
	defer c.Close()
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	return fmt.Sprintf("%s, certificate for %s until %s", tls.VersionName(state.Version),
		firstOf(strings.Join(leaf.DNSNames, ", "), leaf.Subject.CommonName), leaf.NotAfter.UTC().Format(time.DateOnly)), nil
}

func tlsAdvice(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "nobody here knows who issued the certificate: name the CA with --ca"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "the certificate has expired, or this machine's clock is wrong"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is for another name: use that name in the URL"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS there: use http://, or another port"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "the server refuses: it may want a client certificate, see --cert"
	}
	return ""
}

// http2 finds out whether the server speaks HTTP/2: by ALPN over TLS, by prior knowledge in clear.
func (n *network) http2(ctx context.Context) (string, error) {
	const advice = "use --protocol grpcweb or connect with --http1, or http"
	if n.url.Scheme == "https" {
		c, err := n.dialTLS(ctx)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if got := c.ConnectionState().NegotiatedProtocol; got != "h2" {
			return "", &advised{fmt.Errorf("by ALPN the server chose %q", got), advice}
		}
		return "chosen by ALPN", nil
	}
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	t := &http.Transport{Protocols: p}
	defer t.CloseIdleConnections()
	res, err := n.get(ctx, t)
	if err != nil {
		return "", &advised{err, "in clear HTTP/2 needs a server that takes it without asking (h2c): " + advice}
	}
	_ = res.Body.Close()
	return "by prior knowledge (h2c)", nil
}

func (n *network) get(ctx context.Context, t http.RoundTripper) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	return t.RoundTrip(r)
}

// authentication asks for nothing in particular without credentials, and tells what the server
// wants.
func (n *network) authentication(ctx context.Context) (string, error) {
	t := &http.Transport{TLSClientConfig: n.server.TLS}
	if n.server.TLS != nil {
		t.TLSClientConfig = n.server.TLS.Clone()
	}
	defer t.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	target := strings.TrimSuffix(n.url.String(), "/") + "/mcp.v1.MCP/Ping"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := t.RoundTrip(r)
	if err != nil {
		return "", err
	}
	_ = res.Body.Close()
	challenge := res.Header.Get("WWW-Authenticate")
	switch {
	case challenge == "" && res.StatusCode != http.StatusUnauthorized:
		return "not needed, as far as can be told", nil
	case len(n.server.Header) > 0 || n.server.TLS != nil && len(n.server.TLS.Certificates) > 0:
		return "needed, and given: " + challenge, nil
	}
	return "", &advised{fmt.Errorf("needed: %s", firstOf(challenge, res.Status)), "use --token, --api-key or --cert"}
}
