// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)

func newListenCommand() *cobra.Command {
	var f clientFlags
	var count int
	cmd := &cobra.Command{
		Use:   "listen URL [resource...]",
		Short: "Print what a server tells: changes of its lists, and of resources",
		Long: `Print what a server tells, a line for each event, until the command is interrupted: that its
tools, prompts or resources have changed, and that a resource has, if it is named.`,
		Example: "  mcpconnect listen http://127.0.0.1:8080 demo://clock --count 2",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := &eventPrinter{w: cmd.OutOrStdout(), asJSON: f.output == "json", left: count, enough: make(chan struct{})}
			return f.run(cmd, args[0], p.options(), func(ctx context.Context, s *session) error {
				for _, uri := range args[1:] {
					if err := s.Subscribe(ctx, &mcp.SubscribeParams{URI: uri}); err != nil {
						return fmt.Errorf("subscribing to %s: %w", uri, err)
					}
				}
				ended := make(chan error, 1)
				go func() { ended <- s.Wait() }()
				select {
				case <-p.enough:
					return nil
				case err := <-ended:
					return fmt.Errorf("the session has ended: %w", err)
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		},
	}
	f.flags(cmd, 0)
	cmd.Flags().IntVar(&count, "count", 0, "end after so many events; 0 for never")
	return cmd
}

// An eventPrinter prints what a server tells.
type eventPrinter struct {
	w      io.Writer
	asJSON bool

	mu     sync.Mutex
	left   int // events until enough; 0 for ever
	enough chan struct{}
}

func (p *eventPrinter) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		ToolListChangedHandler:     func(context.Context, *mcp.ToolListChangedRequest) { p.print("tools changed", "") },
		PromptListChangedHandler:   func(context.Context, *mcp.PromptListChangedRequest) { p.print("prompts changed", "") },
		ResourceListChangedHandler: func(context.Context, *mcp.ResourceListChangedRequest) { p.print("resources changed", "") },
		ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) {
			p.print("resource updated", req.Params.URI)
		},
		Capabilities: &mcp.ClientCapabilities{},
	}
}

func (p *eventPrinter) print(event, uri string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asJSON {
		text, err := json.Marshal(struct {
			Event string `json:"event"`
			URI   string `json:"uri,omitempty"`
		}{strings.ReplaceAll(event, " ", "_"), uri})
		if err == nil {
			fmt.Fprintf(p.w, "%s\n", text)
		}
	} else {
		fmt.Fprintln(p.w, strings.TrimSpace(event+" "+oneLine(uri)))
	}
	if p.left--; p.left == 0 {
		close(p.enough)
	}
}
