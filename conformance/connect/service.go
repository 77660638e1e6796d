// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	conformancev1 "github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1"
	"github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1/conformancev1connect"
)

// service answers as each request says, and tells what the request was.
type service struct {
	conformancev1connect.UnimplementedConformanceServiceHandler
}

var _ conformancev1connect.ConformanceServiceHandler = service{}

type (
	payload     = conformancev1.ConformancePayload
	requestInfo = conformancev1.ConformancePayload_RequestInfo
)

// Unary answers one message with one.
func (service) Unary(ctx context.Context, req *connect.Request[conformancev1.UnaryRequest]) (*connect.Response[conformancev1.UnaryResponse], error) {
	info, err := infoOf(ctx, req.Header(), nil, req.Msg)
	if err != nil {
		return nil, err
	}
	return answer(ctx, req.Msg.GetResponseDefinition(), info, func(p *payload) *conformancev1.UnaryResponse {
		return &conformancev1.UnaryResponse{Payload: p}
	})
}

// IdempotentUnary is as Unary is, by GET too.
func (service) IdempotentUnary(ctx context.Context, req *connect.Request[conformancev1.IdempotentUnaryRequest]) (*connect.Response[conformancev1.IdempotentUnaryResponse], error) {
	query := url.Values(nil)
	if req.HTTPMethod() == http.MethodGet {
		query = req.Peer().Query
	}
	info, err := infoOf(ctx, req.Header(), query, req.Msg)
	if err != nil {
		return nil, err
	}
	return answer(ctx, req.Msg.GetResponseDefinition(), info, func(p *payload) *conformancev1.IdempotentUnaryResponse {
		return &conformancev1.IdempotentUnaryResponse{Payload: p}
	})
}

// ClientStream answers many messages with one, as the first of them says.
func (service) ClientStream(ctx context.Context, stream *connect.ClientStream[conformancev1.ClientStreamRequest]) (*connect.Response[conformancev1.ClientStreamResponse], error) {
	var all []proto.Message
	var def *conformancev1.UnaryResponseDefinition
	for stream.Receive() {
		if all == nil {
			def = stream.Msg().GetResponseDefinition()
		}
		all = append(all, proto.Clone(stream.Msg()))
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	info, err := infoOf(ctx, stream.RequestHeader(), nil, all...)
	if err != nil {
		return nil, err
	}
	return answer(ctx, def, info, func(p *payload) *conformancev1.ClientStreamResponse {
		return &conformancev1.ClientStreamResponse{Payload: p}
	})
}

// answer is what def says, after its delay.
func answer[Res any](ctx context.Context, def *conformancev1.UnaryResponseDefinition, info *requestInfo, wrap func(*payload) *Res) (*connect.Response[Res], error) {
	if err := wait(ctx, def.GetResponseDelayMs()); err != nil {
		return nil, err
	}
	if def.GetError() != nil {
		err := errorFrom(def.GetError(), info)
		if e, ok := errors.AsType[*connect.Error](err); ok { // an error has one set of headers, for both
			addHeaders(e.Meta(), def.GetResponseHeaders())
			addHeaders(e.Meta(), def.GetResponseTrailers())
		}
		return nil, err
	}
	res := connect.NewResponse(wrap(&payload{Data: def.GetResponseData(), RequestInfo: info}))
	addHeaders(res.Header(), def.GetResponseHeaders())
	addHeaders(res.Trailer(), def.GetResponseTrailers())
	return res, nil
}

// ServerStream answers one message with many.
func (service) ServerStream(ctx context.Context, req *connect.Request[conformancev1.ServerStreamRequest], stream *connect.ServerStream[conformancev1.ServerStreamResponse]) error {
	def := req.Msg.GetResponseDefinition()
	addHeaders(stream.ResponseHeader(), def.GetResponseHeaders())
	addHeaders(stream.ResponseTrailer(), def.GetResponseTrailers())
	info, err := infoOf(ctx, req.Header(), nil, req.Msg)
	if err != nil {
		return err
	}
	s := sender{ctx: ctx, def: def, send: func(p *payload) error {
		return stream.Send(&conformancev1.ServerStreamResponse{Payload: p})
	}}
	return s.rest(info)
}

// BidiStream answers many messages with many, each with one or all at the end, as the first of
// them says.
func (service) BidiStream(ctx context.Context, stream *connect.BidiStream[conformancev1.BidiStreamRequest, conformancev1.BidiStreamResponse]) error {
	s := sender{ctx: ctx, send: func(p *payload) error {
		return stream.Send(&conformancev1.BidiStreamResponse{Payload: p})
	}}
	var unanswered []proto.Message
	info := func() (*requestInfo, error) {
		if s.sent > 0 { // the headers are known
			return infoOf(context.Background(), nil, nil, unanswered...)
		}
		return infoOf(ctx, stream.RequestHeader(), nil, unanswered...)
	}
	duplex := false
	for first := true; ; first = false {
		req, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if first {
			duplex, s.def = req.GetFullDuplex(), req.GetResponseDefinition()
			addHeaders(stream.ResponseHeader(), s.def.GetResponseHeaders())
			addHeaders(stream.ResponseTrailer(), s.def.GetResponseTrailers())
		}
		unanswered = append(unanswered, req)
		if !duplex {
			continue
		}
		if s.sent == len(s.def.GetResponseData()) {
			break
		}
		i, err := info()
		if err != nil {
			return err
		}
		if err := s.next(i); err != nil {
			return err
		}
		unanswered = nil
	}
	i, err := info()
	if err != nil {
		return err
	}
	return s.rest(i)
}

// A sender sends what a definition has.
type sender struct {
	ctx  context.Context
	def  *conformancev1.StreamResponseDefinition
	send func(*payload) error
	sent int
}

func (s *sender) next(info *requestInfo) error {
	if err := wait(s.ctx, s.def.GetResponseDelayMs()); err != nil {
		return err
	}
	p := &payload{Data: s.def.GetResponseData()[s.sent], RequestInfo: info}
	s.sent++
	return s.send(p)
}

// rest sends what has not been sent, the first with info, and then the error.
func (s *sender) rest(info *requestInfo) error {
	first := s.sent == 0
	for s.sent < len(s.def.GetResponseData()) {
		told := info
		if s.sent > 0 {
			told = nil
		}
		if err := s.next(told); err != nil {
			return err
		}
	}
	switch e := s.def.GetError(); {
	case e == nil:
		return nil
	case first && s.sent == 0:
		return errorFrom(e, info)
	default:
		return errorFrom(e)
	}
}

// infoOf is what came with a request.
func infoOf(ctx context.Context, header http.Header, query url.Values, requests ...proto.Message) (*requestInfo, error) {
	info := &requestInfo{RequestHeaders: headersOf(header)}
	if deadline, ok := ctx.Deadline(); ok {
		info.TimeoutMs = new(time.Until(deadline).Milliseconds())
	}
	if len(query) > 0 {
		info.ConnectGetInfo = &conformancev1.ConformancePayload_ConnectGetInfo{QueryParams: headersOf(query)}
	}
	for _, m := range requests {
		packed, err := anypb.New(m)
		if err != nil {
			return nil, err
		}
		info.Requests = append(info.Requests, packed)
	}
	return info, nil
}

func wait(ctx context.Context, milliseconds uint32) error {
	if milliseconds == 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(milliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
