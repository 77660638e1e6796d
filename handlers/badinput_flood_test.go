// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// TestAFloodWaitsForItsReader has a tool that says more than buffers hold to a client
// that does not read. The tool must wait, nobody else, and nothing is lost.
func TestAFloodWaitsForItsReader(t *testing.T) {
	t.Parallel()
	server := everything.NewServer()
	var said atomic.Int64
	ended := make(chan error, 1)
	server.AddTool(&mcp.Tool{Name: "flood", InputSchema: map[string]any{"type": "object"}}, func(ctx context.Context, req *mcp.CallToolRequest) (_ *mcp.CallToolResult, err error) {
		defer func() { ended <- err }()
		p := &mcp.ProgressNotificationParams{ProgressToken: "p", Message: strings.Repeat("x", 16<<10)}
		var in struct{ Count int }
		if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
			return nil, err
		}
		for range in.Count {
			p.Progress++
			if err := req.Session.NotifyProgress(ctx, p); err != nil {
				return nil, err
			}
			said.Add(1)
		}
		return &mcp.CallToolResult{Content: []mcp.Content{}}, nil
	})
	url := badServer(t, server, mcpconnect.WithLimits(mcpconnect.Limits{WriteTimeout: patience}))
	for _, w := range wires {
		b := newBadClient(t, w, url)
		b.rpc = w.slow(t, url)
		notes := 160 // of 16 KiB each: more than our queue and the window of HTTP/2
		if w.http1 {
			notes = 500 // more than the kernel's buffers
		}
		for name, open := range b.floods(notes) {
			said.Store(0)
			ctx, cancel := context.WithCancel(testContext(t))
			receive := open(ctx)
			b.stalls(w.name+", "+name, &said, notes)
			for n := 0; ; n++ {
				last, err := receive()
				if err != nil {
					t.Fatalf("%s, %s: after %d messages: %v", w.name, name, n, err)
				}
				if last {
					if n != notes {
						t.Errorf("%s, %s: got %d of %d messages", w.name, name, n, notes)
					}
					break
				}
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			cancel()

			said.Store(0)
			ctx, cancel = context.WithCancel(testContext(t))
			open(ctx)
			b.stalls(w.name+", "+name, &said, notes)
			cancel()
			if err := <-ended; err == nil {
				t.Errorf("%s, %s: the tool goes on though its client is gone", w.name, name)
			}
		}
	}
}

// slow gives a client that reads no further ahead than it must.
func (w wire) slow(t *testing.T, url string) mcpv1connect.MCPClient {
	const ahead = 64 << 10
	client := httpClient(t, w.http1)
	tr, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("transport is a %T", client.Transport)
	}
	tr.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: ahead}
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(ahead)
		}
		return conn, err
	}
	opts := append(slices.Clone(w.options), connect.WithAcceptCompression("gzip", nil, nil))
	return mcpv1connect.NewMCPClient(client, url, opts...)
}

// stalls waits until a tool says nothing more, while others are served.
func (b *badClient) stalls(name string, said *atomic.Int64, all int) {
	b.t.Helper()
	last := int64(-1)
	eventually(b.t, "the flood stalls", func() bool {
		for range 5 {
			if err := b.serves(); err != nil {
				b.t.Fatalf("%s: others are not served: %v", name, err)
			}
		}
		before := last
		last = said.Load()
		return last > 0 && before == last
	})
	if last >= int64(all) {
		b.t.Errorf("%s: the server took all of a flood that nobody reads", name)
	}
}

// floods are the ways to call the tool that floods. Each gives a function that receives
// one message and says whether it is the outcome.
func (b *badClient) floods(notes int) map[string]func(context.Context) func() (bool, error) {
	args := fmt.Sprintf(`{"count":%d}`, notes)
	call := `{"name":"flood","arguments":` + args + `,"_meta":{"progressToken":"p"}}`
	request := badCall("flood", args)
	request.Meta = &mcpv1.RequestMeta{ProgressToken: &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: "p"}}}
	take := func(s envelopeStream) func() (bool, error) {
		return func() (bool, error) {
			e, err := s.Receive()
			return e.GetResponse() != nil, err
		}
	}
	ways := map[string]func(context.Context) func() (bool, error){
		"CallTool": func(ctx context.Context) func() (bool, error) {
			stream, err := b.rpc.CallTool(ctx, request)
			if err != nil {
				b.t.Fatal(err)
			}
			return func() (bool, error) {
				if !stream.Receive() {
					return false, errors.Join(stream.Err(), io.ErrUnexpectedEOF)
				}
				return stream.Msg().GetResult() != nil, nil
			}
		},
		"Send": func(ctx context.Context) func() (bool, error) {
			stream, err := b.rpc.Send(ctx, envelope(1, "tools/call", []byte(call)))
			if err != nil {
				b.t.Fatal(err)
			}
			return take(sendStream{stream})
		},
	}
	if b.wire.bidi() {
		ways["Connect"] = func(ctx context.Context) func() (bool, error) {
			stream, err := b.rpc.Connect(ctx)
			if err != nil {
				b.t.Fatal(err)
			}
			if err := stream.Send(envelope(1, "tools/call", []byte(call))); err != nil {
				b.t.Fatal(err)
			}
			noticeCancel(ctx, stream)
			return take(stream)
		}
	}
	return ways
}
