// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package everything is an MCP server for tests that uses every feature of the
// official Go SDK at least once, good and bad.
//
// Its main purpose is to be served twice, by the SDK's own in-memory transport and by
// mcpconnect, and to give the same answers: so its answers depend on nothing but the
// calls it got. There is no clock, no random number and no goroutine in it; time stamps
// and identifiers are constants or counters of one [Server].
//
// It has three parts:
//
//   - what the SDK's examples/server/everything offers, under the same names;
//   - what the official MCP conformance suite expects of a server: the tools, prompts
//     and resources whose names begin with "test_" or "test://", with the texts that
//     the suite looks for;
//   - what the two leave out and a transport can get wrong: exact numbers, errors of
//     every kind, panics, calls that never end, floods, tasks, changing lists.
//
// Some tools are not for the SDK's own transports, or not quite. "panic" ends a process
// that does not recover; so does "error_nil_result" in a modern session, where SDK v1.8.0
// wants to annotate the result. "start_task" answers modern clients that declare tasks
// with a result that the SDK's client cannot represent.
package everything

import (
	"context"
	"log/slog"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Options configure [New].
type Options struct {
	// PageSize is the number of items on a page of a list. If zero, it is
	// [mcp.DefaultPageSize], more than there is to list.
	PageSize int
	// Logger gets what the SDK logs. If nil, nothing is logged.
	Logger *slog.Logger
}

// Server is the everything server. Create it with [New]. All its methods may be called
// concurrently.
type Server struct {
	mcp   *mcp.Server
	block blockProbe

	mu    sync.Mutex
	texts map[string]string // of the resources that can be updated, by URI
	tasks map[string]*Task  // by id
}

// New returns an everything server with its own state. Nil options are the zero options.
func New(opts *Options) *Server {
	if opts == nil {
		opts = &Options{}
	}
	s := &Server{
		block: newBlockProbe(),
		texts: map[string]string{watchedURI: watchedText},
		tasks: map[string]*Task{},
	}
	s.mcp = mcp.NewServer(&mcp.Implementation{
		Name:        "everything",
		Title:       "Everything",
		Description: "Uses every feature once.",
		Version:     "1.0.0",
		WebsiteURL:  "https://example.com",
		Icons:       icons(),
	}, &mcp.ServerOptions{
		Instructions:       "Use this server!",
		PageSize:           opts.PageSize,
		Logger:             opts.Logger,
		Capabilities:       capabilities(),
		CompletionHandler:  complete,
		SubscribeHandler:   subscribe,
		UnsubscribeHandler: unsubscribe,
	})
	s.addExampleTools()
	s.addContentTools()
	s.addStructuredTools()
	s.addErrorTools()
	s.addNotifyingTools()
	s.addBlockingTools()
	s.addClientTools()
	s.addRoundTripTools()
	s.addChangingTools()
	s.addSchemaTools()
	s.addResources()
	s.addPrompts()
	s.addTasks()
	s.addCustomMethods()
	return s
}

// NewServer returns the SDK server of a new everything server with default options, for
// tests that need nothing else of it.
func NewServer() *mcp.Server { return New(nil).MCP() }

// MCP returns the SDK server. It is the same one on every call.
func (s *Server) MCP() *mcp.Server { return s.mcp }

// capabilities are those that the SDK does not infer from the features of the server.
// Logging has to be among them, because the SDK offers it by default only if there are
// no others.
func capabilities() *mcp.ServerCapabilities {
	caps := &mcp.ServerCapabilities{
		Logging:      &mcp.LoggingCapabilities{},
		Experimental: map[string]any{"com.example/everything": map[string]any{"level": 1, "tags": []string{"a", "b"}}},
	}
	caps.AddExtension(TasksExtension, nil)
	return caps
}

// result returns a tool result that consists of content.
func result(content ...mcp.Content) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: content}
}

// text returns a tool result that consists of one text.
func text(s string) *mcp.CallToolResult { return result(&mcp.TextContent{Text: s}) }

// always returns a tool handler with the same answer to every call. It takes a function
// because the SDK writes metadata into results, which must therefore not be shared.
func always(answer func() *mcp.CallToolResult) mcp.ToolHandlerFor[any, any] {
	return func(_ context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		return answer(), nil, nil
	}
}
