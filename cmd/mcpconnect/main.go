// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command mcpconnect serves, joins and inspects MCP over gRPC, gRPC-Web, Connect and Streamable
// HTTP.
//
// Start with
//
//	mcpconnect demo
//
// which serves a small MCP server on the loopback interface and prints calls to paste;
// docs/command.md describes the rest.
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
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mcpconnect:", printable(err.Error())) // a server may have written it
	}
	return exitStatus(ctx, err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "mcpconnect",
		Short: "MCP over gRPC, gRPC-Web, Connect and Streamable HTTP",
		Long: `Serve, join and inspect MCP servers over gRPC, gRPC-Web, Connect and Streamable HTTP.

` + exitHelp,
		SilenceUsage:  true, // an error at run time is not one of usage
		SilenceErrors: true, // run prints them
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(
		newDemoCommand(), newGatewayCommand(), newStdioCommand(),
		newListCommand(), newCallCommand(), newReadCommand(), newPromptCommand(), newListenCommand(),
		newDiscoverCommand(), newLoginCommand(), newLogoutCommand(), newDoctorCommand(), newVersionCommand(),
	)
	for _, cmd := range root.Commands() {
		cmd.Args = usageArgs(cmd.Args)
	}
	return root
}

func unknownCommand(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("unknown command %q: see mcpconnect --help", args[0]))
	}
	return nil
}

// usageArgs makes what is wrong with the arguments an error of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(fmt.Errorf("%w: see %s --help", err, cmd.CommandPath()))
		}
		return nil
	}
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  mcpconnect version",
		Args:    cobra.NoArgs,
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
