// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// Methods of MCP that the dispatcher treats apart (MCP 2026-07-28 and 2025-11-25).
const (
	methodInitialize        = "initialize"
	methodInitialized       = "notifications/initialized"
	methodPing              = "ping"
	methodDiscover          = "server/discover"
	methodListTools         = "tools/list"
	methodCallTool          = "tools/call"
	methodListResources     = "resources/list"
	methodListTemplates     = "resources/templates/list"
	methodReadResource      = "resources/read"
	methodSubscribe         = "resources/subscribe"
	methodUnsubscribe       = "resources/unsubscribe"
	methodListPrompts       = "prompts/list"
	methodGetPrompt         = "prompts/get"
	methodComplete          = "completion/complete"
	methodSetLevel          = "logging/setLevel"
	methodListen            = "subscriptions/listen"
	methodGetTask           = "tasks/get"
	methodUpdateTask        = "tasks/update"
	methodCancelTask        = "tasks/cancel"
	methodCancelled         = "notifications/cancelled"
	methodProgress          = "notifications/progress"
	methodMessage           = "notifications/message"
	methodRootsListChanged  = "notifications/roots/list_changed"
	methodToolsChanged      = "notifications/tools/list_changed"
	methodPromptsChanged    = "notifications/prompts/list_changed"
	methodResourcesChanged  = "notifications/resources/list_changed"
	methodResourceUpdated   = "notifications/resources/updated"
	methodSubscriptionAcked = "notifications/subscriptions/acknowledged"

	methodElicitationComplete = "notifications/elicitation/complete"
)

// A method says how to build the SDK's request for a method that is dispatched
// directly.
type method struct {
	// params makes empty params.
	params func() mcp.Params
	// request wraps params for the handler chain.
	request func(*mcp.ServerSession, mcp.Params, *mcp.RequestExtra) mcp.Request
	// optional is true if a request may come without params.
	optional bool
}

func directly[T any, P interface {
	*T
	mcp.Params
}](optional bool) method {
	return method{
		params: func() mcp.Params { return P(new(T)) },
		request: func(ss *mcp.ServerSession, p mcp.Params, extra *mcp.RequestExtra) mcp.Request {
			return &mcp.ServerRequest[P]{Session: ss, Params: p.(P), Extra: extra} //nolint:errcheck // params made them
		},
		optional: optional,
	}
}

// methods are those that are dispatched directly. What needs a JSON-RPC id inside the
// SDK (resources/subscribe, subscriptions/listen), and what users register themselves,
// goes through a Connection instead.
var methods = map[string]method{
	methodInitialize:       directly[mcp.InitializeParams](false),
	methodInitialized:      directly[mcp.InitializedParams](true),
	methodPing:             directly[mcp.PingParams](true),
	methodDiscover:         directly[mcp.DiscoverParams](true),
	methodListTools:        directly[mcp.ListToolsParams](true),
	methodCallTool:         directly[mcp.CallToolParamsRaw](false),
	methodListResources:    directly[mcp.ListResourcesParams](true),
	methodListTemplates:    directly[mcp.ListResourceTemplatesParams](true),
	methodReadResource:     directly[mcp.ReadResourceParams](false),
	methodUnsubscribe:      directly[mcp.UnsubscribeParams](false),
	methodListPrompts:      directly[mcp.ListPromptsParams](true),
	methodGetPrompt:        directly[mcp.GetPromptParams](false),
	methodComplete:         directly[mcp.CompleteParams](false),
	methodSetLevel:         directly[mcp.SetLoggingLevelParams](false),
	methodProgress:         directly[mcp.ProgressNotificationParams](false),
	methodRootsListChanged: directly[mcp.RootsListChangedParams](true),
}

// legacyOnly are the methods that 2026-07-28 removed.
var legacyOnly = map[string]bool{
	methodInitialize: true, methodInitialized: true, methodPing: true, methodSetLevel: true,
	methodSubscribe: true, methodUnsubscribe: true, methodRootsListChanged: true,
}

// decodeParams reads the params of a directly dispatched method.
func decodeParams(name string, text json.RawMessage) (mcp.Params, error) {
	m := methods[name]
	p := m.params()
	if isNull(text) {
		if !m.optional {
			return nil, invalidRequest("%s: params are missing", name)
		}
		return p, nil
	}
	if err := mapping.DecodeSDK(text, p); err != nil {
		return nil, malformed("params of "+name, err)
	}
	if init, ok := p.(*mcp.InitializeParams); ok {
		decodeRoots(text, init)
	}
	return p, nil
}

// decodeRoots sets what InitializeParams cannot decode by itself: whether the client
// has roots at all (go-sdk#607).
func decodeRoots(text json.RawMessage, p *mcp.InitializeParams) {
	var v struct {
		Capabilities struct {
			Roots *mcp.RootCapabilities `json:"roots"`
		} `json:"capabilities"`
	}
	if p.Capabilities == nil || mapping.DecodeSDK(text, &v) != nil {
		return
	}
	p.Capabilities.RootsV2 = v.Capabilities.Roots
}

func isNull(text json.RawMessage) bool {
	text = bytes.TrimSpace(text)
	return len(text) == 0 || string(text) == "null"
}
