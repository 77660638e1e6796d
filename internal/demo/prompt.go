// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	reviewPrompt     = "review"
	languageArgument = "language"
)

// languages are what the completion of review knows, in the order it offers them. The
// prompt itself takes any language.
var languages = []string{
	"C", "C#", "C++", "Clojure", "Dart", "Elixir", "Erlang", "Go", "Haskell", "Java",
	"JavaScript", "Kotlin", "Lua", "OCaml", "PHP", "Python", "R", "Ruby", "Rust", "Scala",
	"Shell", "SQL", "Swift", "TypeScript", "Zig",
}

func (s *Server) addPrompts() {
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        reviewPrompt,
		Title:       "Review code",
		Description: "Asks for a code review with the habits of one programming language in mind.",
		Arguments: []*mcp.PromptArgument{{
			Name:        languageArgument,
			Title:       "Language",
			Description: "the programming language of the code, for example Go",
			Required:    true,
		}},
	}, review)
}

func review(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	language := strings.TrimSpace(req.Params.Arguments[languageArgument])
	if language == "" {
		return nil, invalidParams("prompt %q needs the argument %q", reviewPrompt, languageArgument)
	}
	return &mcp.GetPromptResult{
		Description: "Code review for " + language,
		Messages: []*mcp.PromptMessage{{
			Role: "user",
			Content: &mcp.TextContent{Text: fmt.Sprintf("Review the %[1]s code that I send next. "+
				"Look for errors first, then for what an experienced %[1]s programmer would write differently. "+
				"Quote the line you speak of and give the reason for every remark.", language)},
		}},
	}, nil
}

// complete offers the languages that begin with what was typed, in any case.
func complete(_ context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	ref, argument := req.Params.Ref, req.Params.Argument
	if ref == nil || ref.Type != "ref/prompt" || ref.Name != reviewPrompt {
		return nil, invalidParams("only the prompt %q has completions", reviewPrompt)
	}
	if argument.Name != languageArgument {
		return nil, invalidParams("prompt %q has no argument %q", reviewPrompt, argument.Name)
	}
	typed := strings.ToLower(argument.Value)
	values := []string{} // never nil: values is a required member
	for _, language := range languages {
		if strings.HasPrefix(strings.ToLower(language), typed) {
			values = append(values, language)
		}
	}
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{
		Values: values,
		Total:  len(values),
	}}, nil
}

func invalidParams(format string, args ...any) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}
