// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxCompletions is the most that the specification allows in one answer.
const maxCompletions = 100

// complete knows these arguments:
//
//   - name of the prompt greet: what was typed and an x, as in the SDK's example
//   - arg1 of test_prompt_with_arguments: some words that begin with what was typed
//   - arg2 of it: words that depend on arg1, if the context has it
//   - needed of prompt_all: 150 words, more than fit
//   - id of the template test://template/{id}/data
//
// Other arguments of prompts and templates have no completions; other kinds of
// references are an error.
func complete(_ context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	var words []string
	ref, argument := req.Params.Ref, req.Params.Argument
	switch ref.Type {
	case "ref/prompt":
		words = promptWords(ref.Name, argument, req.Params.Context)
	case "ref/resource":
		if ref.URI == templateStart+"{id}"+templateEnd && argument.Name == "id" {
			words = []string{"1", "12", "123"}
		}
	default:
		return nil, invalidParams("unknown type of reference %q", ref.Type)
	}
	values := []string{} // never nil: values is a required member
	for _, word := range words {
		if strings.HasPrefix(word, argument.Value) {
			values = append(values, word)
		}
	}
	total := len(values)
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{
		Values:  values[:min(total, maxCompletions)],
		Total:   total,
		HasMore: total > maxCompletions,
	}}, nil
}

func promptWords(prompt string, argument mcp.CompleteParamsArgument, given *mcp.CompleteContext) []string {
	switch prompt + "." + argument.Name {
	case "greet.name":
		return []string{argument.Value + "x"}
	case "test_prompt_with_arguments.arg1":
		return []string{"paris", "park", "party", "rome"}
	case "test_prompt_with_arguments.arg2":
		arg1 := "?"
		if given != nil && given.Arguments["arg1"] != "" {
			arg1 = given.Arguments["arg1"]
		}
		return []string{arg1 + "-one", arg1 + "-two"}
	case "prompt_all.needed":
		words := make([]string, 150)
		for i := range words {
			words[i] = fmt.Sprintf("word-%03d", i)
		}
		return words
	default:
		return nil
	}
}
