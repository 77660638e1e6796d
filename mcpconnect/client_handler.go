// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// typedConfig is what concerns a typed Client only.
type typedConfig struct {
	info         *mcp.Implementation
	version      string
	capabilities *mcp.ClientCapabilities
	progress     ProgressHandler
	logLevel     mcp.LoggingLevel
	log          LogHandler
	elicit       ElicitationHandler
	sample       SamplingHandler
	roots        []*mcp.Root
	hasRoots     bool
	unmuxed      bool
}

// WithoutMultiplexing makes a [Client] use an RPC for every call. By default, over gRPC
// and over Connect on HTTP/2, unary calls share one stream, which costs much less; over
// what stands between client and server they cannot be told apart then, by their metadata
// or in its metrics. It does not concern a [Transport].
func WithoutMultiplexing() ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.unmuxed = true })
}

// A ProgressHandler is told the progress of a call. It runs on the goroutine that waits
// for the call, in order, and holds the call up until it returns. ctx is that of the call.
// Calls may run at the same time, and then so do their handlers.
type ProgressHandler func(ctx context.Context, progress *mcp.ProgressNotificationParams)

// A LogHandler is told what a call logs, as a [ProgressHandler] is told progress.
type LogHandler func(ctx context.Context, message *mcp.LoggingMessageParams)

// An ElicitationHandler asks the user what a server wants to know. It runs on the
// goroutine that waits for the call; handlers of several calls run at the same time. An
// error ends the call with it; that the user does not want is a result, not an error.
type ElicitationHandler func(ctx context.Context, request *mcp.ElicitParams) (*mcp.ElicitResult, error)

// A SamplingHandler has a model complete what a server asks for. It runs as an
// [ElicitationHandler] does.
type SamplingHandler func(ctx context.Context, request *mcp.CreateMessageWithToolsParams) (*mcp.CreateMessageWithToolsResult, error)

// WithClientInfo says who calls, on every request. By default, or if info is nil, a
// [Client] calls itself "mcpconnect". It is for a [Client]; an SDK client has its own.
func WithClientInfo(info *mcp.Implementation) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.info = info })
}

// WithProtocolVersion sets the MCP version that a [Client] speaks. By default, or if
// version is empty, "2026-07-28". A version before that makes it a legacy client: it opens
// a session with its first call, which [Client.Close] ends, and opens another one when the
// server has lost it. The server may agree to another legacy version. It is for a
// [Client]; an SDK client takes it from [mcp.ClientSessionOptions].
func WithProtocolVersion(version string) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.version = version })
}

// WithCapabilities declares what a [Client] can do, for example extensions. Capabilities
// that are nil in it are filled in by [WithElicitationHandler], [WithSamplingHandler] and
// [WithRoots]. By default, or if capabilities is nil, these alone are declared.
func WithCapabilities(capabilities *mcp.ClientCapabilities) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.capabilities = capabilities })
}

// WithProgressHandler has a [Client] ask for the progress of every tool call, and tells h.
// Calls whose params carry a progress token keep it; others get one that no other call of
// the client has. By default nobody is told.
func WithProgressHandler(h ProgressHandler) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.progress = h })
}

// WithLogHandler has a modern [Client] ask for the log messages of every tool call, of
// level or more severe, and tells h. Calls whose params carry a level keep it. A legacy
// client gets those of the level that the server has by itself. By default nobody is told.
func WithLogHandler(level mcp.LoggingLevel, h LogHandler) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.logLevel, c.typed.log = level, h })
}

// WithElicitationHandler declares that a modern [Client] can ask the user, by forms, and
// answers the server's questions with h (SPEC.md §8). If [WithCapabilities] declares
// URLs, h gets those too. Without a handler for what is asked, a call returns the question
// as its result.
func WithElicitationHandler(h ElicitationHandler) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.elicit = h })
}

// WithSamplingHandler declares that a modern [Client] has a model, and answers the
// server's requests with h; see [WithElicitationHandler].
func WithSamplingHandler(h SamplingHandler) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.typed.sample = h })
}

// WithRoots declares that a modern [Client] has roots, and gives them to servers that ask.
func WithRoots(roots ...*mcp.Root) ClientOption {
	return clientOptionFunc(func(c *clientConfig) {
		c.typed.roots, c.typed.hasRoots = append([]*mcp.Root{}, roots...), true // not null in JSON
	})
}

// declared are the capabilities that go with the handlers.
func (c *typedConfig) declared() *mcp.ClientCapabilities {
	caps := &mcp.ClientCapabilities{}
	if c.capabilities != nil {
		copied := *c.capabilities
		caps = &copied
	}
	if c.elicit != nil && caps.Elicitation == nil {
		caps.Elicitation = &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}}
	}
	if c.sample != nil && caps.Sampling == nil {
		caps.Sampling = &mcp.SamplingCapabilities{Tools: &mcp.SamplingToolsCapabilities{}}
	}
	if c.hasRoots && caps.RootsV2 == nil {
		caps.RootsV2 = &mcp.RootCapabilities{}
	}
	return caps
}
