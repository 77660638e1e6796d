// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A head is the pseudo-header fields of a request.
type head struct{ method, scheme, path, authority string }

// headOf reads them (RFC 9113 §8.3.1). The framer has seen to it that they come first, and once.
func headOf(f *http2.MetaHeadersFrame) (h head, ok bool) {
	for _, field := range f.PseudoFields() {
		switch field.Name {
		case ":method":
			h.method = field.Value
		case ":scheme":
			h.scheme = field.Value
		case ":path":
			h.path = field.Value
		case ":authority":
			h.authority = field.Value
		default:
			return h, false // ":protocol" is for who has been told that it may (RFC 8441)
		}
	}
	if h.method == http.MethodConnect {
		return h, h.path == "" && h.scheme == "" && h.authority != ""
	}
	isPath := strings.HasPrefix(h.path, "/") || h.path == "*"
	return h, h.method != "" && isPath && (h.scheme == "http" || h.scheme == "https")
}

// headerOf reads the other fields. It is false for those that have no business in HTTP/2 (RFC 9113
// §8.2.2).
func headerOf(fields []hpack.HeaderField) (http.Header, bool) {
	header := make(http.Header, len(fields))
	values := make([]string, len(fields))
	crumbs := false
	for _, field := range fields {
		name := canonical(field.Name)
		if isOfConnection(name) || name == "Te" && field.Value != "trailers" {
			return nil, false
		}
		if old := header[name]; old != nil {
			header[name] = append(old, field.Value)
			crumbs = crumbs || name == "Cookie"
			continue
		}
		values[0] = field.Value
		header[name], values = values[:1:1], values[1:]
	}
	if crumbs { // HTTP/2 may split it (RFC 9113 §8.2.3)
		header["Cookie"] = []string{strings.Join(header["Cookie"], "; ")}
	}
	return header, true
}

// isOfConnection tells whether a field, in its canonical form, is one that HTTP/2 does not have (RFC 9113
// §8.2.2).
func isOfConnection(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// declaredTrailers takes the field Trailer off the header, and gives what it announces.
func declaredTrailers(header http.Header) http.Header {
	var trailer http.Header
	for _, v := range header["Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			switch name = http.CanonicalHeaderKey(textproto.TrimString(name)); name {
			case "", "Transfer-Encoding", "Trailer", "Content-Length":
			default:
				if trailer == nil {
					trailer = http.Header{}
				}
				trailer[name] = nil
			}
		}
	}
	delete(header, "Trailer")
	return trailer
}
