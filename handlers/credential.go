// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/mcpconnect/mcpconnect/authn"
)

// EndWithCredential ends the requests of services that are not of this package with the credential
// of their caller, as the services of this package do by themselves. It must be below
// authentication. Their RPCs say so if they have the interceptor [CredentialEnd].
func EndWithCredential(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := authn.UntilEnd(r.Context())
		defer cancel()
		x := &httpExchange{control: http.NewResponseController(w)}
		defer x.end()
		stop := context.AfterFunc(ctx, func() {
			if credentialEnded(ctx) {
				x.stopReading()
			}
		})
		defer stop()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// CredentialEnd is the interceptor by which RPCs that [EndWithCredential] has ended fail with code
// unauthenticated.
type CredentialEnd struct{}

var _ connect.Interceptor = CredentialEnd{}

// WrapUnary implements [connect.Interceptor].
func (CredentialEnd) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		res, err := next(ctx, req)
		if err != nil && credentialEnded(ctx) {
			return nil, connect.NewError(connect.CodeUnauthenticated, errCredentialEnded)
		}
		return res, err
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (CredentialEnd) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		err := next(ctx, conn)
		if credentialEnded(ctx) {
			return connect.NewError(connect.CodeUnauthenticated, errCredentialEnded)
		}
		return err
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (CredentialEnd) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
