// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"connectrpc.com/connect"
)

// A headerTransport sends a header with every request.
type headerTransport struct {
	*http.Transport

	header http.Header
	failed func(connect.Code)
}

// RoundTrip implements [http.RoundTripper].
func (t *headerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range t.header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	res, err := t.Transport.RoundTrip(r)
	if t.failed == nil || r.Context().Err() != nil {
		return res, err
	}
	if err != nil {
		t.failed(connect.CodeUnavailable)
		return nil, err
	}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		t.failed(connect.CodeUnauthenticated)
	case http.StatusForbidden:
		t.failed(connect.CodePermissionDenied)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		t.failed(connect.CodeUnavailable)
	}
	return res, nil
}

// An observer is told the codes of RPCs that fail.
type observer func(connect.Code)

func (o observer) see(err error) {
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) {
		o(connect.CodeOf(err))
	}
}

// WrapUnary implements [connect.Interceptor].
func (o observer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		res, err := next(ctx, req)
		o.see(err)
		return res, err
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (o observer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return &observedConn{next(ctx, spec), o}
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (o observer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

type observedConn struct {
	connect.StreamingClientConn

	observer observer
}

func (c *observedConn) Receive(m any) error {
	err := c.StreamingClientConn.Receive(m)
	c.observer.see(err)
	return err
}
