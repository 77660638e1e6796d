// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"errors"
)

const callTimeout = 30 * time.Second

func newListCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "ls URL",
		Short: "List the tools, prompts and resources of a server",
		Example: `  mcpconnect ls http://127.0.0.1:8080
  mcpconnect ls http://127.0.0.1:8080 --protocol http --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0], nil, func(ctx context.Context, s *session) error {
				lists, err := listAll(ctx, s)
				if err != nil {
					return err
				}
				if f.output == "json" {
					return lists.printJSON(cmd.OutOrStdout())
				}
				return lists.print(cmd.OutOrStdout())
			})
		},
	}
	f.flags(cmd, callTimeout)
	return cmd
}

// lists are all that a server has, with the same as it was sent.
type lists struct {
	tools     []*mcp.Tool
	prompts   []*mcp.Prompt
	resources []*mcp.Resource
	templates []*mcp.ResourceTemplate
	raw       map[string][]json.RawMessage
}

// listAll gets all pages of all lists. A list that the server does not have is empty.
func listAll(ctx context.Context, s *session) (*lists, error) {
	l := &lists{raw: map[string][]json.RawMessage{}}
	for _, get := range []struct {
		member string
		page   func(cursor string) (next string, err error)
	}{
		{"tools", func(cursor string) (string, error) {
			res, err := s.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
			if err != nil {
				return "", err
			}
			l.tools = append(l.tools, res.Tools...)
			return res.NextCursor, nil
		}},
		{"prompts", func(cursor string) (string, error) {
			res, err := s.ListPrompts(ctx, &mcp.ListPromptsParams{Cursor: cursor})
			if err != nil {
				return "", err
			}
			l.prompts = append(l.prompts, res.Prompts...)
			return res.NextCursor, nil
		}},
		{"resources", func(cursor string) (string, error) {
			res, err := s.ListResources(ctx, &mcp.ListResourcesParams{Cursor: cursor})
			if err != nil {
				return "", err
			}
			l.resources = append(l.resources, res.Resources...)
			return res.NextCursor, nil
		}},
		{"resourceTemplates", func(cursor string) (string, error) {
			res, err := s.ListResourceTemplates(ctx, &mcp.ListResourceTemplatesParams{Cursor: cursor})
			if err != nil {
				return "", err
			}
			l.templates = append(l.templates, res.ResourceTemplates...)
			return res.NextCursor, nil
		}},
	} {
		if err := l.pages(s, get.member, get.page); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// maxPages bounds what a server can make us fetch.
const maxPages = 1000

func (l *lists) pages(s *session, member string, page func(string) (string, error)) error {
	var cursor string
	l.raw[member] = []json.RawMessage{}
	for range maxPages {
		next, err := page(cursor)
		if e, ok := errors.AsType[*jsonrpc.Error](err); ok && e.Code == jsonrpc.CodeMethodNotFound {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", member, err)
		}
		var sent map[string]json.RawMessage
		var items []json.RawMessage
		if json.Unmarshal(s.results.result(), &sent) == nil && json.Unmarshal(sent[member], &items) == nil {
			l.raw[member] = append(l.raw[member], items...)
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
	return fmt.Errorf("listing %s: there are more than %d pages", member, maxPages)
}

func (l *lists) printJSON(w io.Writer) error {
	text, err := json.Marshal(l.raw)
	if err != nil {
		return err
	}
	return printJSON(w, text)
}

func (l *lists) print(w io.Writer) error {
	t := newTable(w, "KIND", "NAME", "DESCRIPTION")
	for _, x := range l.tools {
		t.row("tool", signature(x), firstOf(x.Description, x.Title))
	}
	for _, x := range l.prompts {
		names := make([]string, len(x.Arguments))
		for i, a := range x.Arguments {
			names[i] = optional(a.Name, a.Required)
		}
		t.row("prompt", x.Name+"("+strings.Join(names, ", ")+")", firstOf(x.Description, x.Title))
	}
	for _, x := range l.resources {
		t.row("resource", x.URI, firstOf(x.Description, x.Title, x.Name))
	}
	for _, x := range l.templates {
		t.row("template", x.URITemplate, firstOf(x.Description, x.Title, x.Name))
	}
	return t.flush()
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func optional(name string, required bool) string {
	if required {
		return name
	}
	return "[" + name + "]"
}

// signature is a tool's name with its arguments, those that may be left out in brackets.
func signature(t *mcp.Tool) string {
	schema := schemaOf(t)
	names := make([]string, len(schema.order))
	for i, name := range schema.order {
		names[i] = optional(name, schema.required[name])
	}
	return t.Name + "(" + strings.Join(names, ", ") + ")"
}
