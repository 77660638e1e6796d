// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A demo is the demo of cmd/mcpconnect in a process of its own.
type demoProcess struct {
	process *process
	addr    string
	calls   []string // what it prints to be pasted
}

// startDemo runs the demo on a port of its own.
func startDemo(t testing.TB) *demoProcess {
	t.Helper()
	d := &demoProcess{process: start(t, build(t, "cmd/mcpconnect"), "demo", "--addr", "127.0.0.1:0")}
	d.addr = strings.TrimPrefix(regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(d.process.line()), "http://")
	if d.addr == "" {
		t.Fatal("the demo does not say where it listens")
	}
	for len(d.calls) < 3 {
		line := strings.TrimSpace(d.process.line())
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "Ctrl-C") {
			d.calls = append(d.calls, line)
		}
	}
	return d
}

// stop ends the demo as Ctrl-C does.
func (d *demoProcess) stop(t testing.TB) {
	t.Helper()
	if err := d.process.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if o := d.process.wait(); o.code != 0 {
		t.Errorf("the demo ended with %+v", o)
	}
}

// TestDemoCalls pastes the calls that the demo prints into a shell, as they are.
func TestDemoCalls(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	checks := []struct {
		tool  string
		check func(t *testing.T, call string)
	}{
		{"curl", func(t *testing.T, call string) {
			if got := values(t, succeed(t, "", "bash", "-c", call)); member(got[0], "result", "structuredContent", "sum") != 5.0 {
				t.Errorf("got %v", got)
			}
		}},
		{"grpcurl", func(t *testing.T, call string) {
			got := values(t, succeed(t, "", "bash", "-c", call))
			if len(got) != 4 || member(got[2], "progress", "percentage") != 100.0 || member(got[3], "result", "content", "0", "text", "text") != "lift-off" {
				t.Errorf("got %v", got)
			}
		}},
		{"buf", func(t *testing.T, call string) {
			p := start(t, find(t, "bash"), "-c", "exec "+call)
			var event strings.Builder
			for depth := 0; depth > 0 || event.Len() == 0; { // the JSON of an event may have many lines
				line := p.line()
				event.WriteString(line)
				depth += strings.Count(line, "{") - strings.Count(line, "}")
			}
			if got := values(t, event.String()); member(got[0], "uri") != "demo://clock" {
				t.Errorf("got %v", got)
			}
			if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			p.wait()
		}},
	}
	for i, check := range checks {
		t.Run(check.tool, func(t *testing.T) {
			if !strings.HasPrefix(d.calls[i], check.tool+" ") {
				t.Fatalf("got call %q, want one of %s", d.calls[i], check.tool)
			}
			check.check(t, d.calls[i])
		})
	}
	d.stop(t)
}
