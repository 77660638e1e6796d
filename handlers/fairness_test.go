// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A callForm is one way to call a tool on a Connect stream.
type callForm struct {
	name   string
	call   func(id uint64, tool, args string) *mcpv1.Envelope
	cancel func(id uint64) *mcpv1.Envelope
}

// callForms are all ways that the server reads differently: calls of modern clients are read
// in place.
var callForms = []callForm{
	{"frame", func(id uint64, tool, args string) *mcpv1.Envelope {
		return callEnvelope(toolFrame(id, tool, args))
	}, cancelEnvelope},
	{"frame of a modern client", func(id uint64, tool, args string) *mcpv1.Envelope {
		f := toolFrame(id, tool, args)
		meta := f.GetCallTool().Meta
		meta.ProtocolVersion = new(modernVersion)
		meta.ClientInfo = &mcpv1.ClientInfo{Name: new("test"), Version: new("1")}
		meta.ClientCapabilities = &mcpv1.CapabilitySet{ValuesJson: []byte(`{}`)}
		return callEnvelope(f)
	}, cancelEnvelope},
	{"JSON-RPC", func(id uint64, tool, args string) *mcpv1.Envelope {
		return envelope(int64(id), "tools/call", json.RawMessage(fmt.Sprintf(`{"n\u0061me":%q,"arguments":%s,"_meta":{%s}}`, tool, args, modernMeta)))
	}, cancelRequest},
	{"plain JSON-RPC", func(id uint64, tool, args string) *mcpv1.Envelope {
		return envelope(int64(id), "tools/call", json.RawMessage(fmt.Sprintf(`{"name":%q,"arguments":%s,"_meta":{%s}}`, tool, args, modernMeta)))
	}, cancelRequest},
}

func cancelRequest(id uint64) *mcpv1.Envelope {
	return clientNote("notifications/cancelled", fmt.Sprintf(`{"requestId":%d}`, id))
}

// answer takes the next message, which must answer a call, and gives the call's id and text.
func (f *framer) answer() (id uint64, text string) {
	f.t.Helper()
	e := f.next()
	if r := e.GetReply(); r != nil {
		content := r.GetCallTool().GetResult().GetContent()
		if len(content) != 1 {
			f.t.Fatalf("got %v, want a text", e)
		}
		return r.CallId, content[0].GetText().GetText()
	}
	r := e.GetResponse()
	var result struct{ Content []struct{ Text string } }
	if err := json.Unmarshal(eitherTwin(r.GetResult(), r.GetResultJson()), &result); err != nil || len(result.Content) != 1 {
		f.t.Fatalf("got %v, want a text", e)
	}
	return uint64(r.GetIntId()), result.Content[0].Text
}

// eachCallForm runs test on each wire with both ways, with each form.
func eachCallForm(t *testing.T, test func(t *testing.T, w wire, form callForm)) {
	t.Helper()
	for _, w := range bidiWires {
		for _, form := range callForms {
			t.Run(w.name+"/"+form.name, func(t *testing.T) {
				t.Parallel()
				test(t, w, form)
			})
		}
	}
}

// textServer has the tool "text", which gives a text of n bytes that begins with the name
// given, and tells of each call that it is about to return.
func textServer(ran chan<- string) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "text"}, func(_ context.Context, _ *mcp.CallToolRequest, in textArgs) (*mcp.CallToolResult, any, error) {
		defer func() {
			if ran != nil {
				ran <- in.Name
			}
		}()
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.text()}}}, nil, nil
	})
	return server
}

type textArgs struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func (a textArgs) text() string { return a.Name + strings.Repeat("x", a.N) }

func (a textArgs) String() string { return fmt.Sprintf(`{"name":%q,"n":%d}`, a.Name, a.N) }

// TestSmallRepliesOvertakeLargeOnes: a small reply waits for what is on its way to a client that
// reads slowly, not for all large results that wait.
func TestSmallRepliesOvertakeLargeOnes(t *testing.T) {
	t.Parallel()
	const (
		large  = 50
		size   = 64 << 10
		window = 128 << 10 // that the connection takes without being read
	)
	for _, w := range bidiWires {
		if strings.Contains(w.name, "JSON") {
			continue // has one order for all
		}
		for _, form := range callForms[1:] {
			if form.name == "JSON-RPC" {
				continue // may speak before it answers, and keeps its order
			}
			t.Run(w.name+"/"+form.name, func(t *testing.T) {
				t.Parallel()
				ran := make(chan string, large+1)
				f := slowFramer(t, w, serve(t, textServer(ran)), window)
				for id := range uint64(large) {
					f.send(form.call(id, "text", textArgs{Name: "large", N: size}.String()))
				}
				for range large {
					<-ran
				}
				f.send(form.call(large, "text", textArgs{Name: "small"}.String()))
				<-ran
				before, seen := 0, false
				for range large + 1 {
					id, text := f.answer()
					switch {
					case id == large:
						seen = true
						if text != "small" {
							t.Errorf("the small reply is %q", text)
						}
					case len(text) != size+len("large"):
						t.Errorf("reply %d has %d bytes", id, len(text))
					case !seen:
						before++
					}
				}
				// What fills the window, one that is being written, and some that are read
				// before the server comes to answer.
				if limit := window/size + 1 + 5; before > limit {
					t.Errorf("%d large replies came before the small one, want %d at most", before, limit)
				}
				f.endsWithoutMore()
			})
		}
	}
}

// slowFramer is a framer whose connection holds little that it has not read.
func slowFramer(t *testing.T, w wire, url string, window int) *framer {
	t.Helper()
	client := httpClient(t, false)
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the client has the transport %T", client.Transport)
	}
	transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: window, MaxReceiveBufferPerConnection: window}
	ctx, cancel := context.WithCancel(t.Context())
	uncompressed := connect.WithAcceptCompression("gzip", nil, nil) // what the tools say is very regular
	stream, err := mcpv1connect.NewMCPClient(client, url, append(slices.Clone(w.options), uncompressed)...).Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stream.CloseRequest()
		cancel()
		_ = stream.CloseResponse()
	})
	f := &framer{t: t, stream: stream}
	f.send(helloEnvelope(bothOffered))
	if f.next().GetHello() == nil {
		t.Fatal("the server has not said hello")
	}
	return f
}

// TestCallThatBlocksDelaysNothing: neither other calls, of the same message or later, nor
// cancellations.
func TestCallThatBlocksDelaysNothing(t *testing.T) {
	t.Parallel()
	eachCallForm(t, func(t *testing.T, w wire, form callForm) {
		all := everything.New(nil)
		f := newFramer(t, w, serve(t, all.MCP()), bothOffered)
		const blocking = 20
		message := &mcpv1.Envelope{}
		for id := uint64(1); id <= blocking; id++ {
			message.Batch = append(message.Batch, form.call(id, "block", `{}`), form.call(100+id, "greet", `{"name":"you"}`))
		}
		f.send(message)
		answered := map[uint64]bool{}
		for range blocking {
			id, _ := f.answer()
			answered[id] = true
		}
		for range blocking {
			<-all.Blocked()
		}
		for id := uint64(1); id <= blocking; id++ {
			if !answered[100+id] {
				t.Errorf("call %d was not answered while others block", 100+id)
			}
			f.send(form.call(200+id, "greet", `{"name":"you"}`))
			if got, _ := f.answer(); got != 200+id {
				t.Errorf("got the answer to %d, want %d", got, 200+id)
			}
			f.send(form.cancel(id))
			if cause := <-all.Unblocked(); cause == nil {
				t.Errorf("call %d was not cancelled", id)
			}
		}
		f.endsWithoutMore()
	})
}

// endsWithoutMore ends the stream; nothing more must come.
func (f *framer) endsWithoutMore() {
	f.t.Helper()
	if err := f.stream.CloseRequest(); err != nil {
		f.t.Fatal(err)
	}
	if len(f.waiting) > 0 {
		f.t.Errorf("got %v, want the end", f.waiting)
	}
	if e, err := f.stream.Receive(); !errors.Is(err, io.EOF) {
		f.t.Errorf("got %v, %v, want the end", e, err)
	}
}

// TestCancellationFindsACallThatHasNotStarted: it comes in the same message, which is taken in
// before any of its calls begins.
func TestCancellationFindsACallThatHasNotStarted(t *testing.T) {
	t.Parallel()
	eachCallForm(t, func(t *testing.T, w wire, form callForm) {
		started := make(chan error, 100)
		server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
		mcp.AddTool(server, &mcp.Tool{Name: "tells"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			started <- ctx.Err()
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}, nil, nil
		})
		f := newFramer(t, w, serve(t, server), bothOffered)
		const n = 20
		message := &mcpv1.Envelope{}
		for id := uint64(1); id <= n; id++ {
			message.Batch = append(message.Batch, form.call(id, "tells", `{}`), form.cancel(id))
		}
		message.Batch = append(message.Batch, form.call(n+1, "tells", `{}`))
		f.send(message)
		if id, _ := f.answer(); id != n+1 {
			t.Errorf("got the answer to call %d, want none but %d", id, n+1)
		}
		f.endsWithoutMore()
		close(started)
		live := 0
		for err := range started {
			if err == nil {
				live++
			}
		}
		if live != 1 {
			t.Errorf("%d tools ran as if nobody had cancelled them, want the one that is left", live)
		}
	})
}

// TestDeadlineOfAFrame: the tool sees the time that is left, and is stopped when it is over.
func TestDeadlineOfAFrame(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	server := askingServer(func(ctx context.Context, _ *mcp.ServerSession) error {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return nil
	})
	url := serve(t, server)
	all := everything.New(nil)
	blocking := serve(t, all.MCP())
	for _, w := range bidiWires {
		for _, form := range callForms[:2] {
			f := newFramer(t, w, url, bothOffered)
			for id, test := range []struct {
				ms       uint32
				min, max time.Duration
			}{
				{0, 9 * time.Minute, 10 * time.Minute}, // the server's limit
				{60_000, 30 * time.Second, time.Minute},
				{1 << 31, 9 * time.Minute, 10 * time.Minute},
			} {
				e := form.call(uint64(id), "ask", `{}`)
				e.GetCall().TimeoutMs = test.ms
				f.send(e)
				f.next()
				if got := <-left; got < test.min || got > test.max {
					t.Errorf("%s, %s: with %d ms the tool saw %v left", w.name, form.name, test.ms, got)
				}
			}
			f = newFramer(t, w, blocking, bothOffered)
			e := form.call(1, "block", `{}`)
			e.GetCall().TimeoutMs = 20
			f.send(e)
			f.fails(1, connect.CodeDeadlineExceeded, jsonrpc.CodeInternalError)
			if cause := <-all.Unblocked(); !errors.Is(cause, context.DeadlineExceeded) {
				t.Errorf("%s, %s: the tool was stopped by %v", w.name, form.name, cause)
			}
		}
	}
}

// TestManyCallsGetTheirOwnReplies: of mixed sizes, in messages and batches of many.
func TestManyCallsGetTheirOwnReplies(t *testing.T) {
	t.Parallel()
	eachCallForm(t, func(t *testing.T, w wire, form callForm) {
		const (
			calls = 1000
			batch = 100
		)
		f := newFramer(t, w, serve(t, textServer(nil), mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: calls})), bothOffered)
		args := func(id int) textArgs {
			a := textArgs{Name: fmt.Sprintf("%d:", id), N: id % 10}
			if id%50 == 0 {
				a.N = id * 64
			}
			return a
		}
		go func() {
			for first := 0; first < calls; first += batch {
				message := &mcpv1.Envelope{}
				for id := first; id < first+batch; id++ {
					message.Batch = append(message.Batch, form.call(uint64(id), "text", args(id).String()))
				}
				if err := f.stream.Send(message); err != nil {
					t.Error(err)
				}
			}
		}()
		seen := map[uint64]bool{}
		for range calls {
			id, text := f.answer()
			if seen[id] {
				t.Errorf("call %d was answered twice", id)
			}
			seen[id] = true
			if want := args(int(id)).text(); text != want {
				t.Errorf("call %d: %s", id, cmp.Diff(want, text))
			}
		}
		f.endsWithoutMore()
	})
}
