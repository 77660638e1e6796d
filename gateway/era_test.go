// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestModernClientsAnswerServersWithSessions: a call that the server asks about ends with the
// question, and the next request, with the answer, gets what has come of it.
func TestModernClientsAnswerServersWithSessions(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"child", "grpc"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			up := child(t, "up", "everything")
			if way == "grpc" {
				up = gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(serveEverything(t))}
			}
			up.Version = "2025-11-25"
			g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
			c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
			const params = `{"_meta":{` + modernMeta + `},"name":"test_elicitation","arguments":{"message":"who?"}`
			var asked struct {
				ResultType    string
				RequestState  string
				InputRequests map[string]struct{ Method string }
			}
			if o := c.Call(rpctest.Context(t), "tools/call", params+`}`); o.Err != nil || json.Unmarshal(o.Result, &asked) != nil {
				t.Fatalf("the call gave %v", o)
			}
			if asked.ResultType != "input_required" || asked.InputRequests["q1"].Method != "elicitation/create" {
				t.Fatalf("the call gave %+v, want a question", asked)
			}
			again := params + `,"requestState":"` + asked.RequestState + `","inputResponses":{"q1":{"action":"accept","content":{"username":"ada"}}}}`
			if o := c.Call(rpctest.Context(t), "tools/call", again); o.Err != nil || !strings.Contains(string(o.Result), "action=accept") || !strings.Contains(string(o.Result), `"complete"`) {
				t.Errorf("the answer gave %v", o)
			}
			if o := c.Call(rpctest.Context(t), "tools/call", again); o.Err == nil || o.Err.Code != -32602 {
				t.Errorf("the same answer again gave %v, want an error", o)
			}
			// Who cannot be asked is not asked.
			dumb := strings.ReplaceAll(params, `"elicitation":{"form":{},"url":{}},`, "") + `}`
			if o := c.Call(rpctest.Context(t), "tools/call", dumb); o.Err != nil || !strings.Contains(string(o.Result), "elicitation failed") {
				t.Errorf("a client that cannot answer got %v", o)
			}
		})
	}
}

// TestQuestionsAreNotKeptForEver: nobody comes back, and the server learns that its call is over.
func TestQuestionsAreNotKeptForEver(t *testing.T) {
	t.Parallel()
	up := child(t, "up", "everything")
	up.Version = "2025-11-25"
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}, AnswerTimeout: 50 * time.Millisecond})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
	const params = `{"_meta":{` + modernMeta + `},"name":"test_elicitation","arguments":{"message":"who?"}`
	var asked struct{ RequestState string }
	if o := c.Call(rpctest.Context(t), "tools/call", params+`}`); json.Unmarshal(o.Result, &asked) != nil || asked.RequestState == "" {
		t.Fatalf("the call gave %v", o)
	}
	eventually(t, "the call is given up", func() bool {
		return c.Call(rpctest.Context(t), "tools/call", params+`,"requestState":"`+asked.RequestState+`","inputResponses":{"other":{}}}`).Err != nil
	})
}

// TestClientsWithSessionsAnswerModernServers: what the server needs is asked by requests.
func TestClientsWithSessionsAnswerModernServers(t *testing.T) {
	t.Parallel()
	up := child(t, "up", "everything")
	up.Version = rpctest.ModernVersion
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
	const capabilities = `{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}`
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), "2025-11-25", capabilities)
	c.Answer = answers
	for _, tool := range []string{
		"test_input_required_result_elicitation", "test_input_required_result_sampling", "test_input_required_result_list_roots",
		"test_input_required_result_multiple_inputs", "test_input_required_result_multi_round",
	} {
		o := c.Call(rpctest.Context(t), "tools/call", `{"name":"`+tool+`","arguments":{}}`)
		if o.Err != nil || len(o.Said) == 0 || strings.Contains(string(o.Result), "resultType") || strings.Contains(string(o.Result), "isError") {
			t.Errorf("%s gave %v", tool, o)
		}
	}
}

// TestClientsWithSessionsSeeNothingOfTheOtherEra in what a modern server gives.
func TestClientsWithSessionsSeeNothingOfTheOtherEra(t *testing.T) {
	t.Parallel()
	for _, up := range []gateway.Upstream{child(t, "child", "everything"), {Name: "http", URL: serveEverything(t) + "/mcp"}} {
		t.Run(up.Name, func(t *testing.T) {
			t.Parallel()
			up.Version = rpctest.ModernVersion
			g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
			c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), "2025-11-25", `{}`)
			for method, params := range map[string]string{
				"tools/list": `{}`, "prompts/list": `{}`, "resources/list": `{}`, "resources/templates/list": `{}`,
				"resources/read": `{"uri":"everything://cached"}`, "tools/call": `{"name":"test_simple_text","arguments":{}}`,
			} {
				o := c.Call(rpctest.Context(t), method, params)
				for _, member := range []string{`"ttlMs"`, `"cacheScope"`, `"resultType"`, "io.modelcontextprotocol/serverInfo"} {
					if o.Err != nil || strings.Contains(string(o.Result), member) {
						t.Errorf("%s has %s, or an error: %.200v", method, member, o)
					}
				}
			}
		})
	}
}
