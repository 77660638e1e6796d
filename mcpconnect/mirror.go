// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	internalmirror "github.com/mcpconnect/mcpconnect/internal/mirror"
)

// Metadata that mirrors the body or names the session (SPEC.md §7).
const (
	headerVersion = "Mcp-Protocol-Version"
	headerMethod  = "Mcp-Method"
	headerName    = "Mcp-Name"
	headerSession = "Mcp-Session-Id"
)

// MCP methods that this package looks at.
const (
	methodInitialize    = "initialize"
	methodInitialized   = "notifications/initialized"
	methodCancelled     = "notifications/cancelled"
	methodDiscover      = "server/discover"
	methodListTools     = "tools/list"
	methodCallTool      = "tools/call"
	methodListResources = "resources/list"
	methodListTemplates = "resources/templates/list"
	methodReadResource  = "resources/read"
	methodListPrompts   = "prompts/list"
	methodGetPrompt     = "prompts/get"
	methodComplete      = "completion/complete"
	methodListen        = "subscriptions/listen"
	methodGetTask       = "tasks/get"
	methodUpdateTask    = "tasks/update"
	methodCancelTask    = "tasks/cancel"
	methodPing          = "ping"
)

type metadataKey struct{}

// withMetadata has the RPCs of ctx carry header.
func withMetadata(ctx context.Context, header http.Header) context.Context {
	return context.WithValue(ctx, metadataKey{}, header)
}

// A metadataInterceptor adds the headers of the options and of the context to every RPC.
// It is the outermost, so that those of users see the headers. connect's own CallInfo is
// left to them.
type metadataInterceptor struct {
	fixed http.Header
}

var _ connect.Interceptor = metadataInterceptor{}

func (i metadataInterceptor) add(ctx context.Context, to http.Header) {
	for key, values := range i.fixed {
		to[key] = append(to[key], values...)
	}
	header, _ := ctx.Value(metadataKey{}).(http.Header) // nil adds nothing
	maps.Copy(to, header)
}

// WrapUnary implements [connect.Interceptor].
func (i metadataInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		i.add(ctx, req.Header())
		return next(ctx, req)
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (i metadataInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		i.add(ctx, conn.RequestHeader())
		return conn
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (metadataInterceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// mirror gives the metadata that repeats what a request says. Empty values are left out.
func mirror(version, method, name, session string) http.Header {
	header := make(http.Header, 4)
	for _, h := range [...]struct{ key, value string }{
		{headerVersion, version},
		{headerMethod, method},
		{headerName, name},
		{headerSession, session},
	} {
		if h.value != "" {
			header[h.key] = []string{internalmirror.Encode(h.value)}
		}
	}
	return header
}

// mirrored is what metadata repeats of the params of a request.
type mirrored struct {
	name    string
	version string
}

// mirrorOf reads it. Params that it cannot read are for the server to refuse.
func mirrorOf(method string, params json.RawMessage) mirrored {
	var p struct {
		Name   string `json:"name"`
		URI    string `json:"uri"`
		TaskID string `json:"taskId"`
		Meta   struct {
			Version string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	}
	if len(params) == 0 || mapping.DecodeSDK(params, &p) != nil {
		return mirrored{}
	}
	m := mirrored{version: p.Meta.Version}
	switch method {
	case methodCallTool, methodGetPrompt:
		m.name = p.Name
	case methodReadResource:
		m.name = p.URI
	case methodGetTask, methodUpdateTask, methodCancelTask:
		m.name = p.TaskID
	}
	return m
}
