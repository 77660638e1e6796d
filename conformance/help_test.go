// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestGatewayExamples runs the examples of the help of `mcpconnect gateway`, which are also those of
// docs/command.md, but for the address. npx finds the package here.
func TestGatewayExamples(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "..", "-o", bin, "./cmd/mcpconnect").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir() // has gateway.yaml, and the package for npx
	if err := os.Symlink(filepath.Join(here, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	config := "listen: 127.0.0.1:0\nmcpServers:\n  everything:\n    command: " + abs(t, node) + "\n    args: [" + abs(t, "node_modules/@modelcontextprotocol/server-everything/dist/index.js") + "]\n"
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		return cmd
	}
	mcpconnect := filepath.Join(bin, "mcpconnect")
	help, err := command(mcpconnect, "gateway", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	documented, err := os.ReadFile("../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^  (mcpconnect gateway --.*)$`).FindAllStringSubmatch(string(help), -1)
	if len(lines) != 2 {
		t.Fatalf("the help has the examples %q", lines)
	}
	for _, line := range lines {
		if !strings.Contains(string(documented), "\n"+line[1]+"\n") {
			t.Errorf("docs/command.md does not have %q", line[1])
		}
		run := strings.Replace(line[1], "gateway ", "gateway --log-format json ", 1)
		if !strings.Contains(run, "--config") {
			run = strings.Replace(run, "gateway ", "gateway --listen 127.0.0.1:0 ", 1)
		}
		cmd := command("sh", "-c", "exec "+run)
		log, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		address := addressIn(log)
		if out, err := command(mcpconnect, "ls", "http://"+address).CombinedOutput(); err != nil || !strings.Contains(string(out), "echo") {
			t.Errorf("%s: ls gave %v\n%s", line[1], err, out)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, log) // until it has ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: ended with %v", line[1], err)
		}
	}
}

// addressIn waits for the gateway to be ready, and gives its address; "" if it has ended.
func addressIn(log io.Reader) string {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var record struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "the gateway is ready" {
			return record.Address
		}
	}
	return ""
}
