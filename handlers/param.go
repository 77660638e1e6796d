// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/mirror"
	"github.com/mcpconnect/mcpconnect/internal/raw"
)

// checkParamHeaders refuses Mcp-Param-* metadata that says something else than the
// argument it mirrors (MCP 2026-07-28, `x-mcp-header`); if strict is true, also a call
// without metadata that its arguments call for. Metadata that no property of the tool's
// schema is bound to is ignored.
func (s *Server) checkParamHeaders(ctx context.Context, c *call, strict bool) error {
	p, ok := c.params.(*mcp.CallToolParamsRaw)
	if !ok {
		return nil
	}
	sent := paramHeaders(c)
	if len(sent) == 0 && !strict {
		return nil
	}
	if allowed := s.cfg.Policy == nil || s.allow(ctx, c) == nil; !allowed {
		return nil // it is refused when it is dispatched: what is bound would tell that the tool is there
	}
	bound, err := s.bound.of(p.Name, func(name string) (map[string]*mirror.Schema, error) { return s.boundTools(ctx, c, name) })
	if err != nil || bound == nil {
		return err // an unknown tool is refused when it is called
	}
	return checkBound(bound, p.Arguments, sent, strict)
}

func paramHeaders(c *call) map[string][]string {
	var sent map[string][]string
	for key, values := range c.extra.Header {
		if strings.HasPrefix(key, mirror.ParamPrefix) {
			if sent == nil {
				sent = map[string][]string{}
			}
			sent[key] = values
		}
	}
	return sent
}

// maxToolPages ends the search on a server whose pages never do.
const maxToolPages = 1000

// boundTools gives the bound schemas of all tools up to the one that is asked for, and those
// on its page: nil for tools that bind nothing. The tools are what the server's middleware
// shows the caller, who may call the one but need not be let list them.
func (s *Server) boundTools(ctx context.Context, c *call, name string) (map[string]*mirror.Schema, error) {
	found := map[string]*mirror.Schema{}
	cursor := ""
	for range maxToolPages {
		res, err := s.run(ctx, &call{
			method: methodListTools,
			scope:  c.scope,
			params: &mcp.ListToolsParams{Meta: c.scope.meta, Cursor: cursor},
			extra:  c.extra,
		})
		if err != nil {
			return nil, err
		}
		list, err := toolsOf(res)
		if err != nil {
			return nil, err
		}
		for _, t := range list.Tools {
			schema, err := json.Marshal(t.InputSchema)
			if err != nil {
				return nil, err
			}
			found[t.Name] = mirror.SchemaOf(schema)
		}
		cursor = list.NextCursor
		if _, ok := found[name]; ok || cursor == "" {
			break
		}
	}
	return found, nil
}

// toolsOf gives a list of tools, which a gateway has as JSON.
func toolsOf(res mcp.Result) (*mcp.ListToolsResult, error) {
	switch res := res.(type) {
	case *mcp.ListToolsResult:
		return res, nil
	case *raw.Result:
		list := &mcp.ListToolsResult{}
		return list, mapping.DecodeSDK(res.JSON, list)
	}
	return &mcp.ListToolsResult{}, nil
}

// boundTTL is how long it is believed that a tool's schema is what it was. To look it up costs
// a list of the server's tools.
const boundTTL = time.Second

// maxBoundTools bounds the tools that are remembered.
const maxBoundTools = 20_000

// A boundCache remembers what is bound by the schemas of tools. The zero value is ready.
type boundCache struct {
	mu      sync.Mutex
	tools   map[string]*mirror.Schema
	expires time.Time
}

// of gives what the tool's schema binds, nil for nothing. look is asked if it is not known.
func (b *boundCache) of(name string, look func(name string) (map[string]*mirror.Schema, error)) (*mirror.Schema, error) {
	now := time.Now()
	b.mu.Lock()
	bound, ok := b.tools[name]
	ok = ok && now.Before(b.expires)
	b.mu.Unlock()
	if ok {
		return bound, nil
	}
	found, err := look(name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !now.Before(b.expires) || len(b.tools)+len(found) > maxBoundTools {
		b.tools, b.expires = nil, now.Add(boundTTL)
	}
	if b.tools == nil {
		b.tools = found
	} else {
		maps.Copy(b.tools, found)
	}
	return found[name], nil
}

// checkBound refuses metadata that contradicts the arguments.
func checkBound(bound *mirror.Schema, args json.RawMessage, sent map[string][]string, strict bool) error {
	return bound.Bound(args, func(name, key string, value json.RawMessage) error {
		values, ok := sent[key]
		if ok && !mirrors(values, value) {
			return headerMismatch("%s does not mirror the argument %q", key, name)
		}
		if _, can := mirror.Primitive(value); strict && !ok && can {
			return headerMismatch("%s is missing: it mirrors the argument %q", key, name)
		}
		return nil
	})
}

// mirrors tells whether header values are the one value of an argument.
func mirrors(values []string, arg json.RawMessage) bool {
	want, ok := mirror.Primitive(arg)
	if len(values) != 1 || !ok {
		return false
	}
	text, err := mirror.Decode(values[0])
	if err != nil {
		return false
	}
	if number, ok := want.(float64); ok {
		sent, err := strconv.ParseFloat(text, 64)
		return err == nil && sent == number
	}
	return want == text
}
