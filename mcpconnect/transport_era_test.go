// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

// answers are the options of an SDK client that answers everything.
func answers() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{
			RootsV2: &mcp.RootCapabilities{ListChanged: true},
			Elicitation: &mcp.ElicitationCapabilities{
				Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{},
			},
		},
		ElicitationHandler: func(ctx context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return elicited(ctx, r.Params)
		},
		CreateMessageWithToolsHandler: func(ctx context.Context, r *mcp.CreateMessageWithToolsRequest) (*mcp.CreateMessageWithToolsResult, error) {
			return sampled(ctx, r.Params)
		},
	}
}

func TestTransportAnswersQuestions(t *testing.T) {
	t.Parallel()
	legacyOnly := []struct{ tool, args, want string }{
		{"test_sampling", `{"prompt":"p"}`, "LLM response: completion"},
		{"sample_with_tools", "", `assistant by model, stopped by toolUse: text "completion" use use-2 of weather with {"city":"Rome"}`},
		{"test_elicitation", `{"message":"m"}`, `Elicitation result: action=accept, content={"username":"Ada's username"}`},
		{"elicit (url)", "", "(elicitation pending)"},
		{"roots", "", "home:file:///home"},
	}
	both := []struct{ tool, args, want string }{
		{"test_input_required_result_elicitation", "", "Hello, Ada's name!"},
		{"test_input_required_result_sampling", "", "Sampling response: completion"},
		{"test_input_required_result_list_roots", "", "Client exposed 1 root(s): file:///home"},
		{"test_input_required_result_multiple_inputs", "", "completion Ada's name — 1 root(s) visible"},
		{"roundtrip_url", "", "URL elicitation: accept"},
	}
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		client := mcp.NewClient(implementation, answers())
		client.AddRoots(&mcp.Root{Name: "home", URI: "file:///home"})
		session := connect(t, client, url, w, version)
		tests := both
		if version != modern {
			tests = append(slices.Clip(tests), legacyOnly...)
		}
		for _, test := range tests {
			res, err := call(t, session, test.tool, test.args)
			if got := texts(res, err); got != test.want {
				t.Errorf("%s: got %q, want %q", test.tool, got, test.want)
			}
		}
	})
}

func TestTransportCancels(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		server, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "block"})
			failed <- err
		}()
		wait(t, server.Blocked())
		cancel()
		if err := wait(t, failed); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		wait(t, server.Unblocked())

		ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "block"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		wait(t, server.Unblocked())
		if _, err := call(t, session, "structured_object", ""); err != nil {
			t.Errorf("the session did not go on: %v", err)
		}
	})
}

func TestTransportTellsChanges(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		changes := make(chan string, 100)
		session := connect(t, mcp.NewClient(implementation, &mcp.ClientOptions{
			ToolListChangedHandler:     func(context.Context, *mcp.ToolListChangedRequest) { changes <- "tools" },
			PromptListChangedHandler:   func(context.Context, *mcp.PromptListChangedRequest) { changes <- "prompts" },
			ResourceListChangedHandler: func(context.Context, *mcp.ResourceListChangedRequest) { changes <- "resources" },
			ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
				changes <- r.Params.URI
			},
		}), url, w, version)
		if err := session.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "test://watched-resource"}); err != nil {
			t.Fatal(err)
		}
		// The SDK does not tell when a subscription stands, so that the change is made
		// until it is heard of.
		for _, test := range []struct{ tool, args, want string }{
			{"add_tool", `{"name":"%"}`, "tools"},
			{"add_prompt", `{"name":"%"}`, "prompts"},
			{"add_resource", `{"name":"%"}`, "resources"},
			{"update_resource", `{"text":"%"}`, "test://watched-resource"},
		} {
			repeat(t, session, test.tool, test.args, test.want, changes)
		}
	})
}

// repeat makes a change until changes tells of it.
func repeat(t *testing.T, session *mcp.ClientSession, tool, args, want string, changes <-chan string) {
	t.Helper()
	for i := range 50 {
		name := strings.Repeat("x", i+1)
		if _, err := call(t, session, tool, strings.ReplaceAll(args, "%", name)); err != nil {
			t.Fatal(err)
		}
		again := time.After(300 * time.Millisecond)
		for heard := true; heard; {
			select {
			case got := <-changes:
				if got == want {
					return
				}
			case <-again:
				heard = false
			}
		}
	}
	t.Errorf("nothing told of %q", want)
}

func TestTransportCarriesCustomMethods(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		client := mcp.NewClient(implementation, nil)
		if err := mcp.AddSendingCustomMethod[*everything.EchoParams, *everything.EchoResult](client, everything.EchoMethod); err != nil {
			t.Fatal(err)
		}
		session := connect(t, client, url, w, version)
		res, err := mcp.CallCustomMethod[*everything.EchoParams, *everything.EchoResult](t.Context(), session, everything.EchoMethod,
			&everything.EchoParams{Value: json.RawMessage(`[9007199254740993,null]`)})
		if err != nil || string(res.Value) != `[9007199254740993,null]` {
			t.Errorf("got %+v, %v", res, err)
		}
	})
}

func TestTransportPingsLegacyServers(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		_, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		if err := session.Ping(t.Context(), nil); err != nil && version != modern {
			t.Error(err)
		}
		if got := session.ID(); (got != "") != (version != modern) {
			t.Errorf("got session id %q", got)
		}
	})
}

func TestClosingATransportCancelsItsCalls(t *testing.T) {
	t.Parallel()
	eachEra(t, func(t *testing.T, w wire, version string) {
		server, url := serveEverything(t)
		session := connect(t, mcp.NewClient(implementation, nil), url, w, version)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		failed := make(chan error, 1)
		go func() {
			_, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "block"})
			failed <- err
		}()
		wait(t, server.Blocked())
		closed := make(chan error, 1)
		go func() { closed <- session.Close() }()
		cancel() // Close of the SDK waits for calls
		if err := wait(t, closed); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := wait(t, failed); err == nil {
			t.Error("the call did not fail")
		}
		wait(t, server.Unblocked())
	})
}
