// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/mcpconnect/mcpconnect/authn"
)

// greet is a service that is not MCP's, with a panic for who has no name.
func greet(opts ...connect.HandlerOption) (path string, handler http.Handler) {
	const service = "/greet.v1.Greeter/"
	return service, connect.NewUnaryHandler(service+"Greet",
		func(_ context.Context, req *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
			if req.Msg.GetValue() == "" {
				panic("nobody")
			}
			return connect.NewResponse(wrapperspb.String("hello " + req.Msg.GetValue())), nil
		}, opts...)
}

// TestWithService asks a foreign service on each protocol for what stands in front of it.
func TestWithService(t *testing.T) {
	t.Parallel()
	tokens, err := authn.NewStatic(map[string]authn.Grant{"secret-of-ten-characters-and-more": {Subject: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	h := NewHandler(
		mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil),
		WithService(greet),
		WithLogger(slog.New(slog.DiscardHandler)),
		WithAuthn(authn.Bearer{tokens}),
		WithLimits(Limits{MessageBytes: 1 << 10}),
	)
	defer h.Close()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	for protocol, opts := range map[string][]connect.ClientOption{
		"gRPC":     {connect.WithGRPC()},
		"gRPC-Web": {connect.WithGRPCWeb()},
		"Connect":  nil,
	} {
		for _, c := range []struct{ name, who, token, want, code string }{
			{name: "answers", who: "Ann", token: "secret-of-ten-characters-and-more", want: "hello Ann"},
			{name: "refuses who is nobody", who: "Ann", code: "unauthenticated"},
			{name: "refuses a long message", who: strings.Repeat("A", 2<<10), token: "secret-of-ten-characters-and-more", code: "resource_exhausted"},
			{name: "survives a panic", token: "secret-of-ten-characters-and-more", code: "internal"},
		} {
			t.Run(protocol+" "+c.name, func(t *testing.T) {
				client := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](server.Client(), server.URL+"/greet.v1.Greeter/Greet", opts...)
				req := connect.NewRequest(wrapperspb.String(c.who))
				if c.token != "" {
					req.Header().Set("Authorization", "Bearer "+c.token)
				}
				res, err := client.CallUnary(t.Context(), req)
				switch {
				case c.code == "" && err != nil:
					t.Errorf("got %v", err)
				case c.code != "" && (err == nil || connect.CodeOf(err).String() != c.code):
					t.Errorf("got %v, want %s", err, c.code)
				case c.want != "" && res.Msg.GetValue() != c.want:
					t.Errorf("got %q, want %q", res.Msg.GetValue(), c.want)
				}
			})
		}
	}
}
