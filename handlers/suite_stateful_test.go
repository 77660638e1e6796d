// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

var logLevels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

func TestLogMessagesReachTheCallThatAskedForThem(t *testing.T) {
	t.Parallel()
	var all []suiteCase
	for _, level := range logLevels {
		all = append(all,
			request("all levels for a request that wants "+level, "tools/call",
				fmt.Sprintf(`{"_meta":{%%META%%,"io.modelcontextprotocol/logLevel":%q},"name":"log_levels","arguments":{}}`, level)).in("modern"),
			request("set level "+level, "logging/setLevel", fmt.Sprintf(`{"level":%q}`, level)).in("legacy"),
			suiteCase{name: "all levels in a session at " + level, method: "tools/call", params: `{"name":"log_levels","arguments":{}}`, only: "legacy"},
		)
	}
	all = append(all, tool("log_levels", `{}`), tool("test_logging_tool", `{}`))
	suite{cases: all}.run(t)
	suite{cases: all, forms: structForms, wires: someWires, versions: someVersions}.run(t)
}

// tasksDeclared are the capabilities of a client that knows tasks.
const tasksDeclared = `{"extensions":{"io.modelcontextprotocol/tasks":{}}}`

func TestTasksOfAClientThatDeclaredThem(t *testing.T) {
	t.Parallel()
	task := func(name, method, id, more string) suiteCase {
		return request(name, method, fmt.Sprintf(`{"_meta":{%%META%%},"taskId":%q%s}`, id, more))
	}
	suite{
		changes:      true,
		capabilities: tasksDeclared,
		cases: []suiteCase{
			tool("start_task", `{}`),
			task("done", "tasks/get", "task-1", ``),
			tool("start_task", `{"mode":"working"}`),
			task("working", "tasks/get", "task-2", ``),
			task("update that means nothing", "tasks/update", "task-2", `,"inputResponses":{}`),
			task("cancel", "tasks/cancel", "task-2", ``),
			task("cancelled", "tasks/get", "task-2", ``),
			task("cancel again", "tasks/cancel", "task-2", ``),
			tool("start_task", `{"mode":"input"}`),
			task("waits for input", "tasks/get", "task-3", ``),
			task("update with nothing", "tasks/update", "task-3", `,"inputResponses":{}`),
			task("update", "tasks/update", "task-3", `,"inputResponses":{"user_name":{"action":"accept","content":{"name":"Ada"}}}`),
			task("updated", "tasks/get", "task-3", ``),
			tool("start_task", `{"mode":"failed"}`),
			task("failed", "tasks/get", "task-4", ``),
			tool("start_task", `{"mode":"none such"}`),
			task("unknown", "tasks/get", "task-99", ``),
			task("unknown update", "tasks/update", "task-99", `,"inputResponses":{}`),
			task("unknown cancel", "tasks/cancel", "task-99", ``),
			request("no id", "tasks/get", `{"_meta":{%META%}}`),
		},
	}.run(t)
}

func TestEveryPageOfEveryList(t *testing.T) {
	t.Parallel()
	paged := func() *mcp.Server { return everything.New(&everything.Options{PageSize: 3}).MCP() }
	peer := newRawPeer(t, paged())
	var all []suiteCase
	for _, method := range []string{"tools/list", "resources/list", "resources/templates/list", "prompts/list"} {
		cursor, pages := "", 0
		for {
			c := request(fmt.Sprintf("page %d of %s", pages, method), method, fmt.Sprintf(`{"_meta":{%%META%%},"cursor":%q}`, cursor))
			all = append(all, c)
			o := peer.call(testContext(t), method, c.paramsFor(modernVersion, noneDeclared))
			var page struct{ NextCursor string }
			if err := json.Unmarshal(o.result, &page); err != nil {
				t.Fatalf("%s: %v", o, err)
			}
			pages++
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if method == "tools/list" && pages != 24 {
			t.Errorf("got %d pages of tools, want 24", pages)
		}
	}
	suite{server: paged, cases: all, wires: someWires, versions: someVersions}.run(t)
}

// roundTripsDeclared are the capabilities of a client that can be asked everything.
const roundTripsDeclared = `{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{"listChanged":true},` + `"experimental":{"com.example/x":{"n":1}}}`

func TestRoundTripsOfAModernClient(t *testing.T) {
	t.Parallel()
	const (
		name     = `"user_name":{"action":"accept","content":{"name":"Ada"}}`
		confirm  = `{"confirm":{"action":"accept","content":{"ok":true}}}`
		sampled  = `{"role":"assistant","model":"m","stopReason":"endTurn","content":{"type":"text","text":"Paris"}}`
		sampled2 = `{"weather":{"role":"assistant","model":"m","stopReason":"toolUse","content":[{"type":"text","text":"t"},{"type":"tool_use","id":"u","name":"weather","input":{"city":"Rome"}}]}}`
		roots    = `"client_roots":{"roots":[{"uri":"file:///a","name":"a"},{"uri":"file:///b"}]}`
		pre      = "test_input_required_result_"
	)
	all := []suiteCase{
		tool("inspect_request", `{}`),
		tool(pre+"elicitation", `{}`),
		retry(pre+"elicitation", `{}`, `{`+name+`}`, ""),
		retry(pre+"elicitation", `{}`, `{"user_name":{"action":"decline"}}`, ""),
		retry(pre+"elicitation", `{}`, `{"other":{"action":"accept","content":{}}}`, ""),
		retry(pre+"elicitation", `{}`, `{}`, ""),
		tool(pre+"sampling", `{}`),
		retry(pre+"sampling", `{}`, `{"capital_question":`+sampled+`}`, ""),
		tool(pre+"list_roots", `{}`),
		retry(pre+"list_roots", `{}`, `{`+roots+`}`, ""),
		retry(pre+"list_roots", `{}`, `{"client_roots":{"roots":[]}}`, ""),
		tool(pre+"request_state", `{}`),
		retry(pre+"request_state", `{}`, confirm, "request_state"),
		retry(pre+"request_state", `{}`, confirm, "request_state-TAMPERED"),
		tool(pre+"multiple_inputs", `{}`),
		retry(pre+"multiple_inputs", `{}`, `{`+name+`,"greeting":`+sampled+`,`+roots+`}`, "multiple_inputs"),
		tool(pre+"multi_round", `{}`),
		retry(pre+"multi_round", `{}`, `{"step1":{"action":"accept","content":{"name":"Ada"}}}`, "round=1"),
		retry(pre+"multi_round", `{}`, `{"step2":{"action":"accept","content":{"color":"blue"}}}`, "round=2;name=Ada"),
		retry(pre+"multi_round", `{}`, `{}`, "round=3"),
		tool(pre+"tampered_state", `{}`),
		retry(pre+"tampered_state", `{}`, confirm, "tampered_state"),
		retry(pre+"tampered_state", `{}`, confirm, "tampered_state-TAMPERED"),
		tool(pre+"capabilities", `{}`),
		retry(pre+"capabilities", `{}`, `{`+name+`}`, ""),
		tool("test_missing_capability", `{}`),
		tool("roundtrip_url", `{}`),
		retry("roundtrip_url", `{}`, `{"sign_in":{"action":"accept"}}`, ""),
		retry("roundtrip_url", `{}`, `{"sign_in":{"action":"cancel"}}`, ""),
		tool("roundtrip_sampling_tools", `{}`),
		retry("roundtrip_sampling_tools", `{}`, sampled2, ""),
		tool("roundtrip_busy", `{}`),
		retry("roundtrip_busy", `{}`, `{}`, "busy"),
		tool("roundtrip_both", `{}`),
		resource("everything://question"),
		request("answered resource", "resources/read", `{"_meta":{%META%},"uri":"everything://question","inputResponses":{`+name+`},"requestState":"read_state"}`),
		request("resource with a forged state", "resources/read", `{"_meta":{%META%},"uri":"everything://question","inputResponses":{`+name+`},"requestState":"read_state-TAMPERED"}`),
		prompt("test_input_required_result_prompt", `{}`),
		request("answered prompt", "prompts/get", `{"_meta":{%META%},"name":"test_input_required_result_prompt","inputResponses":{"user_context":{"action":"accept","content":{"context":"c"}}}}`),
		retry(pre+"elicitation", `{}`, `{"user_name":7}`, ""),
		retry(pre+"elicitation", `{}`, `{"user_name":{"x":[1]}}`, ""),
		// Asking a modern client by a request is nothing that a server may do.
		tool("elicit (form)", `{}`),
		tool("test_sampling", `{"prompt":"p"}`),
		tool("roots", `{}`),
	}
	s := suite{capabilities: roundTripsDeclared, versions: []string{modernVersion}, cases: all}
	s.run(t)
	s.forms, s.wires = structForms, someWires
	s.run(t)
}

// TestHandlersThatFailBadly has no measure in the SDK, whose transports a panic or a
// missing result ends with the whole process.
func TestHandlersThatFailBadly(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for _, version := range allVersions {
		for _, w := range wires {
			for _, form := range forms {
				if !form.fits(w) {
					continue
				}
				t.Run(version+"/"+w.name+"/"+form.name, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					call := form.open(t, peer{wire: w, url: url, version: version, capabilities: noneDeclared})
					for _, name := range []string{"panic", "error_nil_result", "error_plain"} {
						c := tool(name, `{}`)
						o := call(ctx, c.method, c.paramsFor(version, noneDeclared))
						if o.err == nil || o.err.Code != jsonrpc.CodeInternalError || o.err.Message != "internal error" || len(o.err.Data) > 0 {
							t.Errorf("%s gave %v, want an internal error that tells nothing", name, o)
						}
					}
					c := tool("greet", `{"name":"you"}`)
					if o := call(ctx, c.method, c.paramsFor(version, noneDeclared)); o.err != nil || !strings.Contains(o.String(), "Hi you") {
						t.Errorf("afterwards, greet gave %v", o)
					}
				})
			}
		}
	}
}
