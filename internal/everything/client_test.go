// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestToolsAskLegacyClientsWhileTheyRun(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, args, want string }{
		{"test_sampling", `{"prompt":"p"}`, "LLM response: completion"},
		{"sample", "", "completion"},
		{"sample_with_tools", "", `assistant by model, stopped by toolUse: text "completion" use use-2 of weather with {"city":"Rome"}`},
		{"test_elicitation", `{"message":"m"}`, `Elicitation result: action=accept, content={"username":"Ada's username"}`},
		{"test_elicitation_sep1034_defaults", "", `Elicitation result: action=accept, content={"age":30,"name":"Ada's name","score":95.5,"status":"active","verified":true}`},
		{"test_elicitation_sep1330_enums", "", `Elicitation result: action=accept, content={}`},
		{"elicit (form)", "", "Ada's random"},
		{"elicit (url)", "", "(elicitation pending)"},
		{"roots", "", "home:file:///home,:file:///srv"},
	}
	eachVersion(t, func(t *testing.T, version string) {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, answers())
		client.AddRoots(&mcp.Root{Name: "home", URI: "file:///home"}, &mcp.Root{URI: "file:///srv"})
		cs := connectClient(t, New(nil), version, client)
		for _, test := range tests {
			t.Run(test.tool, func(t *testing.T) {
				got := describe(call(t, cs, test.tool, test.args))
				if version < modern {
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Errorf("answer differs (-want +got):\n%s", diff)
					}
				} else if !strings.HasPrefix(got, "isError") || !strings.Contains(got, "multi round-trip") {
					t.Errorf("got %q, want a refusal to send requests", got)
				}
			})
		}
	})
}

func TestRoundTripsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, want string }{
		{"test_input_required_result_elicitation", "Hello, Ada's name!"},
		{"test_input_required_result_sampling", "Sampling response: completion"},
		{"test_input_required_result_list_roots", "Client exposed 1 root(s): file:///home"},
		{"test_input_required_result_request_state", "state-ok: requestState received and confirmation accepted"},
		{"test_input_required_result_multiple_inputs", "completion Ada's name — 1 root(s) visible"},
		{"test_input_required_result_tampered_state", "state-ok: requestState received and confirmation accepted"},
		{"test_input_required_result_capabilities", "Capability-aware input requests fulfilled"},
		{"roundtrip_url", "URL elicitation: accept"},
		{"roundtrip_sampling_tools", `assistant by model, stopped by toolUse: text "completion" use use-2 of weather with {"city":"Rome"}`},
	}
	eachVersion(t, func(t *testing.T, version string) {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, answers())
		client.AddRoots(&mcp.Root{Name: "home", URI: "file:///home"})
		cs := connectClient(t, New(nil), version, client)
		for _, test := range tests {
			t.Run(test.tool, func(t *testing.T) {
				if diff := cmp.Diff(test.want, describe(call(t, cs, test.tool, ""))); diff != "" {
					t.Errorf("answer differs (-want +got):\n%s", diff)
				}
			})
		}
		multi := describe(call(t, cs, "test_input_required_result_multi_round", ""))
		if version >= modern && multi != "Multi-round complete: Ada's name likes Ada's color" {
			t.Errorf("two rounds: got %q", multi)
		}
		busy := describe(call(t, cs, "roundtrip_busy", ""))
		if version < modern && !strings.Contains(busy, "busy, retry later") {
			t.Errorf("busy: got %q", busy)
		}
	})
}

func TestRoundTripsByHand(t *testing.T) {
	t.Parallel()
	opts := answers()
	opts.MultiRoundTrip = &mcp.MultiRoundTripOptions{Disabled: true}
	cs := connect(t, New(nil), modern, opts)
	first, err := call(t, cs, "test_input_required_result_multi_round", "")
	if err != nil {
		t.Fatal(err)
	}
	if !first.NeedsInput() || first.RequestState != "round=1" || len(first.InputRequests) != 1 {
		t.Fatalf("got %+v, want the question of round 1", first)
	}
	busy, err := call(t, cs, "roundtrip_busy", "")
	if err != nil {
		t.Fatal(err)
	}
	if !busy.NeedsInput() || busy.RequestState != "busy" || len(busy.InputRequests) != 0 {
		t.Errorf("got %+v, want no question but a state", busy)
	}
	again := describe(cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "roundtrip_busy", RequestState: "busy"}))
	if again != "no longer busy" {
		t.Errorf("got %q", again)
	}
	forged := &mcp.CallToolParams{Name: "test_input_required_result_tampered_state", RequestState: "tampered_state" + tamperedSuffix}
	res, err := cs.CallTool(t.Context(), forged)
	if got, want := outcome(t, res, err), `error -32602 "invalid requestState: tampered" `; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPromptsAndResourcesAskToo(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, answers())
		prompt, err := cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "test_input_required_result_prompt"})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := prompt.Messages[0].Content.(*mcp.TextContent).Text, "Context: Ada's context"; got != want {
			t.Errorf("got prompt %q, want %q", got, want)
		}
		resource, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "everything://question"})
		if version < modern {
			// SDK v1.8.0 looks for contents before it puts the question to the client.
			if err == nil || !strings.Contains(err.Error(), "read handler returned nil information") {
				t.Errorf("got %s: the SDK has changed, and this test may ask for more", outcome(t, resource, err))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, want := resource.Contents[0].Text, "This is about Ada's name"; got != want {
			t.Errorf("got resource %q, want %q", got, want)
		}
	})
}
