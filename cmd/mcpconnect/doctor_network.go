// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/fetch"
	"github.com/mcpconnect/mcpconnect/internal/remote"
	"github.com/mcpconnect/mcpconnect/oauth"
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

// metadata finds out who gives tokens for the server, as clients do.
func (n *network) metadata(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cfg, err := n.server.OAuth()
	if err != nil {
		return "", err
	}
	m, err := n.findMetadata(ctx, cfg)
	switch {
	case errors.Is(err, oauth.ErrNoMetadata):
		return "none: the server does not say who gives tokens for it", nil
	case err != nil:
		return "", &advised{err, "the server is to give one document by AuthDiscovery/GetMetadata and at its well-known path"}
	case cfg.Resource != m.Resource && !strings.HasPrefix(cfg.Resource, strings.TrimSuffix(m.Resource, "/")+"/"):
		return "", &advised{fmt.Errorf("it is for %s, and not for %s", m.Resource, cfg.Resource), "use that URL, or have the server's resource be the URL that clients use"}
	}
	return "tokens for " + m.Resource + " are given by " + firstOf(strings.Join(m.AuthorizationServers, ", "), "nobody"), nil
}

// findMetadata asks by RPC, or, where there are none, at the well-known paths.
func (n *network) findMetadata(ctx context.Context, cfg oauth.Config) (*oauthex.ProtectedResourceMetadata, error) {
	if cfg.Metadata != nil {
		return cfg.Metadata(ctx)
	}
	u, err := url.Parse(cfg.Resource)
	if err != nil {
		return nil, err
	}
	t := n.plain()
	defer t.CloseIdleConnections()
	for _, path := range []string{strings.TrimSuffix(u.Path, "/"), ""} {
		at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/oauth-protected-resource" + path}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
		if err != nil {
			return nil, err
		}
		text, err := fetch.JSON(&http.Client{Transport: t}, r, 1<<20)
		if fetch.IsMissing(err) {
			continue
		}
		m := new(oauthex.ProtectedResourceMetadata)
		if err == nil {
			err = json.Unmarshal(text, m)
		}
		return m, err
	}
	return nil, oauth.ErrNoMetadata
}

// plain is a transport of net/http alone.
func (n *network) plain() *http.Transport {
	t := &http.Transport{}
	if n.server.TLS != nil {
		t.TLSClientConfig = n.server.TLS.Clone()
	}
	return t
}

// authentication asks for nothing in particular without credentials, and tells what the server
// wants.
func (n *network) authentication(ctx context.Context) (string, error) {
	t := n.plain()
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
	case n.loggedIn(ctx):
		return "needed, and given by mcpconnect login: " + challenge, nil
	case n.server.Authorization != nil:
		return "", &advised{errors.New("needed, and the login has ended"), "log in again: mcpconnect login"}
	}
	return "", &advised{fmt.Errorf("needed: %s", firstOf(challenge, res.Status)), "use mcpconnect login, --token, --api-key or --cert"}
}

// loggedIn tells whether mcpconnect login has left a token that is good.
func (n *network) loggedIn(ctx context.Context) bool {
	if n.server.Authorization == nil {
		return false
	}
	source, err := n.server.Authorization.TokenSource(ctx)
	return err == nil && source != nil
}
