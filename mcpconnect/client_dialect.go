// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A dialect is what of mcp.v1 the server knows: all of it, or the fields and RPCs alone
// that it inherits from an earlier proto (SPEC.md §15.3). Such a server reads arguments
// from Structs, and calls tools by the CallTool stream.
type dialect struct {
	inherited bool
}

// speaksInherited tells which it is. The server is asked once, before the first call that
// has arguments.
func (c *Client) speaksInherited(ctx context.Context) (bool, error) {
	if c.err != nil {
		return false, c.err
	}
	d, err := c.dialect.get(ctx, c.learnDialect)
	if err != nil {
		return false, err
	}
	if c.muxed != nil && !d.inherited {
		c.muxed.enable()
	}
	return d.inherited, nil
}

// learnDialect asks for Discover, which the earlier proto does not have. A server that
// has the RPC but not the method says so by a JSON-RPC error.
func (c *Client) learnDialect(ctx context.Context) (*dialect, error) {
	_, err := unary(ctx, c, call{method: methodDiscover}, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.DiscoverResponse, error) {
		return c.link.rpc.Discover(ctx, &mcpv1.DiscoverRequest{Meta: meta})
	})
	if err == nil {
		return &dialect{}, nil
	}
	rpc, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return nil, err
	}
	switch rpc.Code() {
	case connect.CodeUnimplemented:
		return &dialect{inherited: detailOf(rpc) == nil}, nil
	case connect.CodeCanceled, connect.CodeDeadlineExceeded, connect.CodeUnavailable,
		connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return nil, err // nothing learnt, and the call would fail alike
	}
	return &dialect{}, nil // the call itself tells what is wrong
}

// structArguments turns the text of arguments into a Struct.
func structArguments(req *mcpv1.CallToolRequest) error {
	s, err := structOf(req.GetArgumentsJson())
	req.Arguments, req.ArgumentsJson = s, nil
	return err
}

func structOf(text []byte) (*structpb.Struct, error) {
	s, _, err := mapping.Twins(text, mcpv1.JsonEncoding_JSON_ENCODING_STRUCT)
	if err == nil && s == nil && len(text) > 0 {
		err = errors.New("arguments: this server takes a google.protobuf.Struct only, which does not hold them exactly: numbers must be doubles, keys must not repeat")
	}
	if err != nil {
		return nil, invalidCall(err)
	}
	return s, nil
}
