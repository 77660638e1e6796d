// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/internal/remote"
)

func newDoctorCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "doctor URL [tool [key=value...]]",
		Short: "Find out why a server cannot be reached",
		Long: `Go the way to a server step by step: its name, TCP, TLS, HTTP/2, the metadata that says who gives
tokens, authentication, then each protocol, with a list of the tools and, if one is named, a call
of a tool: none is called otherwise, since tools do things. Each step tells what it found, and
what to do if it failed. The command fails if the protocol of --protocol does not work; that
others do not may be as it should.`,
		Example: `  mcpconnect doctor http://127.0.0.1:8080
  mcpconnect doctor http://127.0.0.1:8080 add a=2 b=3`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return diagnose(cmd, &f, args[0], args[1:])
		},
	}
	f.flags(cmd, time.Minute)
	return cmd
}

// An advised is an error with what to do about it.
type advised struct {
	err    error
	advice string
}

func (e *advised) Error() string { return e.err.Error() }
func (e *advised) Unwrap() error { return e.err }

// A diagnosis prints what its steps find.
type diagnosis struct {
	w io.Writer
}

// step runs a step, and tells whether the next ones make sense.
func (d *diagnosis) step(name string, run func() (string, error)) error {
	found, err := run()
	if err == nil {
		fmt.Fprintf(d.w, "ok    %-14s %s\n", name, beginning(found, 200))
		return nil
	}
	fmt.Fprintf(d.w, "FAIL  %-14s %s\n", name, printable(err.Error()))
	if e, ok := errors.AsType[*advised](err); ok && e.advice != "" {
		fmt.Fprintf(d.w, "      %-14s %s\n", "", e.advice)
	}
	return err
}

func diagnose(cmd *cobra.Command, f *clientFlags, text string, call []string) error {
	server, err := f.server(text)
	if err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	d := &diagnosis{w: cmd.OutOrStdout()}
	n := &network{server: server, url: u}
	for _, s := range []struct {
		name string
		run  func(context.Context) (string, error)
	}{{"name", n.resolve}, {"TCP", n.connect}, {"TLS", n.handshake}} {
		if s.name == "TLS" && u.Scheme == "http" {
			continue
		}
		if err := d.step(s.name, func() (string, error) { return s.run(ctx) }); err != nil {
			return &exitError{exitUnreachable, fmt.Errorf("%s: see above", s.name)}
		}
	}
	// Without HTTP/2 some protocols work.
	_ = d.step("HTTP/2", func() (string, error) { return n.http2(ctx) })
	_ = d.step("metadata", func() (string, error) { return n.metadata(ctx) })
	_ = d.step("authentication", func() (string, error) { return n.authentication(ctx) })
	var failed error
	for _, p := range remote.Protocols {
		err := d.step(p, func() (string, error) { return f.try(cmd, text, p, call) })
		if p == f.protocol {
			failed = err
		}
	}
	if failed == nil {
		return nil
	}
	status := exitFailed
	if e, ok := errors.AsType[*exitError](failed); ok {
		status = e.status
	}
	return &exitError{status, fmt.Errorf("the protocol %s does not work: see above", f.protocol)}
}

// try calls the server over one protocol; call is a tool with its arguments, or nothing.
func (f *clientFlags) try(cmd *cobra.Command, url, protocol string, call []string) (found string, err error) {
	one := *f
	one.protocol = protocol
	if protocol == "grpc" && one.http1 {
		return "", errors.New("gRPC needs HTTP/2")
	}
	if one.timeout <= 0 || one.timeout > 10*time.Second {
		one.timeout = 10 * time.Second
	}
	err = one.run(cmd, url, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}}, func(ctx context.Context, s *session) error {
		began := time.Now()
		tools, err := s.ListTools(ctx, nil)
		if err != nil {
			return err
		}
		era := "no sessions"
		version := s.InitializeResult().ProtocolVersion
		if version < "2026-07-28" {
			era = "a session"
		}
		found = fmt.Sprintf("MCP %s, %s; %d tools on the first page, listed in %v", version, era, len(tools.Tools), time.Since(began).Round(10*time.Microsecond))
		if len(call) == 0 {
			return nil
		}
		began = time.Now()
		if err := f.call(ctx, io.Discard, s, call[0], call[1:], nil, &progressBar{w: io.Discard}); err != nil {
			return err
		}
		found += fmt.Sprintf("; %s called in %v", call[0], time.Since(began).Round(10*time.Microsecond))
		return nil
	})
	if err != nil {
		return "", &advised{err, protocolAdvice(protocol, err)}
	}
	return found, nil
}

func protocolAdvice(protocol string, err error) string {
	e, ok := errors.AsType[*exitError](err)
	switch {
	case ok && e.status == exitNotLetIn:
		return "log in with mcpconnect login, or get credentials from whoever runs the server"
	case ok && (e.status == exitTool || e.status == exitUsage):
		return "the protocol works: look at the tool and its arguments"
	case protocol == "grpc":
		return "a proxy that drops trailers or speaks HTTP/1.1 breaks gRPC: --protocol grpcweb or connect, with --http1, need neither"
	case protocol == "http":
		return "the server may not have Streamable HTTP, or have it at another path: name the path in the URL"
	}
	return ""
}
