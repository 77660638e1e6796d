// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// largeServer gives answers of any size: of a tool, a prompt and a resource.
func largeServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "large", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "text", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			var args struct{ Size, Progress, Ask int }
			if err := json.Unmarshal(req.Params.Arguments, &args); err != nil {
				return nil, err
			}
			var failed []string
			if args.Progress > 0 {
				err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: req.Params.GetProgressToken(), Message: strings.Repeat("x", args.Progress)})
				failed = append(failed, fmt.Sprintf("progress: %v", err))
			}
			if args.Ask > 0 {
				_, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: strings.Repeat("x", args.Ask)})
				failed = append(failed, fmt.Sprintf("question: %v", err))
			}
			text := strings.Repeat("x", args.Size) + strings.Join(failed, ", ")
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil
		})
	server.AddPrompt(&mcp.Prompt{Name: "text"}, func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: strings.Repeat("x", len(req.Params.Arguments["a"])*20_000)}}}}, nil
	})
	return server
}

// textOf calls the tool for a text of that many bytes.
func textOf(size int) suiteCase { return tool("text", fmt.Sprintf(`{"size":%d}`, size)) }

// TestAnswersOverTheLimitFailTheirCall and no other: a client would refuse them, and the stream
// that they come on (SPEC.md §12).
func TestAnswersOverTheLimitFailTheirCall(t *testing.T) {
	t.Parallel()
	url := serve(t, largeServer(), mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: smallMessage}))
	over := []suiteCase{textOf(smallMessage), textOf(10 * smallMessage), prompt("text", `{"a":"xxxx"}`)}
	under := []suiteCase{textOf(1), textOf(smallMessage / 2), prompt("text", `{"a":"x"}`)}
	for _, w := range wires {
		for _, form := range []form{forms[0], forms[1], forms[2], forms[3], structForms[0], structForms[1]} {
			if !form.fits(w) {
				continue
			}
			for _, version := range someVersions {
				t.Run(version+"/"+w.name+"/"+form.name, func(t *testing.T) {
					t.Parallel()
					p := peer{wire: w, url: url, version: version, capabilities: noneDeclared, structs: form.structs}
					p.wire.options = append(slices.Clip(p.wire.options), connect.WithReadMaxBytes(smallMessage))
					client := form.open(t, p)
					for _, c := range over {
						o := client(testContext(t), c.method, c.paramsFor(version, noneDeclared))
						if o.err == nil || o.err.Code != jsonrpc.CodeInvalidRequest && !strings.Contains(o.err.Message, "resource_exhausted") {
							t.Errorf("%s gave %.300v, want an error", c.name, o)
						}
						for _, c := range under {
							if o := client(testContext(t), c.method, c.paramsFor(version, noneDeclared)); o.err != nil {
								t.Fatalf("afterwards %s gave %v", c.name, o)
							}
						}
					}
				})
			}
		}
	}
}

// TestRepliesOverTheLimitFailTheirFrame and no other.
func TestRepliesOverTheLimitFailTheirFrame(t *testing.T) {
	t.Parallel()
	url := serve(t, largeServer(), mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: smallMessage}))
	for _, w := range bidiWires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.options = append(slices.Clip(w.options), connect.WithReadMaxBytes(smallMessage))
			f := newFramer(t, w, url, bothOffered)
			id := uint64(0)
			call := func(size int, stream bool) {
				id++
				frame := toolFrame(id, "text", fmt.Sprintf(`{"size":%d}`, size))
				frame.Stream = stream
				f.send(callEnvelope(frame))
			}
			for _, stream := range []bool{false, true} {
				call(2*smallMessage, stream)
				f.fails(id, connect.CodeResourceExhausted, jsonrpc.CodeInvalidRequest)
				call(1, stream)
				if r := f.reply(id); r.GetError() != nil {
					t.Errorf("a small call afterwards gave %v", r)
				}
			}
			// Many answers that are small, or a little more, come in batches that are no larger.
			const calls = 100
			for i := range calls {
				call(3_000+40*i, false)
			}
			for range calls {
				if r := f.next().GetReply(); r.GetCallTool() == nil {
					t.Errorf("got %v", r)
				}
			}
		})
	}
}

// TestWhatIsSaidOverTheLimitFailsThere: the tool learns of it, and its call goes on.
func TestWhatIsSaidOverTheLimitFailsThere(t *testing.T) {
	t.Parallel()
	url := serve(t, largeServer(), mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: smallMessage}))
	const capabilities = `{"elicitation":{"form":{}}}`
	for _, form := range forms[:3] {
		for _, version := range someVersions {
			t.Run(version+"/"+form.name, func(t *testing.T) {
				t.Parallel()
				p := peer{wire: wires[0], url: url, version: version, capabilities: capabilities, answer: accept}
				p.wire.options = []connect.ClientOption{connect.WithGRPC(), connect.WithReadMaxBytes(smallMessage)}
				client := form.open(t, p)
				for what, args := range map[string]string{"progress": `{"progress":100000}`, "question": `{"ask":100000}`} {
					if what == "question" && (version >= modernVersion || form.typed) {
						continue
					}
					c := suiteCase{method: "tools/call", params: `{"_meta":{%META%,"progressToken":"p"},"name":"text","arguments":` + args + `}`}
					o := client(testContext(t), c.method, c.paramsFor(version, capabilities))
					if o.err != nil || len(o.notes) > 0 || len(o.asked) > 0 || !strings.Contains(string(o.result), what+": ") || strings.Contains(string(o.result), what+": <nil>") {
						t.Errorf("%s gave %.500v", what, o)
					}
				}
			})
		}
	}
}

func accept(string, json.RawMessage) json.RawMessage { return json.RawMessage(`{"action":"accept"}`) }

// TestLargeContentsOfASubscriptionFailThere: the next change is told as if nothing had been.
func TestLargeContentsOfASubscriptionFailThere(t *testing.T) {
	t.Parallel()
	const uri = "test://growing"
	size := make(chan int, 1)
	server := mcp.NewServer(&mcp.Implementation{Name: "growing", Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	server.AddResource(&mcp.Resource{URI: uri, Name: "growing"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: uri, Text: strings.Repeat("x", <-size)}}}, nil
	})
	url := serve(t, server, mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: smallMessage}))
	stream, err := wires[0].client(t, url).SubscribeResource(testContext(t), &mcpv1.SubscribeResourceRequest{Uri: new(uri)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if stream.ResponseHeader().Get("Content-Type") == "" { // the subscription stands
		t.Fatal("no headers")
	}
	for _, n := range []int{2 * smallMessage, 1} {
		size <- n
		if err := server.ResourceUpdated(testContext(t), &mcp.ResourceUpdatedNotificationParams{URI: uri}); err != nil {
			t.Fatal(err)
		}
		if !stream.Receive() {
			t.Fatal(stream.Err())
		}
		e := stream.Msg()
		if n > smallMessage && e.GetError().GetCode() != jsonrpc.CodeInvalidRequest || n < smallMessage && e.GetUpdate() == nil {
			t.Errorf("%d bytes gave %.300v", n, e)
		}
	}
}
