// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

// The tests of sdk_*_test.go pin what package handlers relies on in the SDK and the SDK
// does not promise. If one fails after an upgrade, its comment says what to look at.

// scripted is a Connection that reads what in gives and writes to write.
type scripted struct {
	in    chan jsonrpc.Message
	write func(context.Context, jsonrpc.Message) error
	once  sync.Once
	done  chan struct{}
}

func newScripted(write func(context.Context, jsonrpc.Message) error) *scripted {
	return &scripted{in: make(chan jsonrpc.Message), write: write, done: make(chan struct{})}
}

func (c *scripted) Connect(context.Context) (mcp.Connection, error) { return c, nil }
func (c *scripted) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case m := <-c.in:
		return m, nil
	case <-c.done:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
func (c *scripted) Write(ctx context.Context, m jsonrpc.Message) error { return c.write(ctx, m) }
func (c *scripted) SessionID() string                                  { return "" }
func (c *scripted) Close() error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func (c *scripted) deliver(t testing.TB, m jsonrpc.Message) {
	t.Helper()
	select {
	case c.in <- m:
	case <-testContext(t).Done():
		t.Fatal("the session reads no more")
	}
}

func ignore(context.Context, jsonrpc.Message) error { return nil }

func clientParams(version string) *mcp.InitializeParams {
	return &mcp.InitializeParams{
		ProtocolVersion: version,
		Capabilities:    &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{}},
		ClientInfo:      &mcp.Implementation{Name: "pin", Version: "1"},
	}
}

// sdkSession connects a session with a state, as package handlers does.
func sdkSession(t testing.TB, server *mcp.Server, c *scripted, version string) *mcp.ServerSession {
	t.Helper()
	ss, err := server.Connect(context.Background(), c, &mcp.ServerSessionOptions{State: &mcp.ServerSessionState{
		InitializeParams: clientParams(version), InitializedParams: &mcp.InitializedParams{}, LogLevel: "debug",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ss.Close()
		_ = ss.Wait()
	})
	return ss
}

// capture gives the chain of handlers, as Server.chain does.
func capture(server *mcp.Server) (h mcp.MethodHandler) {
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		h = next
		return next
	})
	return h
}

func callRequest(ss *mcp.ServerSession, name, args string) *mcp.CallToolRequest {
	return &mcp.CallToolRequest{Session: ss, Params: &mcp.CallToolParamsRaw{Name: name, Arguments: json.RawMessage(args)}, Extra: &mcp.RequestExtra{}}
}

// Server.chain takes the chain out of a middleware that is called while it is added, and
// that passes on the next handler unwrapped. If this fails, nothing can be dispatched, or
// each call makes the chain longer.
func TestSDKCapture(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ran := 0
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			ran++
			return next(ctx, method, req)
		}
	})
	first := capture(server)
	if first == nil {
		t.Fatal("the middleware was not called while it was added")
	}
	for range 100 {
		capture(server)
	}
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	if _, err := capture(server)(t.Context(), "tools/call", callRequest(ss, "test_simple_text", `{}`)); err != nil || ran != 1 {
		t.Errorf("got %v, and the user's middleware ran %d times, want once", err, ran)
	}
	// Middleware that is added later is in the chain that is captured then.
	server.AddReceivingMiddleware(func(mcp.MethodHandler) mcp.MethodHandler {
		return func(context.Context, string, mcp.Request) (mcp.Result, error) { return nil, errors.New("late") }
	})
	if _, err := capture(server)(t.Context(), "tools/call", callRequest(ss, "test_simple_text", `{}`)); err == nil || err.Error() != "late" {
		t.Errorf("the chain does not have middleware that was added later: %v", err)
	}
}

// Unknown features are not_found, other -32602 errors invalid_argument. The SDK tells them
// apart by text alone. If this fails, connectCode gives the wrong code.
func TestSDKUnknownFeatureTexts(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	for _, c := range []struct {
		method string
		req    mcp.Request
		prefix string
	}{
		{"tools/call", callRequest(ss, "no such", `{}`), "unknown tool "},
		{"prompts/get", &mcp.GetPromptRequest{Session: ss, Params: &mcp.GetPromptParams{Name: "no such"}}, "unknown prompt "},
		{"resources/read", &mcp.ReadResourceRequest{Session: ss, Params: &mcp.ReadResourceParams{URI: "no:such"}}, "Resource not found"},
	} {
		_, err := capture(server)(t.Context(), c.method, c.req)
		wire, ok := errors.AsType[*jsonrpc.Error](err)
		if !ok || wire.Code != jsonrpc.CodeInvalidParams || !strings.HasPrefix(err.Error(), c.prefix) {
			t.Errorf("%s: got %v, want -32602 and a text that begins with %q", c.method, err, c.prefix)
		}
	}
}

// Direct dispatch hands SDK values to the chain, on one session that all requests of a
// kind of client share. If this fails for a method, it must go through a Connection.
func TestSDKDirectDispatchOfEveryMethod(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	before := jsonText(t, ss.InitializeParams())
	none := &mcp.RequestExtra{}
	for method, req := range map[string]mcp.Request{
		"ping":                             &mcp.ServerRequest[*mcp.PingParams]{Session: ss, Params: &mcp.PingParams{}, Extra: none},
		"tools/list":                       &mcp.ServerRequest[*mcp.ListToolsParams]{Session: ss, Params: &mcp.ListToolsParams{}, Extra: none},
		"tools/call":                       callRequest(ss, "greet", `{"name":"you"}`),
		"resources/list":                   &mcp.ServerRequest[*mcp.ListResourcesParams]{Session: ss, Params: &mcp.ListResourcesParams{}, Extra: none},
		"resources/templates/list":         &mcp.ServerRequest[*mcp.ListResourceTemplatesParams]{Session: ss, Params: &mcp.ListResourceTemplatesParams{}, Extra: none},
		"resources/read":                   &mcp.ServerRequest[*mcp.ReadResourceParams]{Session: ss, Params: &mcp.ReadResourceParams{URI: "test://static-text"}, Extra: none},
		"resources/unsubscribe":            &mcp.ServerRequest[*mcp.UnsubscribeParams]{Session: ss, Params: &mcp.UnsubscribeParams{URI: "test://static-text"}, Extra: none},
		"prompts/list":                     &mcp.ServerRequest[*mcp.ListPromptsParams]{Session: ss, Params: &mcp.ListPromptsParams{}, Extra: none},
		"prompts/get":                      &mcp.ServerRequest[*mcp.GetPromptParams]{Session: ss, Params: &mcp.GetPromptParams{Name: "greet"}, Extra: none},
		"completion/complete":              &mcp.ServerRequest[*mcp.CompleteParams]{Session: ss, Params: &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "greet"}, Argument: mcp.CompleteParamsArgument{Name: "name"}}, Extra: none},
		"logging/setLevel":                 &mcp.ServerRequest[*mcp.SetLoggingLevelParams]{Session: ss, Params: &mcp.SetLoggingLevelParams{Level: "debug"}, Extra: none},
		"notifications/progress":           &mcp.ServerRequest[*mcp.ProgressNotificationParams]{Session: ss, Params: &mcp.ProgressNotificationParams{}, Extra: none},
		"notifications/roots/list_changed": &mcp.ServerRequest[*mcp.RootsListChangedParams]{Session: ss, Params: &mcp.RootsListChangedParams{}, Extra: none},
	} {
		if _, err := capture(server)(t.Context(), method, req); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	if after := jsonText(t, ss.InitializeParams()); before != after {
		t.Errorf("calls changed the shared session from %s to %s", before, after)
	}
	// These two write to their session, and so have one of their own each.
	for method, req := range map[string]func(*mcp.ServerSession) mcp.Request{
		"server/discover": func(ss *mcp.ServerSession) mcp.Request {
			return &mcp.ServerRequest[*mcp.DiscoverParams]{Session: ss, Params: &mcp.DiscoverParams{}, Extra: none}
		},
		"initialize": func(ss *mcp.ServerSession) mcp.Request {
			return &mcp.ServerRequest[*mcp.InitializeParams]{Session: ss, Params: clientParams(legacyVersion), Extra: none}
		},
	} {
		ss, err := server.Connect(context.Background(), newScripted(ignore), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := capture(server)(t.Context(), method, req(ss)); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		_ = ss.Close()
		_ = ss.Wait()
	}
	if _, err := capture(server)(t.Context(), "no/such", callRequest(ss, "", ``)); err == nil {
		t.Error("an unknown method gave no error")
	}
}

// An unknown method has an error that the SDK does not export, which its own JSON-RPC layer turns
// into -32601. If this fails, look at notHandled and sdkNotHandled.
func TestSDKUnknownMethodText(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	_, of := capture(server)(t.Context(), "no/such", callRequest(ss, "", ``))
	client := mcp.NewClient(&mcp.Implementation{Name: "pin", Version: "1"}, nil)
	var last mcp.MethodHandler
	client.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		last = next
		return next
	})
	_, ofClient := last(t.Context(), "no/such", &mcp.ClientRequest[*mcp.PingParams]{Session: &mcp.ClientSession{}})
	if of == nil || !errors.Is(ofClient, of) {
		t.Errorf("a server gives %v, and a client another error: %v", of, ofClient)
	}
	if text := fmt.Sprint(of); text+": " != "JSON RPC not handled: " {
		t.Errorf("the text of the error is %q now", text)
	}
}

type pinKey struct{}

// What a handler notifies finds its call by a value of the context, in the sending
// middleware or, for requests, in Connection.Write. If this fails, progress and
// elicitations go astray.
func TestSDKContextReachesSendingMiddlewareAndWrite(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "pin", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "tell", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: "p"})
		if err == nil {
			_, err = req.Session.Elicit(ctx, &mcp.ElicitParams{Message: "m"})
		}
		return &mcp.CallToolResult{}, err
	})
	seen := map[string]any{}
	server.AddSendingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			seen["middleware "+method] = ctx.Value(pinKey{})
			if _, ok := req.GetParams().(*mcp.ProgressNotificationParams); ok {
				return nil, nil // the middleware may keep a notification to itself
			}
			return next(ctx, method, req)
		}
	})
	c := newScripted(nil)
	c.write = func(ctx context.Context, m jsonrpc.Message) error {
		r := m.(*jsonrpc.Request)
		seen["write "+r.Method] = ctx.Value(pinKey{})
		go func() { c.in <- &jsonrpc.Response{ID: r.ID, Result: json.RawMessage(`{"action":"cancel"}`)} }()
		return nil
	}
	ss := sdkSession(t, server, c, legacyVersion)
	ctx := context.WithValue(testContext(t), pinKey{}, "mine")
	if _, err := capture(server)(ctx, "tools/call", callRequest(ss, "tell", `{}`)); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"middleware notifications/progress", "middleware elicitation/create", "write elicitation/create"} {
		if seen[where] != "mine" {
			t.Errorf("%s: got %v, want the value of the call's context", where, seen[where])
		}
	}
	if _, ok := seen["write notifications/progress"]; ok {
		t.Error("the middleware could not keep the notification to itself")
	}
}

// A modern session has log level "debug", which lets every message through to our sending
// middleware, where the level of each request is known. If this fails, log messages are
// lost or unasked for.
func TestSDKLogLevelOfState(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	levels := 0
	server.AddSendingMiddleware(func(mcp.MethodHandler) mcp.MethodHandler {
		return func(_ context.Context, method string, _ mcp.Request) (mcp.Result, error) {
			if method == "notifications/message" {
				levels++
			}
			return nil, nil
		}
	})
	ss := sdkSession(t, server, newScripted(ignore), modernVersion)
	if _, err := capture(server)(t.Context(), "tools/call", callRequest(ss, "log_levels", `{}`)); err != nil {
		t.Fatal(err)
	}
	if levels != len(logLevels) {
		t.Errorf("%d levels came through, want %d", levels, len(logLevels))
	}
}

// Modern results of lists are given their resultType by us, through a field that the SDK
// promotes from an unexported struct. If this fails, mapping.Annotate does not compile, or
// writes it to the wrong place.
func TestSDKResultTypeOfLists(t *testing.T) {
	t.Parallel()
	list := &mcp.ListToolsResult{Tools: []*mcp.Tool{}}
	list.ResultType = "complete"
	text, err := json.Marshal(list)
	if err != nil || !strings.Contains(string(text), `"resultType":"complete"`) {
		t.Errorf("got %s, %v", text, err)
	}
}
