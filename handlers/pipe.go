// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A pipe is both Transport and Connection of an SDK session whose other end is this
// package.
type pipe struct {
	id string
	// write takes what the session sends. It must not block for long, except on a
	// request of its own: the SDK notifies one session after the other (go-sdk#1265).
	write func(context.Context, jsonrpc.Message) error

	in   chan jsonrpc.Message
	once sync.Once
	done chan struct{}
}

var (
	_ mcp.Transport  = (*pipe)(nil)
	_ mcp.Connection = (*pipe)(nil)
)

func newPipe(id string) *pipe {
	return &pipe{id: id, in: make(chan jsonrpc.Message), done: make(chan struct{})}
}

// newQuietPipe makes the pipe of a session that only stands for a kind of client: its
// notifications have no receiver, and its requests are answered "method not found",
// which also stops the SDK's keepalive.
func newQuietPipe() *pipe {
	p := newPipe("")
	p.write = func(ctx context.Context, m jsonrpc.Message) error {
		if r, ok := m.(*jsonrpc.Request); ok && r.IsCall() {
			return rejection{methodNotFound(r.Method)}
		}
		return nil
	}
	return p
}

// A rejection is an error for Write that fails one message and leaves the session alive.
// The SDK tells it by a code that is internal to it; TestSDKRejectedWrite pins that.
type rejection struct{ *rpcError }

// codeRejected is the SDK's internal "rejected by transport".
const codeRejected = -32005

// Is makes a rejection what the SDK looks for, beside the error that it stands for.
func (r rejection) Is(target error) bool {
	wire, ok := target.(*jsonrpc.Error)
	return ok && (wire.Code == codeRejected || wire.Code == r.wire.Code)
}

// Unwrap gives the error that the caller learns.
func (r rejection) Unwrap() error { return r.rpcError }

// Connect gives the pipe itself.
func (p *pipe) Connect(context.Context) (mcp.Connection, error) { return p, nil }

// Read gives what deliver was given.
func (p *pipe) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case m := <-p.in:
		return m, nil
	case <-p.done:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write hands a message to the pipe's owner.
func (p *pipe) Write(ctx context.Context, m jsonrpc.Message) error { return p.write(ctx, m) }

// Close ends the pipe.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// SessionID gives the session's id, empty for none.
func (p *pipe) SessionID() string { return p.id }

// deliver gives the session a message to read.
func (p *pipe) deliver(ctx context.Context, m jsonrpc.Message) error {
	select {
	case p.in <- m:
		return nil
	case <-p.done:
		return errSessionEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
