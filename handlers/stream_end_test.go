// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestASessionMayOpenAfterOtherMessages: its id is for the response's metadata, which is
// on its way by then (run with -race).
func TestASessionMayOpenAfterOtherMessages(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for range 20 {
		stream, err := wires[0].client(t, url).Connect(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range []struct{ method, params string }{
			{"ping", `{}`}, {"initialize", string(initializeDeclaring(legacyVersion, noneDeclared))}, {"tools/list", `{}`},
		} {
			if err := stream.Send(envelope(int64(i), r.method, json.RawMessage(r.params))); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if o, err := read(stream); err != nil || o.err != nil {
				t.Fatalf("got %v, %v", o, err)
			}
		}
		if err := stream.CloseRequest(); err != nil {
			t.Fatal(err)
		}
		if _, err := read(stream); err == nil {
			t.Error("the stream goes on")
		}
		_ = stream.CloseResponse()
	}
}

// lateAsker is a server whose tool asks the client once it is told to.
func lateAsker() (server *mcp.Server, called <-chan struct{}, ask chan<- struct{}) {
	calls, asks := make(chan struct{}), make(chan struct{})
	server = mcp.NewServer(&mcp.Implementation{Name: "late", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "ask", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			calls <- struct{}{}
			<-asks
			if _, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: "?"}); err != nil {
				return nil, err
			}
			return &mcp.CallToolResult{}, nil
		})
	return server, calls, asks
}

func TestAToolThatAsksAfterTheHalfCloseIsTold(t *testing.T) {
	t.Parallel()
	server, called, ask := lateAsker()
	stream, err := wires[0].client(t, serve(t, server)).Connect(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	params := `{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"c","version":"1"}}`
	if err := stream.Send(envelope(1, "initialize", json.RawMessage(params))); err != nil {
		t.Fatal(err)
	}
	if o, err := read(stream); err != nil || o.err != nil {
		t.Fatal(o, err)
	}
	if err := stream.Send(envelope(2, "tools/call", json.RawMessage(`{"name":"ask","arguments":{}}`))); err != nil {
		t.Fatal(err)
	}
	<-called
	if err := stream.CloseRequest(); err != nil {
		t.Fatal(err)
	}
	ask <- struct{}{}
	o, err := read(stream)
	if err != nil {
		// The question was on its way before the server saw the half-close.
		o, err = read(stream)
	}
	if err != nil || o.err == nil || o.err.Code != jsonrpc.CodeInvalidRequest {
		t.Errorf("got %v, %v; want that the question could not be asked", o, err)
	}
	_ = stream.CloseResponse()
}

// TestASlotIsFreeWhenTheReplyIsThere: a client that counts its calls is never refused.
func TestASlotIsFreeWhenTheReplyIsThere(t *testing.T) {
	t.Parallel()
	f := newFramer(t, wires[0], serve(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: 1})), bothOffered)
	for i := range uint64(500) {
		frame := toolFrame(i%2, "greet", `{"name":"you"}`)
		frame.Stream = i%3 == 0
		f.send(callEnvelope(frame))
		if e := f.reply(i % 2).GetError(); e != nil {
			t.Fatalf("call %d was refused: %v", i, e)
		}
	}
}

func TestCallsOfASessionLearnThatTheServerGoes(t *testing.T) {
	t.Parallel()
	all := everything.New(nil)
	url, h := serveHandler(t, all.MCP())
	client := wires[0].client(t, url)
	ctx, info := connect.NewClientContext(testContext(t))
	info.RequestHeader().Set("Mcp-Session-Id", initializeTyped(t, client, legacyVersion))
	failed := make(chan error, 1)
	name := "block"
	go func() {
		_, err := client.InvokeTool(ctx, &mcpv1.CallToolRequest{Name: &name})
		failed <- err
	}()
	<-all.Blocked()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	<-all.Unblocked()
	if err := <-failed; connect.CodeOf(err) != connect.CodeUnavailable || detail(err).Code != jsonrpc.CodeInternalError {
		t.Errorf("got %v, want unavailable and -32603", err)
	}
}
