// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const legacyVersion = "2025-11-25"

// fixedAnswers answers every request of the server in the same way.
func fixedAnswers(method string, params json.RawMessage) json.RawMessage {
	switch method {
	case "elicitation/create":
		var p struct {
			URL             string
			RequestedSchema struct{ Properties map[string]any }
		}
		if json.Unmarshal(params, &p) != nil || p.URL != "" {
			return json.RawMessage(`{"action":"accept"}`)
		}
		content := map[string]any{}
		for name := range p.RequestedSchema.Properties {
			switch name {
			case "ok", "verified":
				content[name] = true
			case "name", "username", "random", "context", "color":
				content[name] = "Ada's " + name
			}
		}
		text, err := json.Marshal(map[string]any{"action": "accept", "content": content})
		if err != nil {
			return nil
		}
		return text
	case "sampling/createMessage":
		return json.RawMessage(`{"role":"assistant","model":"m","stopReason":"endTurn","content":{"type":"text","text":"grüß dich"}}`)
	case "roots/list":
		return json.RawMessage(`{"roots":[{"uri":"file:///a","name":"a"},{"uri":"file:///b"}]}`)
	}
	return json.RawMessage(`{}`)
}

// TestRequestsOfTheServer compares what tools get that ask a legacy client, and what the
// client is asked: over Connect, and over Send with the answer by another Send.
func TestRequestsOfTheServer(t *testing.T) {
	t.Parallel()
	const pre = "test_input_required_result_"
	s := suite{
		versions:     []string{legacyVersion, "2025-06-18"},
		forms:        envelopeForms,
		capabilities: roundTripsDeclared,
		answer:       fixedAnswers,
		cases: []suiteCase{
			tool("inspect_request", `{}`),
			tool("ping", `{}`),
			tool("sample", `{}`),
			tool("elicit (form)", `{}`),
			tool("elicit (url)", `{}`),
			tool("roots", `{}`),
			tool("test_sampling", `{"prompt":"p"}`),
			tool("sample_with_tools", `{}`),
			tool("test_elicitation", `{"message":"m"}`),
			tool("test_elicitation_sep1034_defaults", `{}`),
			tool("test_elicitation_sep1330_enums", `{}`),
			tool("test_missing_capability", `{}`),
			tool(pre+"elicitation", `{}`),
			tool(pre+"sampling", `{}`),
			tool(pre+"list_roots", `{}`),
			tool(pre+"request_state", `{}`),
			tool(pre+"multiple_inputs", `{}`),
			tool(pre+"multi_round", `{}`),
			tool(pre+"tampered_state", `{}`),
			tool(pre+"capabilities", `{}`),
			tool("roundtrip_url", `{}`),
			tool("roundtrip_sampling_tools", `{}`),
			tool("roundtrip_busy", `{}`),
			tool("roundtrip_both", `{}`),
			resource("everything://question"),
			prompt("test_input_required_result_prompt", `{}`),
			tool("complete_url_elicitation", `{}`),
		},
	}
	s.run(t)
	s.forms, s.wires = structForms[:2], someWires
	s.run(t)
}

// A listener is the stream of a session for what belongs to no call: Connect, or Send
// without a message.
type listener struct {
	name string
	open func(t *testing.T, url, session string) (receive func() (*mcpv1.Envelope, error), reply func(*mcpv1.Envelope) error)
}

var listeners = []listener{
	{"Connect stream", func(t *testing.T, url, session string) (func() (*mcpv1.Envelope, error), func(*mcpv1.Envelope) error) {
		stream := dial(t, wires[0], url, session)
		if err := stream.Send(nil); err != nil { // headers
			t.Fatal(err)
		}
		return stream.Receive, stream.Send
	}},
	{"Send without a message", func(t *testing.T, url, session string) (func() (*mcpv1.Envelope, error), func(*mcpv1.Envelope) error) {
		ctx, cancel := context.WithCancel(context.Background())
		rpc := wires[0].client(t, url)
		stream, err := rpc.Send(inSession(ctx, session), &mcpv1.Envelope{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cancel()
			_ = stream.Close()
		})
		s := &sender{peer: peer{version: legacyVersion}, t: t, rpc: rpc, session: session}
		return sendStream{stream}.Receive, func(e *mcpv1.Envelope) error { return s.tell(testContext(t), e) }
	}},
}

// TestTypedCallAsksOnTheSessionsStream: a typed call has no place for requests of the
// server; they go to the session's stream.
func TestTypedCallAsksOnTheSessionsStream(t *testing.T) {
	t.Parallel()
	for _, l := range listeners {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, everything.NewServer())
			rpc := wires[0].client(t, url)
			session := initializeTypedDeclaring(t, rpc, legacyVersion, roundTripsDeclared)
			receive, reply := l.open(t, url, session)
			answered := make(chan error, 1)
			go func() {
				e, err := receive()
				if err == nil && e.Method != "elicitation/create" {
					t.Errorf("got %v, want an elicitation", e)
				}
				if err == nil {
					err = reply(peer{answer: fixedAnswers}.reply(e))
				}
				answered <- err
			}()
			// The stream stands once the server has it: until then a call fails.
			want := `action=accept, content={"username":"Ada's username"}`
			got := untilStreamStands(t, rpc, session)
			if !strings.Contains(got, want) {
				t.Errorf("the tool got %s, want %s", got, want)
			}
			if err := <-answered; err != nil {
				t.Error(err)
			}
		})
	}
}

const noStreamText = "client has no open stream for server requests: open Connect, or Send without a message"

func untilStreamStands(t *testing.T, rpc toolInvoker, session string) string {
	t.Helper()
	ctx := testContext(t)
	for {
		res, err := rpc.InvokeTool(inSession(ctx, session), &mcpv1.CallToolRequest{Name: new("test_elicitation"), ArgumentsJson: []byte(`{"message":"m"}`)})
		if err != nil {
			t.Fatal(err)
		}
		text := res.GetResult().GetContent()[0].GetText().GetText()
		if !strings.Contains(text, noStreamText) {
			return text
		}
		if ctx.Err() != nil {
			t.Fatal("the stream never stood")
		}
	}
}

type toolInvoker interface {
	InvokeTool(context.Context, *mcpv1.CallToolRequest) (*mcpv1.InvokeToolResponse, error)
}

func TestTypedCallAsksNobodyWithoutAStream(t *testing.T) {
	t.Parallel()
	got := make(chan error, 1)
	server := askingServer(func(ctx context.Context, ss *mcp.ServerSession) error {
		_, err := ss.Elicit(ctx, &mcp.ElicitParams{Message: "m"})
		got <- err
		return err
	})
	url := serve(t, server)
	for _, w := range wires {
		rpc := w.client(t, url)
		session := initializeTypedDeclaring(t, rpc, legacyVersion, roundTripsDeclared)
		if _, err := rpc.InvokeTool(inSession(testContext(t), session), &mcpv1.CallToolRequest{Name: new("ask")}); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		err := <-got
		if err == nil || !strings.Contains(err.Error(), noStreamText) {
			t.Errorf("%s: the tool got %v, want that there is no stream", w.name, err)
		}
		// The session has taken no harm.
		if _, err := rpc.Ping(inSession(testContext(t), session), &mcpv1.PingRequest{}); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

// askingServer has the tool "ask", which does what it is given with its session.
func askingServer(do func(context.Context, *mcp.ServerSession) error) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "asking", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "ask", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			text := "done"
			if err := do(ctx, req.Session); err != nil {
				text = err.Error()
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil
		})
	return server
}

// TestToolLearnsThatItsClientIsGone: each way in which the stream can end that a request
// of the server went out on.
func TestToolLearnsThatItsClientIsGone(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T) (url string, got chan error) {
		got = make(chan error, 1)
		return serve(t, askingServer(func(ctx context.Context, ss *mcp.ServerSession) error {
			_, err := ss.Elicit(ctx, &mcp.ElicitParams{Message: "m"})
			got <- err
			return err
		})), got
	}
	lost := func(t *testing.T, got chan error) {
		t.Helper()
		select {
		case err := <-got:
			if err == nil {
				t.Error("the tool got an answer that nobody gave")
			}
		case <-time.After(patience):
			t.Error("the tool still waits")
		}
	}
	const askTool = `{"name":"ask","arguments":{}}`
	t.Run("half-closed Connect stream", func(t *testing.T) {
		t.Parallel()
		url, got := ask(t)
		stream := dialSession(t, url)
		mustSend(t, stream, envelope(2, "tools/call", json.RawMessage(askTool)))
		mustReceive(t, stream, "elicitation/create")
		if err := stream.CloseRequest(); err != nil {
			t.Fatal(err)
		}
		lost(t, got)
		if o, err := read(stream); err != nil || !strings.Contains(o.String(), "stream ended before it answered") {
			t.Errorf("the call in flight gave %v, %v", o, err)
		}
	})
	t.Run("lost Connect stream", func(t *testing.T) {
		t.Parallel()
		url, got := ask(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stream, err := wires[0].client(t, url).Connect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		handshake(t, stream)
		mustSend(t, stream, envelope(2, "tools/call", json.RawMessage(askTool)))
		mustReceive(t, stream, "elicitation/create")
		cancel()
		_ = stream.CloseResponse() // resets the stream, which the end of ctx alone does not
		lost(t, got)
	})
	t.Run("lost Send stream of the call", func(t *testing.T) {
		t.Parallel()
		url, got := ask(t)
		s := newSender(t, peer{wire: wires[0], url: url, version: legacyVersion, capabilities: roundTripsDeclared})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stream, err := s.open(ctx, envelope(2, "tools/call", json.RawMessage(askTool)))
		if err != nil {
			t.Fatal(err)
		}
		if !stream.Receive() || stream.Msg().Method != "elicitation/create" {
			t.Fatalf("got %v, %v", stream.Msg(), stream.Err())
		}
		cancel()
		_ = stream.Close()
		lost(t, got)
	})
	for _, l := range listeners {
		t.Run("session ended while "+l.name+" waits", func(t *testing.T) {
			t.Parallel()
			url, got := ask(t)
			rpc := wires[0].client(t, url)
			session := initializeTypedDeclaring(t, rpc, legacyVersion, roundTripsDeclared)
			receive, _ := l.open(t, url, session)
			done := make(chan string, 1)
			go func() { done <- untilAsked(t, rpc, session, got) }()
			if e, err := receive(); err != nil || e.Method != "elicitation/create" {
				t.Fatalf("got %v, %v", e, err)
			}
			ctx, cancel := context.WithTimeout(inSession(testContext(t), session), time.Second)
			defer cancel()
			_, _ = rpc.Shutdown(ctx, &mcpv1.ShutdownRequest{}) // may run out of time, and ends the session all the same
			if text := <-done; !strings.Contains(text, "ended") {
				t.Errorf("the tool got %q", text)
			}
		})
	}
}

// untilAsked calls the tool until its request goes out, and gives what it got.
func untilAsked(t *testing.T, rpc toolInvoker, session string, got chan error) string {
	ctx := testContext(t)
	for ctx.Err() == nil {
		_, callErr := rpc.InvokeTool(inSession(ctx, session), &mcpv1.CallToolRequest{Name: new("ask")})
		select {
		case err := <-got:
			if err != nil && strings.Contains(err.Error(), noStreamText) {
				continue
			}
			if err != nil {
				return err.Error() + " ended"
			}
		case <-ctx.Done():
		}
		return connect.CodeOf(callErr).String()
	}
	return "nothing"
}
