// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ask asks the user what a server wants to know, argument by argument. The end of the input
// cancels, and an empty answer to what is needed declines.
func ask(in io.Reader, out io.Writer, p *mcp.ElicitParams) (*mcp.ElicitResult, error) {
	fmt.Fprintf(out, "The server asks: %s\n", printable(p.Message))
	if p.RequestedSchema == nil {
		return &mcp.ElicitResult{Action: "decline"}, nil // a URL: nobody has agreed to open it
	}
	s := schemaOf(&mcp.Tool{InputSchema: p.RequestedSchema})
	lines := bufio.NewScanner(in)
	content := map[string]any{}
	for _, name := range s.order {
		for {
			fmt.Fprintf(out, "  %s (%s): ", oneLine(optional(name, s.required[name])), strings.Join(s.types[name], " or "))
			if !lines.Scan() {
				return &mcp.ElicitResult{Action: "cancel"}, lines.Err()
			}
			answer := strings.TrimSpace(lines.Text())
			if answer == "" && s.required[name] {
				return &mcp.ElicitResult{Action: "decline"}, nil
			}
			if answer == "" {
				break
			}
			text, err := s.value(name, answer)
			if err != nil {
				fmt.Fprintf(out, "  %v\n", err)
				continue
			}
			content[name] = text
			break
		}
	}
	return &mcp.ElicitResult{Action: "accept", Content: content}, nil
}
