// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A Backend runs the tools of a server without a transport: what contenders have that
// bring their own. It goes through the SDK's chain of handlers, as everything on the
// wire does: schema lookup, capability checks and middleware included. It is safe for
// concurrent use.
type Backend struct {
	next    mcp.MethodHandler
	session *mcp.ServerSession
}

type sinkKey struct{}

// A Sink gets the progress of one call.
type Sink func(*mcp.ProgressNotificationParams) error

// NewBackend gives the backend of a server, which gets a middleware. It lasts as long as
// the process.
func NewBackend(s *mcp.Server) (*Backend, error) {
	b := &Backend{}
	s.AddSendingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			p, isProgress := req.GetParams().(*mcp.ProgressNotificationParams)
			if sink, ok := ctx.Value(sinkKey{}).(Sink); ok && isProgress {
				return nil, sink(p)
			}
			return next(ctx, method, req)
		}
	})
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		b.next = next
		return next
	})
	here, _ := mcp.NewInMemoryTransports()
	var err error
	b.session, err = s.Connect(context.Background(), here, &mcp.ServerSessionOptions{State: &mcp.ServerSessionState{
		InitializeParams: &mcp.InitializeParams{
			ProtocolVersion: "2026-07-28",
			Capabilities:    &mcp.ClientCapabilities{},
			ClientInfo:      &mcp.Implementation{Name: "bench", Version: "1"},
		},
		InitializedParams: &mcp.InitializedParams{},
	}})
	return b, err
}

// Call runs a tool. Progress goes to sink, which may be nil.
func (b *Backend) Call(ctx context.Context, name string, arguments json.RawMessage, sink Sink) (*mcp.CallToolResult, error) {
	params := &mcp.CallToolParamsRaw{Name: name, Arguments: arguments}
	if sink != nil {
		ctx = context.WithValue(ctx, sinkKey{}, sink)
		params.SetProgressToken("p")
	}
	res, err := b.next(ctx, "tools/call", &mcp.ServerRequest[*mcp.CallToolParamsRaw]{Session: b.session, Params: params})
	return as[*mcp.CallToolResult](res, err)
}

// Read reads a resource.
func (b *Backend) Read(ctx context.Context, uri string) (*mcp.ReadResourceResult, error) {
	res, err := b.next(ctx, "resources/read", &mcp.ServerRequest[*mcp.ReadResourceParams]{
		Session: b.session, Params: &mcp.ReadResourceParams{URI: uri},
	})
	return as[*mcp.ReadResourceResult](res, err)
}

// List lists the tools.
func (b *Backend) List(ctx context.Context) (*mcp.ListToolsResult, error) {
	res, err := b.next(ctx, "tools/list", &mcp.ServerRequest[*mcp.ListToolsParams]{Session: b.session, Params: &mcp.ListToolsParams{}})
	return as[*mcp.ListToolsResult](res, err)
}

func as[R any](res mcp.Result, err error) (R, error) {
	r, ok := res.(R)
	if err == nil && !ok {
		err = errors.New("result of another type")
	}
	return r, err
}
