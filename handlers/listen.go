// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// listen runs one subscriptions/listen until ctx ends, the server drains, or the SDK
// ends it, and gives its result. Each has a session of its own, since the SDK keeps one
// subscription of a kind per session. push takes the notifications and must not block.
func (s *Server) listen(ctx context.Context, c *call, id jsonrpc.ID, params json.RawMessage, push func(*jsonrpc.Request) error) (json.RawMessage, error) {
	if err := s.allowJSON(ctx, methodListen, params); err != nil {
		return nil, err
	}
	answer := make(chan *jsonrpc.Response, 1)
	broken := make(chan error, 1)
	p := newPipe("")
	p.write = func(_ context.Context, m jsonrpc.Message) error {
		switch m := m.(type) {
		case *jsonrpc.Response:
			answer <- m
		case *jsonrpc.Request:
			if m.IsCall() {
				return rejection{methodNotFound(m.Method)}
			}
			if err := push(m); err != nil {
				select {
				case broken <- err:
				default: // the first error is enough
				}
			}
		}
		return nil
	}
	ss, err := s.server.Connect(context.Background(), p, modernState(c.scope.ss.InitializeParams()))
	if err != nil {
		return nil, err
	}
	defer closeSession(ss)
	r := &jsonrpc.Request{ID: id, Method: methodListen, Params: params}
	defer s.expect(ctx, c, r)()
	if err := p.deliver(ctx, r); err != nil {
		return nil, err
	}
	select {
	case res := <-answer:
		return outcome(res, nil)
	case err := <-broken:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.drain.Done():
	}
	// Closing the session would race with the last message; cancelling does not.
	if err := p.deliver(ctx, cancelled(id)); err != nil {
		return nil, err
	}
	select {
	case res := <-answer:
		return outcome(res, nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listenID is the id that the SDK knows a typed listen by.
func listenID() jsonrpc.ID {
	id, err := jsonrpc.MakeID("listen")
	if err != nil {
		panic("handlers: " + err.Error()) //nolint:forbidigo // of a constant: cannot fail
	}
	return id
}

// Listen implements the Listen RPC (SPEC.md §9).
func (s *Server) Listen(ctx context.Context, req *mcpv1.ListenRequest, stream *connect.ServerStream[mcpv1.ListenResponse]) error {
	enc := req.GetMeta().GetJsonEncoding()
	ctx, cancel := authn.UntilEnd(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, methodListen, req)
	if err != nil {
		return s.fail(ctx, methodListen, err, enc)
	}
	defer done()
	if !c.scope.modern() {
		return s.fail(ctx, methodListen, methodNotFound(methodListen), enc)
	}
	params, err := mapping.ToJSON(req)
	if err != nil {
		return s.fail(ctx, methodListen, jsonError(err), enc)
	}
	q := newQueue[*mcpv1.ListenResponse]()
	err = pump(ctx, q, func(ctx context.Context) error {
		res, err := s.listen(ctx, c, listenID(), params, func(n *jsonrpc.Request) error {
			m, err := listenEvent(n, enc)
			if err != nil {
				return err
			}
			return q.push(pushKey(n.Method, n.Params), m)
		})
		if err != nil {
			return err
		}
		return completeListen(ctx, q, res, enc)
	}, func(events []*mcpv1.ListenResponse) error {
		for _, e := range events {
			if err := stream.Send(e); err != nil {
				return err
			}
		}
		return nil
	})
	return s.fail(ctx, methodListen, err, enc)
}

func completeListen(ctx context.Context, q *queue[*mcpv1.ListenResponse], res json.RawMessage, enc mcpv1.JsonEncoding) error {
	var m mcpv1.ListenCompleted
	if err := mapping.FromJSON(res, &m, enc); err != nil {
		return err
	}
	return q.send(ctx, &mcpv1.ListenResponse{Kind: &mcpv1.ListenResponse_Completed{Completed: &m}})
}

// pushKey names what a notification says: of two that wait with the same key, one is
// enough. It is empty for those that all count.
func pushKey(method string, params json.RawMessage) string {
	switch method {
	case methodToolsChanged, methodPromptsChanged, methodResourcesChanged, methodResourceUpdated:
		return method + string(params)
	}
	return ""
}

// listenEvent gives the typed twin of a notification on a listen stream.
func listenEvent(n *jsonrpc.Request, enc mcpv1.JsonEncoding) (*mcpv1.ListenResponse, error) {
	params := n.Params
	if isNull(params) {
		params = json.RawMessage("{}")
	}
	var e mcpv1.ListenResponse
	var m proto.Message
	switch n.Method {
	case methodSubscriptionAcked:
		k := &mcpv1.ListenResponse_Acknowledged{Acknowledged: &mcpv1.SubscriptionAcknowledged{}}
		e.Kind, m = k, k.Acknowledged
	case methodToolsChanged:
		k := &mcpv1.ListenResponse_ToolsListChanged{ToolsListChanged: &mcpv1.ListChanged{}}
		e.Kind, m = k, k.ToolsListChanged
	case methodPromptsChanged:
		k := &mcpv1.ListenResponse_PromptsListChanged{PromptsListChanged: &mcpv1.ListChanged{}}
		e.Kind, m = k, k.PromptsListChanged
	case methodResourcesChanged:
		k := &mcpv1.ListenResponse_ResourcesListChanged{ResourcesListChanged: &mcpv1.ListChanged{}}
		e.Kind, m = k, k.ResourcesListChanged
	case methodResourceUpdated:
		k := &mcpv1.ListenResponse_ResourceUpdated{ResourceUpdated: &mcpv1.ResourceUpdated{}}
		e.Kind, m = k, k.ResourceUpdated
	default:
		other, err := notification(n.Method, n.Params, enc)
		e.Kind = &mcpv1.ListenResponse_Other{Other: other}
		return &e, err
	}
	return &e, mapping.FromJSON(params, m, enc)
}

// SubscribeResource implements the SubscribeResource RPC (SPEC.md §9).
func (s *Server) SubscribeResource(ctx context.Context, req *mcpv1.SubscribeResourceRequest, stream *connect.ServerStream[mcpv1.ResourceEvent]) error {
	enc := req.GetMeta().GetJsonEncoding()
	ctx, cancel := authn.UntilEnd(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, methodListen, req)
	if err != nil {
		return s.fail(ctx, methodListen, err, enc)
	}
	defer done()
	params, err := json.Marshal(&mcp.SubscriptionsListenParams{
		Meta:          c.scope.meta,
		Notifications: &mcp.NotificationSubscriptions{ResourceSubscriptions: []string{req.GetUri()}},
	})
	if err != nil {
		return s.fail(ctx, methodListen, err, enc)
	}
	q := newQueue[*jsonrpc.Request]()
	err = pump(ctx, q, func(ctx context.Context) error {
		_, err := s.listen(ctx, c, listenID(), params, func(n *jsonrpc.Request) error {
			return q.push(pushKey(n.Method, n.Params), n)
		})
		return err
	}, func(events []*jsonrpc.Request) error {
		for _, n := range events {
			if err := s.resourceEvent(ctx, c, req.GetUri(), n, stream); err != nil {
				return err
			}
		}
		return nil
	})
	return s.fail(ctx, methodListen, err, enc)
}

// resourceEvent passes on one notification: the acknowledgement as the response's
// headers, a change as an event with the fresh contents.
func (s *Server) resourceEvent(ctx context.Context, c *call, uri string, n *jsonrpc.Request, stream *connect.ServerStream[mcpv1.ResourceEvent]) error {
	switch n.Method {
	case methodSubscriptionAcked:
		var ack mcp.SubscriptionsAcknowledgedParams
		if err := mapping.DecodeSDK(n.Params, &ack); err != nil {
			return err
		}
		if len(ack.Notifications.ResourceSubscriptions) == 0 {
			return newError(connect.CodeUnimplemented, jsonrpc.CodeMethodNotFound, "the server has no resource subscriptions")
		}
		return stream.Send(nil) // headers only: the subscription stands
	case methodResourceUpdated:
		return stream.Send(s.freshContents(ctx, c, uri))
	}
	return nil
}

func (s *Server) freshContents(ctx context.Context, c *call, uri string) *mcpv1.ResourceEvent {
	e := &mcpv1.ResourceEvent{Uri: &uri, At: timestamppb.Now()}
	var m mcpv1.ReadResourceResponse
	res, err := s.dispatch(ctx, &call{
		method: methodReadResource,
		scope:  c.scope,
		params: &mcp.ReadResourceParams{Meta: c.scope.meta, URI: uri},
		extra:  c.extra,
	})
	if err == nil {
		err = mapping.FromSDKResult(res, &m, s.resultOptions(&c.scope))
	}
	if err == nil && s.isOverLimit(&m) {
		err = s.errTooLarge()
	}
	if err != nil {
		e.Kind = &mcpv1.ResourceEvent_Error{Error: s.toRPCError(ctx, methodReadResource, err).message(c.scope.encoding)}
		return e
	}
	e.Kind = &mcpv1.ResourceEvent_Update{Update: &m}
	return e
}
