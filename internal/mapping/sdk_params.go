// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// SDKParams converts the request message of a typed RPC to the params of its method,
// with meta as their `_meta`. A message that carries members without a field, or
// anything rare, goes by way of JSON, so that a member of the wrong type is refused as
// the SDK refuses it.
func SDKParams(req proto.Message, meta mcp.Meta) (mcp.Params, error) {
	switch r := req.(type) {
	case *mcpv1.CallToolRequest:
		return callToolParams(r, meta)
	case *mcpv1.ReadResourceRequest:
		p := &mcp.ReadResourceParams{Meta: meta, URI: r.GetUri(), RequestState: r.GetRequestState()}
		if len(r.ExtraJson) > 0 || len(r.InputResponses) > 0 {
			return paramsViaJSON(r, p, meta)
		}
		return p, nil
	case *mcpv1.GetPromptRequest:
		return paramsViaJSON(r, &mcp.GetPromptParams{}, meta)
	case *mcpv1.CompleteRequest:
		return paramsViaJSON(r, &mcp.CompleteParams{}, meta)
	case *mcpv1.ListToolsRequest:
		return listParams(r, &mcp.ListToolsParams{Meta: meta, Cursor: r.GetCursor()}, meta)
	case *mcpv1.ListPromptsRequest:
		return listParams(r, &mcp.ListPromptsParams{Meta: meta, Cursor: r.GetCursor()}, meta)
	case *mcpv1.ListResourcesRequest:
		return listParams(r, &mcp.ListResourcesParams{Meta: meta, Cursor: r.GetCursor()}, meta)
	case *mcpv1.ListResourceTemplatesRequest:
		return listParams(r, &mcp.ListResourceTemplatesParams{Meta: meta, Cursor: r.GetCursor()}, meta)
	case *mcpv1.DiscoverRequest:
		return &mcp.DiscoverParams{Meta: meta}, nil
	}
	return nil, fmt.Errorf("mapping: no params for %s", req.ProtoReflect().Descriptor().FullName())
}

func callToolParams(r *mcpv1.CallToolRequest, meta mcp.Meta) (mcp.Params, error) {
	if len(r.ExtraJson) > 0 || len(r.InputResponses) > 0 {
		return paramsViaJSON(r, &mcp.CallToolParamsRaw{}, meta)
	}
	args, err := JSONText(r.GetArguments(), r.GetArgumentsJson())
	if err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	return &mcp.CallToolParamsRaw{
		Meta:         meta,
		Name:         r.GetName(),
		Arguments:    args,
		RequestState: r.GetRequestState(),
	}, nil
}

func listParams(r interface {
	proto.Message
	GetExtraJson() []byte
}, p mcp.Params, meta mcp.Meta) (mcp.Params, error) {
	if len(r.GetExtraJson()) > 0 {
		return paramsViaJSON(r, p, meta)
	}
	return p, nil
}

func paramsViaJSON(r proto.Message, p mcp.Params, meta mcp.Meta) (mcp.Params, error) {
	if err := toSDKviaJSON(r, p); err != nil {
		return nil, err
	}
	p.SetMeta(meta)
	return p, nil
}

// FromSDKParams converts params of the SDK to the request message of their method. The
// message's free-form values go to its `_json` fields.
func FromSDKParams(p mcp.Params, m proto.Message) error {
	const enc = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
	if err := viaJSON(p, m, enc); err != nil {
		return err
	}
	return nil
}
