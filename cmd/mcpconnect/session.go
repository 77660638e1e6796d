// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/gateway"
)

// clientFlags are those of the commands that call a server.
type clientFlags struct {
	target

	timeout    time.Duration
	output     string
	mcpVersion string
	log        logFlags
}

func (f *clientFlags) flags(cmd *cobra.Command, timeout time.Duration) {
	f.target.flags(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", timeout, "how long all of it may take; 0 for ever")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text for people, or json as the server has sent it")
	cmd.Flags().StringVar(&f.mcpVersion, "mcp-version", "", "version of MCP to speak; if empty, the newest that both sides know")
	f.log.flags(cmd, "error")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// A session is a client's session with a server. It goes through the bridge of `mcpconnect
// stdio`, so that every protocol works alike, and results are to be had as they were sent.
type session struct {
	*mcp.ClientSession

	results *results
	bridge  sync.WaitGroup
	stop    context.CancelFunc
	pipe    io.Closer

	mu     sync.Mutex
	failed connect.Code // of the last request that failed on the way; 0 for none
}

// run calls do with a session to the server at url, and gives its error the status that the
// program is to end with.
func (f *clientFlags) run(cmd *cobra.Command, url string, opts *mcp.ClientOptions, do func(context.Context, *session) error) error {
	if f.output != "text" && f.output != "json" {
		return usage(fmt.Errorf("--output %q: want text or json", f.output))
	}
	ctx := cmd.Context()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	s := &session{results: &results{}}
	err := f.open(ctx, cmd.ErrOrStderr(), s, url, opts)
	if err == nil {
		err = do(ctx, s)
	}
	s.close()
	return s.explain(cmd.Context(), ctx, err)
}

// open connects s to the server at url.
func (f *clientFlags) open(ctx context.Context, stderr io.Writer, s *session, url string, opts *mcp.ClientOptions) error {
	server, err := f.server(url)
	if err != nil {
		return err
	}
	server.Failed = s.note
	upstream, err := server.Upstream(url)
	if err != nil {
		return usage(err)
	}
	log, err := f.log.logger(stderr)
	if err != nil {
		return err
	}
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	bridging, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.pipe, s.results.next = stop, fromServer, out
	s.bridge.Go(func() {
		err := gateway.ServeStdio(bridging, in, s.results, gateway.StdioConfig{Upstream: upstream, Logger: log, Patience: time.Nanosecond})
		out.CloseWithError(err)
	})
	client := mcp.NewClient(&mcp.Implementation{Name: "mcpconnect", Version: version()}, opts)
	s.ClientSession, err = client.Connect(ctx, &mcp.IOTransport{Reader: fromServer, Writer: toServer}, &mcp.ClientSessionOptions{ProtocolVersion: f.mcpVersion})
	return err
}

func (s *session) close() {
	if s.stop == nil {
		return
	}
	if s.ClientSession != nil {
		_ = s.Close() // it is over, whatever it says
	}
	s.stop()
	_ = s.pipe.Close()
	s.bridge.Wait()
}

func (s *session) note(code connect.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = code
}

// explain gives an error the status that the program is to end with.
func (s *session) explain(outer, ctx context.Context, err error) error {
	if _, done := errors.AsType[*exitError](err); err == nil || done {
		return err
	}
	s.mu.Lock()
	code := s.failed
	s.mu.Unlock()
	switch {
	case outer.Err() != nil:
		return &exitError{exitInterrupted, err}
	case ctx.Err() != nil:
		return &exitError{exitUnreachable, fmt.Errorf("there was no answer in time (see --timeout): %w", err)}
	case exitOf(code) == exitNotLetIn:
		return &exitError{exitNotLetIn, fmt.Errorf("not let in (see mcpconnect login, --token, --api-key and --cert): %w", err)}
	}
	return &exitError{exitOf(code), err}
}

// results keeps the last result that went through it, as it was written, and shows the progress that
// comes before it: the SDK may hand that on after the result.
type results struct {
	next io.Writer

	mu       sync.Mutex
	last     json.RawMessage
	progress *progressBar // nil for none
}

// Write implements [io.Writer]. It is given a message at a time.
func (r *results) Write(line []byte) (int, error) {
	var m struct {
		Result json.RawMessage `json:"result"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if json.Unmarshal(line, &m) == nil {
		r.note(m.Result, m.Method, m.Params)
	}
	return r.next.Write(line)
}

func (r *results) note(result json.RawMessage, method string, params json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if result != nil {
		r.last = result
	}
	p := new(mcp.ProgressNotificationParams)
	if method == "notifications/progress" && r.progress != nil && json.Unmarshal(params, p) == nil {
		r.progress.show(p)
	}
}

// result is the last result.
func (r *results) result() json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// show has bar show what progress comes from now on.
func (r *results) show(bar *progressBar) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = bar
}
