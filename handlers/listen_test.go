// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// TestListensOfOneClientAreIndependent: each gets what it asked for, under its own id, and
// goes on when another one ends.
func TestListensOfOneClientAreIndependent(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, everything.NewServer())
			stream := dial(t, w, url, "")
			filters := map[string]string{
				"tools":   `{"toolsListChanged":true}`,
				"more":    `{"toolsListChanged":true,"promptsListChanged":true}`,
				"watched": `{"resourceSubscriptions":["test://watched-resource"]}`,
			}
			for id, filter := range filters {
				mustSend(t, stream, &mcpv1.Envelope{Method: "subscriptions/listen", Kind: &mcpv1.Envelope_Request{
					Request: &mcpv1.JsonRpcRequest{Id: &id, ParamsJson: listenParams(filter)},
				}})
				got := describe(mustReceive(t, stream, "notifications/subscriptions/acknowledged"))
				if !strings.Contains(got, `"io.modelcontextprotocol/subscriptionId": "`+id+`"`) {
					t.Errorf("the acknowledgement of %s is %s", id, got)
				}
			}
			rpc := w.client(t, url)
			told := func(n int) map[string]string {
				got := map[string]string{}
				for range n {
					e, err := stream.Receive()
					if err != nil {
						t.Fatal(err)
					}
					var p struct {
						Meta map[string]string `json:"_meta"`
					}
					if err := json.Unmarshal(e.GetNotification().GetParamsJson(), &p); err != nil {
						t.Fatalf("%v: %v", e, err)
					}
					got[p.Meta["io.modelcontextprotocol/subscriptionId"]] = e.Method
				}
				return got
			}
			mustInvoke(t, rpc, "add_tool", `{"name":"x"}`)
			if got := told(2); got["tools"] == "" || got["more"] == "" {
				t.Errorf("of a tool learnt %v", got)
			}
			mustInvoke(t, rpc, "add_prompt", `{"name":"x"}`)
			if got := told(1); got["more"] != "notifications/prompts/list_changed" {
				t.Errorf("of a prompt learnt %v", got)
			}
			mustSend(t, stream, clientNote("notifications/cancelled", `{"requestId":"tools"}`))
			// The messages of a stream are taken in order: the cancellation before this call.
			mustSend(t, stream, envelope(9, "tools/call", json.RawMessage(`{"name":"update_resource","arguments":{"text":"new"}}`)))
			seen := map[string]bool{}
			for range 2 { // the update and the call's response, in either order
				e, err := stream.Receive()
				if err != nil {
					t.Fatal(err)
				}
				seen[e.Method] = true
			}
			if !seen["notifications/resources/updated"] || !seen[""] {
				t.Errorf("of an update learnt %v", seen)
			}
			mustInvoke(t, rpc, "remove_tool", `{"name":"x"}`)
			if got := told(1); got["more"] != "notifications/tools/list_changed" {
				t.Errorf("of the tool's end learnt %v", got)
			}
		})
	}
}

// TestListensEndInGoodOrderOnDrain: the last message says that nothing more comes.
func TestListensEndInGoodOrderOnDrain(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			url, h := serveHandler(t, everything.NewServer())
			typed := watchListen(t, w, url, everyChange)
			sent := watchListenSendStream(t, w, url)
			var both *connectStream
			if w.bidi() {
				both = dial(t, w, url, "")
				mustSend(t, both, envelope(7, "subscriptions/listen", listenParams(everyChange)))
				mustReceive(t, both, "notifications/subscriptions/acknowledged")
			}
			watched := watchResource(modernVersion)(t, w, url, "")
			h.Drain()
			if got, err := typed(); err != nil || !strings.HasPrefix(got, "completed") || !strings.Contains(got, "subscriptionId") {
				t.Errorf("the typed listen ended with %q, %v", got, err)
			}
			if _, err := typed(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last message came %v, want the end with status OK", err)
			}
			if o, err := read(sent); err != nil || o.err != nil || !strings.Contains(string(o.result), "subscriptionId") {
				t.Errorf("the listen by Send ended with %v, %v", o, err)
			}
			if _, err := sent.Receive(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last message came %v, want the end with status OK", err)
			}
			if both != nil {
				if o, err := read(both); err != nil || o.err != nil {
					t.Errorf("the listen on Connect ended with %v, %v", o, err)
				}
				if _, err := both.Receive(); connect.CodeOf(err) != connect.CodeUnavailable {
					t.Errorf("the Connect stream ended with %v, want unavailable", err)
				}
			}
			if got, err := watched(); err == nil {
				t.Errorf("the watch went on with %q", got)
			}
		})
	}
}

func watchListenSendStream(t *testing.T, w wire, url string) sendStream {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := w.client(t, url).Send(ctx, envelope(7, "subscriptions/listen", listenParams(everyChange)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = stream.Close()
	})
	mustReceive(t, sendStream{stream}, "notifications/subscriptions/acknowledged")
	return sendStream{stream}
}

// TestWatchOfAResourceThatCannotBeRead gives the error in place of contents, and goes on.
func TestWatchOfAResourceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	rpc := wires[0].client(t, url)
	mustInvoke(t, rpc, "add_resource", `{"name":"x"}`)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	const uri = "everything://dynamic/x"
	stream, err := rpc.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: new(uri)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	stream.ResponseHeader()
	mustInvoke(t, rpc, "update_resource", `{"uri":"`+uri+`","text":"one"}`)
	if !stream.Receive() || stream.Msg().GetUpdate().GetContents()[0].GetText().GetText() != "one" {
		t.Fatalf("got %v, %v", stream.Msg(), stream.Err())
	}
	refused, err := rpc.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: new("everything://gone")})
	if err == nil {
		refused.Receive()
		err = refused.Err()
		_ = refused.Close()
	}
	if e := detail(err); e == nil || e.Code != jsonrpc.CodeMethodNotFound && e.Code != jsonrpc.CodeInvalidParams {
		t.Errorf("a subscription that the server refuses gave %v", err)
	}
}
