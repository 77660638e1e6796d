// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/loopback"
)

// wellKnown is where RFC 9728 §3 has the metadata.
const wellKnown = "/.well-known/oauth-protected-resource"

// Metadata is the protected resource metadata of a server (RFC 9728): who it is to
// authorization servers, and where callers get tokens. It is fixed when it is made, and
// nothing in a request changes it. It is an [http.Handler] for its well-known paths, and
// safe for concurrent use.
type Metadata struct {
	doc  oauthex.ProtectedResourceMetadata
	url  string
	path string // of the resource; empty for the root
	body []byte
}

// NewMetadata checks a document and completes it: tokens are read from the header only.
// Resource must be the https URL under which clients reach the server, with the path that
// it is mounted under and nothing after that; http is accepted for loopback hosts. It
// fails for what would lead clients astray: another scheme, a query, a fragment, a
// trailing slash, capitals in the host, a scope that is none, or offline_access, which
// is between clients and authorization servers.
func NewMetadata(doc oauthex.ProtectedResourceMetadata) (*Metadata, error) {
	u, err := resourceURL(doc.Resource)
	if err != nil {
		return nil, fmt.Errorf("resource %q: %w", doc.Resource, err)
	}
	for _, issuer := range doc.AuthorizationServers {
		if err := checkIssuerURL(issuer); err != nil {
			return nil, fmt.Errorf("authorization server %q: %w", issuer, err)
		}
	}
	for _, s := range doc.ScopesSupported {
		if err := checkScope(s); err != nil {
			return nil, fmt.Errorf("scopes_supported: %w", err)
		}
		if s == "offline_access" {
			return nil, errors.New("scopes_supported: leave out offline_access: clients ask the authorization server for it")
		}
	}
	switch {
	case doc.BearerMethodsSupported == nil:
		doc.BearerMethodsSupported = []string{"header"}
	case !slices.Equal(doc.BearerMethodsSupported, []string{"header"}):
		return nil, fmt.Errorf("bearer_methods_supported: write %q or nothing: tokens are read from the header only", "header")
	}
	body, err := json.Marshal(&doc)
	if err != nil {
		return nil, err
	}
	return &Metadata{
		doc:  doc,
		url:  u.Scheme + "://" + u.Host + wellKnown + u.EscapedPath(),
		path: u.Path,
		body: body,
	}, nil
}

// Document gives a copy of the document.
func (m *Metadata) Document() oauthex.ProtectedResourceMetadata {
	doc := m.doc
	doc.AuthorizationServers = slices.Clone(doc.AuthorizationServers)
	doc.ScopesSupported = slices.Clone(doc.ScopesSupported)
	return doc
}

// URL gives where clients find the document: the well-known path goes between the host
// and the path of the resource (RFC 9728 §3.1).
func (m *Metadata) URL() string { return m.url }

// Resource gives the resource identifier, which the audience of tokens has to be.
func (m *Metadata) Resource() string { return m.doc.Resource }

// Paths gives the paths that a server has to serve the document at: the one of URL, and
// the one at the root, which clients try next. They are at the root of the host, whatever
// the server is mounted under. A nil Metadata has none.
func (m *Metadata) Paths() []string {
	if m == nil {
		return nil
	}
	if m.path == "" {
		return []string{wellKnown}
	}
	return []string{wellKnown, wellKnown + m.path}
}

// ServeHTTP serves the document to anybody, from any origin.
func (m *Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case !slices.Contains(m.Paths(), r.URL.Path):
		http.NotFound(w, r)
	case r.Method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Mcp-Protocol-Version")
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case r.URL.RawQuery != "":
		// Each query would be another entry in every cache on the way.
		http.Error(w, "no query here", http.StatusBadRequest)
	default:
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("Content-Length", strconv.Itoa(len(m.body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(m.body) // the client may be gone
		}
	}
}

// resourceURL checks a resource identifier (MCP, "Canonical server URI").
func resourceURL(text string) (*url.URL, error) {
	u, err := secureURL(text)
	switch {
	case err != nil:
		return nil, err
	case u.Path == "/":
		u.Path = "" // goes away in front of the well-known path (RFC 9728 §3.1)
		return u, nil
	case strings.HasSuffix(u.Path, "/"):
		return nil, errors.New("leave out the slash at the end: identifiers are compared byte for byte")
	case u.Path != "" && cleanPath(u.Path) != u.Path:
		return nil, errors.New("write the path without empty, \".\" and \"..\" segments")
	}
	return u, nil
}

// secureURL checks a URL that credentials depend on.
func secureURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("this is no URL: write one like https://mcp.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback.IsHost(u.Hostname())):
		return nil, errors.New("write an https URL: only loopback hosts may have http")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("write a URL with a host")
	case u.User != nil:
		return nil, errors.New("leave out user and password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, errors.New("leave out query and fragment")
	case u.Host != strings.ToLower(u.Host):
		return nil, errors.New("write the host in lower case: identifiers are compared byte for byte")
	case strings.ContainsAny(text, "\"\\| \t\r\n"):
		return nil, errors.New("leave out quotes, backslashes, bars and spaces")
	}
	return u, nil
}

// checkIssuerURL checks an issuer identifier (RFC 8414 §2).
func checkIssuerURL(text string) error {
	_, err := secureURL(text)
	return err
}
