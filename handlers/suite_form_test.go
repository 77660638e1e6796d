// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A peer is a client as a suite wants it.
type peer struct {
	wire         wire
	url, version string
	capabilities string
	structs      bool // speaks in google.protobuf.Struct where it can
	answer       answerer
}

func (p peer) modern() bool { return p.version >= modernVersion }

func (p peer) encoding() mcpv1.JsonEncoding {
	if p.structs {
		return mcpv1.JsonEncoding_JSON_ENCODING_STRUCT
	}
	return mcpv1.JsonEncoding_JSON_ENCODING_BYTES
}

// A client makes one request after the other.
type client func(ctx context.Context, method string, params json.RawMessage) outcome

// A form is a way to put a JSON-RPC request on a wire.
type form struct {
	name    string
	bidi    bool
	typed   bool
	unary   bool // notifications are not seen
	structs bool
	// streamable says that it is no RPC: of each version of HTTP, one wire is enough.
	streamable bool
	open       func(t *testing.T, p peer) client
}

var forms = []form{
	{name: "Send", open: openSend},
	{name: "Connect", bidi: true, open: openConnect},
	{name: "typed", typed: true, open: openTyped(typedCalls)},
	{name: "typed unary", typed: true, unary: true, open: openTyped(unaryCalls())},
	{name: "Streamable HTTP", streamable: true, open: openStreamable},
}

// envelopeForms are those that any method and any request of the server fit in.
var envelopeForms = []form{forms[0], forms[1], forms[4]}

var structForms = []form{
	{name: "Send", structs: true, open: openSend},
	{name: "Connect", structs: true, bidi: true, open: openConnect},
	{name: "typed", structs: true, typed: true, open: openTyped(typedCalls)},
	{name: "typed unary", structs: true, typed: true, unary: true, open: openTyped(unaryCalls())},
}

// has tells whether the form can make a request.
func (f form) has(c suiteCase, version string) bool {
	if c.only != "" && (c.only == "modern") != (version >= modernVersion) {
		return false
	}
	if f.streamable {
		return c.fitsStreamable(version)
	}
	return !f.typed || typedCalls[c.method] != nil || viaSend[c.method]
}

// fits tells whether the form is to be seen on w.
func (f form) fits(w wire) bool {
	if f.streamable {
		return strings.HasPrefix(w.name, "Connect proto") || w.name == someWires[1].name
	}
	return w.bidi() || !f.bidi
}

// viaSend are methods without a typed RPC that typed clients send in envelopes.
var viaSend = map[string]bool{"logging/setLevel": true}

// envelope gives the envelope of a request as the peer writes it.
func (p peer) envelope(id int64, method string, params json.RawMessage) *mcpv1.Envelope {
	if !p.structs {
		return envelope(id, method, params)
	}
	text := fmt.Sprintf("id-%d", id)
	r := &mcpv1.JsonRpcRequest{Id: &text}
	var err error
	if r.Params, r.ParamsJson, err = mapping.Twins(params, p.encoding()); err != nil {
		r.ParamsJson = params // malformed on purpose
	}
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Request{Request: r}}
}

// reply answers a request of the server.
func (p peer) reply(e *mcpv1.Envelope) *mcpv1.Envelope {
	r := e.GetRequest()
	result := p.answer(e.GetMethod(), eitherTwin(r.GetParams(), r.GetParamsJson()))
	return response(r.Id, result)
}

// response gives a client's response.
func response(id *string, result json.RawMessage) *mcpv1.Envelope {
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: &mcpv1.JsonRpcResponse{
		Id: id, Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: result},
	}}}
}

// A sender makes calls by Send, in the session that its first one opens, if any.
type sender struct {
	peer
	t       testing.TB
	rpc     sendClient
	mu      sync.Mutex
	session string
}

type sendClient interface {
	Send(context.Context, *mcpv1.Envelope) (*connect.ServerStreamForClient[mcpv1.Envelope], error)
}

func (s *sender) open(ctx context.Context, e *mcpv1.Envelope) (*connect.ServerStreamForClient[mcpv1.Envelope], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rpc.Send(inSession(ctx, s.session), e)
}

// tell sends what has no response.
func (s *sender) tell(ctx context.Context, e *mcpv1.Envelope) error {
	stream, err := s.open(ctx, e)
	if err != nil {
		return err
	}
	for stream.Receive() {
	}
	return errors.Join(stream.Err(), stream.Close())
}

func (s *sender) call(ctx context.Context, method string, params json.RawMessage) outcome {
	e := s.envelope(1, method, params)
	stream, err := s.open(ctx, e)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = stream.Close() }()
	var reply func(*mcpv1.Envelope) error
	if s.answer != nil {
		reply = func(e *mcpv1.Envelope) error { return s.tell(ctx, s.reply(e)) }
	}
	see := func(m *mcpv1.Envelope) {
		if s.structs && len(e.GetRequest().GetParamsJson()) == 0 { // who sends text gets text
			checkTwins(s.t, m)
		}
	}
	o, err := readAnswering(sendStream{stream}, reply, see)
	if err != nil {
		return failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := stream.ResponseHeader().Get("Mcp-Session-Id"); id != "" {
		s.session = id
	}
	if stream.Receive() {
		s.t.Errorf("after the response came %v", stream.Msg())
	}
	if err := stream.Err(); err != nil {
		return failed(err)
	}
	return o
}

func openSend(t *testing.T, p peer) client {
	s := newSender(t, p)
	return s.call
}

// newSender gives a sender, in a session of its own if it is legacy.
func newSender(t testing.TB, p peer) *sender {
	t.Helper()
	s := &sender{peer: p, t: t, rpc: p.wire.client(t, p.url)}
	if !p.modern() {
		ctx := testContext(t)
		if o := s.call(ctx, "initialize", initializeDeclaring(p.version, p.capabilities)); o.err != nil || s.session == "" {
			t.Fatalf("initialize gave %v and session %q", o, s.session)
		}
		if err := s.tell(ctx, initialized()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func initialized() *mcpv1.Envelope { return clientNote("notifications/initialized", "{}") }

func clientNote(method, params string) *mcpv1.Envelope {
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Notification{
		Notification: &mcpv1.JsonRpcNotification{ParamsJson: []byte(params)},
	}}
}

// A connectStream is a Connect stream from the client's end.
type connectStream = connect.BidiStreamForClientSimple[mcpv1.Envelope, mcpv1.Envelope]

// dial opens a Connect stream that ends with the test.
func dial(t testing.TB, w wire, url, session string) *connectStream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := w.client(t, url).Connect(inSession(ctx, session))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stream.CloseRequest()
		cancel()
		_ = stream.CloseResponse()
	})
	return stream
}

func openConnect(t *testing.T, p peer) client {
	stream := dial(t, p.wire, p.url, "")
	id, exactText := int64(0), false // who sends text gets text, on the whole stream
	var reply func(*mcpv1.Envelope) error
	if p.answer != nil {
		reply = func(e *mcpv1.Envelope) error { return stream.Send(p.reply(e)) }
	}
	call := func(_ context.Context, method string, params json.RawMessage) outcome {
		id++
		e := p.envelope(id, method, params)
		exactText = exactText || len(e.GetRequest().GetParamsJson()) > 0
		if err := stream.Send(e); err != nil {
			return failed(err)
		}
		o, err := readAnswering(stream, reply, func(e *mcpv1.Envelope) {
			if p.structs && !exactText {
				checkTwins(t, e)
			}
		})
		if err != nil {
			return failed(err)
		}
		return o
	}
	if !p.modern() {
		if o := call(t.Context(), "initialize", initializeDeclaring(p.version, p.capabilities)); o.err != nil {
			t.Fatal(o.err)
		}
		if err := stream.Send(&mcpv1.Envelope{Method: "notifications/initialized", Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{}}}); err != nil {
			t.Fatal(err)
		}
	}
	return call
}

func failed(err error) outcome {
	if e := detail(err); e != nil {
		return outcome{err: e}
	}
	return outcome{err: &jsonrpc.Error{Message: "RPC failed: " + err.Error()}}
}

// inSession gives ctx the metadata of calls in a session.
func inSession(ctx context.Context, session string) context.Context {
	ctx, info := connect.NewClientContext(ctx)
	if session != "" {
		info.RequestHeader().Set("Mcp-Session-Id", session)
	}
	return ctx
}
