// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/base64"
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

// A badInput is a row of the table in SPEC.md §11.4, with one way to bring it about.
type badInput struct {
	name   string
	header []string // metadata: key, value, key, value, ...
	legacy bool     // in a session
	mute   bool     // the metadata makes every request of a stream fail

	typed     func(context.Context, mcpv1connect.MCPClient) error
	wantTyped verdict

	message    *mcpv1.Envelope
	wantSend   verdict
	wantStream verdict
}

// A verdict is what a bad message gets. The zero verdict means that the form does not
// have the case.
type verdict struct {
	how  string
	code connect.Code // of the RPC that fails
	rpc  int64        // JSON-RPC code; 0 for an error before the request could be read
	data string
}

// fails: the RPC fails.
func fails(code connect.Code, rpc int64) verdict { return verdict{how: "fails", code: code, rpc: rpc} }

// answers: there is an error response with the id of the request.
func answers(rpc int64) verdict { return verdict{how: "answers", rpc: rpc} }

// anonymous: there is an error response without id.
func anonymous(rpc int64) verdict { return verdict{how: "anonymous", rpc: rpc} }

// dropped: nothing comes back, and nothing fails.
var dropped = verdict{how: "dropped"}

func (v verdict) with(data string) verdict {
	v.data = data
	return v
}

// badServer runs a server of which nothing must be left at the end.
func badServer(t *testing.T, server *mcp.Server, opts ...mcpconnect.HandlerOption) string {
	t.Helper()
	t.Cleanup(func() { noSessionLeft(t, server) }) // after that of serve, which closes the handler
	return serve(t, server, opts...)
}

// runBadInput brings about each row in each form on each wire, and sees to it that the
// server goes on serving.
func runBadInput(t *testing.T, rows []badInput, opts ...mcpconnect.HandlerOption) {
	t.Helper()
	t.Parallel()
	url := badServer(t, everything.NewServer(), opts...)
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b := newBadClient(t, w, url)
			for _, row := range rows {
				b.run(row)
				if err := b.serves(); err != nil {
					t.Fatalf("%s: afterwards the server does not serve others: %v", row.name, err)
				}
			}
		})
	}
}

// A badClient brings about bad input on one wire. It looks into every response for what
// must not be there.
type badClient struct {
	t    *testing.T
	wire wire
	url  string
	rpc  mcpv1connect.MCPClient
	// witness has a connection of its own.
	witness mcpv1connect.MCPClient
}

func newBadClient(t *testing.T, w wire, url string) *badClient {
	return &badClient{t, w, url, w.scanned(t, url), w.client(t, url)}
}

// scanned gives a client whose responses must not hold the secrets of the server.
func (w wire) scanned(t *testing.T, url string, opts ...connect.ClientOption) mcpv1connect.MCPClient {
	opts = append(slices.Clone(w.options), opts...)
	opts = append(opts, connect.WithAcceptCompression("gzip", nil, nil)) // text that is compressed hides
	return mcpv1connect.NewMCPClient(secretScan{t, httpClient(t, w.http1)}, url, opts...)
}

// serves makes a call that nothing is wrong with.
func (b *badClient) serves() error {
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	res, err := b.witness.InvokeTool(ctx, badCall("test_simple_text", `{}`))
	if err == nil && res.GetResult().GetIsError() {
		err = fmt.Errorf("the result is an error: %v", res)
	}
	return err
}

func (b *badClient) run(row badInput) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	session := ""
	if row.legacy {
		session = initializeTyped(b.t, b.rpc, "2025-11-25")
	}
	if row.wantTyped.how != "" {
		err := row.typed(withMetadata(ctx, session, row.header), b.rpc)
		b.expect(row.name+", typed", row.wantTyped, nil, err, nil)
	}
	if row.wantSend.how != "" {
		got, err := b.send(withMetadata(ctx, session, row.header), row.message)
		b.expect(row.name+", Send", row.wantSend, got, err, row.message)
	}
	if row.wantStream.how != "" && b.wire.bidi() {
		got, err := b.stream(ctx, row)
		b.expect(row.name+", Connect", row.wantStream, got, err, row.message)
	}
	if session != "" {
		if _, err := b.rpc.Shutdown(withMetadata(ctx, session, nil), &mcpv1.ShutdownRequest{}); err != nil {
			b.t.Errorf("%s: Shutdown failed: %v", row.name, err)
		}
	}
}

func withMetadata(ctx context.Context, session string, header []string) context.Context {
	ctx, info := connect.NewClientContext(ctx)
	if session != "" {
		info.RequestHeader().Set("Mcp-Session-Id", session)
	}
	for i := 0; i < len(header); i += 2 {
		info.RequestHeader().Add(header[i], header[i+1])
	}
	return ctx
}

// send gives all messages that a Send gets.
func (b *badClient) send(ctx context.Context, e *mcpv1.Envelope) (got []*mcpv1.Envelope, err error) {
	stream, err := b.rpc.Send(ctx, e)
	if err != nil {
		return nil, err
	}
	return drain(sendStream{stream})
}

func drain(s envelopeStream) (got []*mcpv1.Envelope, err error) {
	for {
		e, err := s.Receive()
		switch {
		case errors.Is(err, io.EOF):
			return got, nil
		case err != nil:
			return got, err
		}
		got = append(got, e)
	}
}

// sentinel is a good request. What comes before the stream's end is the answer to it, and
// to what was sent before it.
const sentinel = 4711

// stream sends the message of row on a Connect stream, and a good request after it, and
// gives all that comes back but the answer to the latter.
func (b *badClient) stream(ctx context.Context, row badInput) ([]*mcpv1.Envelope, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := b.rpc.Connect(withMetadata(ctx, "", row.header))
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.CloseResponse() }()
	if row.legacy {
		if err := openSession(stream); err != nil {
			b.t.Fatalf("%s: initialize on a stream: %v", row.name, err)
		}
	}
	good := envelope(sentinel, "tools/call", []byte(`{"name":"test_simple_text","arguments":{}}`))
	// A stream that has failed says why when it is read.
	_ = stream.Send(row.message)
	_ = stream.Send(good)
	_ = stream.CloseRequest()
	got, err := drain(stream)
	if err != nil {
		return got, err
	}
	i := slices.IndexFunc(got, func(e *mcpv1.Envelope) bool { return e.GetResponse().GetIntId() == sentinel })
	switch {
	case i < 0:
		b.t.Errorf("%s: a good request on the same stream was not answered", row.name)
		return got, nil
	case got[i].GetResponse().GetError() != nil && !row.mute:
		b.t.Errorf("%s: a good request on the same stream failed: %v", row.name, got[i])
	}
	return slices.Delete(got, i, i+1), nil
}

func openSession(stream *connectStream) error {
	if err := stream.Send(envelope(1000, "initialize", initializeDeclaring("2025-11-25", `{"elicitation":{},"sampling":{}}`))); err != nil {
		return err
	}
	o, err := read(stream)
	if err == nil && o.err != nil {
		err = o.err
	}
	if err != nil {
		return err
	}
	return stream.Send(initialized())
}

// expect compares what came back with the verdict.
func (b *badClient) expect(name string, want verdict, got []*mcpv1.Envelope, err error, sent *mcpv1.Envelope) {
	b.t.Helper()
	if e := leaked(got, err); e != "" {
		b.t.Errorf("%s: the server's secret leaked: %s", name, e)
	}
	if want.how == "fails" {
		b.expectFailure(name, want, got, err)
		return
	}
	if err != nil {
		b.t.Errorf("%s: the RPC failed: %v, detail %v; want that it %s", name, err, detail(err), want.how)
		return
	}
	if want.how == "dropped" {
		if len(got) > 0 {
			b.t.Errorf("%s: got %v, want nothing", name, got)
		}
		return
	}
	if len(got) != 1 || got[0].GetResponse().GetError() == nil {
		b.t.Errorf("%s: got %v, want one error response", name, got)
		return
	}
	r := got[0].GetResponse()
	b.compare(name, want, wireError(r.GetError()))
	id, intID := sent.GetRequest().GetId(), sent.GetRequest().GetIntId()
	named := r.Id != nil || r.IntId != nil
	if want.how == "anonymous" && named || want.how == "answers" && (!named || r.GetId() != id || r.GetIntId() != intID) {
		b.t.Errorf("%s: the response has the wrong id: %v", name, r)
	}
}

func (b *badClient) expectFailure(name string, want verdict, got []*mcpv1.Envelope, err error) {
	b.t.Helper()
	if err == nil {
		b.t.Errorf("%s: the RPC did not fail, it gave %v; want %v", name, got, want.code)
		return
	}
	if code := connect.CodeOf(err); code != want.code {
		b.t.Errorf("%s: got %v: %v, want %v", name, code, err, want.code)
	}
	switch e := detail(err); {
	case e == nil && want.rpc != 0:
		b.t.Errorf("%s: no JsonRpcError beside %v", name, err)
	case e != nil && want.rpc != 0:
		b.compare(name, want, e)
	}
	if len(got) > 0 {
		b.t.Errorf("%s: before it failed the RPC gave %v", name, got)
	}
}

func (b *badClient) compare(name string, want verdict, got *jsonrpc.Error) {
	b.t.Helper()
	if got.Code != want.rpc {
		b.t.Errorf("%s: got JSON-RPC error %d %q, want %d", name, got.Code, got.Message, want.rpc)
	}
	if got.Message == "" {
		b.t.Errorf("%s: the error %d has no message", name, got.Code)
	}
	if want.data != "" {
		if diff := cmp.Diff(canonical([]byte(want.data)), canonical(got.Data)); diff != "" {
			b.t.Errorf("%s: data differ (-want +got):\n%s", name, diff)
		}
	}
}

// secret is the part of everything.Secret that no encoding changes.
const secret = "swordfish"

// leaked looks for the secret where it may be encoded on the wire.
func leaked(got []*mcpv1.Envelope, err error) string {
	text := fmt.Sprint(got)
	if err != nil {
		text += err.Error() + fmt.Sprint(detail(err))
		if e := detail(err); e != nil {
			text += string(e.Data)
		}
	}
	if strings.Contains(text, secret) || !strings.Contains(everything.Secret, secret) {
		return text
	}
	return ""
}

// secretScan looks for the secret in the bytes of responses.
type secretScan struct {
	t      *testing.T
	client *http.Client
}

func (s secretScan) Do(req *http.Request) (*http.Response, error) {
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	s.header(res.Header)
	res.Body = &scannedBody{ReadCloser: res.Body, scan: s, res: res}
	return res, nil
}

func (s secretScan) header(h http.Header) {
	for key, values := range h {
		for _, v := range values {
			plain, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
			if strings.Contains(v, secret) || strings.Contains(string(plain), secret) {
				s.t.Errorf("the server's secret leaked in %s: %q %q", key, v, plain)
			}
		}
	}
}

type scannedBody struct {
	io.ReadCloser
	scan secretScan
	res  *http.Response
	tail string
}

func (b *scannedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	text := b.tail + string(p[:n])
	if strings.Contains(text, secret) {
		b.scan.t.Errorf("the server's secret leaked: %q", text)
	}
	b.tail = text[max(0, len(text)-len(secret)):]
	if err != nil {
		b.scan.header(b.res.Trailer)
	}
	return n, err
}

// eventually waits for what nothing tells of.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting until %s", what)
		}
	}
}
