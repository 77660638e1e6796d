// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if dir, err := program(); err == nil {
			_ = os.RemoveAll(dir)
		}
		os.Exit(status)
	}))
}

func TestDemoListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, addr, problem string
	}{
		{"IPv4 loopback", "127.0.0.1:0", ""},
		{"another IPv4 loopback", "127.9.9.9:0", ""},
		{"localhost", "localhost:0", ""},
		{"every interface", "0.0.0.0:0", "loopback"},
		{"every IPv6 interface", "[::]:0", "loopback"},
		{"no host", ":0", "loopback"},
		{"a public address", "192.0.2.1:0", "loopback"},
		{"a name", "example.com:0", "loopback"},
		{"a name that begins like localhost", "localhost.example.com:0", "loopback"},
		{"no port", "127.0.0.1", "host:port"},
		{"a port that is none", "127.0.0.1:x", "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ln, err := listenLoopback(t.Context(), test.addr)
			if err == nil {
				defer ln.Close()
			}
			switch {
			case test.problem == "" && err != nil:
				t.Errorf("got error %v, want none", err)
			case test.problem != "" && err == nil:
				t.Errorf("got a listener on %v, want an error", ln.Addr())
			case test.problem != "" && !strings.Contains(err.Error(), test.problem):
				t.Errorf("got error %q, want it to mention %q", err, test.problem)
			}
		})
	}
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	root := newRootCommand()
	root.SetArgs([]string{"version"})
	root.SetOut(&out)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^mcpconnect \S+\n$`).MatchString(out.String()) {
		t.Errorf("got %q", out.String())
	}
}

// startDemo runs the demo on a free port and returns where it is, what it printed, and
// a function that stops it and returns its error.
func startDemo(t *testing.T) (url, printed string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	root := newRootCommand()
	root.SetArgs([]string{"demo", "--addr", "127.0.0.1:0"})
	root.SetOut(write)
	go func() {
		err := root.ExecuteContext(ctx)
		write.CloseWithError(io.EOF) // wakes up the reader below if nothing was printed
		done <- err
	}()
	reader := bufio.NewReader(read)
	for !strings.Contains(printed, "SubscribeResource") {
		line, err := reader.ReadString('\n')
		if err != nil {
			cancel()
			t.Fatalf("the demo ended: %v", <-done)
		}
		printed += line
	}
	url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(printed)
	return url, printed, func() error { cancel(); return <-done }
}

func TestDemoAnswersThePrintedCall(t *testing.T) {
	t.Parallel()
	url, printed, stop := startDemo(t)
	call := regexp.MustCompile(`curl -s (\S+) .* -d '(.*)'`).FindStringSubmatch(printed)
	if call == nil || !strings.HasPrefix(call[1], url) {
		t.Fatalf("found no call of curl in %q", printed)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(call[1], "application/json", strings.NewReader(call[2]))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	got := strings.ReplaceAll(string(body), " ", "") // protojson adds spaces at random
	if res.StatusCode != http.StatusOK || !strings.Contains(got, `"sum":5`) {
		t.Errorf("got status %d and %s, want a sum of 5", res.StatusCode, body)
	}
	if err := stop(); err != nil {
		t.Errorf("the demo ended with %v", err)
	}
}
