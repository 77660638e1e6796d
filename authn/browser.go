// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
)

// GateConfig says from which web pages, and under which names, a server may be called.
type GateConfig struct {
	// Origins are the origins of pages that may call the server, as browsers send them:
	// "https://app.example.com", or "http://localhost:5173". They are compared byte for
	// byte. "null", which pages have that are nobody's, can be named too. If empty, no
	// page may.
	Origins []string
	// Hosts are the names under which the server is called, with the port if it is not the
	// scheme's own: "mcp.example.com", or "mcp.example.com:8443". If empty, any name will
	// do, except on loopback addresses: there it has to be one for this machine.
	Hosts []string
}

// A Gate refuses requests from web pages that have no business here: with HTTP status 403
// and no more, whatever the protocol, before anything else looks at them. To pages that may
// call it gives what they need to read the answers (CORS). Requests without an Origin are
// not from pages of others, and pass.
//
// It is no authentication: clients that are no browsers write into Origin and Host what
// they want. It is safe for concurrent use.
type Gate struct {
	origins []string
	hosts   []string
	cors    *cors.Cors
}

// NewGate makes a Gate. It fails for origins and hosts that no browser would send, and for
// "*": every page in the world is not a list.
func NewGate(cfg GateConfig) (*Gate, error) {
	for _, o := range cfg.Origins {
		if err := checkOrigin(o); err != nil {
			return nil, fmt.Errorf("origin %q: %w", o, err)
		}
	}
	for _, h := range cfg.Hosts {
		if err := checkHost(h); err != nil {
			return nil, fmt.Errorf("host %q: %w", h, err)
		}
	}
	g := &Gate{origins: slices.Clone(cfg.Origins), hosts: slices.Clone(cfg.Hosts)}
	g.cors = cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return slices.Contains(g.origins, origin) },
		AllowedMethods:  connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), headerAuthorization, headerAPIKey, "If-None-Match",
			"Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id", "Traceparent", "Tracestate", "Baggage"),
		ExposedHeaders: append(connectcors.ExposedHeaders(), "Www-Authenticate", "Retry-After", "Etag", "Mcp-Session-Id"),
		MaxAge:         7200, // seconds; browsers allow no more
	})
	return g, nil
}

func checkOrigin(o string) error {
	if o == "null" {
		return nil
	}
	u, err := url.Parse(o)
	switch {
	case strings.Contains(o, "*"):
		return errors.New("name the origins one by one: a pattern lets pages in that you do not know")
	case err != nil || u.Scheme == "" || u.Host == "" || u.User != nil:
		return errors.New("write scheme and host, like https://app.example.com")
	case u.Scheme+"://"+u.Host != o:
		return errors.New("write scheme, host and port only, without a slash at the end")
	case strings.ToLower(o) != o:
		return errors.New("write it in lower case, as browsers do")
	case (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80"):
		return errors.New("leave out the port: browsers do if it is the scheme's own")
	}
	return nil
}

func checkHost(h string) error {
	host, _ := splitHost(h)
	switch {
	case strings.Contains(h, "*"):
		return errors.New("name the hosts one by one")
	case h == "" || host == "" || strings.ContainsAny(h, "/@?# "):
		return errors.New("write a host, with a port if it is not the scheme's own")
	case strings.ToLower(h) != h:
		return errors.New("write it in lower case")
	}
	return nil
}

var (
	errOrigin = errors.New("this origin may not call the server")
	errHost   = errors.New("the server is not called that")
)

// Check says whether r may pass. Its errors are for logs.
func (g *Gate) Check(r *http.Request) error {
	if !g.goodHost(r) {
		return errHost
	}
	switch origins := r.Header["Origin"]; len(origins) {
	case 0:
		return nil
	case 1:
		if slices.Contains(g.origins, origins[0]) {
			return nil
		}
	}
	return errOrigin
}

// goodHost defends against DNS rebinding: a page of an attacker whose name leads to this
// server after it was loaded, so that the browser takes it for the server's own.
func (g *Gate) goodHost(r *http.Request) bool {
	if len(g.hosts) > 0 {
		return slices.Contains(g.hosts, strings.ToLower(r.Host))
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() {
		return true
	}
	host, ok := splitHost(r.Host)
	return ok && isLoopbackName(host)
}

// splitHost gives a host without its port, false if it is neither a name nor an address.
func splitHost(hostport string) (host string, ok bool) {
	host = hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host, ok = strings.CutSuffix(inner, "]")
		if !ok {
			return "", false
		}
	}
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		return host, err == nil && addr.Zone() == ""
	}
	return host, host != ""
}

// Wrap gives a handler that calls next for requests that may pass.
func (g *Gate) Wrap(next http.Handler) http.Handler {
	shared := g.cors.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.Check(r); err != nil {
			unread(w).Set("Vary", "Origin")
			http.Error(w, "forbidden: "+err.Error(), http.StatusForbidden)
			return
		}
		if r.Header["Origin"] == nil && r.Method != http.MethodOptions {
			next.ServeHTTP(w, r) // not from a page of others
			return
		}
		shared.ServeHTTP(w, r)
	})
}
