// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestReviewNamesTheLanguage(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		got, err := cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "review", Arguments: map[string]string{"language": "Go"}})
		if err != nil {
			t.Fatal(err)
		}
		if want := "Code review for Go"; got.Description != want {
			t.Errorf("got description %q, want %q", got.Description, want)
		}
		message, ok := got.Messages[0].Content.(*mcp.TextContent)
		if !ok || !strings.HasPrefix(message.Text, "Review the Go code") || got.Messages[0].Role != "user" {
			t.Errorf("got message %+v", got.Messages[0])
		}
		if _, err := cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "review"}); err == nil {
			t.Error("got no error without language")
		}
	})
}

func TestReviewCompletesTheLanguage(t *testing.T) {
	t.Parallel()
	review := &mcp.CompleteReference{Type: "ref/prompt", Name: "review"}
	tests := []struct {
		name     string
		ref      *mcp.CompleteReference
		argument mcp.CompleteParamsArgument
		want     []string // nil: an error
	}{
		{"the beginning of one", review, mcp.CompleteParamsArgument{Name: "language", Value: "Go"}, []string{"Go"}},
		{"the beginning of several in lower case", review, mcp.CompleteParamsArgument{Name: "language", Value: "ja"}, []string{"Java", "JavaScript"}},
		{"nothing yet", review, mcp.CompleteParamsArgument{Name: "language"}, languages},
		{"no language", review, mcp.CompleteParamsArgument{Name: "language", Value: "x"}, []string{}},
		{"another argument", review, mcp.CompleteParamsArgument{Name: "style"}, nil},
		{"another prompt", &mcp.CompleteReference{Type: "ref/prompt", Name: "other"}, mcp.CompleteParamsArgument{Name: "language"}, nil},
		{"a resource", &mcp.CompleteReference{Type: "ref/resource", URI: "demo://clock"}, mcp.CompleteParamsArgument{Name: "language"}, nil},
	}
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				got, err := cs.Complete(t.Context(), &mcp.CompleteParams{Ref: test.ref, Argument: test.argument})
				if test.want == nil {
					if err == nil {
						t.Errorf("got %v, want an error", got.Completion.Values)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := mcp.CompletionResultDetails{Values: test.want, Total: len(test.want)}
				if diff := cmp.Diff(want, got.Completion); diff != "" {
					t.Errorf("completion differs (-want +got):\n%s", diff)
				}
			})
		}
	})
}
