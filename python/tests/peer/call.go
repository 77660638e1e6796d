// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A command is one line of the standard input of call. Commands run at the same time. The answer
// to one is a line {"id":…,"result":…} or {"id":…,"error":…}; before it there may be lines
// {"id":…,"event":…} with what a subscription told.
type command struct {
	ID        string          `json:"id"`
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	TimeoutMS int64           `json:"timeout_ms"`
	// Cancel is the id of the command that this one ends; it has no answer of its own.
	Cancel string `json:"cancel"`
}

// A failure is how a call ended that has no result.
type failure struct {
	Code    int64           `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
	// Status is the code of the transport, "" where nothing failed there.
	Status string `json:"status"`
}

type answer struct {
	ID     string   `json:"id"`
	Result any      `json:"result,omitempty"`
	Event  any      `json:"event,omitempty"`
	Error  *failure `json:"error,omitempty"`
}

// A calling is what the command line of call says.
type calling struct {
	form, version, header string
	files                 tlsFiles
	maxMessage            int
}

// call does what the lines of in say, until they end.
func call(ctx context.Context, args []string, in io.Reader, out *lines) error {
	var f calling
	s := flag.NewFlagSet("call", flag.ContinueOnError)
	s.StringVar(&f.form, "form", "typed", "typed, multiplexed or envelope")
	s.StringVar(&f.version, "version", "2026-07-28", "version of MCP")
	s.StringVar(&f.header, "header", "", "metadata of every RPC, as name: value")
	s.IntVar(&f.maxMessage, "max-message", 0, "bytes of the largest message to take")
	f.files.flags(s)
	if err := s.Parse(args); err != nil {
		return err
	}
	options, err := f.options(s.Arg(0))
	if err != nil {
		return err
	}
	url := s.Arg(0)
	if strings.HasPrefix(url, "unix:") {
		url = "http://localhost"
	}
	c, err := f.connect(ctx, url, options, out)
	if err != nil {
		out.write(answer{ID: "connect", Error: failureOf(err)})
		return nil
	}
	out.write(map[string]string{"event": "ready"})
	if err := obey(ctx, c, in, out); err != nil {
		return err
	}
	return c.close()
}

func (f *calling) options(url string) ([]mcpconnect.ClientOption, error) {
	options := []mcpconnect.ClientOption{mcpconnect.WithMaxMessageBytes(f.maxMessage)}
	if f.header != "" {
		name, value, ok := strings.Cut(f.header, ": ")
		if !ok {
			return nil, errors.New("-header: want name: value")
		}
		options = append(options, mcpconnect.WithHeader(name, value))
	}
	config, err := f.files.config()
	if err != nil {
		return nil, err
	}
	if config != nil {
		options = append(options, mcpconnect.WithTLSClientConfig(config))
	}
	if path, ok := strings.CutPrefix(url, "unix:"); ok {
		options = append(options, mcpconnect.WithHTTPClient(unixClient(path)))
	}
	return options, nil
}

// unixClient speaks HTTP/2 over a Unix socket.
func unixClient(path string) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
}

// obey runs the commands, and waits for all of them.
func obey(ctx context.Context, c caller, in io.Reader, out *lines) error {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		cancels = map[string]context.CancelFunc{}
	)
	defer running.Wait()
	reader := bufio.NewReader(in)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var k command
		if err := json.Unmarshal(line, &k); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if k.Cancel != "" {
			mu.Lock()
			cancels[k.Cancel]()
			mu.Unlock()
			continue
		}
		callCtx, cancel := context.WithCancel(ctx)
		if k.TimeoutMS > 0 {
			callCtx, cancel = context.WithTimeout(ctx, time.Duration(k.TimeoutMS)*time.Millisecond)
		}
		mu.Lock()
		cancels[k.ID] = cancel
		mu.Unlock()
		running.Go(func() {
			defer cancel()
			result, err := c.call(callCtx, k, func(event any) { out.write(answer{ID: k.ID, Event: event}) })
			if err != nil {
				out.write(answer{ID: k.ID, Error: failureOf(err)})
				return
			}
			out.write(answer{ID: k.ID, Result: result})
		})
	}
}

func failureOf(err error) *failure {
	f := &failure{Message: err.Error()}
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok {
		f.Code, f.Message, f.Data = e.Code, e.Message, e.Data
	}
	if _, ok := errors.AsType[*connect.Error](err); ok {
		f.Status = connect.CodeOf(err).String()
	}
	switch {
	case errors.Is(err, context.Canceled):
		f.Status = connect.CodeCanceled.String()
	case errors.Is(err, context.DeadlineExceeded):
		f.Status = connect.CodeDeadlineExceeded.String()
	}
	return f
}
