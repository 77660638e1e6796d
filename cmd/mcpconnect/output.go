// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/term"
)

// isTerminal tells whether somebody reads along.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printJSON prints JSON as it is, indented.
func printJSON(w io.Writer, text json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return fmt.Errorf("the server's result: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// A table has columns. Its cells are on one line each.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, head ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = oneLine(c)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t *table) flush() error { return t.w.Flush() }

const maxCell = 80

// oneLine is the beginning of a text without what moves the cursor.
func oneLine(s string) string { return beginning(s, maxCell) }

// beginning is that of the first line.
func beginning(s string, most int) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = printable(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// printable is a text of a server without control characters, which could be commands for a
// terminal. Lines and tabs stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// printContent prints what a tool or a prompt gives.
func printContent(w io.Writer, all []mcp.Content) {
	for _, c := range all {
		switch c := c.(type) {
		case *mcp.TextContent:
			fmt.Fprintln(w, printable(c.Text))
		case *mcp.ImageContent:
			fmt.Fprintf(w, "[image %s, %d bytes]\n", oneLine(c.MIMEType), len(c.Data))
		case *mcp.AudioContent:
			fmt.Fprintf(w, "[audio %s, %d bytes]\n", oneLine(c.MIMEType), len(c.Data))
		case *mcp.ResourceLink:
			fmt.Fprintf(w, "[resource %s]\n", oneLine(c.URI))
		case *mcp.EmbeddedResource:
			printResource(w, c.Resource)
		default:
			fmt.Fprintf(w, "[%T: see --output json]\n", c)
		}
	}
}

func printResource(w io.Writer, r *mcp.ResourceContents) {
	switch {
	case r == nil:
	case r.Blob == nil:
		fmt.Fprintln(w, printable(r.Text))
	case isTerminal(w):
		fmt.Fprintf(w, "[%s %s, %d bytes: redirect the output to have them]\n", oneLine(r.URI), oneLine(r.MIMEType), len(r.Blob))
	default:
		_, _ = w.Write(r.Blob)
	}
}
