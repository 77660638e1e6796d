// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// abandoned is a socket whose process has died.
func abandoned(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
}

// TestSocket: what it may replace, and what must stay.
func TestSocket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, dir, path string)
		problem string
	}{
		{"nothing there", func(*testing.T, string, string) {}, ""},
		{"a socket of a dead process", func(t *testing.T, _, path string) { abandoned(t, path) }, ""},
		{"a folder with the sticky bit", func(t *testing.T, dir, _ string) { chmod(t, dir, 0o777|fs.ModeSticky) }, ""},
		{"a folder that everybody can write", func(t *testing.T, dir, _ string) { chmod(t, dir, 0o777) }, "chmod o-w"},
		{"a socket that is served", func(t *testing.T, _, path string) {
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ln.Close() })
		}, "somebody serves"},
		{"a file", func(t *testing.T, _, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is no socket"},
		{"a link to a socket of a dead process", func(t *testing.T, dir, path string) {
			abandoned(t, filepath.Join(dir, "other"))
			if err := os.Symlink(filepath.Join(dir, "other"), path); err != nil {
				t.Fatal(err)
			}
		}, "is no socket"},
		{"a link to nothing", func(t *testing.T, dir, path string) {
			if err := os.Symlink(filepath.Join(dir, "other"), path); err != nil {
				t.Fatal(err)
			}
		}, "is no socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "s")
			tt.prepare(t, dir, path)
			before, _ := os.Lstat(path)
			ln, err := listenUnix(t.Context(), path, 0o600)
			if tt.problem != "" {
				after, statErr := os.Lstat(path)
				if err == nil || !strings.Contains(err.Error(), tt.problem) || before != nil && (statErr != nil || !os.SameFile(before, after)) {
					t.Errorf("got %v, want %q; what was there is %v, %v", err, tt.problem, after, statErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 || ln.Addr().String() != path {
				t.Errorf("the socket is %v, %v, at %s", info, err, ln.Addr())
			}
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Error(err)
			} else {
				_ = conn.Close()
			}
			if err := ln.Close(); err != nil {
				t.Error(err)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
				t.Errorf("after it there are %v, %v", files, err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestSocketOfAnotherUser stays, and so does one that came while we looked.
func TestSocketOfAnotherUser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	abandoned(t, path)
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if isOurs(foreign{info}) || !isOurs(info) {
		t.Error("whose it is was not found out")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(path), "other") // so that the new one is not the old one again
	abandoned(t, other)
	if err := os.Link(other, path); err != nil {
		t.Fatal(err)
	}
	now, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(info, now) { // a number that was free again
		info, err = os.Lstat(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := moveAway(path, path+".away", info); err == nil {
		t.Error("a socket that is not the one that was looked at was moved away")
	}
	if after, err := os.Lstat(path); err != nil || !os.SameFile(now, after) {
		t.Errorf("what has come meanwhile is %v, %v", after, err)
	}
}

// foreign is a file of another user.
type foreign struct{ fs.FileInfo }

func (f foreign) Sys() any { return &syscall.Stat_t{Uid: uint32(os.Geteuid()) + 1} }

// TestGatewayOnASocket: whatever the umask, the socket is for its user alone, or for all if the
// kernel says who they are; and a gateway that was killed can be started again.
func TestGatewayOnASocket(t *testing.T) {
	t.Parallel()
	demo, _, stop := startDemo(t)
	t.Cleanup(func() { _ = stop() })
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	me := fmt.Sprintf("uid:%d", os.Geteuid())
	for _, tt := range []struct {
		name, auth string
		mode       fs.FileMode
	}{
		{"all", "", 0o600},
		{"itself", "auth: {unix_users: {'" + me + "': {}}}", 0o600},
		{"another", "auth: {unix_users: {'" + me + "': {}, 'uid:4242': {}}}", 0o666},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir() // of a short name: so are the paths of sockets
			path, file := filepath.Join(folder, "s"), filepath.Join(folder, "gateway.yaml")
			text := "listen: unix:" + path + "\n" + tt.auth + "\nservers: {demo: {url: '" + demo + "', protocol: grpc}}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, umask := range []string{"0", "077"} {
				cmd := exec.CommandContext(t.Context(), "sh", "-c", "umask "+umask+"; exec mcpconnect gateway --config "+file)
				cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
				log, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				said := untilReady(log)
				info, err := os.Lstat(path)
				if err != nil || info.Mode() != fs.ModeSocket|tt.mode {
					t.Errorf("with umask %s the socket is %v, %v, want mode %v:\n%s", umask, info, err, tt.mode, said)
				}
				if err := pingSocket(t, path); err != nil {
					t.Errorf("with umask %s: %v:\n%s", umask, err, said)
				}
				_ = cmd.Process.Kill() // leaves the socket
				_ = cmd.Wait()
			}
		})
	}
}

// untilReady reads a log until the gateway is ready, or ends.
func untilReady(log io.Reader) string {
	var said strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(said.String(), "the gateway is ready") {
		n, err := log.Read(buffer)
		said.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	return said.String()
}

func pingSocket(t *testing.T, path string) error {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	c := mcpconnect.NewClient("http://localhost", mcpconnect.WithHTTPClient(&http.Client{Transport: transport}), mcpconnect.WithHTTP1(), mcpconnect.WithProtocol(mcpconnect.ProtocolConnect))
	defer c.Close()
	_, err := c.Ping(t.Context())
	return err
}
