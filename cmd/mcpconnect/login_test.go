// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/demo"
	"github.com/mcpconnect/mcpconnect/internal/oauthtest"
	"github.com/mcpconnect/mcpconnect/internal/remote"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// guarded serves the demo's tools to people who have logged in at as.
func guarded(t *testing.T, as *oauthtest.AuthorizationServer, path string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	server := demo.NewServer("test")
	h := mcpconnect.NewHandler(server.MCP(),
		mcpconnect.WithAuthn(authn.Bearer{as}),
		mcpconnect.WithStreamableHTTP(),
		mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: url + path, AuthorizationServers: []string{as.URL}, ScopesSupported: []string{"read"}}),
	)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, ln, h) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return url
}

// TestLogin over each protocol: nobody is let in, somebody logs in, all commands are let in, with
// tokens that are refreshed, and after the logout nobody is. No output has the token in it.
func TestLogin(t *testing.T) {
	t.Parallel()
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"grpc", "grpcweb", "connect", "http"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			as := oauthtest.NewAuthorizationServer(t)
			as.Lifetime = -1 // so it is refreshed at each use
			path := map[string]string{"http": "/mcp"}[protocol]
			url := guarded(t, as, path)
			credentials := t.TempDir()
			var said bytes.Buffer
			run := func(args ...string) (string, int) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "mcpconnect"), append(args, "--protocol", protocol)...)
				cmd.Env = append(os.Environ(), remote.CredentialsVariable+"="+credentials)
				cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n")
				read, write := io.Pipe()
				cmd.Stdout, cmd.Stderr = write, write
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() { defer close(done); _ = cmd.Wait(); _ = write.Close() }()
				var out strings.Builder
				for lines := bufio.NewScanner(read); lines.Scan(); {
					out.WriteString(lines.Text() + "\n")
					if page := regexp.MustCompile(`^  (http://\S+)$`).FindStringSubmatch(lines.Text()); page != nil {
						if err := oauthtest.Browse(t.Context(), page[1]); err != nil {
							t.Error(err)
						}
					}
				}
				<-done
				said.WriteString(out.String())
				return out.String(), cmd.ProcessState.ExitCode()
			}
			if out, status := run("ls", url); status != exitNotLetIn || !strings.Contains(out, "mcpconnect login") {
				t.Errorf("before the login got %d:\n%s", status, out)
			}
			const metadata = "ok    metadata       tokens for "
			if out, status := run("doctor", url); status != exitNotLetIn || !strings.Contains(out, "use mcpconnect login") || !strings.Contains(out, metadata+url+path+" are given by "+as.URL) {
				t.Errorf("before the login doctor gave %d:\n%s", status, out)
			}
			if out, status := run("login", url, "--no-browser"); status != 0 || !strings.Contains(out, "logged in to "+url) {
				t.Fatalf("the login gave %d:\n%s", status, out)
			}
			for _, args := range [][]string{{"ls", url}, {"call", url, "add", "a=1", "b=2"}, {"discover", url}, {"doctor", url}, {"stdio", url}} {
				if out, status := run(args...); status != 0 {
					t.Errorf("%q gave %d:\n%s", args, status, out)
				}
			}
			if out, status := run("doctor", url, "add", "a=1", "b=2"); status != 0 || !strings.Contains(out, "ok    authentication needed, and given by mcpconnect login") || !strings.Contains(out, "add called in") {
				t.Errorf("doctor gave %d:\n%s", status, out)
			}
			if len(as.Logins) != 1 || len(as.Grants) < 2 {
				t.Errorf("there were %d logins and %q", len(as.Logins), as.Grants)
			}
			as.Set(func() { clear(as.RefreshTokens); as.Fail = "invalid_grant" })
			if out, status := run("doctor", url); status != exitNotLetIn || !strings.Contains(out, "log in again") {
				t.Errorf("after the login has ended doctor gave %d:\n%s", status, out)
			}
			if out, status := run("logout", url); status != 0 {
				t.Errorf("the logout gave %d:\n%s", status, out)
			}
			if out, status := run("ls", url); status != exitNotLetIn {
				t.Errorf("after the logout got %d:\n%s", status, out)
			}
			for token := range as.Tokens {
				if strings.Contains(said.String(), token) {
					t.Error("an output has a token in it")
				}
			}
		})
	}
}

// TestLoginWithASecret gives it to the authorization server that was named, and to no other one.
func TestLoginWithASecret(t *testing.T) {
	t.Parallel()
	as, evil := oauthtest.NewAuthorizationServer(t), oauthtest.NewAuthorizationServer(t)
	url := guarded(t, evil, "")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags  string
		status int
		says   string
	}{
		{"", exitUsage, "--client-secret-file needs --issuer"},
		{"--issuer " + as.URL, exitNotLetIn, `is one of "` + as.URL},
		{"--issuer http://as.example", exitUsage, "neither https nor on this machine"},
	} {
		out, _ := shell(t, "mcpconnect login "+url+" --no-browser --client-id us --client-secret-file "+file+" "+tt.flags+"; echo status=$?", "")
		if !strings.Contains(out, fmt.Sprintf("status=%d\n", tt.status)) || !strings.Contains(out, tt.says) || strings.Contains(out, "hush") {
			t.Errorf("%q gave:\n%s", tt.flags, out)
		}
	}
	if len(evil.Grants) > 0 || len(as.Grants) > 0 {
		t.Errorf("there were %q and %q", evil.Grants, as.Grants)
	}
}
