// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"net/http"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mirror"
)

// Metadata that mirrors the body or names the session (SPEC.md §7).
const (
	headerVersion = "Mcp-Protocol-Version"
	headerMethod  = "Mcp-Method"
	headerName    = "Mcp-Name"
	headerSession = "Mcp-Session-Id"
)

func headerMismatch(format string, args ...any) error {
	return newError(connect.CodeInvalidArgument, mcp.CodeHeaderMismatch, format, args...)
}

// checkMirror refuses metadata that says something else than the body, so that nobody
// who routes or authorises by metadata is deceived. name is the tool, prompt, URI or
// task id of the body; empty for methods without one.
func checkMirror(header http.Header, method, name string) error {
	if v, ok, err := single(header, headerMethod); err != nil {
		return err
	} else if ok && v != method {
		return headerMismatch("%s is %q, but the body says %q", headerMethod, v, method)
	}
	v, ok, err := single(header, headerName)
	if err != nil || !ok {
		return err
	}
	decoded, err := mirror.Decode(v)
	if err != nil {
		return headerMismatch("%s: %v", headerName, err)
	}
	if decoded != name {
		return headerMismatch("%s is %q, but the body says %q", headerName, decoded, name)
	}
	return nil
}

// single gives the value of a header that may come once: of two values, each reader
// might take another one.
func single(header http.Header, key string) (string, bool, error) {
	switch vs := header[key]; len(vs) {
	case 0:
		return "", false, nil
	case 1:
		return vs[0], true, nil
	default:
		return "", false, headerMismatch("%s is given %d times", key, len(vs))
	}
}

// traceKeys are the W3C trace context, the same in headers and in `_meta` (SEP-414).
var traceKeys = []string{"traceparent", "tracestate", "baggage"}

// traceMeta gives `_meta` with the trace context of the headers, where it has none of
// its own: handlers look for it there.
func traceMeta(meta mcp.Meta, header http.Header) mcp.Meta {
	if meta["traceparent"] != nil {
		return meta
	}
	for _, key := range traceKeys {
		v := header.Get(key)
		if v == "" || meta[key] != nil {
			continue
		}
		if meta == nil {
			meta = mcp.Meta{}
		}
		meta[key] = v
	}
	return meta
}
