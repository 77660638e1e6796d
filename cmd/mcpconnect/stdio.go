// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/gateway"
)

func newStdioCommand() *cobra.Command {
	var t target
	var log logFlags
	cmd := &cobra.Command{
		Use:   "stdio URL",
		Short: "Be an MCP server on standard input and output that is elsewhere",
		Long: `Be an MCP server on standard input and output, for clients that speak nothing else: desktop
agents and editors. The server itself is at URL. Messages pass as they are, in both ways. A
connection that is lost is made again: sessions go on, and what was in flight is answered
with an error.

Standard output has nothing but MCP messages; the log goes to standard error. The program
ends with its input, once what is in flight has been answered.`,
		Example: "  mcpconnect stdio http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := t.server(args[0])
			if err != nil {
				return err
			}
			logger, err := log.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			upstream, err := server.Upstream("server")
			if err != nil {
				return err
			}
			return serveStdio(cmd.Context(), io.NopCloser(cmd.InOrStdin()), cmd.OutOrStdout(), gateway.StdioConfig{Upstream: upstream, Logger: logger})
		},
	}
	t.flags(cmd)
	log.flags(cmd, "warn")
	return cmd
}

// stopTimeout is how long the bridge may take to end. A client that does not read its output
// would keep it.
const stopTimeout = 5 * time.Second

func serveStdio(ctx context.Context, in io.ReadCloser, out io.Writer, cfg gateway.StdioConfig) error {
	done := make(chan error, 1)
	go func() { done <- gateway.ServeStdio(ctx, in, out, cfg) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case <-done: //nolint:errcheck // the end was asked for
	case <-time.After(stopTimeout): // the end of the process ends it
	}
	return nil // being told to end is no failure
}
