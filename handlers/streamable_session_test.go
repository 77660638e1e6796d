// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	pinging    = `{"jsonrpc":"2.0","id":2,"method":"ping"}`
)

// openHTTP gives the id of a new session over Streamable HTTP, or the status if there is
// none to be had.
func openHTTP(t *testing.T, client *http.Client, url string) (string, string) {
	t.Helper()
	_, header, body := rawRequest{body: initialize}.do(t, client, url, "")
	return header.Get("Mcp-Session-Id"), body
}

// aliveHTTP tells whether a session is there.
func aliveHTTP(t *testing.T, client *http.Client, url, session string) bool {
	t.Helper()
	status, _, _ := rawRequest{body: pinging}.do(t, client, url, session)
	return status == http.StatusOK
}

// TestStreamableSessionsCountWithTheOthers, and those that end make room.
func TestStreamableSessionsCountWithTheOthers(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{Sessions: 2}))
	client := httpClient(t, true)
	rpc := newSender(t, peer{wire: wires[0], url: url, version: "2025-11-25", capabilities: noneDeclared})
	first, _ := openHTTP(t, client, url)
	if first == "" {
		t.Fatal("no session")
	}
	if id, body := openHTTP(t, client, url); !strings.Contains(body, "too many sessions") || aliveHTTP(t, client, url, id) {
		t.Errorf("the third session of two gave %q and %s", id, body)
	}
	if status, _, _ := (rawRequest{method: http.MethodDelete}).do(t, client, url, first); status != http.StatusNoContent {
		t.Errorf("DELETE gave HTTP status %d", status)
	}
	eventually(t, "the session is gone", func() bool { return !aliveHTTP(t, client, url, first) })
	var second string
	eventually(t, "there is room", func() bool {
		second, _ = openHTTP(t, client, url)
		return aliveHTTP(t, client, url, second)
	})
	if o := rpc.call(testContext(t), "ping", nil); o.err != nil {
		t.Errorf("the session of the RPCs gave %v", o.err)
	}
}

// TestStreamableSessionsExpire when nothing happens in them; a stream that is open is
// something.
func TestStreamableSessionsExpire(t *testing.T) {
	t.Parallel()
	const idle = 200 * time.Millisecond
	url := serve(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{SessionIdle: idle}))
	client := httpClient(t, false)
	listening, _ := openHTTP(t, client, url)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/mcp", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Mcp-Session-Id", listening)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		res, err := client.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}()
	// The silent one, which is opened after it, shows that time has passed.
	silent, _ := openHTTP(t, client, url)
	expires := func(session string) {
		t.Helper()
		// To ask is to use it, so that there must be time between.
		tick := time.NewTicker(2 * idle)
		defer tick.Stop()
		for deadline := time.Now().Add(patience); ; {
			<-tick.C
			if !aliveHTTP(t, client, url, session) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the session does not expire")
			}
		}
	}
	expires(silent)
	if !aliveHTTP(t, client, url, listening) {
		t.Error("the session with an open stream has expired")
	}
	cancel()
	<-ended
	expires(listening)
}

// TestStreamableHTTPCancels a modern call when its client goes, and leaves a legacy one
// alone: its client may come back.
func TestStreamableHTTPCancels(t *testing.T) {
	t.Parallel()
	server := everything.New(nil)
	url := serve(t, server.MCP())
	t.Run("modern", func(t *testing.T) {
		for _, http1 := range []bool{false, true} {
			p := newPoster(t, peer{wire: wire{http1: http1}, url: url, version: modernVersion})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-server.Blocked()
				cancel()
			}()
			p.call(ctx, "tools/call", []byte(`{"_meta":{`+modernMeta+`},"name":"block","arguments":{}}`))
			if cause := <-server.Unblocked(); !errors.Is(cause, context.Canceled) {
				t.Errorf("HTTP/1.1 %t: the tool ended with %v", http1, cause)
			}
		}
	})
	t.Run("legacy", func(t *testing.T) {
		p := newPoster(t, peer{wire: wires[4], url: url, version: "2025-11-25", capabilities: noneDeclared})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-server.Blocked()
			cancel()
		}()
		p.call(ctx, "tools/call", []byte(`{"name":"block","arguments":{}}`))
		if n := server.Blocking(); n != 1 {
			t.Errorf("%d calls are in flight after the client of one has gone", n)
		}
		if err := p.tell(testContext(t), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`); err != nil {
			t.Error(err)
		}
		if cause := <-server.Unblocked(); !errors.Is(cause, context.Canceled) {
			t.Errorf("the tool ended with %v", cause)
		}
	})
}

// TestStreamableCallsOfASessionAreBounded: a client can begin calls and leave.
func TestStreamableCallsOfASessionAreBounded(t *testing.T) {
	t.Parallel()
	server := everything.New(nil)
	url := serve(t, server.MCP(), mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: 2}))
	p := newPoster(t, peer{wire: wires[4], url: url, version: "2025-11-25", capabilities: noneDeclared})
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-server.Blocked()
			cancel()
		}()
		p.call(ctx, "tools/call", []byte(`{"name":"block","arguments":{}}`))
	}
	if o := p.call(testContext(t), "tools/call", []byte(`{"name":"block","arguments":{}}`)); o.err == nil || !strings.Contains(o.err.Message, "too many calls") {
		t.Errorf("the third call of two gave %v", o)
	}
	for id := range 2 {
		if err := p.tell(testContext(t), fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id+2)); err != nil {
			t.Error(err)
		}
		<-server.Unblocked()
	}
	eventually(t, "there is room", func() bool {
		return p.call(testContext(t), "tools/call", []byte(`{"name":"greet","arguments":{"name":"x"}}`)).err == nil
	})
}

// TestStreamableHTTPDrains: streams end, a listen with its last message.
func TestStreamableHTTPDrains(t *testing.T) {
	t.Parallel()
	url, h := serveHandler(t, everything.NewServer())
	legacy := newPoster(t, peer{wire: wires[3], url: url, version: "2025-11-25", capabilities: noneDeclared})
	modern := newPoster(t, peer{wire: wires[4], url: url, version: modernVersion})
	ctx := testContext(t)
	session, _ := iter.Pull2(legacy.stream(ctx, t))
	if e, err, ok := session(); !ok || err != nil { // a comment: the stream stands
		t.Fatalf("the session's stream began with %v, %v", e, err)
	}
	const filter = `{"_meta":{` + modernMeta + `},"notifications":{"toolsListChanged":true}}`
	res, err := modern.send(ctx, "subscriptions/listen", []byte(filter), `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":`+filter+`}`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	listen, _ := iter.Pull2(eventsOf(res))
	if e, err, ok := listen(); !ok || err != nil || !strings.Contains(string(e.data), "acknowledged") {
		t.Fatalf("the listen began with %s, %v", e.data, err)
	}
	h.Drain()
	if e, err, ok := listen(); !ok || err != nil || !strings.Contains(string(e.data), `"result"`) {
		t.Errorf("the listen ended with %s, %v", e.data, err)
	}
	for _, next := range []func() (event, error, bool){listen, session} {
		if e, err, ok := next(); ok {
			t.Errorf("after the end came %s, %v", e.data, err)
		}
	}
	if o := modern.call(testContext(t), "tools/list", []byte(`{"_meta":{`+modernMeta+`}}`)); o.err != nil {
		t.Errorf("a call while draining gave %v", o.err)
	}
}

// TestTheSDKsClientOverStreamableHTTP in both eras: what it can do it can do here.
func TestTheSDKsClientOverStreamableHTTP(t *testing.T) {
	t.Parallel()
	for _, version := range []string{modernVersion, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			url := serve(t, everything.NewServer())
			changed, progressed := make(chan struct{}, 10), make(chan string, 10)
			client := mcp.NewClient(&mcp.Implementation{Name: "t", Version: "1"}, &mcp.ClientOptions{
				ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
				ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
					progressed <- r.Params.Message
				},
				ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}, nil
				},
			})
			ctx := testContext(t)
			tr := &mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: httpClient(t, true)}
			session, err := client.Connect(ctx, tr, &mcp.ClientSessionOptions{ProtocolVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = session.Close() }()
			if got := session.InitializeResult().ProtocolVersion; got != version {
				t.Fatalf("the client speaks %s", got)
			}
			call := func(tool string, arguments any) {
				t.Helper()
				params := &mcp.CallToolParams{Name: tool, Arguments: arguments}
				params.SetProgressToken("token")
				if res, err := session.CallTool(ctx, params); err != nil || res.IsError {
					t.Errorf("%s gave %v and error %v", tool, res, err)
				}
			}
			call("greet", map[string]any{"name": "x"})
			call("test_tool_with_progress", nil)
			select {
			case <-progressed:
			case <-ctx.Done():
				t.Error("there was no progress")
			}
			call("test_input_required_result_elicitation", nil)
			eventually(t, "the list of tools has changed", func() bool {
				call("test_trigger_tool_change", nil)
				select {
				case <-changed:
					return true
				case <-time.After(100 * time.Millisecond):
					return false
				}
			})
		})
	}
}

// TestCloseEndsCallsOfStreamableSessions, which outlive their HTTP requests.
func TestCloseEndsCallsOfStreamableSessions(t *testing.T) {
	t.Parallel()
	probe := everything.New(nil)
	url, h := serveHandler(t, probe.MCP())
	client := httpClient(t, true)
	session, _ := openHTTP(t, client, url)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		rawRequest{body: `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"block","arguments":{}}}`}.do(t, client, url, session)
	}()
	select {
	case <-probe.Blocked():
	case <-time.After(patience):
		t.Fatal("the tool was not reached")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if n := probe.Blocking(); n != 0 {
		t.Errorf("%d calls go on after Close", n)
	}
	<-answered
}

// TestTwoHandlersOfOneServer: each serves its own clients, in sessions of its own.
func TestTwoHandlersOfOneServer(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	urls := []string{serve(t, server), serve(t, server)}
	for _, version := range allVersions {
		for _, url := range slices.Concat(urls, urls) { // each takes the other's place around the server
			client := openStreamable(t, peer{wire: wires[3], url: url, version: version, capabilities: noneDeclared})
			c := tool("test_simple_text", `{}`)
			if o := client(testContext(t), c.method, c.paramsFor(version, noneDeclared)); o.err != nil {
				t.Errorf("%s: %v", version, o)
			}
		}
	}
}
