// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A Transport connects an [mcp.Client] of the Go SDK to a server of this package, or to
// any other that speaks mcp.v1:
//
//	session, err := mcp.NewClient(impl, nil).Connect(ctx, mcpconnect.NewTransport("http://127.0.0.1:8080"), nil)
//
// All of the SDK's client works, of modern and of legacy protocol versions: progress,
// elicitation, sampling, roots, logging, subscriptions, cancellation, deadlines.
//
// Messages travel in envelopes, as they are (SPEC.md §4). Over gRPC, and over Connect on
// HTTP/2, one bidirectional stream carries them all. Over gRPC-Web and over HTTP/1.1 each
// has an RPC of its own, and a legacy session one more for what the server says of
// itself; that one is opened again when it breaks.
//
// An RPC that fails is an error of its call, and the session goes on; see the package
// comment for what the error holds. When the stream breaks, modern calls in flight fail
// and the next one opens a new stream. Calls that the server has left undone as it drained
// (SPEC.md §10.4) are made again there, and do not fail. Subscriptions in flight end with it: the SDK does
// not tell. A legacy session that was on the stream is lost, and all its calls fail.
//
// A Transport may be connected several times, also concurrently; each connection is
// independent. Closing the [mcp.ClientSession] ends all that it has open.
type Transport struct {
	url string
	cfg *clientConfig
}

var _ mcp.Transport = (*Transport)(nil)

// NewTransport gives a transport to the server at url: its scheme and host, and the path
// under which the handler is mounted, if any; for example "https://example.com/mcp". What
// is wrong with url or the options, Connect tells.
//
// Options that are for a typed [Client] only have no effect.
func NewTransport(url string, opts ...ClientOption) *Transport {
	return &Transport{url: url, cfg: newClientConfig(opts)}
}

// Connect implements [mcp.Transport]. It sends nothing yet. The values of ctx, but not
// its end, hold for the stream of the connection; those of each call for its own RPC.
func (t *Transport) Connect(ctx context.Context) (mcp.Connection, error) {
	l, err := t.cfg.dial(t.url)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if l.duplex {
		return &streamConn{link: l, inbox: newInbox(), ctx: ctx, cancel: cancel}, nil
	}
	return &sendConn{
		link: l, inbox: newInbox(), ctx: ctx, cancel: cancel,
		calls: map[jsonrpc.ID]sentCall{},
	}, nil
}

// An inbox is where the messages of all RPCs of a connection meet its one reader.
type inbox struct {
	messages chan jsonrpc.Message
	closed   chan struct{}
	once     sync.Once
	err      error // why it is closed; set before
}

func newInbox() *inbox {
	return &inbox{messages: make(chan jsonrpc.Message), closed: make(chan struct{})}
}

// put hands m to the reader, if there still is one.
func (b *inbox) put(m jsonrpc.Message) {
	select {
	case b.messages <- m:
	case <-b.closed:
	}
}

// fail ends the connection for its reader; the first reason counts.
func (b *inbox) fail(err error) {
	b.once.Do(func() {
		b.err = err
		close(b.closed)
	})
}

// failed tells whether the connection has ended for its reader.
func (b *inbox) failed() bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}

// Read implements [mcp.Connection].
func (b *inbox) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case m := <-b.messages:
		return m, nil
	case <-b.closed:
		return nil, b.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// end says that the connection was closed on this side.
func (b *inbox) end() { b.fail(io.EOF) }

// answer gives the reader an error response.
func (b *inbox) answer(id jsonrpc.ID, err error) {
	b.put(&jsonrpc.Response{ID: id, Error: err})
}
