// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/demo"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// An outcome is what a program left behind.
type outcome struct {
	code           int // exit status
	stdout, stderr string
}

// run runs a program to its end, which is bounded by patience.
func run(t testing.TB, stdin, name string, args ...string) outcome {
	t.Helper()
	command := exec.CommandContext(testContext(t), find(t, name), args...)
	command.WaitDelay = time.Second
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("%s: %v", name, err)
	}
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// succeed runs a program that must succeed, and gives what it printed.
func succeed(t testing.TB, stdin, name string, args ...string) string {
	t.Helper()
	o := run(t, stdin, name, args...)
	if o.code != 0 {
		t.Fatalf("%s %q ended with status %d\n%s%s", name, args, o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// find looks for a program in the PATH.
func find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: make unit puts it there", err)
	}
	return path
}

// programs are the programs of this repository that the tests have built.
var programs struct {
	mu    sync.Mutex
	dir   string
	built map[string]error // by package
}

// build gives the path of a program of this repository, built with the race detector. pkg
// is its package below the module's, for example "cmd/mcpconnect".
func build(t testing.TB, pkg string) string {
	t.Helper()
	programs.mu.Lock()
	defer programs.mu.Unlock()
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "mcpconnect-interop-") //nolint:usetesting // outlives the test: all tests share it
		if err != nil {
			t.Fatal(err)
		}
		programs.dir, programs.built = dir, map[string]error{}
	}
	path := filepath.Join(programs.dir, filepath.Base(pkg))
	err, done := programs.built[pkg]
	if !done {
		// The linker of a cold cache may take longer than patience.
		command := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", path, "./"+filepath.Base(pkg))
		command.Dir = filepath.Join("..", filepath.Dir(pkg)) // in its own module
		var out []byte
		if out, err = command.CombinedOutput(); err != nil {
			t.Logf("%s", out)
		}
		programs.built[pkg] = err
	}
	if err != nil {
		t.Fatalf("build %s: %v", pkg, err)
	}
	return path
}

func removePrograms() error {
	if programs.dir == "" {
		return nil
	}
	return os.RemoveAll(programs.dir)
}

// A process is a program that runs beside the test.
type process struct {
	t      testing.TB
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
	cmd    *exec.Cmd
	waited bool
}

// start starts a program, which is killed at the end of the test if it still runs.
func start(t testing.TB, path string, args ...string) *process {
	t.Helper()
	return startCommand(t, exec.CommandContext(testContext(t), path, args...))
}

func startCommand(t testing.TB, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: command}
	p.cmd.WaitDelay = time.Second
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReaderSize(stdout, 1<<20)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.waited {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// line reads the next line of standard output.
func (p *process) line() string {
	p.t.Helper()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%s: %v after %q\n%s", filepath.Base(p.cmd.Path), err, line, p.wait().stderr)
	}
	return strings.TrimSuffix(line, "\n")
}

// tell writes a line to standard input.
func (p *process) tell(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// wait reads the rest and waits for the end.
func (p *process) wait() outcome {
	rest, _ := io.ReadAll(p.stdout)
	p.waited = true
	_ = p.cmd.Wait()
	return outcome{p.cmd.ProcessState.ExitCode(), string(rest), p.stderr.String()}
}

// serveDemo serves the demo server, with reflection and a clock that runs.
func serveDemo(t testing.TB) *served {
	t.Helper()
	srv := demo.NewServer("v0.0.0")
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { defer close(stopped); srv.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	return serve(t, srv.MCP(), mcpconnect.WithReflection())
}

// serveReflecting serves any server with reflection.
func serveReflecting(t testing.TB, server *mcp.Server) *served {
	t.Helper()
	return serve(t, server, mcpconnect.WithReflection())
}

// wantJSON compares the texts of JSON values, one or more after the other.
func wantJSON(t testing.TB, what, want, got string) {
	t.Helper()
	if d := cmp.Diff(values(t, want), values(t, got)); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, d)
	}
}

// values reads JSON values that stand one after the other.
func values(t testing.TB, text string) []any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	var all []any
	for {
		var v any
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("no JSON: %v\n%s", err, text)
		}
		all = append(all, v)
	}
}

// member gives what stands below the names in a JSON value: members of objects, and "0" for
// the first item of an array. It gives nil if there is nothing.
func member(v any, names ...string) any {
	for _, name := range names {
		switch parent := v.(type) {
		case map[string]any:
			v = parent[name]
		case []any:
			if name != "0" || len(parent) == 0 {
				return nil
			}
			v = parent[0]
		default:
			return nil
		}
	}
	return v
}
