// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// badJSON panics when it is encoded.
type badJSON struct{}

func (badJSON) MarshalJSON() ([]byte, error) { panic(everything.Secret) }

// leavers is a server whose tools do not come to their end.
func leavers() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "leavers", Version: "1"}, nil)
	add := func(name string, do func() *mcp.CallToolResult) {
		server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return do(), nil })
	}
	add("goexit", func() *mcp.CallToolResult { runtime.Goexit(); return nil })
	add("panic", func() *mcp.CallToolResult { panic(everything.Secret) })
	add("encode", func() *mcp.CallToolResult { return &mcp.CallToolResult{StructuredContent: badJSON{}} })
	add("ok", func() *mcp.CallToolResult { return &mcp.CallToolResult{Content: []mcp.Content{}} })
	return server
}

// TestCallsThatAreAbandonedAreAnswered in all forms that a call has on a stream. The stream
// goes on.
func TestCallsThatAreAbandonedAreAnswered(t *testing.T) {
	t.Parallel()
	url := serve(t, leavers())
	meta := `{"io.modelcontextprotocol/protocolVersion":"` + modernVersion + `","io.modelcontextprotocol/clientCapabilities":{}}`
	version := modernVersion
	for _, w := range bidiWires {
		f := newFramer(t, w, url, bothOffered)
		id := uint64(0)
		for _, tool := range []string{"goexit", "panic", "encode", "ok", "goexit"} {
			for _, simple := range []bool{false, true} { // as a frame, and as one that is read in place
				id++
				frame := toolFrame(id, tool, "{}")
				if simple {
					frame.GetCallTool().Meta.ProtocolVersion = &version
					frame.GetCallTool().Meta.ClientCapabilities = &mcpv1.CapabilitySet{}
				}
				f.send(callEnvelope(frame))
				e := f.reply(id).GetError()
				if tool == "ok" && e != nil || tool != "ok" && (connect.Code(e.GetCode()) != connect.CodeInternal || e.GetMessage() != "internal error") {
					t.Errorf("%s, frame, simple %t: %s gave %v", w.name, simple, tool, e)
				}
				params := fmt.Sprintf(`{"name":%q,"arguments":{}}`, tool)
				if simple {
					params = fmt.Sprintf(`{"name":%q,"arguments":{},"_meta":%s}`, tool, meta)
				}
				f.send(envelope(int64(id), "tools/call", json.RawMessage(params)))
				got := f.next().GetResponse()
				if code := got.GetError().GetCode(); got.GetIntId() != int64(id) || tool == "ok" && code != 0 || tool != "ok" && code != jsonrpc.CodeInternalError {
					t.Errorf("%s, JSON-RPC, simple %t: %s gave %v", w.name, simple, tool, got)
				}
			}
		}
	}
}

// TestAClientThatDoesNotReadIsBounded by what the limits say: its calls end, but their answers
// stay, and so it is refused more of them.
func TestAClientThatDoesNotReadIsBounded(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 75<<10)                  // which gzip does not make smaller
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	text := base64.StdEncoding.EncodeToString(noise)
	server := mcp.NewServer(&mcp.Implementation{Name: "big", Version: "1"}, nil)
	calls := make(chan struct{}, 10_000)
	server.AddTool(&mcp.Tool{Name: "big", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			calls <- struct{}{}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil
		})
	const limit = 8
	f := newFramer(t, wires[0], serve(t, server, mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: limit})), bothOffered)
	sent := make(chan struct{})
	const flood = 700
	go func() {
		defer close(sent)
		for i := range uint64(flood) {
			if f.stream.Send(callEnvelope(toolFrame(i+1, "big", "{}"))) != nil {
				return
			}
		}
	}()
	// What the client's and the server's windows hold is 8 MiB at the most, and there are two
	// queues; the rest must not have been called.
	last, since := len(calls), time.Now()
	eventually(t, "the server takes no more", func() bool {
		if n := len(calls); n != last || n == 0 {
			last, since = n, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	if n := len(calls); n > 500 {
		t.Errorf("of %d calls of a client that does not read %d were made", flood, n)
	}
	// Once it reads, each call has its answer.
	got := map[uint64]bool{}
	for len(got) < flood {
		got[f.next().GetReply().GetCallId()] = true
	}
	<-sent
}

// TestAResponseBeforeTheHalfCloseCounts: the stream is read ahead of what is taken in.
func TestAResponseBeforeTheHalfCloseCounts(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for range 50 {
		stream := dialSession(t, url)
		mustSend(t, stream, envelope(7, "tools/call", json.RawMessage(`{"name":"test_elicitation","arguments":{"message":"?"}}`)))
		question := mustReceive(t, stream, "elicitation/create")
		mustSend(t, stream, response(question.GetRequest().Id, json.RawMessage(`{"action":"decline"}`)))
		if err := stream.CloseRequest(); err != nil {
			t.Fatal(err)
		}
		if o, err := read(stream); err != nil || o.err != nil {
			t.Fatalf("the tool whose question was answered gave %v, %v", o, err)
		}
	}
}
