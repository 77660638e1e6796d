// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// gatewayOf runs the command until stop is called, and gives the addresses that its log tells.
func gatewayOf(t *testing.T, args ...string) (addrs map[string]string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	done := make(chan error, 1)
	root := newRootCommand()
	root.SetArgs(append([]string{"gateway", "--log-format", "json"}, args...))
	root.SetErr(write)
	go func() {
		err := root.ExecuteContext(ctx)
		write.CloseWithError(io.EOF)
		done <- err
	}()
	addrs = map[string]string{}
	lines := bufio.NewReader(read)
	for addrs["the gateway is ready"] == "" {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			cancel()
			t.Fatalf("the gateway ended: %v", <-done)
		}
		var record struct{ Msg, Address string }
		if json.Unmarshal(line, &record) == nil {
			addrs[record.Msg] = record.Address
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return addrs, func() error {
		cancel()
		err := <-done
		<-drained
		return err
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// TestGatewayServes a child, which is this program too, with probes and metrics beside it; a call
// passes through all of it.
func TestGatewayServes(t *testing.T) {
	t.Parallel()
	demo, _, stopDemo := startDemo(t)
	defer func() { _ = stopDemo() }()
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
mcpServers:
  child: {command: %s/mcpconnect, args: [stdio, "%s"]}
  remote: {url: "%s", protocol: grpc}
`, dir, demo, demo)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addrs, stop := gatewayOf(t, "--config", file)
	url, admin := "http://"+addrs["the gateway is ready"], "http://"+addrs["probes and metrics are served"]
	for _, protocol := range []string{"grpc", "grpcweb", "connect", "http"} {
		for _, server := range []string{"child", "remote"} {
			out, err := shell(t, fmt.Sprintf("mcpconnect call %s %s_add a=2 b=3 --protocol %s", url, server, protocol), "")
			if err != nil || out != "{\"sum\":5}\n" {
				t.Errorf("%s over %s: %v\n%s", server, protocol, err, out)
			}
		}
	}
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/metrics": "mcp.v1.MCP"} {
		if status, body := get(t, admin+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s gave HTTP status %d, want 200 and %q", path, status, want)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}

// TestGatewayOfACommand serves what stands after the dashes.
func TestGatewayOfACommand(t *testing.T) {
	t.Parallel()
	demo, _, stopDemo := startDemo(t)
	defer func() { _ = stopDemo() }()
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	addrs, stop := gatewayOf(t, "--listen", "127.0.0.1:0", "--", filepath.Join(dir, "mcpconnect"), "stdio", demo)
	out, err := shell(t, fmt.Sprintf("mcpconnect read http://%s demo://clock", addrs["the gateway is ready"]), "")
	if err != nil || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
	if err := stop(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	demo, _, stop := startDemo(t)
	t.Cleanup(func() { _ = stop() }) // after the subtests
	closed := filepath.Join(t.TempDir(), "closed.yaml")
	text := "listen: 127.0.0.1:0\nauth: {tokens: [{token: letmein, subject: s}]}\nservers: {demo: {url: '" + demo + "', protocol: grpc, prefix: ''}}\n"
	if err := os.WriteFile(closed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addrs, stopClosed := gatewayOf(t, "--config", closed)
	t.Cleanup(func() { _ = stopClosed() })
	guarded := "http://" + addrs["the gateway is ready"]
	for _, tt := range []struct {
		line   string
		status int
		says   string
	}{
		{"version", 0, "mcpconnect"},
		{"nonsense", 2, "unknown command"},
		{"ls", 2, "accepts 1 arg"},
		{"ls --nonsense URL", 2, "unknown flag"},
		{"ls localhost", 2, "want http:// or https://"},
		{"ls " + demo + " --protocol soap", 2, "want one of"},
		{"ls " + demo + " --output xml", 2, "want text or json"},
		{"ls " + demo + " --protocol grpc --http1", 2, "gRPC needs HTTP/2"},
		{"ls http://example.com --token x", 2, "use https://"},
		{"ls " + demo + " --header nonsense", 2, "Name: value"},
		{"ls " + demo + " --cert x", 2, "needs its key"},
		{"call " + demo + " nobody", 1, "no tool"},
		{"call " + demo + " add a=2", 3, "says that it failed"},
		{"call " + demo + " add a", 2, "want key=value"},
		{"call " + demo + " add a=1 a=2", 2, "given twice"},
		{"call " + demo + " add --json '[1]'", 2, "JSON object"},
		{"read " + demo + " demo://nobody", 1, ""},
		{"ls http://127.0.0.1:1", 5, "refused"},
		{"ls http://127.0.0.1:1 --protocol http", 5, "refused"},
		{"ls http://127.0.0.1:1 --protocol connect --http1", 5, "refused"},
		{"doctor http://127.0.0.1:1", 5, "does the server run"},
		{"ls " + guarded, 4, "not let in"},
		{"ls " + guarded + " --protocol grpcweb", 4, "not let in"},
		{"ls " + guarded + " --protocol connect", 4, "not let in"},
		{"ls " + guarded + " --protocol http", 4, "not let in"},
		{"ls " + guarded + " --token wrong", 4, "not let in"},
		{"ls " + guarded + " --token letmein", 0, "countdown"},
		{"ls " + guarded + " --token letmein --protocol http", 0, "countdown"},
		{"doctor " + guarded, 4, "needed: Bearer"},
		{"doctor " + guarded + " --token letmein", 0, "needed, and given"},
		{"call " + demo + " countdown from=1000 --timeout 300ms", 5, "--timeout"},
		{"gateway", 2, "nothing to serve"},
		{"gateway --config x -- y", 2, "put the command into the file"},
		{"gateway --config /nobody/has/this", 2, "no such file"},
		{"gateway --listen 0.0.0.0:0 -- true", 2, "who is let in"},
		{"gateway --log-level loud -- true", 2, "want debug"},
		{"gateway --listen 127.0.0.1:0 -- /nobody/has/this", 1, "no such file"},
		{"stdio", 2, "accepts 1 arg"},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(tt.line, demo, "URL"), guarded, "GUARDED"), func(t *testing.T) {
			t.Parallel()
			out, _ := shell(t, "mcpconnect "+tt.line+"; echo status=$?", "")
			if !strings.Contains(out, fmt.Sprintf("status=%d\n", tt.status)) || !strings.Contains(out, tt.says) {
				t.Errorf("want status %d and %q, got\n%s", tt.status, tt.says, out)
			}
			if strings.Contains(out, "letmein") {
				t.Errorf("the output has a secret:\n%s", out)
			}
		})
	}
}
