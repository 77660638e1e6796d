// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command mcpconnect serves and inspects MCP over gRPC, gRPC-Web and Connect.
//
// Start with
//
//	mcpconnect demo
//
// which serves a small MCP server on the loopback interface and prints calls to paste.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes the command line and returns the exit status. The first SIGINT or
// SIGTERM asks the command to stop; the second one, whose handling is the system's
// again, ends the process at once.
func run(args []string) int {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	defer context.AfterFunc(ctx, release)()
	root := newRootCommand()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mcpconnect:", err)
		return 1
	}
	return 0
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "mcpconnect",
		Short:         "MCP over gRPC, gRPC-Web and Connect",
		SilenceUsage:  true, // an error at run time is not one of usage
		SilenceErrors: true, // run prints them
	}
	root.AddCommand(newDemoCommand(), newVersionCommand())
	return root
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "mcpconnect", version())
			return err
		},
	}
}

// version is the module version that the go command recorded when it built the program:
// a tag if it was installed by "go install …@version", else one made of the commit, or
// "(devel)".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
