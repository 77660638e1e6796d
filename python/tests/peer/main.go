// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command peer is the Go side of the tests of the Python package: a server and a client that are
// told what to do line by line.
//
//	go run ./python/tests/peer serve -addr 127.0.0.1:0
//	go run ./python/tests/peer call -form typed -version 2026-07-28 http://127.0.0.1:8080
//
// Both write one JSON object a line to the standard output.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("want serve or call")
	}
	switch args[0] {
	case "serve":
		return serve(ctx, args[1:], &lines{out: out})
	case "call":
		return call(ctx, args[1:], in, &lines{out: out})
	}
	return fmt.Errorf("%q: want serve or call", args[0])
}

// lines writes JSON objects, from any goroutine.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) write(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text, _ = json.Marshal(map[string]string{"event": "unwritable", "error": err.Error()}) //nolint:errchkjson // strings only
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, string(text))
}
