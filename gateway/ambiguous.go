// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Whoever decides about a request here, be it a policy or the gateway itself, and the upstream
// that serves it must read the same in it. Readers of JSON differ where a request has a
// member twice, or one that is nearly called like another: encoding/json takes "Name" for "name".

// knownParams are the members of params that MCP knows, beside `_meta`; of all versions.
var knownParams = map[string][]string{
	methodListTools:     {"cursor"},
	methodListPrompts:   {"cursor"},
	methodListResources: {"cursor"},
	methodListTemplates: {"cursor"},
	methodCallTool:      {"name", "arguments", "task", "inputResponses", "requestState"},
	methodGetPrompt:     {"name", "arguments", "inputResponses", "requestState"},
	methodReadResource:  {"uri", "inputResponses", "requestState"},
	methodComplete:      {"ref", "argument", "context"},
	methodGetTask:       {"taskId"},
	methodUpdateTask:    {"taskId", "inputResponses"},
	methodCancelTask:    {"taskId"},
}

// unambiguous refuses params with a member that other readers may take for one that MCP knows.
// Members that are like none of those pass, whatever they are.
func (g *Gateway) unambiguous(method string, o object) error {
	if err := o.distinct("", "_meta"); err != nil {
		return err
	}
	if err := o.distinct("", knownParams[method]...); err != nil {
		return err
	}
	if err := g.checkMeta(o["_meta"]); err != nil {
		return err
	}
	if method != methodComplete {
		return nil
	}
	ref, err := objectOf(o["ref"])
	if err != nil {
		return err
	}
	return ref.distinct("ref.", "type", "name", "uri")
}

// distinct refuses a member that is one of those known but for the case of its letters.
func (o object) distinct(path string, known ...string) error {
	for name := range o {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return &jsonrpc.Error{
					Code:    jsonrpc.CodeInvalidParams,
					Message: fmt.Sprintf("params: some would read the member %q as %q: give it another name, or send that one", path+name, path+k),
				}
			}
		}
	}
	return nil
}

// agreeWith makes members what the SDK has read, which is what was decided on, whatever two of
// one name make of it. The arguments of a tool are text in both.
func (o object) agreeWith(params mcp.Params) error {
	switch p := params.(type) {
	case *mcp.CallToolParamsRaw:
		o.agree("name", p.Name)
	case *mcp.GetPromptParams:
		o.agree("name", p.Name)
		return o.agreeIn("arguments", p.Arguments)
	case *mcp.ReadResourceParams:
		o.agree("uri", p.URI)
	case *mcp.CompleteParams:
		if p.Ref != nil {
			return o.agreeIn("ref", map[string]string{"type": p.Ref.Type, "name": p.Ref.Name, "uri": p.Ref.URI})
		}
	}
	return nil
}

// agreeIn makes members of the object that is a member, each of which is there once then.
func (o object) agreeIn(member string, values map[string]string) error {
	inner, err := objectOf(o[member])
	if err != nil {
		return err
	}
	for name, value := range values {
		inner.agree(name, value)
	}
	if len(inner) > 0 {
		o[member] = inner.text()
	}
	return nil
}

func (o object) agree(name, value string) {
	if o.str(name) != value {
		o[name] = quote(value)
	}
}
