// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"iter"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// An Event is something that a subscription tells. Exactly one field is set.
type Event struct {
	// Acknowledged is the first event: the subscription stands, for what it names.
	Acknowledged *mcp.SubscriptionsAcknowledgedParams
	// ToolsChanged, PromptsChanged and ResourcesChanged say that a list has changed.
	ToolsChanged     *mcp.ToolListChangedParams
	PromptsChanged   *mcp.PromptListChangedParams
	ResourcesChanged *mcp.ResourceListChangedParams
	// ResourceUpdated says that the contents of a resource have changed.
	ResourceUpdated *mcp.ResourceUpdatedNotificationParams
	// Task is a task that has changed.
	Task *mcpv1.Task
	// Other is a notification that this package does not know.
	Other *jsonrpc.Request
}

// Listen subscribes to what params name, and gives what the server tells, until the server
// ends the subscription, ctx ends, or the loop is left. None of these is an error. An error
// is the last element. A legacy server fails with -32601.
//
// Several subscriptions may run at once. What happens before the first event is not told,
// nor what happens after the end: a client that listens again lists or reads again, too.
func (c *Client) Listen(ctx context.Context, params *mcp.SubscriptionsListenParams) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.openListen(ctx, params)
		if err != nil {
			yieldError(ctx, yield, err)
			return
		}
		defer stream.Close()
		for stream.Receive() {
			m := stream.Msg()
			if m.GetCompleted() != nil {
				return
			}
			e, known, err := eventOf(m)
			if err != nil {
				yield(Event{}, invalidAnswer(err))
				return
			}
			if known && !yield(e, nil) {
				return
			}
		}
		if err := stream.Err(); err != nil {
			yieldError(ctx, yield, newCallError(err))
		}
	}
}

// yieldError gives the last element of a stream, unless it ended because ctx did.
func yieldError[T any](ctx context.Context, yield func(T, error) bool, err error) {
	if ctx.Err() == nil {
		var none T
		yield(none, err)
	}
}

func (c *Client) openListen(ctx context.Context, params *mcp.SubscriptionsListenParams) (*connect.ServerStreamForClient[mcpv1.ListenResponse], error) {
	var p mcp.SubscriptionsListenParams
	if params != nil {
		p = *params
	}
	k := call{method: methodListen, meta: p.Meta}
	p.Meta = nil // written below
	if p.Notifications == nil {
		p.Notifications = &mcp.NotificationSubscriptions{}
	}
	req := &mcpv1.ListenRequest{}
	if err := mapping.FromSDKParams(&p, req); err != nil {
		return nil, invalidCall(err)
	}
	ctx, meta, _, err := c.prepare(ctx, k)
	if err != nil {
		return nil, err
	}
	req.Meta = meta
	stream, err := c.link.rpc.Listen(ctx, req)
	if err != nil {
		return nil, newCallError(err)
	}
	return stream, nil
}

// eventOf reads one message of a subscription; false for a kind that is not known.
func eventOf(m *mcpv1.ListenResponse) (e Event, known bool, err error) {
	switch k := m.GetKind().(type) {
	case *mcpv1.ListenResponse_Acknowledged:
		e.Acknowledged = &mcp.SubscriptionsAcknowledgedParams{}
		err = mapping.SDKNotification(k.Acknowledged, e.Acknowledged)
	case *mcpv1.ListenResponse_ToolsListChanged:
		e.ToolsChanged = &mcp.ToolListChangedParams{}
		err = mapping.SDKNotification(k.ToolsListChanged, e.ToolsChanged)
	case *mcpv1.ListenResponse_PromptsListChanged:
		e.PromptsChanged = &mcp.PromptListChangedParams{}
		err = mapping.SDKNotification(k.PromptsListChanged, e.PromptsChanged)
	case *mcpv1.ListenResponse_ResourcesListChanged:
		e.ResourcesChanged = &mcp.ResourceListChangedParams{}
		err = mapping.SDKNotification(k.ResourcesListChanged, e.ResourcesChanged)
	case *mcpv1.ListenResponse_ResourceUpdated:
		e.ResourceUpdated = &mcp.ResourceUpdatedNotificationParams{}
		err = mapping.SDKNotification(k.ResourceUpdated, e.ResourceUpdated)
	case *mcpv1.ListenResponse_Task:
		e.Task = k.Task
	case *mcpv1.ListenResponse_Other:
		var other jsonrpc.Message
		other, err = messageOf(k.Other)
		e.Other, known = other.(*jsonrpc.Request)
		return e, known, err
	default:
		return e, false, nil
	}
	return e, true, err
}

// A ResourceUpdate is a change of a resource that [Client.SubscribeResource] watches.
type ResourceUpdate struct {
	URI string
	// At is when the server learnt of the change, by its clock.
	At time.Time
	// Contents is what the resource held after the change; nil if Err is set.
	Contents *mcp.ReadResourceResult
	// Err says that the resource could not be read. The subscription goes on.
	Err error
}

// SubscribeResource watches the resource at params.URI, in both eras. It returns once the
// subscription stands, or the server has refused it; a refusal may also be the first
// element. The sequence can be gone through once, and gives what Listen would, with the
// same ends. The subscription takes room on the server until then, or until ctx ends.
func (c *Client) SubscribeResource(ctx context.Context, params *mcp.SubscribeParams) (iter.Seq2[*ResourceUpdate, error], error) {
	if params == nil {
		params = &mcp.SubscribeParams{}
	}
	ctx, cancel := context.WithCancel(ctx)
	stream, s, err := c.openSubscription(ctx, params)
	if err != nil {
		cancel()
		return nil, err
	}
	return func(yield func(*ResourceUpdate, error) bool) {
		defer cancel()
		defer stream.Close()
		for stream.Receive() {
			if !yield(updateOf(stream.Msg()), nil) {
				return
			}
		}
		if err := stream.Err(); err != nil {
			e := newCallError(err)
			c.lost(s, e) // the next call opens another session
			yieldError(ctx, yield, e)
		}
	}, nil
}

func (c *Client) openSubscription(ctx context.Context, params *mcp.SubscribeParams) (*connect.ServerStreamForClient[mcpv1.ResourceEvent], *session, error) {
	ctx, meta, s, err := c.prepare(ctx, call{method: methodListen, name: params.URI, meta: params.Meta})
	if err != nil {
		return nil, nil, err
	}
	stream, err := c.link.rpc.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: &params.URI, Meta: meta})
	if err != nil {
		return nil, nil, newCallError(err)
	}
	return stream, s, nil
}

func updateOf(m *mcpv1.ResourceEvent) *ResourceUpdate {
	u := &ResourceUpdate{URI: m.GetUri(), At: m.GetAt().AsTime()}
	switch k := m.GetKind().(type) {
	case *mcpv1.ResourceEvent_Update:
		u.Contents, u.Err = resultOf(k.Update, &mcp.ReadResourceResult{})
	case *mcpv1.ResourceEvent_Error:
		u.Err = eventError(k.Error)
	default:
		u.Err = unavailable("the server sent a change without contents")
	}
	return u
}
