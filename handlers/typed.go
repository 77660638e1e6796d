// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

type headerKey struct{}

// requestHeader gives the metadata of the call that ctx belongs to: of its RPC, or of
// the stream that its frame came on.
func requestHeader(ctx context.Context) http.Header {
	if h, ok := ctx.Value(headerKey{}).(http.Header); ok {
		return h
	}
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		return info.RequestHeader()
	}
	return nil
}

// begin checks a typed request and gives the call for it, without params. done must be
// called at its end.
func (s *Server) begin(ctx context.Context, method string, req typedRequest) (c *call, _ context.Context, done func(), err error) {
	noTwin, err := s.check(req)
	if err != nil {
		return nil, ctx, nil, err
	}
	header := requestHeader(ctx)
	c = &call{method: method, extra: extraOf(ctx, header), message: req}
	if c.scope, err = s.scopeOf(ctx, head{method: method, header: header, meta: req.GetMeta()}); err != nil {
		return nil, ctx, nil, err
	}
	if err := checkMirror(header, method, nameIn(req)); err != nil {
		return nil, ctx, nil, err
	}
	if noTwin != nil {
		return nil, ctx, nil, noTwin
	}
	done = func() {}
	if c.scope.session != nil {
		if ctx, done, err = c.scope.session.use(ctx); err != nil {
			return nil, ctx, nil, err
		}
	}
	return c, ctx, done, nil
}

// check refuses a typed request whose JSON is none, or is over a limit. From then on each member
// that has a field stands there. noTwin is set if it says two things at once: it is to be refused
// for that where an envelope is for its params, after all that the metadata decides.
func (s *Server) check(req typedRequest) (noTwin, err error) {
	if err := mapping.CheckMessage(req, s.limits); err != nil {
		return nil, jsonError(err)
	}
	if err := mapping.Normalize(req); err != nil {
		return jsonError(err), nil
	}
	return nil, nil
}

// nameIn gives what Mcp-Name mirrors of a typed request.
func nameIn(req typedRequest) string {
	switch r := req.(type) {
	case *mcpv1.CallToolRequest:
		return r.GetName()
	case *mcpv1.GetPromptRequest:
		return r.GetName()
	case *mcpv1.ReadResourceRequest:
		return r.GetUri()
	case *mcpv1.SubscribeResourceRequest:
		return r.GetUri()
	case *mcpv1.GetTaskRequest:
		return r.GetTaskId()
	case *mcpv1.UpdateTaskRequest:
		return r.GetTaskId()
	case *mcpv1.CancelTaskRequest:
		return r.GetTaskId()
	}
	return ""
}

// fail turns an error of a handler into the error of its RPC.
func (s *Server) fail(ctx context.Context, method string, err error, enc mcpv1.JsonEncoding) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*connect.Error](err); ok {
		return own // of the stream itself: the peer is gone
	}
	e := s.toRPCError(ctx, method, err)
	failure := e.connectError(enc)
	s.stepUp(ctx, e.wire, failure)
	return failure
}

// bounded gives ctx the deadline that a unary RPC has at the most.
func (s *Server) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if own, ok := ctx.(*callContext); ok {
		return own, func() {} // of a frame: it has its deadline, and its own end
	}
	if authn.FromContext(ctx) != nil {
		return authn.WithTimeout(ctx, s.cfg.MaxUnaryTime)
	}
	own := &callContext{parent: ctx, deadline: time.Now().Add(s.cfg.MaxUnaryTime)}
	return own, own.cancel
}

// A typedRequest is the request message of a typed RPC.
type typedRequest = mapping.Request

// unary serves a typed unary RPC whose method is dispatched directly.
func (s *Server) unary(ctx context.Context, method string, req typedRequest, res proto.Message) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, method, req)
	if err == nil {
		defer done()
		err = s.answer(ctx, c, req, res)
	}
	return s.fail(ctx, method, err, req.GetMeta().GetJsonEncoding())
}

func (s *Server) answer(ctx context.Context, c *call, req typedRequest, res proto.Message) error {
	var err error
	if c.params, err = mapping.SDKParams(req, c.scope.meta); err != nil {
		return jsonError(err)
	}
	got, err := s.dispatch(ctx, c)
	if err != nil {
		return err
	}
	return mapping.FromSDKResult(got, res, s.resultOptions(&c.scope))
}

// unaryCustom serves a typed unary RPC whose method a user registers.
func (s *Server) unaryCustom(ctx context.Context, method string, req typedRequest, res proto.Message) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, method, req)
	if err == nil {
		defer done()
		err = s.answerCustom(ctx, c, req, res)
	}
	return s.fail(ctx, method, err, req.GetMeta().GetJsonEncoding())
}

func (s *Server) answerCustom(ctx context.Context, c *call, req typedRequest, res proto.Message) error {
	params, err := mapping.ToJSON(req)
	if err != nil {
		return jsonError(err)
	}
	got, err := s.custom(ctx, c, params)
	if err != nil {
		return err
	}
	return mapping.FromJSON(got, res, c.scope.encoding)
}

// listPage serves a typed list. m is an empty message for the page.
func (s *Server) listPage(ctx context.Context, method string, req typedRequest, m proto.Message) (*page, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, method, req)
	var p *page
	if err == nil {
		defer done()
		p, err = s.findPage(ctx, c, req, m)
	}
	return p, s.fail(ctx, method, err, req.GetMeta().GetJsonEncoding())
}

func (s *Server) findPage(ctx context.Context, c *call, req typedRequest, m proto.Message) (*page, error) {
	var err error
	if c.params, err = mapping.SDKParams(req, c.scope.meta); err != nil {
		return nil, jsonError(err)
	}
	got, err := s.dispatch(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.pages.get(got, m, s.resultOptions(&c.scope))
}

// list serves the RPC of a list.
func list[M cacheableResponse](ctx context.Context, s *Server, method string, req typedRequest, m M) (M, error) {
	var none M
	p, err := s.listPage(ctx, method, req, m)
	if err != nil {
		return none, err
	}
	res, ok := p.message.(M)
	if !ok {
		return none, s.fail(ctx, method, errNoResult, req.GetMeta().GetJsonEncoding()) // of another list
	}
	return res, cacheable(ctx, res)
}

// ListTools implements the ListTools RPC.
func (s *Server) ListTools(ctx context.Context, req *mcpv1.ListToolsRequest) (*mcpv1.ListToolsResponse, error) {
	return list(ctx, s, methodListTools, req, &mcpv1.ListToolsResponse{})
}

// ListResources implements the ListResources RPC.
func (s *Server) ListResources(ctx context.Context, req *mcpv1.ListResourcesRequest) (*mcpv1.ListResourcesResponse, error) {
	return list(ctx, s, methodListResources, req, &mcpv1.ListResourcesResponse{})
}

// ListResourceTemplates implements the ListResourceTemplates RPC.
func (s *Server) ListResourceTemplates(ctx context.Context, req *mcpv1.ListResourceTemplatesRequest) (*mcpv1.ListResourceTemplatesResponse, error) {
	return list(ctx, s, methodListTemplates, req, &mcpv1.ListResourceTemplatesResponse{})
}

// ListPrompts implements the ListPrompts RPC.
func (s *Server) ListPrompts(ctx context.Context, req *mcpv1.ListPromptsRequest) (*mcpv1.ListPromptsResponse, error) {
	return list(ctx, s, methodListPrompts, req, &mcpv1.ListPromptsResponse{})
}

// Discover implements the Discover RPC.
func (s *Server) Discover(ctx context.Context, req *mcpv1.DiscoverRequest) (*mcpv1.DiscoverResponse, error) {
	res := &mcpv1.DiscoverResponse{}
	if err := s.discover(ctx, req, res); err != nil {
		return nil, err
	}
	return res, cacheable(ctx, res)
}

func (s *Server) discover(ctx context.Context, req *mcpv1.DiscoverRequest, res *mcpv1.DiscoverResponse) error {
	enc := req.GetMeta().GetJsonEncoding()
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	c, ctx, done, err := s.begin(ctx, methodDiscover, req)
	if err == nil {
		defer done()
		var got mcp.Result
		if got, err = s.dispatchDiscover(ctx, c, &mcp.DiscoverParams{Meta: c.scope.meta}); err == nil {
			err = mapping.FromSDKResult(got, res, s.resultOptions(&c.scope))
		}
	}
	return s.fail(ctx, methodDiscover, err, enc)
}

// dispatchDiscover dispatches server/discover on a session made for it: the SDK's
// handler writes the caller into its session, which must not be one that others share.
func (s *Server) dispatchDiscover(ctx context.Context, c *call, params mcp.Params) (mcp.Result, error) {
	if !c.scope.modern() {
		return nil, methodNotFound(methodDiscover)
	}
	ss, err := s.server.Connect(context.Background(), newQuietPipe(), modernState(c.scope.ss.InitializeParams()))
	if err != nil {
		return nil, err
	}
	defer closeSession(ss)
	c.scope.ss, c.params = ss, params
	return s.dispatch(ctx, c)
}

// ReadResource implements the ReadResource RPC.
func (s *Server) ReadResource(ctx context.Context, req *mcpv1.ReadResourceRequest) (*mcpv1.ReadResourceResponse, error) {
	res := &mcpv1.ReadResourceResponse{}
	if err := s.unary(ctx, methodReadResource, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// GetPrompt implements the GetPrompt RPC.
func (s *Server) GetPrompt(ctx context.Context, req *mcpv1.GetPromptRequest) (*mcpv1.GetPromptResponse, error) {
	res := &mcpv1.GetPromptResponse{}
	if err := s.unary(ctx, methodGetPrompt, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// Complete implements the Complete RPC.
func (s *Server) Complete(ctx context.Context, req *mcpv1.CompleteRequest) (*mcpv1.CompleteResponse, error) {
	res := &mcpv1.CompleteResponse{}
	if err := s.unary(ctx, methodComplete, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// GetTask implements the GetTask RPC.
func (s *Server) GetTask(ctx context.Context, req *mcpv1.GetTaskRequest) (*mcpv1.GetTaskResponse, error) {
	res := &mcpv1.GetTaskResponse{}
	if err := s.unaryCustom(ctx, methodGetTask, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// UpdateTask implements the UpdateTask RPC.
func (s *Server) UpdateTask(ctx context.Context, req *mcpv1.UpdateTaskRequest) (*mcpv1.UpdateTaskResponse, error) {
	res := &mcpv1.UpdateTaskResponse{}
	if err := s.unaryCustom(ctx, methodUpdateTask, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// CancelTask implements the CancelTask RPC.
func (s *Server) CancelTask(ctx context.Context, req *mcpv1.CancelTaskRequest) (*mcpv1.CancelTaskResponse, error) {
	res := &mcpv1.CancelTaskResponse{}
	if err := s.unaryCustom(ctx, methodCancelTask, req, res); err != nil {
		return nil, err
	}
	return res, nil
}

// Ping implements the Ping RPC: the transport's own sign of life, in either era. It
// keeps a legacy session alive that its metadata names.
func (s *Server) Ping(ctx context.Context, req *mcpv1.PingRequest) (*mcpv1.PingResponse, error) {
	if err := s.ping(ctx, req); err != nil {
		return nil, s.fail(ctx, methodPing, err, req.GetMeta().GetJsonEncoding())
	}
	return &mcpv1.PingResponse{ServerTime: timestamppb.Now()}, nil
}

func (s *Server) ping(ctx context.Context, req *mcpv1.PingRequest) error {
	noTwin, err := s.check(req)
	if err != nil {
		return err
	}
	h := head{method: methodPing, header: requestHeader(ctx), meta: req.GetMeta()}
	if err := checkMirror(h.header, methodPing, ""); err != nil {
		return err
	}
	if version, err := h.version(); err != nil || noTwin != nil || version >= firstModern {
		return cmp.Or(err, noTwin) // the method is gone from modern versions, the RPC is not
	}
	n, err := s.sessionOf(ctx, h)
	if err != nil || n == nil {
		return err
	}
	_, done, err := n.use(ctx)
	if err == nil {
		done()
	}
	return err
}
