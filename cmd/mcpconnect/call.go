// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)

func newCallCommand() *cobra.Command {
	var f clientFlags
	var text string
	cmd := &cobra.Command{
		Use:   "call URL tool [key=value...]",
		Short: "Call a tool",
		Long: `Call a tool. An argument is text where the tool's schema wants text, and JSON where it wants
something else. --json gives all arguments at once: a JSON object, @file, or - for standard
input.

Progress goes to standard error, as do log messages of the tool. Where a person sits at a
terminal, questions of the tool are asked there.`,
		Example: `  mcpconnect call http://127.0.0.1:8080 add a=2 b=3
  mcpconnect call http://127.0.0.1:8080 countdown --json '{"from":3,"interval_ms":10}'`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if text != "" && len(args) > 2 {
				return usage(errors.New("there are arguments and --json: use one"))
			}
			given, err := readJSON(cmd.InOrStdin(), text)
			if err != nil {
				return usage(fmt.Errorf("--json: %w", err))
			}
			bar := &progressBar{w: cmd.ErrOrStderr(), live: isTerminal(cmd.ErrOrStderr())}
			return f.run(cmd, args[0], callerOptions(cmd, bar), func(ctx context.Context, s *session) error {
				err := f.call(ctx, cmd.OutOrStdout(), s, args[1], args[2:], given, bar)
				bar.clear()
				return err
			})
		},
	}
	f.flags(cmd, 0)
	cmd.Flags().StringVar(&text, "json", "", "all arguments as a JSON object; @file, or - for standard input")
	return cmd
}

// readJSON gives the text, or what it names.
func readJSON(stdin io.Reader, text string) (json.RawMessage, error) {
	var err error
	content := []byte(text)
	switch {
	case text == "":
		return nil, nil
	case text == "-":
		content, err = io.ReadAll(stdin)
	case text[0] == '@':
		content, err = os.ReadFile(text[1:])
	}
	if err != nil {
		return nil, err
	}
	var o map[string]json.RawMessage
	if err := json.Unmarshal(content, &o); err != nil || o == nil {
		return nil, errors.New("want a JSON object")
	}
	return content, nil
}

func (f *clientFlags) call(ctx context.Context, out io.Writer, s *session, tool string, pairs []string, arguments json.RawMessage, bar *progressBar) error {
	// The list says which types arguments have, and which of them go into headers.
	found, err := findTool(ctx, s, tool)
	if err != nil {
		return err
	}
	if arguments == nil {
		if arguments, err = schemaOf(found).arguments(pairs); err != nil {
			return usage(err)
		}
	}
	params := &mcp.CallToolParams{Name: tool, Arguments: arguments}
	params.SetProgressToken("mcpconnect-call")
	s.results.show(bar)
	res, err := s.CallTool(ctx, params)
	if err != nil {
		return err
	}
	bar.clear()
	if f.output == "json" {
		err = printJSON(out, s.results.result())
	} else {
		err = printResult(out, res, s.results.result())
	}
	if err == nil && res.IsError {
		return &exitError{exitTool, fmt.Errorf("the tool %s says that it failed", tool)}
	}
	return err
}

func findTool(ctx context.Context, s *session, name string) (*mcp.Tool, error) {
	for t, err := range s.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the server has no tool %q: mcpconnect ls tells which it has", name)
}

// printResult prints the content, or, if there is none, the structured content as it was sent.
func printResult(out io.Writer, res *mcp.CallToolResult, sent json.RawMessage) error {
	printContent(out, res.Content)
	if len(res.Content) > 0 || res.StructuredContent == nil {
		return nil
	}
	var members struct {
		StructuredContent json.RawMessage `json:"structuredContent"`
	}
	if err := json.Unmarshal(sent, &members); err != nil {
		return err
	}
	return printJSON(out, members.StructuredContent)
}

// callerOptions are those of a client that shows progress and log messages, and asks the user.
func callerOptions(cmd *cobra.Command, bar *progressBar) *mcp.ClientOptions {
	opts := &mcp.ClientOptions{
		LoggingMessageHandler: func(_ context.Context, req *mcp.LoggingMessageRequest) {
			bar.clear()
			data, err := json.Marshal(req.Params.Data)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", oneLine(string(req.Params.Level)), printable(string(data)))
			}
		},
		Capabilities: &mcp.ClientCapabilities{},
	}
	if isTerminal(cmd.InOrStdin()) && isTerminal(cmd.ErrOrStderr()) {
		opts.ElicitationHandler = func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			bar.clear()
			return ask(cmd.InOrStdin(), cmd.ErrOrStderr(), req.Params)
		}
	}
	return opts
}
