// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command conformance runs MCP's own conformance suite, which speaks Streamable HTTP only,
// against the Go SDK's server, this project's, and chains in which all goes over gRPC, gRPC-Web
// or Connect. It writes a table, and fails if a scenario that the SDK passes fails elsewhere.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	out := flag.String("out", "", "file for the table; if empty, standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := compare(ctx, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, out string) error {
	var all []results
	for _, r := range []string{modern, legacy} {
		got, err := runAll(ctx, r, os.Stderr)
		if err != nil {
			return err
		}
		all = append(all, got)
	}
	w := io.Writer(os.Stdout)
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	var worse error
	if _, err := io.WriteString(w, head()); err != nil {
		return err
	}
	for _, r := range all {
		if err := r.table(w); err != nil {
			return err
		}
		worse = errors.Join(worse, r.worse())
	}
	return worse
}
