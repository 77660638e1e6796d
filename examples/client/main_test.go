// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start runs examples/server until the test ends, and gives what it prints about itself.
func start(t *testing.T, program string, args ...string) (url, key string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		if k, ok := strings.CutPrefix(lines.Text(), "API key: "); ok {
			key = k
		}
		url, _ = strings.CutPrefix(lines.Text(), "serving ")
		if !strings.HasPrefix(lines.Text(), "serving ") {
			url = ""
		}
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out) // until it has ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return url, key
}

// TestReadme runs what examples/README.md says, and compares its table with the flags that there are.
func TestReadme(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	_, block, _ := strings.Cut(text, "```sh\n")
	block, after, _ := strings.Cut(block, "```\n")
	said := regexp.MustCompile("^\n*prints `(.*)`").FindStringSubmatch(after)
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) != 2 || said == nil {
		t.Fatalf("there are %q, which print %q", lines, said)
	}
	dir := t.TempDir()
	for _, name := range []string{"server", "client"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), "../"+name).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	command := func(line, name string) []string {
		args, ok := strings.CutPrefix(line, "go run ./examples/"+name+" ")
		if !ok {
			t.Fatalf("%q does not run %s", line, name)
		}
		return strings.Fields(args)
	}
	url, _ := start(t, filepath.Join(dir, "server"), append(command(lines[0], "server"), "-addr", "127.0.0.1:0")...)
	args := command(strings.ReplaceAll(lines[1], "http://127.0.0.1:8080", url), "client")
	if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "client"), args...).Output(); err != nil || string(out) != said[1]+"\n" {
		t.Errorf("%s printed %q, %v, want %q", lines[1], out, err, said[1])
	}
	_, table, _ := strings.Cut(text, "| `-auth` | server | client |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for i, name := range []string{"server", "client"} {
		help, _ := exec.CommandContext(t.Context(), filepath.Join(dir, name), "-help").CombinedOutput() // its status does not matter
		kinds := 0
		for row := range strings.Lines(table) {
			cells := strings.Split(row, "|")
			if kind := strings.Trim(cells[1], " `"); !strings.HasPrefix(kind, "-") {
				kinds++
				if !regexp.MustCompile(`-auth string\n.*\b` + kind + `\b`).Match(help) {
					t.Errorf("%s has no -auth %s:\n%s", name, kind, help)
				}
			}
			for _, flag := range regexp.MustCompile("[` ]-([a-z-]+)").FindAllStringSubmatch(cells[i+2], -1) {
				if !strings.Contains(string(help), "\n  -"+flag[1]+" ") {
					t.Errorf("%s has no flag -%s:\n%s", name, flag[1], help)
				}
			}
		}
		if kinds != 6 {
			t.Errorf("the table has %d kinds", kinds)
		}
	}
}

// TestCredentials of each kind let in, and those of other kinds do not.
func TestCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-o", server, "../server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	call := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var out strings.Builder
		err := run(ctx, args, &out, io.Discard)
		return out.String(), err
	}
	certs, socket := filepath.Join(dir, "certs"), filepath.Join(dir, "socket")
	for _, tt := range []struct {
		auth           string
		server, client []string
		want           string
	}{
		{"none", nil, nil, "nobody knows\n"},
		{"bearer", []string{"-bearer-token", "dev-token"}, []string{"-bearer-token", "dev-token"}, "developer, by static-token\n"},
		{"apikey", nil, []string{"-api-key", "KEY"}, "key holder, by api-key\n"},
		{"mtls", []string{"-certs", certs}, []string{"-certs", certs}, "client, by certificate\n"},
		{"unix", nil, nil, "you, by unix-peer\n"},
	} {
		addr := "127.0.0.1:0"
		if tt.auth == "unix" {
			addr = "unix:" + socket
		}
		url, key := start(t, server, append([]string{"-addr", addr, "-auth", tt.auth}, tt.server...)...)
		args := append(append([]string{"-auth", tt.auth}, tt.client...), url)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "KEY", key)
		}
		if got, err := call(args...); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v", tt.auth, got, err)
		}
		if tt.auth == "none" || tt.auth == "unix" {
			continue
		}
		for _, wrong := range [][]string{{"-auth", "none"}, {"-auth", "bearer", "-bearer-token", "wrong"}, {"-auth", "apikey", "-api-key", "wrong"}} {
			if got, err := call(append(wrong, url)...); err == nil {
				t.Errorf("%s: %q got %q", tt.auth, wrong, got)
			}
		}
		if tt.auth == "apikey" { // the key that was drawn is one that can be given
			url, _ := start(t, server, "-addr", addr, "-auth", "apikey", "-api-key", key)
			if got, err := call("-auth", "apikey", "-api-key", key, url); err != nil || got != tt.want {
				t.Errorf("a key that is given: got %q, %v", got, err)
			}
		}
	}
	if info, err := os.Stat(filepath.Join(certs, "client-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the client's key has mode %v, %v", info.Mode().Perm(), err)
	}
	for _, args := range [][]string{{}, {"-auth", "nothing", "http://127.0.0.1:1"}, {"-auth", "mtls", "-certs", "nowhere", "https://127.0.0.1:1"}} {
		if got, err := call(args...); err == nil {
			t.Errorf("%q got %q", args, got)
		}
	}
}
