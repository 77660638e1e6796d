// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

func initializeRequest() *mcpv1.InitializeRequest {
	return &mcpv1.InitializeRequest{ProtocolVersion: new("2025-11-25")}
}

// noSession are the requests that a session which is not there refuses. The good request
// that follows on a stream is never answered: the stream has failed.
func noSession() []badInput {
	gone := fails(connect.CodeNotFound, -32600)
	row := func(name string, typed typedBad, e *mcpv1.Envelope) badInput {
		r := badInput{name: name, typed: typed, message: e, wantSend: gone, wantStream: gone}
		if typed != nil {
			r.wantTyped = gone
		}
		return r
	}
	id := new("server-1")
	return []badInput{
		row("a call", calling(badCall("test_simple_text", `{}`)), envelope(1, "tools/call", []byte(`{"name":"test_simple_text"}`))),
		row("a list", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{}), envelope(1, "tools/list", nil)),
		row("a list that names its version", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{Meta: named("2025-11-25")}), envelope(1, "tools/list", []byte(versionParams("2025-11-25")))),
		row("a listen", listening(&mcpv1.ListenRequest{}), envelope(1, "subscriptions/listen", []byte(`{"notifications":{}}`))),
		row("an initialize", rpcOf(mcpv1connect.MCPClient.Initialize, initializeRequest()), envelope(1, "initialize", initializeDeclaring("2025-11-25", `{}`))),
		row("a subscription", nil, envelope(1, "resources/subscribe", []byte(`{"uri":"test://watched"}`))),
		row("a ping", rpcOf(mcpv1connect.MCPClient.Ping, &mcpv1.PingRequest{}), envelope(1, "ping", nil)),
		row("a notification", nil, initialized()),
		row("a response", nil, rpcResponse(&mcpv1.JsonRpcResponse{Id: id, Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`{}`)}})),
		row("the session's stream", nil, &mcpv1.Envelope{}),
	}
}

func TestASessionThatIsNotThereIsNotFound(t *testing.T) {
	rows := noSession()
	for i := range rows {
		rows[i].header = []string{"Mcp-Session-Id", "nobody"}
	}
	runBadInput(t, rows)
}

func TestAModernRequestIgnoresItsSession(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for _, w := range wires {
		b := newBadClient(t, w, url)
		if _, err := b.rpc.ListTools(inSession(testContext(t), "nobody"), &mcpv1.ListToolsRequest{Meta: modernRequestMeta()}); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		got, err := b.send(inSession(testContext(t), "nobody"), envelope(1, "tools/list", modernParams("")))
		if err != nil || len(got) != 1 || got[0].GetResponse().GetError() != nil {
			t.Errorf("%s: Send gave %v, %v", w.name, got, err)
		}
	}
}

// TestASecondInitializeIsRefused tries it in the session of each row; afterwards the
// session goes on.
func TestASecondInitializeIsRefused(t *testing.T) {
	row := both("a second initialize", func(ctx context.Context, c mcpv1connect.MCPClient) error {
		_, err := c.Initialize(ctx, initializeRequest())
		if _, listErr := c.ListTools(ctx, &mcpv1.ListToolsRequest{}); listErr != nil {
			return listErr
		}
		return err
	}, connect.CodeInvalidArgument, "initialize", string(initializeDeclaring("2025-11-25", `{}`)), -32600)
	row.legacy = true
	runBadInput(t, []badInput{row})
}

// TestNobodyIsToldOfANotificationThatFails sends one to which the SDK objects.
func TestNobodyIsToldOfANotificationThatFails(t *testing.T) {
	runBadInput(t, []badInput{{name: "a second initialized", message: initialized(), legacy: true, wantSend: dropped, wantStream: dropped}})
}

func TestASessionOfSomebodyElseIsNotFound(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	h := mcpconnect.NewHandler(server, quiet)
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: token, Expiration: time.Now().Add(time.Hour)}, nil
	}
	s := httptest.NewUnstartedServer(auth.RequireBearerToken(verify, nil)(h))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(func() {
		h.Drain()
		s.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		noSessionLeft(t, server)
	})
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			alice, mallory := bearer("alice"), bearer("mallory")
			rpc := w.client(t, s.URL, connect.WithInterceptors(alice))
			session := initializeTyped(t, rpc, "2025-11-25")
			b := &badClient{t: t, wire: w, url: s.URL, rpc: w.scanned(t, s.URL, connect.WithInterceptors(mallory))}
			for _, row := range noSession() {
				row.header = []string{"Mcp-Session-Id", session}
				b.run(row)
			}
			res, err := b.rpc.Shutdown(inSession(t.Context(), session), &mcpv1.ShutdownRequest{})
			if err != nil || res.Accepted {
				t.Errorf("Shutdown by somebody else gave %v, %v", res, err)
			}
			if _, err := rpc.ListTools(inSession(t.Context(), session), &mcpv1.ListToolsRequest{}); err != nil {
				t.Errorf("the session's owner: %v", err)
			}
		})
	}
}

func noSessionLeft(t *testing.T, server *mcp.Server) {
	t.Helper()
	for range server.Sessions() {
		t.Error("a session is left after the handler was closed")
	}
}

// bearer gives all RPCs of a client a token.
type bearer string

func (b bearer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		req.Header().Set("Authorization", "Bearer "+string(b))
		return next(ctx, req)
	}
}

func (b bearer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		conn.RequestHeader().Set("Authorization", "Bearer "+string(b))
		return conn
	}
}

func (b bearer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// countSessions counts the SDK's sessions: those of legacy clients, and one for each
// kind of modern client.
func countSessions(server *mcp.Server) (n int) {
	for range server.Sessions() {
		n++
	}
	return n
}

func TestMessagesAfterTheEndOfASession(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		idle time.Duration // zero for one that no session of the test reaches
		end  func(t *testing.T, b *badClient, noneLeft func() bool) (session string)
	}{
		{"by Shutdown", 0, func(t *testing.T, b *badClient, _ func() bool) string {
			session := initializeTyped(t, b.rpc, "2025-11-25")
			res, err := b.rpc.Shutdown(inSession(t.Context(), session), &mcpv1.ShutdownRequest{})
			if err != nil || !res.Accepted {
				t.Fatalf("Shutdown gave %v, %v", res, err)
			}
			return session
		}},
		{"by idling", 20 * time.Millisecond, func(t *testing.T, b *badClient, noneLeft func() bool) string {
			session := initializeTyped(t, b.rpc, "2025-11-25")
			eventually(t, "the session has expired", noneLeft)
			return session
		}},
		{"with its stream", 0, func(t *testing.T, b *badClient, _ func() bool) string {
			if !b.wire.bidi() {
				return "none"
			}
			stream := dial(t, b.wire, b.url, "")
			if err := openSession(stream); err != nil {
				t.Fatal(err)
			}
			session := stream.ResponseHeader().Get("Mcp-Session-Id")
			if session == "" {
				t.Fatal("the stream's headers do not name the session")
			}
			_ = stream.CloseRequest()
			if _, err := drain(stream); err != nil {
				t.Fatal(err)
			}
			return session
		}},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			server := everything.NewServer()
			url := badServer(t, server, mcpconnect.WithLimits(mcpconnect.Limits{SessionIdle: end.idle}))
			if err := newBadClient(t, wires[0], url).serves(); err != nil {
				t.Fatal(err)
			}
			before := countSessions(server)
			noneLeft := func() bool { return countSessions(server) == before }
			for _, w := range wires {
				b := newBadClient(t, w, url)
				session := end.end(t, b, noneLeft)
				for _, row := range noSession() {
					row.header = []string{"Mcp-Session-Id", session}
					b.run(row)
				}
				res, err := b.rpc.Shutdown(inSession(t.Context(), session), &mcpv1.ShutdownRequest{})
				if err != nil || res.Accepted {
					t.Errorf("%s: Shutdown after the end gave %v, %v", w.name, res, err)
				}
			}
			eventually(t, "no session is left", noneLeft)
		})
	}
}

func TestASessionHasOneStream(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	taken := fails(connect.CodeAlreadyExists, -32600)
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBadClient(t, w, url)
			session := initializeTyped(t, b.rpc, "2025-11-25")
			ctx, cancel := context.WithCancel(testContext(t))
			defer cancel()
			first, err := b.rpc.Send(inSession(ctx, session), &mcpv1.Envelope{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = first.Close() }()
			first.ResponseHeader() // comes when the stream stands
			b.run(badInput{name: "another stream", header: []string{"Mcp-Session-Id", session}, message: &mcpv1.Envelope{}, wantSend: taken, wantStream: taken})
			if _, err := b.rpc.ListTools(inSession(t.Context(), session), &mcpv1.ListToolsRequest{}); err != nil {
				t.Errorf("the session: %v", err)
			}
			// Shutdown ends the first stream in good order.
			if _, err := b.rpc.Shutdown(inSession(t.Context(), session), &mcpv1.ShutdownRequest{}); err != nil {
				t.Error(err)
			}
			if got, err := drain(sendStream{first}); err != nil || len(got) > 0 {
				t.Errorf("the first stream gave %v, %v", got, err)
			}
		})
	}
}

func TestTooManySessionsAreRefused(t *testing.T) {
	t.Parallel()
	const limit = 3
	server := everything.NewServer()
	url := badServer(t, server, mcpconnect.WithLimits(mcpconnect.Limits{Sessions: limit}))
	b := newBadClient(t, wires[0], url)
	if err := b.serves(); err != nil {
		t.Fatal(err)
	}
	before := countSessions(server)
	var open []string
	for range limit {
		open = append(open, initializeTyped(t, b.rpc, "2025-11-25"))
	}
	row := both("one session too many", rpcOf(mcpv1connect.MCPClient.Initialize, initializeRequest()), connect.CodeResourceExhausted, "initialize", string(initializeDeclaring("2025-11-25", `{}`)), -32600)
	for _, w := range wires {
		b := newBadClient(t, w, url)
		b.run(row)
		if err := b.serves(); err != nil {
			t.Error(err)
		}
	}
	if n := countSessions(server); n != before+limit {
		t.Errorf("%d sessions are left of those that were refused", n-before-limit)
	}
	for _, session := range open {
		if _, err := b.rpc.Shutdown(inSession(t.Context(), session), &mcpv1.ShutdownRequest{}); err != nil {
			t.Error(err)
		}
	}
	if got, err := b.rpc.Shutdown(inSession(t.Context(), initializeTyped(t, b.rpc, "2025-11-25")), &mcpv1.ShutdownRequest{}); err != nil || !got.Accepted {
		t.Errorf("after the others have ended a session cannot be opened and closed: %v, %v", got, err)
	}
}

// TestQuestionsThatReachNobodyFailTheirCall with a status of their own (SPEC.md §6.6, §11.1), if the
// tool passes on what it got.
func TestQuestionsThatReachNobodyFailTheirCall(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBadClient(t, w, url)
			session := initializeTypedDeclaring(t, b.rpc, "2025-11-25", `{"elicitation":{}}`)
			err := calling(badCall("test_input_required_result_elicitation", `{}`))(withMetadata(testContext(t), session, nil), b.rpc)
			b.expect("a question without a stream", fails(connect.CodeFailedPrecondition, -32600), nil, err, nil)
		})
	}
}
