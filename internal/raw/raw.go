// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package raw lets the parameters and results of a request pass as the JSON text that they
// came as. The types of the SDK hold what a handler needs; members that they do not know, and
// numbers that are no float64, get lost in them. A gateway has to pass all of it on.
package raw

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Key is the key by which a context has the [Params] of the request that it belongs to.
type Key struct{}

// Params are the parameters of a request.
type Params interface {
	// RawParams gives the parameters as the client has written them; nil for none.
	RawParams() (json.RawMessage, error)
}

// FromContext gives the parameters of the request that ctx belongs to, nil if they are not
// known.
func FromContext(ctx context.Context) Params {
	p, _ := ctx.Value(Key{}).(Params)
	return p
}

// Text are parameters that are at hand.
type Text json.RawMessage

// RawParams implements [Params].
func (t Text) RawParams() (json.RawMessage, error) { return json.RawMessage(t), nil }

// A Result is a result that is not looked into.
type Result struct {
	mcp.ResultBase

	// JSON is the result as it goes out. It must be an object.
	JSON json.RawMessage
}

// MarshalJSON gives the result.
func (r *Result) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// UnknownParams are the parameters of a method that the server does not know.
type UnknownParams struct {
	mcp.ParamsBase

	JSON json.RawMessage
}

// MarshalJSON gives the parameters.
func (p *UnknownParams) MarshalJSON() ([]byte, error) {
	if p.JSON == nil {
		return []byte("null"), nil
	}
	return p.JSON, nil
}

// A Notification says what its JSON does, whatever its Params, which are of a type of the SDK, know
// of that.
type Notification struct {
	mcp.Params

	JSON json.RawMessage
}

// MarshalJSON gives the parameters.
func (n *Notification) MarshalJSON() ([]byte, error) { return n.JSON, nil }

type notificationKey struct{}

// WithNotification gives a context in which a session notifies in the words of text.
func WithNotification(ctx context.Context, text json.RawMessage) context.Context {
	return context.WithValue(ctx, notificationKey{}, text)
}

// Worded gives the parameters of a notification in the words that ctx has for it; params if it has
// none.
func Worded(ctx context.Context, params mcp.Params) mcp.Params {
	text, ok := ctx.Value(notificationKey{}).(json.RawMessage)
	if _, done := params.(*Notification); !ok || done {
		return params
	}
	return &Notification{params, text}
}
