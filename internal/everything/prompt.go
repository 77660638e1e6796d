// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func (s *Server) addPrompts() {
	s.mcp.AddPrompt(&mcp.Prompt{Name: "greet"}, promptGreeting)
	s.mcp.AddPrompt(&mcp.Prompt{Name: "greet (with Icons)", Icons: icons()}, promptGreeting)
	s.addConformancePrompts()
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        "prompt_all",
		Title:       "All prompt content",
		Description: "Has a message of every type of content, with every optional member set.",
		Arguments: []*mcp.PromptArgument{
			{Name: "needed", Title: "Needed", Description: "An argument that has to be given.", Required: true},
			{Name: "optional"},
		},
		Icons: icons(),
		Meta:  meta(),
	}, promptAll)
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        "grüß dich",
		Description: "Has a name that does not fit into a header.",
	}, promptGreeting)
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        "prompt_broken",
		Description: "Fails with an error that is not one of JSON-RPC.",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return nil, errors.New(Secret)
	})
}

func (s *Server) addConformancePrompts() {
	s.mcp.AddPrompt(&mcp.Prompt{
		Name: "test_simple_prompt", Title: "Simple Test Prompt", Description: "A simple prompt without arguments",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return promptOf("A simple test prompt", &mcp.TextContent{Text: "This is a simple prompt for testing."}), nil
	})
	s.mcp.AddPrompt(&mcp.Prompt{
		Name: "test_prompt_with_arguments", Title: "Prompt With Arguments", Description: "A prompt with required arguments",
		Arguments: []*mcp.PromptArgument{
			{Name: "arg1", Description: "First test argument", Required: true},
			{Name: "arg2", Description: "Second test argument", Required: true},
		},
	}, promptArguments)
	s.mcp.AddPrompt(&mcp.Prompt{
		Name: "test_prompt_with_embedded_resource", Title: "Prompt With Embedded Resource",
		Description: "A prompt that includes an embedded resource",
		Arguments: []*mcp.PromptArgument{
			{Name: "resourceUri", Description: "URI of the resource to embed", Required: true},
		},
	}, promptResource)
	s.mcp.AddPrompt(&mcp.Prompt{
		Name: "test_prompt_with_image", Title: "Prompt With Image", Description: "A prompt that includes image content",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return promptOf("A prompt with an image", image(), &mcp.TextContent{Text: "Please analyze the image above."}), nil
	})
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        "test_input_required_result_prompt",
		Description: "MRTR (SEP-2322): asks for context via an in-band elicitation request",
	}, promptQuestion)
}

// promptOf returns a prompt with one message of the user per block of content.
func promptOf(description string, content ...mcp.Content) *mcp.GetPromptResult {
	res := &mcp.GetPromptResult{Description: description, Messages: []*mcp.PromptMessage{}}
	for _, block := range content {
		res.Messages = append(res.Messages, &mcp.PromptMessage{Role: "user", Content: block})
	}
	return res
}

func promptGreeting(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	return promptOf("Hi prompt", &mcp.TextContent{Text: "Say hi to " + req.Params.Arguments["name"]}), nil
}

func promptArguments(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	args := req.Params.Arguments
	return promptOf("A prompt with arguments", &mcp.TextContent{
		Text: fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", args["arg1"], args["arg2"]),
	}), nil
}

func promptResource(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	return promptOf("A prompt with an embedded resource",
		embedded(req.Params.Arguments["resourceUri"], "Embedded resource content for testing."),
		&mcp.TextContent{Text: "Please process the embedded resource above."},
	), nil
}

func promptAll(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	if req.Params.Arguments["needed"] == "" {
		return nil, invalidParams("prompt %q needs the argument %q", "prompt_all", "needed")
	}
	res := promptOf("All prompt content", allContent().Content...)
	res.Meta = meta()
	res.Messages = append(res.Messages, &mcp.PromptMessage{
		Role:    "assistant",
		Content: &mcp.TextContent{Text: req.Params.Arguments["needed"] + "/" + req.Params.Arguments["optional"]},
	})
	return res, nil
}

func promptQuestion(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	content := accepted(req.Params.InputResponses, "user_context")
	if content == nil {
		return &mcp.GetPromptResult{InputRequests: mcp.InputRequestMap{
			"user_context": form("Please provide context for the prompt", "context", "string"),
		}}, nil
	}
	given, _ := content["context"].(string)
	return promptOf("A prompt with elicited context", &mcp.TextContent{Text: "Context: " + given}), nil
}
