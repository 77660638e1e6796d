// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A progressBar shows the progress of a call: as one live line on a terminal, else as a line
// for each report.
type progressBar struct {
	w    io.Writer
	live bool

	mu    sync.Mutex
	shown bool
}

const barWidth = 30

func (b *progressBar) show(p *mcp.ProgressNotificationParams) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := progressText(p)
	if !b.live {
		fmt.Fprintln(b.w, text)
		return
	}
	b.shown = true
	fmt.Fprintf(b.w, "\r\x1b[K%s", text)
}

// clear leaves the terminal to what comes after.
func (b *progressBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.shown = false
	}
}

func progressText(p *mcp.ProgressNotificationParams) string {
	var b strings.Builder
	if p.Total > 0 {
		done := min(max(p.Progress/p.Total, 0), 1)
		full := int(done * barWidth)
		fmt.Fprintf(&b, "[%s%s] %3.0f%%", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done*100)
	} else {
		fmt.Fprintf(&b, "progress %v", p.Progress)
	}
	if p.Message != "" {
		b.WriteString(" " + oneLine(p.Message))
	}
	return b.String()
}
