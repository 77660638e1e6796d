// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package rpctest has a client for tests that compare what two ways to a server give, message by
// message and to the last digit.
package rpctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Patience bounds every wait: for a machine that is busy, not for a server that is slow.
const Patience = 30 * time.Second

// Context gives a context that ends with Patience, or the test.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// A Client speaks JSON-RPC, and shows all that it gets. It is not safe for concurrent use.
type Client struct {
	// Answer answers what the server asks. It may be nil for servers that do not.
	Answer func(method string, params json.RawMessage) (json.RawMessage, error)

	t    testing.TB
	conn mcp.Connection
	next float64
}

// Dial opens a connection that ends with the test; for a legacy version with a session.
func Dial(t testing.TB, transport mcp.Transport, version, capabilities string) *Client {
	t.Helper()
	conn, err := transport.Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &Client{t: t, conn: conn}
	if version < ModernVersion {
		ctx := Context(t)
		if o := c.Call(ctx, "initialize", fmt.Sprintf(`{"protocolVersion":%q,"capabilities":%s,"clientInfo":{"name":"t","version":"1"}}`, version, capabilities)); o.Err != nil {
			t.Fatalf("initialize gave %v", o)
		}
		if err := conn.Write(ctx, &jsonrpc.Request{Method: "notifications/initialized"}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// ModernVersion is the first version without sessions.
const ModernVersion = "2026-07-28"

// An Outcome is all that a call gave.
type Outcome struct {
	Said   []string // notifications and requests, in order
	Result json.RawMessage
	Err    *jsonrpc.Error
}

// String gives it as text, in which equal values are equal.
func (o Outcome) String() string {
	said := slices.Clone(o.Said)
	if o.Err != nil {
		return fmt.Sprintf("%s\nerror %d %s %s", strings.Join(said, "\n"), o.Err.Code, o.Err.Message, Canonical(o.Err.Data))
	}
	return fmt.Sprintf("%s\nresult %s", strings.Join(said, "\n"), Canonical(o.Result))
}

// Canonical writes JSON so that equal values have equal texts, to the last digit.
func Canonical(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "malformed: " + string(text)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// Call makes a call, and waits for its answer.
func (c *Client) Call(ctx context.Context, method, params string) (o Outcome) {
	c.next++
	id, err := jsonrpc.MakeID(c.next)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.Write(ctx, &jsonrpc.Request{ID: id, Method: method, Params: json.RawMessage(params)}); err != nil {
		return Outcome{Err: &jsonrpc.Error{Message: err.Error()}}
	}
	for {
		m, err := c.conn.Read(ctx)
		if err != nil {
			return Outcome{Err: &jsonrpc.Error{Message: err.Error()}}
		}
		switch m := m.(type) {
		case *jsonrpc.Request:
			o.Said = append(o.Said, m.Method+" "+Canonical(m.Params))
			if !m.IsCall() {
				continue
			}
			res := &jsonrpc.Response{ID: m.ID}
			if res.Result, res.Error = c.Answer(m.Method, m.Params); res.Error != nil {
				res.Result = nil
			}
			if err := c.conn.Write(ctx, res); err != nil {
				return Outcome{Err: &jsonrpc.Error{Message: err.Error()}}
			}
		case *jsonrpc.Response:
			if m.ID != id {
				continue // of a call that was given up
			}
			o.Result = m.Result
			o.Err, _ = errors.AsType[*jsonrpc.Error](m.Error)
			if m.Error != nil && o.Err == nil {
				o.Err = &jsonrpc.Error{Message: m.Error.Error()}
			}
			return o
		}
	}
}
