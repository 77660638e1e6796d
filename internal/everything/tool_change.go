// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// What the tools of this file add carries this prefix, and they remove nothing else.
const (
	dynamicPrefix    = "dynamic_"
	dynamicURIPrefix = "everything://dynamic/"
)

func (s *Server) addChangingTools() {
	s.addChange("add_tool", "Adds the tool dynamic_<name>.", s.addDynamicTool)
	s.addChange("remove_tool", "Removes the tool dynamic_<name>.", func(name string) { s.mcp.RemoveTools(dynamicPrefix + name) })
	s.addChange("add_prompt", "Adds the prompt dynamic_<name>.", s.addDynamicPrompt)
	s.addChange("remove_prompt", "Removes the prompt dynamic_<name>.", func(name string) { s.mcp.RemovePrompts(dynamicPrefix + name) })
	s.addChange("add_resource", "Adds the resource everything://dynamic/<name>.", s.addDynamicResource)
	s.addChange("remove_resource", "Removes the resource everything://dynamic/<name>.", s.removeDynamicResource)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "update_resource",
		Description: "Sets the text of test://watched-resource or of a dynamic resource and tells the subscribers.",
	}, s.updateResource)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_trigger_tool_change",
		Description: "Mutates the tool list to trigger a notifications/tools/list_changed on active subscription streams (SEP-2575)",
	}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
		s.addTransientTool()
		return text("tools_list_changed published"), nil, nil
	})
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_trigger_prompt_change",
		Description: "Mutates the prompt list to trigger a notifications/prompts/list_changed on active subscription streams (SEP-2575)",
	}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
		s.addTransientPrompt()
		return text("prompts_list_changed published"), nil, nil
	})
}

type changeInput struct {
	Name string `json:"name" jsonschema:"the name, without prefix"`
}

// addChange adds a tool that applies change to a name. The pattern keeps names valid as
// names of tools and as parts of URIs, where the SDK panics.
func (s *Server) addChange(tool, description string, change func(name string)) {
	schema, err := jsonschema.For[changeInput](nil)
	if err != nil {
		panic("everything: " + err.Error()) // a bug in this file
	}
	schema.Properties["name"].Pattern = "^[a-z0-9_]{1,64}$"
	mcp.AddTool(s.mcp, &mcp.Tool{Name: tool, Description: description, InputSchema: schema},
		func(_ context.Context, _ *mcp.CallToolRequest, in changeInput) (*mcp.CallToolResult, any, error) {
			change(in.Name)
			return text(tool + " " + in.Name), nil, nil
		})
}

func (s *Server) addDynamicTool(name string) {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        dynamicPrefix + name,
		Description: "A tool that was added later.",
	}, always(func() *mcp.CallToolResult { return text("I am " + name) }))
}

func (s *Server) addDynamicPrompt(name string) {
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        dynamicPrefix + name,
		Description: "A prompt that was added later.",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return promptOf("A prompt that was added later.", &mcp.TextContent{Text: "You are " + name}), nil
	})
}

func (s *Server) addDynamicResource(name string) {
	uri := dynamicURIPrefix + name
	s.mu.Lock()
	s.texts[uri] = "I am " + name
	s.mu.Unlock()
	s.mcp.AddResource(&mcp.Resource{
		URI:         uri,
		Name:        dynamicPrefix + name,
		Description: "A resource that was added later.",
		MIMEType:    mimeText,
	}, s.readUpdatable)
}

func (s *Server) removeDynamicResource(name string) {
	uri := dynamicURIPrefix + name
	s.mcp.RemoveResources(uri)
	s.mu.Lock()
	delete(s.texts, uri)
	s.mu.Unlock()
}

type updateInput struct {
	URI  string `json:"uri,omitempty" jsonschema:"the resource; test://watched-resource if absent"`
	Text string `json:"text" jsonschema:"its new text"`
}

// updateResource returns when the notifications are on their way.
func (s *Server) updateResource(ctx context.Context, _ *mcp.CallToolRequest, in updateInput) (*mcp.CallToolResult, any, error) {
	if in.URI == "" {
		in.URI = watchedURI
	}
	s.mu.Lock()
	_, known := s.texts[in.URI]
	if known {
		s.texts[in.URI] = in.Text
	}
	s.mu.Unlock()
	if !known {
		return nil, nil, fmt.Errorf("resource %q cannot be updated", in.URI)
	}
	if err := s.mcp.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: in.URI}); err != nil {
		return nil, nil, err
	}
	return text("updated " + in.URI), nil, nil
}

func (s *Server) addTransientTool() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "__transient_tool_for_list_changed",
		Description: "Transient tool used to trigger tools/list_changed",
	}, always(func() *mcp.CallToolResult { return &mcp.CallToolResult{} }))
}

func (s *Server) addTransientPrompt() {
	s.mcp.AddPrompt(&mcp.Prompt{
		Name:        "__transient_prompt_for_list_changed",
		Description: "Transient prompt used to trigger prompts/list_changed",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{}}, nil
	})
}
