// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/internal/config"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// docAddr is the address in docs/command.md and in the help, which the tests replace.
const docAddr = "127.0.0.1:8080"

// program builds the command, and gives the folder that it is in.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mcpconnect-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, ".").CombinedOutput()
	if err != nil {
		return dir, &exec.Error{Name: string(out), Err: err}
	}
	return dir, nil
})

// shell runs a command line of the documentation, and gives all that it printed.
func shell(t *testing.T, line, stdin string) (output string, err error) {
	t.Helper()
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(stdin)
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	err = cmd.Run()
	return all.String(), err
}

// blocks gives the code blocks of docs/command.md in a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		all = append(all, string(m[1]))
	}
	if len(all) == 0 {
		t.Fatalf("docs/command.md has no block of %s", language)
	}
	return all
}

// TestDocumentedCommands gives what docs/command.md says.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	url, _, stop := startDemo(t)
	defer func() {
		if err := stop(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	}()
	addr := strings.TrimPrefix(url, "http://")
	ran := 0
	for _, block := range blocks(t, "console") {
		for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
			line, want, _ := strings.Cut(part, "\n")
			got, err := shell(t, strings.ReplaceAll(line, docAddr, addr), "")
			got = strings.ReplaceAll(got, addr, docAddr)
			if !pattern(want).MatchString(got) {
				t.Errorf("%s (%v)\ngave:\n%s\nthe documentation says:\n%s", line, err, got, want)
			}
			ran++
		}
	}
	if ran < 10 {
		t.Errorf("only %d commands were run", ran)
	}
}

// pattern is what an output may be: "..." stands for anything.
func pattern(want string) *regexp.Regexp {
	p := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimRight(want, "\n")), `\.\.\.`, `(?s:.*)`)
	// Dots of a progress bar are no gap.
	p = strings.ReplaceAll(p, `[###############(?s:.*)(?s:.*)(?s:.*)(?s:.*)(?s:.*)\]`, `[###############\.{15}\]`)
	return regexp.MustCompile(`^` + p + `\n*$`)
}

// TestHelpExamples run as the help says. Those that serve are tested where they are.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	url, _, stop := startDemo(t)
	defer func() { _ = stop() }()
	for _, cmd := range newRootCommand().Commands() {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.Name())
		}
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(strings.ReplaceAll(line, "http://"+docAddr, url))
			if serves(cmd) {
				continue
			}
			stdin := ""
			if cmd.Name() == "stdio" {
				stdin = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
			}
			out, err := shell(t, line, stdin)
			if err != nil || strings.TrimSpace(out) == "" {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		}
	}
}

// serves tells whether a command waits for something: TestDemoAnswersThePrintedCall, TestLogin and
// TestGatewayServes run these.
func serves(cmd *cobra.Command) bool {
	return cmd.Name() == "demo" || cmd.Name() == "gateway" || cmd.Name() == "login"
}

// TestDocumentedFiles are read as the documentation says.
func TestDocumentedFiles(t *testing.T) {
	t.Parallel()
	for _, block := range blocks(t, "yaml") {
		path := filepath.Join(t.TempDir(), "gateway.yaml")
		if err := os.WriteFile(path, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path, func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Servers) != 2 || c.Auth == nil || len(c.Auth.Issuers) != 1 || c.TLS == nil {
			t.Errorf("got %+v", c)
		}
		for _, s := range c.Servers {
			if _, err := s.Upstream(); err != nil {
				t.Errorf("server %s: %v", s.Name, err)
			}
		}
	}
	url, _, stop := startDemo(t)
	defer func() { _ = stop() }()
	for _, block := range blocks(t, "json") {
		var desktop struct {
			MCPServers map[string]struct {
				Command string
				Args    []string
			}
		}
		if err := json.Unmarshal([]byte(block), &desktop); err != nil {
			t.Fatal(err)
		}
		for name, s := range desktop.MCPServers {
			line := strings.ReplaceAll(s.Command+" "+strings.Join(s.Args, " "), "http://"+docAddr, url)
			out, err := shell(t, line, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"+`{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
			if err != nil || !strings.Contains(out, `"id":2,"result"`) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

// TestErrorsOfServersMoveNoCursor: what a server writes into an error is for people to read.
func TestErrorsOfServersMoveNoCursor(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "evil", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "evil", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: -32000, Message: "\x1b]0;title\a\u009b2J\u202ereversed"}
	})
	h := mcpconnect.NewHandler(server, mcpconnect.WithStreamableHTTP())
	t.Cleanup(func() { _ = h.Close() })
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	for _, line := range []string{"call " + s.URL + " evil", "call " + s.URL + " evil --protocol http", "doctor " + s.URL + " evil"} {
		out, err := shell(t, "mcpconnect "+line, "")
		if err == nil || !strings.Contains(out, "reversed") || strings.ContainsAny(out, "\x1b\a\u009b\u202e") {
			t.Errorf("%s: %v, %q", line, err, out)
		}
	}
}

// TestCompletion: what a shell is told when somebody presses the tabulator, and that the scripts
// for it are there.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, want string }{
		{"__complete do", "doctor\tFind out why"},
		{"__complete gat", "gateway\t"},
		{"__complete ls --protocol ''", "grpcweb\n"},
		{"__complete ls --protocol ''", ":4\n"}, // and no files
		{"__complete call --out", "--output\t"},
		{"completion bash", "__start_mcpconnect"},
		{"completion zsh", "#compdef mcpconnect"},
		{"completion fish", "complete -c mcpconnect"},
		{"completion powershell", "Register-ArgumentCompleter"},
	} {
		if out, err := shell(t, "mcpconnect "+tt.line, ""); err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("%s: %v, want %q, got\n%s", tt.line, err, tt.want, out)
		}
	}
}
