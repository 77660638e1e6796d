// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)

func newReadCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "read URL resource",
		Short: "Read a resource",
		Long: `Read a resource, and print what is in it. Bytes that are no text go to a file or a pipe, and
are not shown on a terminal.`,
		Example: "  mcpconnect read http://127.0.0.1:8080 demo://clock",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0], nil, func(ctx context.Context, s *session) error {
				res, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: args[1]})
				if err != nil {
					return err
				}
				if f.output == "json" {
					return printJSON(cmd.OutOrStdout(), s.results.result())
				}
				for _, c := range res.Contents {
					printResource(cmd.OutOrStdout(), c)
				}
				return nil
			})
		},
	}
	f.flags(cmd, callTimeout)
	return cmd
}

func newPromptCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:     "prompt URL name [key=value...]",
		Short:   "Get a prompt",
		Example: "  mcpconnect prompt http://127.0.0.1:8080 review language=Go",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			arguments := map[string]string{}
			for _, pair := range args[2:] {
				name, value, ok := strings.Cut(pair, "=")
				if _, twice := arguments[name]; !ok || name == "" || twice {
					return usage(fmt.Errorf("argument %q: want key=value, each key once", pair))
				}
				arguments[name] = value
			}
			return f.run(cmd, args[0], nil, func(ctx context.Context, s *session) error {
				res, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: args[1], Arguments: arguments})
				if err != nil {
					return err
				}
				if f.output == "json" {
					return printJSON(cmd.OutOrStdout(), s.results.result())
				}
				for _, m := range res.Messages {
					fmt.Fprintf(cmd.OutOrStdout(), "%s:\n", oneLine(string(m.Role)))
					printContent(cmd.OutOrStdout(), []mcp.Content{m.Content})
				}
				return nil
			})
		},
	}
	f.flags(cmd, callTimeout)
	return cmd
}

func newDiscoverCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:     "discover URL",
		Short:   "Tell what a server is, and what it can do",
		Example: "  mcpconnect discover http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0], nil, func(_ context.Context, s *session) error {
				if f.output == "json" {
					return printJSON(cmd.OutOrStdout(), s.results.result())
				}
				return printServer(cmd.OutOrStdout(), s.InitializeResult())
			})
		},
	}
	f.flags(cmd, callTimeout)
	return cmd
}
