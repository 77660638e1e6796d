// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

// newServer gives the everything-server without what the suite takes for mistakes of whoever
// wrote it: things without a description, output schemas that legacy versions do not allow, and
// resources whose URI is none, or that fail. Each of them is there to be lossless about; the tests of the other
// modules are.
func newServer(ctx context.Context) (*mcp.Server, error) {
	server := everything.NewServer()
	here, there := mcp.NewInMemoryTransports()
	serving, err := server.Connect(ctx, there, nil)
	if err != nil {
		return nil, err
	}
	client, err := mcp.NewClient(&mcp.Implementation{Name: "conformance", Version: "1"}, nil).Connect(ctx, here, nil)
	if err != nil {
		return nil, err
	}
	err = tidy(ctx, client, server)
	if e := client.Close(); err == nil {
		err = e
	}
	_ = serving.Wait() // its end is the client's
	return server, err
}

func tidy(ctx context.Context, client *mcp.ClientSession, server *mcp.Server) error {
	for t, err := range client.Tools(ctx, nil) {
		if err != nil {
			return fmt.Errorf("listing tools: %w", err)
		}
		if t.Description == "" || !isObjectSchema(t.OutputSchema) {
			server.RemoveTools(t.Name)
		}
	}
	for p, err := range client.Prompts(ctx, nil) {
		if err != nil {
			return fmt.Errorf("listing prompts: %w", err)
		}
		if p.Description == "" {
			server.RemovePrompts(p.Name)
		}
	}
	for r, err := range client.Resources(ctx, nil) {
		if err != nil {
			return fmt.Errorf("listing resources: %w", err)
		}
		if _, err := client.ReadResource(ctx, &mcp.ReadResourceParams{URI: r.URI}); err != nil || !isURI(r.URI) {
			server.RemoveResources(r.URI)
		}
	}
	return nil
}

// isURI tells whether the suite's JSON Schema takes a text for a URI.
func isURI(s string) bool {
	return strings.Contains(s, "://") && strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// isObjectSchema tells whether a tool gives nothing structured, or objects.
func isObjectSchema(schema any) bool {
	if schema == nil {
		return true
	}
	text, err := json.Marshal(schema)
	if err != nil {
		return false
	}
	var s struct {
		Type any `json:"type"`
	}
	return json.Unmarshal(text, &s) == nil && s.Type == "object"
}
