// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// errSecondInitialize refuses to initialize a session twice.
var errSecondInitialize = newError(connect.CodeInvalidArgument, jsonrpc.CodeInvalidRequest, "the session is initialized already")

// newSession opens a legacy session by an initialize request. The caller must release
// it, which starts its idle clock.
func (s *Server) newSession(ctx context.Context, params mcp.Params, extra *mcp.RequestExtra) (*session, mcp.Result, error) {
	n, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	res, err := s.dispatch(ctx, &call{
		method: methodInitialize,
		scope:  scope{ss: n.ss, session: n},
		params: params,
		extra:  extra,
	})
	if err == nil {
		var result *mcp.InitializeResult
		if result, err = initializeResult(res); err == nil {
			n.version = result.ProtocolVersion
			err = s.list(n)
		}
	}
	if err != nil {
		s.end(n, errSessionEnded)
		return nil, nil, err
	}
	return n, res, nil
}

// initializeResult allows for middleware with a result type of its own.
func initializeResult(res mcp.Result) (*mcp.InitializeResult, error) {
	if r, ok := res.(*mcp.InitializeResult); ok {
		return r, nil
	}
	text, err := json.Marshal(res)
	if err != nil {
		return nil, err
	}
	var r mcp.InitializeResult
	return &r, mapping.DecodeSDK(text, &r)
}

// mayInitialize refuses an initialize of the wrong era, and one in a session.
func (s *Server) mayInitialize(ctx context.Context, h head) error {
	version, err := h.version()
	switch {
	case err != nil:
		return err
	case version != "" && !slices.Contains(s.versions, version):
		return s.unsupportedVersion(version)
	case version >= firstModern:
		return methodNotFound(methodInitialize)
	}
	n, err := s.sessionOf(ctx, h)
	if err == nil && n != nil {
		return errSecondInitialize
	}
	return err
}

// initialize serves the method on an envelope stream. On a Connect stream the session
// lives as long as the stream.
func (x *exchange) initialize(ctx context.Context, h head, params json.RawMessage) (json.RawMessage, error) {
	if err := x.srv.mayInitialize(ctx, h); err != nil {
		return nil, err
	}
	if err := mapping.CheckMembers(params); err != nil {
		return nil, malformed("params", err)
	}
	p, err := decodeParams(methodInitialize, params)
	if err != nil {
		return nil, err
	}
	n, res, err := x.srv.newSession(ctx, p, extraOf(ctx, x.header))
	if err != nil {
		return nil, err
	}
	defer n.release()
	x.opened.Store(&n.id)
	if x.wake != nil { // a stream that goes on: the session is part of it
		if err := x.take(n, true); err != nil {
			x.srv.end(n, errSessionEnded)
			return nil, err
		}
	}
	return mapping.EncodeSDK(res)
}

// Initialize implements the Initialize RPC (SPEC.md §6).
func (s *Server) Initialize(ctx context.Context, req *mcpv1.InitializeRequest) (*mcpv1.InitializeResponse, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	enc := req.GetMeta().GetJsonEncoding()
	res := &mcpv1.InitializeResponse{}
	id, err := s.initialize(ctx, req, res)
	if err != nil {
		return nil, s.fail(ctx, methodInitialize, err, enc)
	}
	res.SessionId = id
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		info.ResponseHeader().Set(headerSession, id)
	}
	return res, nil
}

func (s *Server) initialize(ctx context.Context, req *mcpv1.InitializeRequest, res *mcpv1.InitializeResponse) (id string, err error) {
	header := requestHeader(ctx)
	noTwin, err := s.check(req)
	if err != nil {
		return "", err
	}
	if err := checkMirror(header, methodInitialize, ""); err != nil {
		return "", err
	}
	if err := s.mayInitialize(ctx, head{method: methodInitialize, header: header, meta: req.GetMeta()}); err != nil {
		return "", err
	}
	if noTwin != nil {
		return "", noTwin
	}
	text, err := mapping.ToJSON(req)
	if err != nil {
		return "", jsonError(err)
	}
	params, err := decodeParams(methodInitialize, text)
	if err != nil {
		return "", err
	}
	n, result, err := s.newSession(ctx, params, extraOf(ctx, header))
	if err != nil {
		return "", err
	}
	defer n.release()
	// The RPC stands for the whole handshake.
	err = s.dispatchNotification(ctx, methods[methodInitialized], methodInitialized, scope{ss: n.ss, session: n}, nil)
	if err == nil {
		err = mapping.FromSDKResult(result, res, mapping.ResultOptions{Encoding: req.GetMeta().GetJsonEncoding()})
	}
	if err != nil {
		s.end(n, errSessionEnded)
		return "", err
	}
	return n.id, nil
}

// Shutdown implements the Shutdown RPC: it ends the session that the caller's metadata
// names, once what is in flight in it is answered.
func (s *Server) Shutdown(ctx context.Context, _ *mcpv1.ShutdownRequest) (*mcpv1.ShutdownResponse, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	n, err := s.sessionOf(ctx, head{header: requestHeader(ctx)})
	if errors.Is(err, errNoSession) || (err == nil && n == nil) {
		return &mcpv1.ShutdownResponse{}, nil
	}
	if err != nil {
		return nil, s.fail(ctx, "Shutdown", err, mcpv1.JsonEncoding_JSON_ENCODING_UNSPECIFIED)
	}
	n.quiesce(ctx)
	return &mcpv1.ShutdownResponse{Accepted: s.end(n, errSessionEnded)}, nil
}

// GetMetadata implements the GetMetadata RPC of AuthDiscovery (RFC 9728).
func (s *Server) GetMetadata(ctx context.Context, _ *mcpv1.GetMetadataRequest) (*mcpv1.ProtectedResourceMetadata, error) {
	if s.cfg.ResourceMetadata == nil {
		err := newError(connect.CodeNotFound, jsonrpc.CodeInvalidRequest, "the server has no resource metadata: it needs no token, or does not tell")
		return nil, err.connectError(mcpv1.JsonEncoding_JSON_ENCODING_UNSPECIFIED)
	}
	res := proto.CloneOf(s.cfg.ResourceMetadata)
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok && info.HTTPMethod() == "GET" {
		// The document is public by its nature, and the same for everybody.
		return res, setCache(ctx, info, res, int64(time.Hour/time.Millisecond), true)
	}
	return res, nil
}
