// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// alive tells whether a session is there, without keeping it alive for longer than Ping
// does anyway.
func alive(t testing.TB, rpc mcpv1connect.MCPClient, session string) bool {
	t.Helper()
	_, err := rpc.Ping(inSession(testContext(t), session), &mcpv1.PingRequest{})
	if err == nil {
		return true
	}
	if e := detail(err); connect.CodeOf(err) != connect.CodeNotFound || e == nil || e.Code != jsonrpc.CodeInvalidRequest {
		t.Fatalf("got %v, want not_found and -32600 for a session that is not there", err)
	}
	return false
}

// waitUntil waits until ok holds.
func waitUntil(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
		<-tick.C
	}
}

// legacySessions says how many legacy sessions an SDK server has: modern peers have
// sessions too, of another version.
func legacySessions(all *everything.Server) int {
	n := 0
	for ss := range all.MCP().Sessions() {
		if p := ss.InitializeParams(); p != nil && p.ProtocolVersion < modernVersion {
			n++
		}
	}
	return n
}

func TestIdleSessionExpires(t *testing.T) {
	t.Parallel()
	all := everything.New(nil)
	url := serve(t, all.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{SessionIdle: 20 * time.Millisecond}))
	for _, w := range wires {
		rpc := w.client(t, url)
		session := initializeTyped(t, rpc, legacyVersion)
		waitUntil(t, "the session has expired", func() bool { return legacySessions(all) == 0 })
		if alive(t, rpc, session) {
			t.Errorf("%s: the SDK's session is gone, ours is not", w.name)
		}
	}
}

// TestStreamOrCallKeepsSessionAlive looks at a session whose idle time is over several
// times before its stream or call ends.
func TestStreamOrCallKeepsSessionAlive(t *testing.T) {
	t.Parallel()
	const idle = 20 * time.Millisecond
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		all := everything.New(nil)
		url := serve(t, all.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{SessionIdle: idle}))
		rpc := wires[0].client(t, url)
		// A session that expires while the stream is opened is tried again.
		for stands := false; !stands; {
			session := initializeTyped(t, rpc, legacyVersion)
			ctx, cancel := context.WithCancel(inSession(context.Background(), session))
			stream, err := rpc.Send(ctx, &mcpv1.Envelope{})
			stands = err == nil && stream.ResponseHeader() != nil && alive(t, rpc, session)
			if stands {
				outlive(t, idle)
				if !alive(t, rpc, session) {
					t.Error("the session expired under an open stream")
				}
			}
			cancel()
			if err == nil {
				_ = stream.Close()
			}
		}
		waitUntil(t, "the session has expired after its stream", func() bool { return legacySessions(all) == 0 })
	})
	t.Run("call", func(t *testing.T) {
		t.Parallel()
		all := everything.New(nil)
		url := serve(t, all.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{SessionIdle: idle}))
		rpc := wires[0].client(t, url)
		session := initializeTyped(t, rpc, legacyVersion)
		ctx, cancel := context.WithCancel(inSession(testContext(t), session))
		done := make(chan error, 1)
		go func() {
			_, err := rpc.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: new("block")})
			done <- err
		}()
		<-all.Blocked()
		outlive(t, idle)
		if legacySessions(all) != 1 {
			t.Error("the session expired under a call")
		}
		cancel()
		if err := <-done; connect.CodeOf(err) != connect.CodeCanceled {
			t.Error(err)
		}
		waitUntil(t, "the session has expired after its call", func() bool { return legacySessions(all) == 0 })
	})
}

// outlive waits for several idle times: what is meant to stay must stay for a while.
func outlive(t testing.TB, idle time.Duration) {
	t.Helper()
	<-time.After(5 * idle)
}

func TestShutdownAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for _, w := range bidiWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			started := make(chan struct{}, 2)
			server := waitingServer(started, release)
			url := serve(t, server)
			rpc := w.client(t, url)
			session := initializeTyped(t, rpc, legacyVersion)
			stream := dial(t, w, url, session)
			mustSend(t, stream, envelope(1, "tools/call", json.RawMessage(`{"name":"wait","arguments":{}}`)))
			typed := make(chan error, 1)
			go func() {
				_, err := rpc.InvokeTool(inSession(testContext(t), session), &mcpv1.CallToolRequest{Name: new("wait")})
				typed <- err
			}()
			<-started
			<-started
			down := make(chan bool, 1)
			go func() {
				res, err := rpc.Shutdown(inSession(testContext(t), session), &mcpv1.ShutdownRequest{})
				down <- err == nil && res.Accepted
			}()
			// New calls are refused from now on, those in flight are not touched.
			waitUntil(t, "the session takes no more calls", func() bool { return !alive(t, rpc, session) })
			select {
			case <-down:
				t.Error("Shutdown did not wait for what is in flight")
			default:
			}
			close(release)
			if err := <-typed; err != nil {
				t.Errorf("the typed call in flight gave %v", err)
			}
			if o, err := read(stream); err != nil || o.err != nil {
				t.Errorf("the request in flight gave %v, %v", o, err)
			}
			if _, err := stream.Receive(); !errors.Is(err, io.EOF) {
				t.Errorf("the stream ended with %v, want status OK", err)
			}
			if !<-down {
				t.Error("Shutdown did not accept")
			}
		})
	}
}

func TestShutdownOfNoSession(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for _, w := range wires {
		rpc := w.client(t, url)
		gone := initializeTyped(t, rpc, legacyVersion)
		other := initializeTyped(t, rpc, legacyVersion)
		for i, c := range []struct {
			session string
			want    bool
		}{{gone, true}, {gone, false}, {"no such session", false}, {"", false}} {
			res, err := rpc.Shutdown(inSession(testContext(t), c.session), &mcpv1.ShutdownRequest{})
			if err != nil || res.Accepted != c.want {
				t.Errorf("%s: shutdown %d gave %v, %v; want %t", w.name, i, res, err, c.want)
			}
		}
		if !alive(t, rpc, other) {
			t.Errorf("%s: the shutdown of one session ended another", w.name)
		}
	}
}

// A session belongs to who opened it; for others it does not exist.
func TestSessionsAreTheirUsersOwn(t *testing.T) {
	t.Parallel()
	h := mcpconnect.NewHandler(everything.NewServer(), quiet)
	t.Cleanup(func() { _ = h.Close() })
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: token, Expiration: time.Now().Add(time.Hour)}, nil
	}
	server := httptest.NewUnstartedServer(auth.RequireBearerToken(verify, nil)(h))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols.SetHTTP1(true)
	server.Start()
	t.Cleanup(server.Close)
	for _, w := range wires {
		client := func(user string) mcpv1connect.MCPClient {
			return w.client(t, server.URL, connect.WithInterceptors(userToken(user)))
		}
		session := initializeTyped(t, client("ada"), legacyVersion)
		if !alive(t, client("ada"), session) {
			t.Errorf("%s: a user does not have the own session", w.name)
		}
		if alive(t, client("eve"), session) {
			t.Errorf("%s: a user has the session of another", w.name)
		}
		if res, err := client("eve").Shutdown(inSession(testContext(t), session), &mcpv1.ShutdownRequest{}); err != nil || res.Accepted {
			t.Errorf("%s: a user's shutdown of another's session gave %v, %v", w.name, res, err)
		}
		if w.bidi() {
			stream, err := client("eve").Connect(inSession(testContext(t), session))
			if err == nil {
				_ = stream.CloseRequest()
				_, err = stream.Receive()
				_ = stream.CloseResponse()
			}
			if connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("%s: a user's stream in another's session gave %v", w.name, err)
			}
		}
		if !alive(t, client("ada"), session) {
			t.Errorf("%s: another user ended the session", w.name)
		}
	}
	_, err := wires[3].client(t, server.URL).Ping(testContext(t), &mcpv1.PingRequest{})
	if connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a call without a token gave %v", err)
	}
}

// byName lets in whoever says a name and a client, with a bar between.
type byName struct{}

func (byName) Authenticate(_ context.Context, r *http.Request) (*authn.Principal, error) {
	subject, client, _ := strings.Cut(r.Header.Get("X-Named"), "|")
	return &authn.Principal{Subject: subject, ClientID: client, Method: "named"}, nil
}

func (byName) Scheme() string { return "" }

// TestSessionsOfUsersWithBlanks: names, and those of clients, may have some, and make nobody
// another.
func TestSessionsOfUsersWithBlanks(t *testing.T) {
	t.Parallel()
	rpc := wires[0].client(t, serve(t, everything.NewServer(), mcpconnect.WithAuthn(byName{})))
	ctx, info := connect.NewClientContext(testContext(t))
	info.RequestHeader().Set("X-Named", "ann|web app")
	opened, err := rpc.Initialize(ctx, initializeRequest())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		want connect.Code
	}{{"ann|web app", 0}, {"ann web|app", connect.CodeNotFound}, {"ann|web", connect.CodeNotFound}} {
		ctx, info := connect.NewClientContext(testContext(t))
		info.RequestHeader().Set("X-Named", row.name)
		info.RequestHeader().Set("Mcp-Session-Id", opened.GetSessionId())
		_, err := rpc.ListTools(ctx, &mcpv1.ListToolsRequest{})
		if err == nil && row.want != 0 || err != nil && connect.CodeOf(err) != row.want {
			t.Errorf("%q: got %v, want %v", row.name, err, row.want)
		}
	}
}

func TestCloseEndsAllSessions(t *testing.T) {
	t.Parallel()
	all := everything.New(nil)
	url, h := serveHandler(t, all.MCP())
	rpc := wires[0].client(t, url)
	for range 3 {
		initializeTyped(t, rpc, legacyVersion)
	}
	stream := dialSession(t, url)
	mustSend(t, stream, envelope(2, "tools/call", json.RawMessage(`{"name":"block","arguments":{}}`)))
	<-all.Blocked()
	if n := legacySessions(all); n != 4 {
		t.Errorf("there are %d sessions, want 4", n)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if cause := <-all.Unblocked(); cause == nil {
		t.Error("the call in flight was not cancelled")
	}
	for range all.MCP().Sessions() {
		t.Error("a session is left")
	}
	if _, err := rpc.Initialize(testContext(t), &mcpv1.InitializeRequest{ProtocolVersion: new(legacyVersion)}); err == nil {
		t.Error("a closed handler opened a session")
	}
}
