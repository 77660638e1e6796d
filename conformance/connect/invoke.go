// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	conformancev1 "github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1"
	"github.com/mcpconnect/mcpconnect/conformance/connect/gen/connectrpc/conformance/v1/conformancev1connect"
)

type result = conformancev1.ClientResponseResult

// invoke calls the method that req names. Its error is one of the request, not of the call.
func invoke(ctx context.Context, client conformancev1connect.ConformanceServiceClient, req *conformancev1.ClientCompatRequest) (*result, error) {
	if req.TimeoutMs != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(req.GetTimeoutMs())*time.Millisecond)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &one{ctx: ctx, cancel: cancel, req: req, result: new(result)}
	var err error
	switch req.GetMethod() {
	case "Unary":
		err = unary(c, client.Unary)
	case "IdempotentUnary":
		err = unary(c, client.IdempotentUnary)
	case "Unimplemented":
		err = unary(c, client.Unimplemented)
	case "ServerStream":
		err = c.serverStream(client)
	case "ClientStream":
		err = c.clientStream(client)
	case "BidiStream":
		err = c.bidiStream(client)
	default:
		err = fmt.Errorf("there is no method %s", req.GetMethod())
	}
	return c.result, err
}

// one is one call.
type one struct {
	ctx    context.Context
	cancel context.CancelFunc
	req    *conformancev1.ClientCompatRequest
	result *result
}

// has is a message with a payload; the one of Unimplemented has none.
type has interface {
	GetPayload() *conformancev1.ConformancePayload
}

func (c *one) received(m any) {
	if m, ok := m.(has); ok {
		c.result.Payloads = append(c.result.Payloads, m.GetPayload())
	}
	if c.req.GetCancel().GetAfterNumResponses() == uint32(len(c.result.GetPayloads())) {
		c.cancel()
	}
}

// ended notes how a call has ended, with what came around its messages.
func (c *one) ended(err error, header, trailer http.Header) {
	c.result.ResponseHeaders = headersOf(header)
	c.result.ResponseTrailers = headersOf(trailer)
	if err != nil && !errors.Is(err, io.EOF) {
		c.result.Error = errorTo(err)
	}
}

// endedAtOnce notes how a call of one answer has ended. An error has one set of headers, of both.
func (c *one) endedAtOnce(err error, header, trailer http.Header) {
	if e, ok := errors.AsType[*connect.Error](err); ok {
		header, trailer = nil, e.Meta()
	}
	c.ended(err, header, trailer)
}

// cancelLater cancels a call some time after it has sent all.
func (c *one) cancelLater() {
	if after, yes := c.cancelAfter(); yes {
		time.AfterFunc(after, c.cancel)
	}
}

func (c *one) cancelAfter() (time.Duration, bool) {
	switch timing := c.req.GetCancel().GetCancelTiming().(type) {
	case nil:
		return 0, c.req.GetCancel() != nil
	case *conformancev1.ClientCompatRequest_Cancel_AfterCloseSendMs:
		return time.Duration(timing.AfterCloseSendMs) * time.Millisecond, true
	}
	return 0, false
}

// delay waits before a message.
func (c *one) delay() { _ = wait(context.WithoutCancel(c.ctx), c.req.GetRequestDelayMs()) } // it has no end but its own

// unpackAll gives the requests.
func unpackAll[T any, M interface {
	*T
	proto.Message
}](requests []*anypb.Any) ([]M, error) {
	all := make([]M, len(requests))
	for i, r := range requests {
		all[i] = new(T)
		if err := r.UnmarshalTo(all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// unpack gives the one request.
func unpack[T any, M interface {
	*T
	proto.Message
}](requests []*anypb.Any) (M, error) {
	if len(requests) != 1 {
		return nil, fmt.Errorf("there are %d requests, and not 1", len(requests))
	}
	all, err := unpackAll[T, M](requests)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func unary[Req any, M interface {
	*Req
	proto.Message
}, Res any](c *one, method func(context.Context, *connect.Request[Req]) (*connect.Response[Res], error)) error {
	m, err := unpack[Req, M](c.req.GetRequestMessages())
	if err != nil {
		return err
	}
	req := connect.NewRequest((*Req)(m))
	addHeaders(req.Header(), c.req.GetRequestHeaders())
	c.cancelLater()
	res, err := method(c.ctx, req)
	if err != nil {
		c.endedAtOnce(err, nil, nil)
		return nil
	}
	c.received(any(res.Msg))
	c.endedAtOnce(nil, res.Header(), res.Trailer())
	return nil
}

func (c *one) serverStream(client conformancev1connect.ConformanceServiceClient) error {
	m, err := unpack[conformancev1.ServerStreamRequest](c.req.GetRequestMessages())
	if err != nil {
		return err
	}
	req := connect.NewRequest(m)
	addHeaders(req.Header(), c.req.GetRequestHeaders())
	c.cancelLater()
	stream, err := client.ServerStream(c.ctx, req)
	if err != nil {
		c.endedAtOnce(err, nil, nil)
		return nil
	}
	for stream.Receive() {
		c.received(stream.Msg())
	}
	err = stream.Err()
	if closed := stream.Close(); err == nil {
		err = closed
	}
	c.ended(err, stream.ResponseHeader(), stream.ResponseTrailer())
	return nil
}

func (c *one) clientStream(client conformancev1connect.ConformanceServiceClient) error {
	stream := client.ClientStream(c.ctx)
	addHeaders(stream.RequestHeader(), c.req.GetRequestHeaders())
	all, err := unpackAll[conformancev1.ClientStreamRequest](c.req.GetRequestMessages())
	if err != nil {
		return err
	}
	for i, m := range all {
		c.delay()
		if errors.Is(stream.Send(m), io.EOF) {
			c.result.NumUnsentRequests = int32(len(all) - i)
			break
		}
	}
	if c.req.GetCancel().GetBeforeCloseSend() != nil {
		c.cancel()
	}
	c.cancelLater()
	res, err := stream.CloseAndReceive()
	if err != nil {
		c.endedAtOnce(err, nil, nil)
		return nil
	}
	c.received(res.Msg)
	c.endedAtOnce(nil, res.Header(), res.Trailer())
	return nil
}

func (c *one) bidiStream(client conformancev1connect.ConformanceServiceClient) error {
	stream := client.BidiStream(c.ctx)
	addHeaders(stream.RequestHeader(), c.req.GetRequestHeaders())
	all, err := unpackAll[conformancev1.BidiStreamRequest](c.req.GetRequestMessages())
	if err != nil {
		return err
	}
	ended := c.exchange(stream, all)
	if closed := stream.CloseResponse(); closed != nil && errors.Is(ended, io.EOF) {
		ended = closed
	}
	var header, trailer http.Header
	// Connect writes the headers of a call that was cancelled when it likes.
	if c.ctx.Err() == nil || len(c.result.GetPayloads()) > 0 {
		header, trailer = stream.ResponseHeader(), stream.ResponseTrailer()
	}
	c.ended(ended, header, trailer)
	return nil
}

// exchange sends all, receiving an answer for each if both ways are in use at once, and then
// receives the rest. It gives the error of the call, or io.EOF.
func (c *one) exchange(
	stream *connect.BidiStreamForClient[conformancev1.BidiStreamRequest, conformancev1.BidiStreamResponse],
	all []*conformancev1.BidiStreamRequest,
) error {
	duplex := c.req.GetStreamType() == conformancev1.StreamType_STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM
	receive := func() error {
		res, err := stream.Receive()
		if err == nil {
			c.received(res)
		}
		return err
	}
	var ended error
	for i := 0; i < len(all) && ended == nil; i++ {
		c.delay()
		if errors.Is(stream.Send(all[i]), io.EOF) {
			c.result.NumUnsentRequests = int32(len(all) - i)
			ended = receive() // it says why
		} else if duplex {
			ended = receive()
		}
	}
	if c.req.GetCancel().GetBeforeCloseSend() != nil {
		c.cancel()
	}
	_ = stream.CloseRequest() // receiving says more
	if after, yes := c.cancelAfter(); yes {
		_ = wait(context.WithoutCancel(c.ctx), uint32(after.Milliseconds()))
		c.cancel()
	}
	for ended == nil {
		ended = receive()
	}
	return ended
}
