// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package gateway

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestWriteAtOnce: a line goes to a child at once if it goes whole, and nothing is before it.
func TestWriteAtOnce(t *testing.T) {
	t.Parallel()
	line := []byte(strings.Repeat("x", 99) + "\n")
	for _, tt := range []struct {
		name string
		with func(*childLink)
		line []byte
		want bool
	}{
		{"nothing waits", func(*childLink) {}, line, true},
		{"another line waits", func(l *childLink) { l.unsent.Add(1) }, line, false},
		{"somebody writes", func(l *childLink) { l.turn.Lock() }, line, false},
		{"no pipe takes it whole", func(*childLink) {}, bytes.Repeat(line, atomicWrite), false},
		{"the pipe is closed", func(l *childLink) { _ = l.stdin.Close() }, line, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, _ := linkToPipe(t)
			tt.with(l)
			if got := l.writeAtOnce(tt.line); got != tt.want {
				t.Errorf("it was written: %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("the child does not read", func(t *testing.T) {
		t.Parallel()
		l, r := linkToPipe(t)
		n := 0
		for l.writeAtOnce(line) {
			n++
		}
		_ = l.stdin.Close()
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if lines.Text()+"\n" != string(line) {
				t.Fatalf("got the line %q", lines.Text())
			}
			n--
		}
		if n != 0 {
			t.Errorf("%d more lines were written than came", n)
		}
	})
}

func linkToPipe(t *testing.T) (*childLink, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = r.Close(), w.Close()
	})
	return &childLink{stdin: w}, r
}
