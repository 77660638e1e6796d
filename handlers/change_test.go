// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A watcher is a way to learn of changes. open returns once it is told of them; next gives
// method and params of the next notification.
type watcher struct {
	name  string
	bidi  bool
	event bool // gives fresh contents of test://watched-resource, nothing else
	open  func(t *testing.T, w wire, url string, filter string) (next func() (string, error))
}

const everyChange = `{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["test://watched-resource"]}`

var watchers = []watcher{
	{name: "legacy Connect stream", bidi: true, open: watchConnect},
	{name: "legacy stream of a session", open: watchSession},
	{name: "listen, typed", open: watchListen},
	{name: "listen on Connect", bidi: true, open: watchListenConnect},
	{name: "listen by Send", open: watchListenSend},
	{name: "SubscribeResource, modern", event: true, open: watchResource(modernVersion)},
	{name: "SubscribeResource, legacy", event: true, open: watchResource(legacyVersion)},
}

// TestChangesReachAllWhoAskedForThem makes every kind of change, and looks who learns of it.
func TestChangesReachAllWhoAskedForThem(t *testing.T) {
	t.Parallel()
	for _, w := range wires {
		for _, x := range watchers {
			if x.bidi && !w.bidi() {
				continue
			}
			t.Run(w.name+"/"+x.name, func(t *testing.T) {
				t.Parallel()
				url := serve(t, everything.NewServer())
				next := x.open(t, w, url, everyChange)
				change := w.client(t, url)
				for _, c := range []struct{ tool, args, want string }{
					{"add_tool", `{"name":"x"}`, "notifications/tools/list_changed"},
					{"remove_tool", `{"name":"x"}`, "notifications/tools/list_changed"},
					{"add_prompt", `{"name":"x"}`, "notifications/prompts/list_changed"},
					{"remove_prompt", `{"name":"x"}`, "notifications/prompts/list_changed"},
					{"add_resource", `{"name":"x"}`, "notifications/resources/list_changed"},
					{"remove_resource", `{"name":"x"}`, "notifications/resources/list_changed"},
					{"update_resource", `{"text":"first"}`, "notifications/resources/updated"},
					{"update_resource", `{"text":"second"}`, "notifications/resources/updated"},
				} {
					mustInvoke(t, change, c.tool, c.args)
					if x.event && c.tool != "update_resource" {
						continue
					}
					got, err := next()
					if err != nil || !strings.HasPrefix(got, c.want) {
						t.Fatalf("after %s %s came %q, %v; want %s", c.tool, c.args, got, err, c.want)
					}
					if c.tool == "update_resource" && !strings.Contains(got, "test://watched-resource") {
						t.Errorf("the update does not name its resource: %s", got)
					}
					if text := strings.Split(c.args, `"`); x.event && !strings.Contains(got, text[3]) {
						t.Errorf("got %s, want the contents after %s", got, c.args)
					}
				}
			})
		}
	}
}

func mustInvoke(t testing.TB, rpc mcpv1connect.MCPClient, tool, args string) {
	t.Helper()
	res, err := rpc.InvokeTool(testContext(t), &mcpv1.CallToolRequest{Name: &tool, ArgumentsJson: []byte(args)})
	if err != nil || res.GetResult().GetIsError() {
		t.Fatalf("%s %s: %v, %v", tool, args, res, err)
	}
}

// describe gives method and params of an envelope.
func describe(e *mcpv1.Envelope) string {
	return e.GetMethod() + " " + canonical(eitherTwin(e.GetNotification().GetParams(), e.GetNotification().GetParamsJson()))
}

func nextEnvelope(s envelopeStream) func() (string, error) {
	return func() (string, error) {
		e, err := s.Receive()
		if err != nil {
			return "", err
		}
		return describe(e), nil
	}
}

const subscribeWatched = `{"uri":"test://watched-resource"}`

func watchConnect(t *testing.T, w wire, url, _ string) func() (string, error) {
	stream := dial(t, w, url, "")
	handshake(t, stream)
	mustSend(t, stream, envelope(2, "resources/subscribe", json.RawMessage(subscribeWatched)))
	if o, err := read(stream); err != nil || o.err != nil {
		t.Fatalf("subscribing gave %v, %v", o, err)
	}
	return nextEnvelope(stream)
}

func watchSession(t *testing.T, w wire, url, _ string) func() (string, error) {
	s := newSender(t, peer{wire: w, url: url, version: legacyVersion, capabilities: noneDeclared})
	if o := s.call(testContext(t), "resources/subscribe", json.RawMessage(subscribeWatched)); o.err != nil {
		t.Fatal(o.err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	// The response's headers say that the stream stands.
	stream, err := s.open(ctx, &mcpv1.Envelope{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = stream.Close()
	})
	return nextEnvelope(sendStream{stream})
}

func listenParams(filter string) json.RawMessage {
	return json.RawMessage(`{"_meta":{` + modernMeta + `},"notifications":` + filter + `}`)
}

func watchListenConnect(t *testing.T, w wire, url, filter string) func() (string, error) {
	stream := dial(t, w, url, "")
	mustSend(t, stream, envelope(7, "subscriptions/listen", listenParams(filter)))
	mustReceive(t, stream, "notifications/subscriptions/acknowledged")
	return nextEnvelope(stream)
}

func watchListenSend(t *testing.T, w wire, url, filter string) func() (string, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := w.client(t, url).Send(ctx, envelope(7, "subscriptions/listen", listenParams(filter)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = stream.Close()
	})
	mustReceive(t, sendStream{stream}, "notifications/subscriptions/acknowledged")
	return nextEnvelope(sendStream{stream})
}

func watchListen(t *testing.T, w wire, url, filter string) func() (string, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := w.client(t, url).Listen(ctx, listenRequest(t, filter))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = stream.Close()
	})
	next := func() (string, error) {
		if !stream.Receive() {
			return "", ending(stream.Err())
		}
		return describeListen(stream.Msg()), nil
	}
	if got, err := next(); err != nil || !strings.HasPrefix(got, "acknowledged") {
		t.Fatalf("first came %q, %v", got, err)
	}
	return next
}

// describeListen gives what describe gives for the envelope that says the same.
func describeListen(m *mcpv1.ListenResponse) string {
	switch k := m.Kind.(type) {
	case *mcpv1.ListenResponse_Acknowledged:
		return "acknowledged " + canonical(asJSON(k.Acknowledged).result)
	case *mcpv1.ListenResponse_ToolsListChanged:
		return "notifications/tools/list_changed " + canonical(asJSON(k.ToolsListChanged).result)
	case *mcpv1.ListenResponse_PromptsListChanged:
		return "notifications/prompts/list_changed " + canonical(asJSON(k.PromptsListChanged).result)
	case *mcpv1.ListenResponse_ResourcesListChanged:
		return "notifications/resources/list_changed " + canonical(asJSON(k.ResourcesListChanged).result)
	case *mcpv1.ListenResponse_ResourceUpdated:
		return "notifications/resources/updated " + canonical(asJSON(k.ResourceUpdated).result)
	case *mcpv1.ListenResponse_Completed:
		return "completed " + canonical(asJSON(k.Completed).result)
	}
	return fmt.Sprint(m)
}

func watchResource(version string) func(t *testing.T, w wire, url, _ string) func() (string, error) {
	return func(t *testing.T, w wire, url, _ string) func() (string, error) {
		rpc := w.client(t, url)
		session := ""
		if version < modernVersion {
			session = initializeTyped(t, rpc, version)
		}
		ctx, cancel := context.WithCancel(context.Background())
		// The response's headers say that the subscription stands.
		stream, err := rpc.SubscribeResource(inSession(ctx, session), &mcpv1.SubscribeResourceRequest{Uri: new("test://watched-resource")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cancel()
			_ = stream.Close()
		})
		stream.ResponseHeader()
		return func() (string, error) {
			if !stream.Receive() {
				return "", ending(stream.Err())
			}
			m := stream.Msg()
			if !m.GetAt().IsValid() {
				t.Errorf("the event has no time: %v", m)
			}
			return "notifications/resources/updated " + m.GetUri() + " " + string(asJSON(m.GetUpdate()).result), nil
		}
	}
}

func listenRequest(t testing.TB, filter string) *mcpv1.ListenRequest {
	t.Helper()
	var req mcpv1.ListenRequest
	if err := mapping.FromJSON(listenParams(filter), &req, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		t.Fatal(err)
	}
	return &req
}

// ending gives io.EOF for a stream that ended with status OK.
func ending(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}
