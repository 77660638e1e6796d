// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/fetch"
	"github.com/mcpconnect/mcpconnect/internal/loopback"
)

const (
	fetchTimeout  = 30 * time.Second
	maxFetchBytes = 1 << 20
)

// newHTTPClient gives a client that a server out there cannot lead to what is only for us: it
// connects to public addresses only, unless the resource itself is named by another one, or private
// ones are allowed.
func newHTTPClient(resource *url.URL, roots *x509.CertPool, allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: fetchTimeout}
	guarded := &net.Dialer{Timeout: fetchTimeout, Control: onlyPublic}
	if allowPrivate || !isPublicName(resource.Hostname()) {
		guarded = dialer
	}
	var proxies sync.Map // by host and port: those may be anywhere
	transport := &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			proxy, err := http.ProxyFromEnvironment(r)
			if err == nil && proxy != nil {
				proxies.Store(addressOf(proxy), true)
			}
			return proxy, err
		},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, ok := proxies.Load(address); ok {
				return dialer.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: fetchTimeout,
		ForceAttemptHTTP2:   true,
		DisableKeepAlives:   true, // nobody closes them, and logins are few
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// addressOf is where net/http dials to for a proxy.
func addressOf(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	return net.JoinHostPort(proxy.Hostname(), port)
}

// onlyPublic refuses connections to addresses that are not public, whatever name has led there.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !isPublic(addr.Addr()) {
		return fmt.Errorf("%v is not a public address, and a public server has named it: AllowPrivate lets it", addr.Addr())
	}
	return nil
}

// isPublicName tells whether a host may have public addresses: names may, whatever they resolve to
// now.
func isPublicName(host string) bool {
	if loopback.IsHost(host) {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err != nil || isPublic(addr)
}

// reserved are the addresses that package netip takes for global unicast, and that are not public
// (RFC 6890): shared, this network, benchmarks, the future, and IPv4 behind NAT64 and 6to4.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// document gets a JSON document. Its errors say nothing of what is in it.
func document[T any](ctx context.Context, client *http.Client, rawURL string) (*T, error) {
	if !isSafe(rawURL) {
		return nil, errors.New("the URL is neither https nor on this machine")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	body, err := fetch.JSON(client, r, maxFetchBytes)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return nil, errors.New("the response is not the document that it should be")
	}
	return v, nil
}
