// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// probeBuffer is how many reports wait for a test to read them. More are dropped, so
// that a test that does not read blocks nobody.
const probeBuffer = 4096

// blockProbe tells tests what the tool block does.
type blockProbe struct {
	running *atomic.Int64
	begun   chan struct{}
	ended   chan error
}

func newBlockProbe() blockProbe {
	return blockProbe{
		running: new(atomic.Int64),
		begun:   make(chan struct{}, probeBuffer),
		ended:   make(chan error, probeBuffer),
	}
}

// Blocked is sent a value whenever a call of the tool block has begun to wait.
func (s *Server) Blocked() <-chan struct{} { return s.block.begun }

// Unblocked is sent the cause whenever a call of the tool block has stopped waiting:
// [context.Cause] of the call's context.
func (s *Server) Unblocked() <-chan error { return s.block.ended }

// Blocking returns how many calls of the tool block are waiting now.
func (s *Server) Blocking() int { return int(s.block.running.Load()) }

func (s *Server) addBlockingTools() {
	s.mcp.AddTool(&mcp.Tool{
		Name:        "block",
		Description: "Waits until the call is cancelled or its deadline has passed, for ever if need be.",
		InputSchema: anyObject,
	}, s.blockUntilDone)
}

func (s *Server) blockUntilDone(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	s.block.running.Add(1)
	select {
	case s.block.begun <- struct{}{}:
	default:
	}
	<-ctx.Done()
	s.block.running.Add(-1)
	select {
	case s.block.ended <- context.Cause(ctx):
	default:
	}
	return nil, ctx.Err()
}
