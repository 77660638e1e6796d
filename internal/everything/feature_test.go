// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestResourcesAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct{ uri, want string }{
		{"embedded:info", `[{"uri":"embedded:info","mimeType":"text/plain","text":"This is the hello example server."}]`},
		{"test://static-text", `[{"uri":"test://static-text","mimeType":"text/plain","text":"This is the content of the static text resource."}]`},
		{"test://static-binary", `[{"uri":"test://static-binary","mimeType":"image/png","blob":"` + pngBase64 + `"}]`},
		{"test://template/7/data", `[{"uri":"test://template/7/data","mimeType":"application/json","text":"{\"id\":\"7\",\"templateTest\":true,\"data\":\"Data for ID: 7\"}"}]`},
		{"test://watched-resource", `[{"uri":"test://watched-resource","mimeType":"text/plain","text":"Watched resource content"}]`},
		{"everything://no-contents", `[]`},
		{"everything://text/grüß dich", `[{"uri":"everything://text/grüß dich","mimeType":"text/plain","text":"grüß dich"}]`},
		{"everything://gone", `error -32602 "Resource not found" {"uri":"everything://gone"}`},
		{"everything://nothing", `error -32602 "Resource not found" {"uri":"everything://nothing"}`},
		{"everything://broken", `error 0 "` + Secret + `" `},
		{"http://example.com/~x/", `error 0 "wrong scheme: \"http\"" `},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, nil)
		for _, test := range tests {
			t.Run(test.uri, func(t *testing.T) {
				res, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: test.uri})
				got := outcome(t, res, err)
				if err == nil {
					raw, err := json.Marshal(res.Contents)
					if err != nil {
						t.Fatal(err)
					}
					got = string(raw)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("outcome differs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestPromptsAnswer(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, nil)
		args := map[string]string{"arg1": "a", "arg2": "b", "name": "Ada", "needed": "n", "resourceUri": "x://y"}
		want := map[string]int{ // messages
			"greet": 1, "greet (with Icons)": 1, "grüß dich": 1, "prompt_all": 8, "test_simple_prompt": 1,
			"test_prompt_with_arguments": 1, "test_prompt_with_embedded_resource": 2, "test_prompt_with_image": 2,
		}
		for name, messages := range want {
			res, err := cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: name, Arguments: args})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if len(res.Messages) != messages {
				t.Errorf("%s: got %d messages, want %d", name, len(res.Messages), messages)
			}
		}
		for _, name := range []string{"prompt_broken", "nothing"} {
			if _, err := cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: name}); err == nil {
				t.Errorf("%s: got no error", name)
			}
		}
	})
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, prompt, uri, argument, value string
		given                              map[string]string
		want                               int
		first                              string
		total                              int
		more                               bool
	}{
		{"of the example", "greet", "", "name", "a", nil, 1, "ax", 1, false},
		{"by prefix", "test_prompt_with_arguments", "", "arg1", "par", nil, 3, "paris", 3, false},
		{"by context", "test_prompt_with_arguments", "", "arg2", "", map[string]string{"arg1": "x"}, 2, "x-one", 2, false},
		{"too many", "prompt_all", "", "needed", "word-", nil, 100, "word-000", 150, true},
		{"of a template", "", "test://template/{id}/data", "id", "12", nil, 2, "12", 2, false},
		{"of something else", "nothing", "", "x", "", nil, 0, "", 0, false},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, New(nil), version, nil)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				ref := &mcp.CompleteReference{Type: "ref/prompt", Name: test.prompt}
				if test.uri != "" {
					ref = &mcp.CompleteReference{Type: "ref/resource", URI: test.uri}
				}
				res, err := cs.Complete(t.Context(), &mcp.CompleteParams{
					Ref:      ref,
					Argument: mcp.CompleteParamsArgument{Name: test.argument, Value: test.value},
					Context:  &mcp.CompleteContext{Arguments: test.given},
				})
				if err != nil {
					t.Fatal(err)
				}
				got := res.Completion
				if len(got.Values) != test.want || got.Total != test.total || got.HasMore != test.more ||
					(test.want > 0 && got.Values[0] != test.first) {
					t.Errorf("got %+v", got)
				}
			})
		}
	})
}

func TestChangesAreAnnounced(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		changed := make(chan string, 16)
		cs := connect(t, New(nil), version, &mcp.ClientOptions{
			ToolListChangedHandler:     func(context.Context, *mcp.ToolListChangedRequest) { changed <- "tools" },
			PromptListChangedHandler:   func(context.Context, *mcp.PromptListChangedRequest) { changed <- "prompts" },
			ResourceListChangedHandler: func(context.Context, *mcp.ResourceListChangedRequest) { changed <- "resources" },
			ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) {
				changed <- req.Params.URI
			},
		})
		before := lists(t, cs)
		steps := []struct{ tool, args, want string }{
			{"add_tool", `{"name":"x"}`, "tools"},
			{"dynamic_x", "", ""},
			{"remove_tool", `{"name":"x"}`, "tools"},
			{"add_prompt", `{"name":"x"}`, "prompts"},
			{"remove_prompt", `{"name":"x"}`, "prompts"},
			{"add_resource", `{"name":"x"}`, "resources"},
			{"remove_resource", `{"name":"x"}`, "resources"},
		}
		for _, step := range steps {
			if res, err := call(t, cs, step.tool, step.args); err != nil || res.IsError {
				t.Fatalf("%s: %s", step.tool, describe(res, err))
			}
			if step.want == "" {
				continue
			}
			if got := <-changed; got != step.want {
				t.Errorf("%s: got a change of %s, want of %s", step.tool, got, step.want)
			}
		}
		if diff := cmp.Diff(before, lists(t, cs)); diff != "" {
			t.Errorf("lists differ (-before +after):\n%s", diff)
		}
		for tool, want := range map[string]string{"test_trigger_tool_change": "tools", "test_trigger_prompt_change": "prompts"} {
			if _, err := call(t, cs, tool, ""); err != nil {
				t.Fatal(err)
			}
			if got := <-changed; got != want {
				t.Errorf("%s: got a change of %s, want of %s", tool, got, want)
			}
		}
	})
}

func TestUpdatesAreAnnounced(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		updated := make(chan string, 16)
		cs := connect(t, New(nil), version, &mcp.ClientOptions{
			ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) {
				updated <- req.Params.URI
			},
		})
		if err := cs.Subscribe(t.Context(), &mcp.SubscribeParams{URI: watchedURI}); err != nil {
			t.Fatal(err)
		}
		// The client of the SDK does not wait for a modern subscription to stand, so
		// the update is repeated until it arrives.
		for arrived := false; !arrived; {
			if got := describe(call(t, cs, "update_resource", `{"text":"new"}`)); got != "updated "+watchedURI {
				t.Fatalf("got %q", got)
			}
			select {
			case uri := <-updated:
				arrived = true
				if uri != watchedURI {
					t.Errorf("got an update of %s", uri)
				}
			default:
			}
		}
		res, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: watchedURI})
		if err != nil || res.Contents[0].Text != "new" {
			t.Errorf("got %s", outcome(t, res, err))
		}
	})
}
