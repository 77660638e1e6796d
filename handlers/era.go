// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// firstModern is the first stateless version of MCP. Versions are dates, so that they
// compare as strings.
const firstModern = "2026-07-28"

// A scope is what one request runs in: an era, and the SDK session that stands for it.
type scope struct {
	ss       *mcp.ServerSession
	session  *session // the legacy session; nil for a modern request
	meta     mcp.Meta // `_meta` for the handler
	logLevel string   // of a modern request; empty for none
	encoding mcpv1.JsonEncoding
}

func (c *scope) modern() bool { return c.session == nil }

// A head is what is known of a request before its params are read.
type head struct {
	method string
	header http.Header
	meta   *mcpv1.RequestMeta // nil for none
	// stream is the session of the Connect stream that the request came on, if any; a
	// request with no session in its header belongs to it.
	stream *session
}

// scopeOf decides the era of a request (SPEC.md §6): by the version that the request
// names, else by its session, else it is modern.
func (s *Server) scopeOf(ctx context.Context, h head) (scope, error) {
	version, err := h.version()
	if err != nil {
		return scope{}, err
	}
	switch {
	case version >= firstModern:
		if !slices.Contains(s.versions, version) {
			return scope{}, s.unsupportedVersion(version)
		}
		if h.meta.GetProtocolVersion() != "" && h.meta.GetClientCapabilities() == nil {
			return scope{}, invalidParams("_meta: %q is missing", mcp.MetaKeyClientCapabilities)
		}
		return s.modernScope(h, version)
	case version != "" && !slices.Contains(s.versions, version):
		return scope{}, s.unsupportedVersion(version)
	}
	session, err := s.sessionOf(ctx, h)
	if err != nil {
		return scope{}, err
	}
	if session == nil {
		if version != "" {
			return scope{}, newError(connect.CodeFailedPrecondition, jsonrpc.CodeInvalidRequest,
				"version %s needs a session: initialize first, then send mcp-session-id", version)
		}
		return s.modernScope(h, "")
	}
	if version != "" && version != session.version {
		return scope{}, headerMismatch("the session speaks version %s, not %s", session.version, version)
	}
	return s.legacyScope(h, session)
}

// version gives the version that a request names, in its body or its metadata.
func (h head) version() (string, error) {
	body := h.meta.GetProtocolVersion()
	header, _, err := single(h.header, headerVersion)
	if err != nil {
		return "", err
	}
	if body != "" && header != "" && body != header {
		return "", headerMismatch("%s is %q, but the body says %q", headerVersion, header, body)
	}
	if err := reservedKeys(h.meta); err != nil {
		return "", err
	}
	if body == "" {
		return header, nil
	}
	return body, nil
}

// reserved are the `_meta` keys that MCP reserves in requests; they have fields.
var reserved = []string{
	mcp.MetaKeyProtocolVersion, mcp.MetaKeyClientInfo, mcp.MetaKeyClientCapabilities, mcp.MetaKeyLogLevel,
}

// reservedKeys refuses reserved keys among the others: the mapping leaves them there if
// their value has the wrong type.
func reservedKeys(m *mcpv1.RequestMeta) error {
	var members map[string]json.RawMessage
	if bytes.Contains(m.GetExtraJson(), []byte("io.modelcontextprotocol/")) {
		if err := mapping.DecodeSDK(m.GetExtraJson(), &members); err != nil {
			return malformed("_meta", err)
		}
	}
	for _, key := range reserved {
		_, isMember := members[key]
		if _, isField := m.GetExtra().GetFields()[key]; isField || isMember {
			return invalidParams("_meta: %q is invalid", key)
		}
	}
	return nil
}

func (s *Server) unsupportedVersion(version string) error {
	data, err := json.Marshal(mcp.UnsupportedProtocolVersionData{Supported: s.versions, Requested: version})
	if err != nil {
		return err
	}
	return &rpcError{connect.CodeFailedPrecondition, &jsonrpc.Error{
		Code:    mcp.CodeUnsupportedProtocolVersion,
		Message: "unsupported protocol version " + version,
		Data:    data,
	}}
}

func (s *Server) modernScope(h head, version string) (scope, error) {
	if legacyOnly[h.method] && version != "" {
		return scope{}, methodNotFound(h.method)
	}
	peer, err := s.modern.peer(h.meta, version)
	if err != nil {
		return scope{}, err
	}
	meta, err := mapping.SDKMeta(h.meta, peer.info, peer.capabilities)
	if err != nil {
		return scope{}, malformed("_meta", err)
	}
	return scope{
		ss:       peer.ss,
		meta:     traceMeta(meta, h.header),
		logLevel: h.meta.GetLogLevel(),
		encoding: h.meta.GetJsonEncoding(),
	}, nil
}

func (s *Server) legacyScope(h head, session *session) (scope, error) {
	meta, err := mapping.SDKMeta(h.meta, nil, nil)
	if err != nil {
		return scope{}, malformed("_meta", err)
	}
	return scope{
		ss:       session.ss,
		session:  session,
		meta:     traceMeta(meta, h.header),
		encoding: h.meta.GetJsonEncoding(),
	}, nil
}

// extraOf gives a handler what the SDK's own HTTP transport gives it: the caller's
// token and the request's metadata.
func extraOf(ctx context.Context, header http.Header) *mcp.RequestExtra {
	return &mcp.RequestExtra{TokenInfo: auth.TokenInfoFromContext(ctx), Header: header}
}
