// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// What a gateway needs: methods that nobody here knows, and results that nobody here looks
// into, except for what the caller may not see.

func isMethodNotFound(err error) bool {
	if e, ok := errors.AsType[*rpcError](err); ok {
		return e.wire.Code == jsonrpc.CodeMethodNotFound
	}
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	return ok && wire.Code == jsonrpc.CodeMethodNotFound
}

// notHandled is the SDK's error for a method that a server does not know, which it answers with
// -32601 once it is back in its own JSON-RPC layer. It has no name outside of the SDK, but a
// client without a handler gives it, too.
var notHandled = sync.OnceValue(func() error {
	var last mcp.MethodHandler
	client := mcp.NewClient(&mcp.Implementation{}, nil)
	client.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		last = next
		return next
	})
	_, err := last(context.Background(), "", &mcp.ClientRequest[*raw.UnknownParams]{Session: &mcp.ClientSession{}})
	return err
})

// dispatchUnknown runs a request of a method that the server does not know through its
// middleware. Whoever calls it has asked the policy.
func (s *Server) dispatchUnknown(ctx context.Context, c *call, params json.RawMessage) (_ json.RawMessage, err error) {
	if legacyOnly[c.method] || isNotification(c.method) {
		return nil, methodNotFound(c.method)
	}
	req := &mcp.ServerRequest[*raw.UnknownParams]{Session: c.scope.ss, Params: &raw.UnknownParams{JSON: params}, Extra: c.extra}
	defer c.end()
	c.ctx = ctx
	res, err := s.calling(withCall(ctx, c), c.method, req)
	if err != nil {
		return nil, err
	}
	return mapping.EncodeSDK(res)
}

// calling runs the server's handler with all its middleware.
func (s *Server) calling(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
	defer s.recovered(ctx, method, &err)
	res, err = s.chain()(ctx, method, req)
	if err == nil && res == nil {
		err = methodNotFound(method)
	}
	return res, err
}

// listed are the members of the results of lists, and what names an item.
var listed = map[string]struct{ member, name, method string }{
	methodListTools:     {"tools", "name", methodCallTool},
	methodListPrompts:   {"prompts", "name", methodGetPrompt},
	methodListResources: {"resources", "uri", methodReadResource},
	methodListTemplates: {"resourceTemplates", "uriTemplate", methodReadResource},
}

// visibleText is visible for a result as JSON.
func (s *Server) visibleText(ctx context.Context, method string, res *raw.Result) (mcp.Result, error) {
	list, ok := listed[method]
	if !ok && method != methodReadResource {
		return res, nil
	}
	var members map[string]json.RawMessage
	if err := mapping.DecodeSDK(res.JSON, &members); err != nil {
		return nil, err
	}
	members["cacheScope"] = json.RawMessage(`"private"`)
	if ok {
		var items, shown []json.RawMessage
		if err := mapping.DecodeSDK(members[list.member], &items); err != nil {
			return nil, err
		}
		shown = make([]json.RawMessage, 0, len(items))
		for _, item := range items {
			var named map[string]json.RawMessage
			var name string
			if mapping.DecodeSDK(item, &named) != nil || json.Unmarshal(named[list.name], &name) != nil {
				continue // nobody can use it
			}
			err := s.cfg.Policy.Allow(ctx, authn.Action{Method: list.method, Name: name, Listing: true})
			if wire, denied := errors.AsType[*jsonrpc.Error](err); denied && authn.IsDenial(wire) {
				continue
			}
			if err != nil {
				return nil, err
			}
			shown = append(shown, item)
		}
		text, err := json.Marshal(shown)
		if err != nil {
			return nil, err
		}
		members[list.member] = text
	}
	text, err := json.Marshal(members)
	return &raw.Result{JSON: text}, err
}
