// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/handlers"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// BenchmarkInvokeTool measures what a typed call costs between connect and the tool.
func BenchmarkInvokeTool(b *testing.B) {
	server := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "echo", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello"}}}, nil
		})
	s := handlers.New(server, handlers.Config{Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = s.Close() }()
	name, version, client, cv := "echo", "2026-07-28", "bench", "1"
	for _, bm := range []struct {
		name string
		meta *mcpv1.RequestMeta
	}{
		{"bare", &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES}},
		{"with metadata", &mcpv1.RequestMeta{
			ProtocolVersion:    &version,
			ClientInfo:         &mcpv1.ClientInfo{Name: &client, Version: &cv},
			ClientCapabilities: &mcpv1.CapabilitySet{ValuesJson: []byte(`{}`)},
			JsonEncoding:       mcpv1.JsonEncoding_JSON_ENCODING_BYTES,
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			req := &mcpv1.CallToolRequest{Name: &name, ArgumentsJson: []byte(`{"a":1,"b":2}`), Meta: bm.meta}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.InvokeTool(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
