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

	"github.com/mcpconnect/mcpconnect/internal/loopback"
)

// GateConfig says from which web pages, and under which names, a server may be called.
type GateConfig struct {
	// Origins are the origins of pages that may call the server, as browsers send them:
	// "https://app.example.com", or "http://localhost:5173". They are compared byte for
	// byte. "null", which pages have that are nobody's, can be named too. Beside them, the
	// server's own pages may, where it is certain what it is called: on loopback addresses,
	// and if there are Hosts.
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
	g.cors = g.newCORS(nil)
	return g, nil
}

// newCORS makes the rules for what the origins' pages may send and read; headers are allowed
// beside those that everybody may send.
func (g *Gate) newCORS(headers []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return slices.Contains(g.origins, origin) },
		AllowedMethods:  append(connectcors.AllowedMethods(), http.MethodDelete), // of sessions over Streamable HTTP
		AllowedHeaders: slices.Concat(connectcors.AllowedHeaders(), []string{headerAuthorization, headerAPIKey, "If-None-Match",
			"Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id", "Last-Event-Id", "Traceparent", "Tracestate", "Baggage"}, headers),
		ExposedHeaders: append(connectcors.ExposedHeaders(), "Www-Authenticate", "Retry-After", "Etag", "Mcp-Session-Id"),
		MaxAge:         7200, // seconds; browsers allow no more
	})
}

const (
	// headerParam begins the names of the headers that mirror arguments of a tool (SPEC.md
	// §7.1). What follows is up to the tool.
	headerParam = "mcp-param-"
	// maxParams bounds how many of them one preflight asks for.
	maxParams = 64
)

// paramHeaders gives those of them that a preflight asks for.
func paramHeaders(r *http.Request) []string {
	if r.Method != http.MethodOptions {
		return nil
	}
	var found []string
	for _, line := range r.Header["Access-Control-Request-Headers"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if len(name) > len(headerParam) && strings.EqualFold(name[:len(headerParam)], headerParam) && len(found) < maxParams {
				found = append(found, name)
			}
		}
	}
	return found
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
	ok, certain := g.goodHost(r)
	if !ok {
		return errHost
	}
	switch origins := r.Header["Origin"]; len(origins) {
	case 0:
		// What a page gets without an origin, an image for example, says where it is from.
		if site := r.Header.Get("Sec-Fetch-Site"); site == "" || site == "same-origin" || site == "none" {
			return nil
		}
	case 1:
		if slices.Contains(g.origins, origins[0]) || certain && origins[0] == ownOrigin(r) {
			return nil
		}
	}
	return errOrigin
}

// ownOrigin is the origin of pages that come from where r goes to.
func ownOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.ToLower(r.Host)
	}
	return "http://" + strings.ToLower(r.Host)
}

// goodHost defends against DNS rebinding: a page of an attacker whose name leads to this
// server after it was loaded, so that the browser takes it for the server's own. Where no
// name is known any will do, and it is not certain that it is this server's.
func (g *Gate) goodHost(r *http.Request) (ok, certain bool) {
	if len(g.hosts) > 0 {
		ok = slices.Contains(g.hosts, strings.ToLower(r.Host))
		return ok, ok
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() {
		return true, false
	}
	host, ok := splitHost(r.Host)
	ok = ok && loopback.IsHost(host)
	return ok, ok
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
			unread(w, r).Set("Vary", "Origin")
			http.Error(w, "forbidden: "+err.Error(), http.StatusForbidden)
			return
		}
		if r.Header["Origin"] == nil && r.Method != http.MethodOptions {
			next.ServeHTTP(w, r) // not from a page of others
			return
		}
		if params := paramHeaders(r); params != nil {
			g.newCORS(params).Handler(next).ServeHTTP(w, r) // once in two hours per page
			return
		}
		shared.ServeHTTP(w, r)
	})
}
