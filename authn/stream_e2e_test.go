// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/authntest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A longStream opens a stream that would go on for ever. It gives a function that waits for
// its end.
type longStream struct {
	name   string
	duplex bool
	open   func(ctx context.Context, c *caller) (wait func() error, err error)
}

// drained waits for the end of a stream of the server.
func drained[T any](stream *connect.ServerStreamForClient[T], err error) (func() error, error) {
	if err != nil {
		return nil, err
	}
	if !stream.Receive() {
		return nil, errors.Join(errors.New("the stream did not begin"), stream.Err())
	}
	return func() error {
		for stream.Receive() {
		}
		err := stream.Err()
		stream.Close()
		return err
	}, nil
}

var longStreams = []longStream{
	{"Listen", false, func(ctx context.Context, c *caller) (func() error, error) {
		return drained(c.mcp().Listen(ctx, &mcpv1.ListenRequest{Notifications: &mcpv1.SubscriptionFilter{ToolsListChanged: new(true)}}))
	}},
	{"SubscribeResource", false, func(ctx context.Context, c *caller) (func() error, error) {
		stream, err := c.mcp().SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: new("file:///x")})
		if err != nil {
			return nil, err
		}
		return func() error {
			defer stream.Close()
			for stream.Receive() {
			}
			return stream.Err()
		}, nil
	}},
	{"CallTool", false, func(ctx context.Context, c *caller) (func() error, error) {
		req := callRequest("forever", `{}`)
		req.Meta = &mcpv1.RequestMeta{ProgressToken: &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: "x"}}}
		return drained(c.mcp().CallTool(ctx, req))
	}},
	{"Connect", true, func(ctx context.Context, c *caller) (func() error, error) { return openConnect(ctx, c, nil) }},
	{"Connect with a call in flight", true, func(ctx context.Context, c *caller) (func() error, error) {
		return openConnect(ctx, c, &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: &mcpv1.CallFrame{CallId: 1, Request: &mcpv1.CallFrame_CallTool{CallTool: callRequest("forever", `{}`)}}}})
	}},
	{"reflection", true, func(ctx context.Context, c *caller) (func() error, error) {
		listServices := new(emptypb.Empty)
		listServices.ProtoReflect().SetUnknown([]byte{0x3a, 0})
		return openForeign(ctx, c, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", listServices)
	}},
	{"a service of others", true, func(ctx context.Context, c *caller) (func() error, error) {
		return openForeign(ctx, c, echoService+"Echo", new(emptypb.Empty))
	}},
}

// openForeign opens a stream that answers each message, and sends one.
func openForeign(ctx context.Context, c *caller, path string, m *emptypb.Empty) (func() error, error) {
	options := c.wire.options
	if strings.Contains(c.wire.name, "JSON") {
		options = nil // it has no place for fields that are not known
	}
	stream := connect.NewClient[emptypb.Empty, emptypb.Empty](c.client, c.url+path, options...).CallBidiStream(ctx)
	if err := stream.Send(m); err != nil {
		return nil, err
	}
	if _, err := stream.Receive(); err != nil {
		return nil, err
	}
	return func() error {
		_, err := stream.Receive()
		_ = stream.CloseResponse()
		return err
	}, nil
}

const echoService = "/echo.v1.Echo/"

// echo is a service that is not MCP's.
func echo(opts ...connect.HandlerOption) (string, http.Handler) {
	return echoService, connect.NewBidiStreamHandler(echoService+"Echo", func(_ context.Context, s *connect.BidiStream[emptypb.Empty, emptypb.Empty]) error {
		for {
			m, err := s.Receive()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil {
				err = s.Send(m)
			}
			if err != nil {
				return err
			}
		}
	}, opts...)
}

func openConnect(ctx context.Context, c *caller, call *mcpv1.Envelope) (func() error, error) {
	stream, err := c.mcp().Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Hello{Hello: &mcpv1.Hello{Frames: true}}}); err != nil {
		_, err = stream.Receive()
		return nil, err
	}
	if _, err := stream.Receive(); err != nil {
		return nil, err
	}
	if call != nil {
		if err := stream.Send(call); err != nil {
			return nil, err
		}
	}
	return func() error {
		defer stream.CloseResponse()
		for {
			if _, err := stream.Receive(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}, nil
}

// foreverServer has a tool that ends when its caller does.
func foreverServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	s.AddResource(&mcp.Resource{Name: "x", URI: "file:///x"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{}, nil
	})
	mcpconnect.AddTool(s, &mcp.Tool{Name: "forever"}, func(ctx context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		if token := r.Params.GetProgressToken(); token != nil {
			if err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: 1}); err != nil {
				return nil, nil, err
			}
		}
		<-ctx.Done()
		return nil, nil, ctx.Err()
	})
	return s
}

// TestStreamsEndWithTheCredential revokes a key, and lets a token expire, under every kind of
// stream on every wire.
func TestStreamsEndWithTheCredential(t *testing.T) {
	t.Parallel()
	as := authntest.New("https://as.example", resource, authntest.NewKey("k1", "EdDSA"))
	v, err := authn.NewJWT(authn.JWTConfig{Resource: resource, Issuers: []authn.Issuer{{URL: as.URL, JWKS: as.JWKS(), Algorithms: []string{"EdDSA"}}}})
	if err != nil {
		t.Fatal(err)
	}
	key, record, err := authn.NewAPIKey("test", nil, authn.APIKey{Subject: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	_, stays, err := authn.NewAPIKey("test", nil, authn.APIKey{Subject: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := authn.NewAPIKeys(nil, record, stays)
	if err != nil {
		t.Fatal(err)
	}
	h := mcpconnect.NewHandler(foreverServer(), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{v}, keys),
		mcpconnect.WithReflection(), mcpconnect.WithService(echo))
	t.Cleanup(func() { h.Close() })
	s := serve(t, h, nil)
	// A token ends a minute after its time, for the sake of clocks that differ.
	token := as.Token(authntest.Claims{"exp": authntest.In(-54)})
	var streams []func()
	for who, c := range map[string]credential{"a revoked key": apiKey(key), "an expired token": bearer(token)} {
		for _, w := range wires {
			for _, l := range longStreams {
				if l.duplex && (w.http1 || w.grpcWeb()) {
					continue
				}
				name := who + ", " + l.name + ", " + w.name
				wait, err := l.open(testContext(t), s.call(t, w, c))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				streams = append(streams, func() {
					if err := wait(); connect.CodeOf(err) != connect.CodeUnauthenticated {
						t.Errorf("%s: ended with %v, want unauthenticated", name, err)
					}
				})
			}
		}
	}
	if err := keys.Replace(stays); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, ended := range streams {
		ended()
	}
	if took := time.Since(began); took > patience {
		t.Errorf("the streams took %v to end", took)
	}
}

// TestSessionsBelongToTheirCaller checks that the id of a session is worth nothing to
// others, another client of the same user among them.
func TestSessionsBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	owner := l.token(nil, nil)
	initialize := func(c *caller) (string, error) {
		res, err := c.mcp().Initialize(testContext(t), &mcpv1.InitializeRequest{
			ProtocolVersion: new("2025-11-25"), ClientInfo: &mcpv1.ClientInfo{Name: new("x"), Version: new("1")}, Capabilities: &mcpv1.CapabilitySet{ValuesJson: []byte("{}")},
		})
		return res.GetSessionId(), err
	}
	for _, w := range wires {
		id, err := initialize(l.call(t, w, bearer(owner)))
		if err != nil {
			t.Fatal(err)
		}
		if len(id) < 26 { // 128 bits in base32
			t.Errorf("the session is called %q", id)
		}
		for _, test := range []struct {
			name string
			who  credential
			good bool
		}{
			{"the owner", bearer(owner), true},
			{"the owner with a new token", bearer(l.token(nil, nil)), true},
			{"another user", bearer(l.token(nil, authntest.Claims{"sub": "eve"})), false},
			{"another client of the owner", bearer(l.token(nil, authntest.Claims{"client_id": "other"})), false},
			{"an API key", apiKey(l.key), false},
		} {
			ctx, info := connect.NewClientContext(testContext(t))
			info.RequestHeader().Set("Mcp-Session-Id", id)
			_, err := l.call(t, w, test.who).mcp().ListTools(ctx, &mcpv1.ListToolsRequest{})
			if test.good != (err == nil) || (err != nil && connect.CodeOf(err) != connect.CodeNotFound) {
				t.Errorf("%s on %s: got %v, want good: %t", test.name, w.name, err, test.good)
			}
		}
	}
}
