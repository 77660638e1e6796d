// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"fmt"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// allow decides whether the caller may make a request that is dispatched directly. The
// decision is on the decoded body, whatever form or protocol it came in.
func (s *Server) allow(ctx context.Context, c *call) error {
	things, err := thingsOf(c.method, c.params)
	if err != nil {
		return err
	}
	return s.allowAll(ctx, c.method, things)
}

// allowJSON is allow for a request that the SDK decodes: one of a method that users have
// registered, or a subscription.
func (s *Server) allowJSON(ctx context.Context, method string, params json.RawMessage) error {
	if s.cfg.Policy == nil {
		return nil
	}
	var p struct {
		URI           string `json:"uri"`
		Notifications struct {
			Resources []string `json:"resourceSubscriptions"`
		} `json:"notifications"`
	}
	if method != methodSubscribe && method != methodListen {
		return s.cfg.Policy.Allow(ctx, authn.Action{Method: method, Arguments: params})
	}
	if err := mapping.DecodeSDK(params, &p); err != nil {
		return malformed("params of "+method, err)
	}
	uris := p.Notifications.Resources
	if method == methodSubscribe {
		uris = []string{p.URI}
	}
	var things []authn.Action
	for _, uri := range uris {
		things = append(things, authn.Action{Method: methodReadResource, Name: uri})
	}
	return s.allowAll(ctx, method, things)
}

// allowAll decides about a method, and the things that the request is about. Of a method
// that is there for one thing, the one decision covers both.
func (s *Server) allowAll(ctx context.Context, method string, things []authn.Action) error {
	if len(things) != 1 || things[0].Method != method {
		if err := s.cfg.Policy.Allow(ctx, authn.Action{Method: method}); err != nil {
			return err
		}
	}
	for _, a := range things {
		if err := s.cfg.Policy.Allow(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// thingsOf tells which tool, prompt or resource a request is about.
func thingsOf(method string, params mcp.Params) ([]authn.Action, error) {
	switch p := params.(type) {
	case *mcp.CallToolParamsRaw:
		return []authn.Action{{Method: method, Name: p.Name, Arguments: p.Arguments}}, nil
	case *mcp.GetPromptParams:
		arguments, err := json.Marshal(p.Arguments)
		return []authn.Action{{Method: method, Name: p.Name, Arguments: arguments}}, err
	case *mcp.ReadResourceParams:
		return []authn.Action{{Method: method, Name: p.URI}}, nil
	case *mcp.UnsubscribeParams:
		return []authn.Action{{Method: methodReadResource, Name: p.URI}}, nil
	case *mcp.CompleteParams:
		if p.Ref != nil && p.Ref.Type == "ref/prompt" {
			return []authn.Action{{Method: methodGetPrompt, Name: p.Ref.Name}}, nil
		}
		if p.Ref != nil {
			return []authn.Action{{Method: methodReadResource, Name: p.Ref.URI}}, nil
		}
	}
	return nil, nil
}

// visible gives a list without what the caller may not use. What is left is the caller's
// alone, and must not be kept for others. It leaves res as it is: the server may have it
// in a cache.
func (s *Server) visible(ctx context.Context, method string, res mcp.Result) (mcp.Result, error) {
	switch r := res.(type) {
	case *raw.Result:
		return s.visibleText(ctx, method, r)
	case *mcp.ListToolsResult:
		shown := *r
		err := show(ctx, s.cfg.Policy, &shown.Cacheable, &shown.Tools, methodCallTool, func(t *mcp.Tool) string { return t.Name })
		return &shown, err
	case *mcp.ListPromptsResult:
		shown := *r
		err := show(ctx, s.cfg.Policy, &shown.Cacheable, &shown.Prompts, methodGetPrompt, func(p *mcp.Prompt) string { return p.Name })
		return &shown, err
	case *mcp.ListResourcesResult:
		shown := *r
		err := show(ctx, s.cfg.Policy, &shown.Cacheable, &shown.Resources, methodReadResource, func(r *mcp.Resource) string { return r.URI })
		return &shown, err
	case *mcp.ListResourceTemplatesResult:
		shown := *r
		err := show(ctx, s.cfg.Policy, &shown.Cacheable, &shown.ResourceTemplates, methodReadResource, func(t *mcp.ResourceTemplate) string { return t.URITemplate })
		return &shown, err
	case *mcp.ReadResourceResult:
		shown := *r
		shown.CacheScope = "private"
		return &shown, nil
	}
	if _, ok := listed[method]; !ok && method != methodReadResource {
		return res, nil
	}
	// A middleware may have a type of its own.
	text, err := mapping.EncodeSDK(res)
	if err != nil {
		return nil, err
	}
	return s.visibleText(ctx, method, &raw.Result{JSON: text})
}

// show leaves of items those that the caller may use by method. An authorizer that fails
// fails the list: one with items missing would be believed.
func show[T any](ctx context.Context, policy *authn.Policy, cache *mcp.Cacheable, items *[]T, method string, name func(T) string) error {
	cache.CacheScope = "private"
	shown := make([]T, 0, len(*items))
	for _, item := range *items {
		err := policy.Allow(ctx, authn.Action{Method: method, Name: name(item), Listing: true})
		if err == nil {
			shown = append(shown, item)
			continue
		}
		if wire, ok := err.(*jsonrpc.Error); !ok || !authn.IsDenial(wire) { //nolint:errorlint // Allow does not wrap them
			return fmt.Errorf("listing %q: %w", name(item), err)
		}
	}
	*items = shown
	return nil
}

// stepUp puts a challenge into the response, if err is of a kind that has one. The headers
// of a stream of many calls have gone out long ago, and are no call's own.
func (s *Server) stepUp(ctx context.Context, wire *jsonrpc.Error, err *connect.Error) {
	if !authn.IsDenial(wire) {
		return
	}
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok || ctx.Value(headerKey{}) != nil {
		s.cfg.Metadata.StepUp(wire, nil, err)
		return
	}
	s.cfg.Metadata.StepUp(wire, info.ResponseHeader(), err)
}
