// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of the tests: for a machine that is busy, not for a server
// that is slow.
const patience = 30 * time.Second

// A wire is one way to reach the handler.
type wire struct {
	name    string
	http1   bool
	options []connect.ClientOption
}

func (w wire) bidi() bool { return !w.http1 && w.name != "gRPC-Web h2" }

var wires = []wire{
	{"gRPC", false, []connect.ClientOption{connect.WithGRPC()}},
	{"gRPC-Web h2", false, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"gRPC-Web HTTP1", true, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"Connect proto h2", false, nil},
	{"Connect proto HTTP1", true, nil},
	{"Connect JSON h2", false, []connect.ClientOption{connect.WithProtoJSON()}},
	{"Connect JSON HTTP1", true, []connect.ClientOption{connect.WithProtoJSON()}},
}

// quiet is a logger for tests that provoke what gets logged.
var quiet = mcpconnect.WithLogger(slog.New(slog.DiscardHandler))

// serve runs a handler for server until the test ends, and gives its URL.
func serve(t testing.TB, server *mcp.Server, opts ...mcpconnect.HandlerOption) string {
	t.Helper()
	url, _ := serveHandler(t, server, opts...)
	return url
}

func serveHandler(t testing.TB, server *mcp.Server, opts ...mcpconnect.HandlerOption) (string, *mcpconnect.Handler) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := mcpconnect.NewHandler(server, append([]mcpconnect.HandlerOption{quiet, mcpconnect.WithStreamableHTTP()}, opts...)...)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- mcpconnect.Serve(ctx, ln, h, mcpconnect.WithGracePeriod(patience)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String(), h
}

// httpClient gives a client for one version of HTTP whose connections end with the test.
func httpClient(t testing.TB, http1 bool) *http.Client {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(http1)
	p.SetUnencryptedHTTP2(!http1)
	tr := &http.Transport{Protocols: p}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (w wire) client(t testing.TB, url string, opts ...connect.ClientOption) mcpv1connect.MCPClient {
	t.Helper()
	return mcpv1connect.NewMCPClient(httpClient(t, w.http1), url, append(slices.Clone(w.options), opts...)...)
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// An outcome is what a request gave: notifications in order, requests of the server, then
// a result or an error.
type outcome struct {
	notes  []string // method and params
	asked  []string // requests of the server: method and params, sorted
	result json.RawMessage
	err    *jsonrpc.Error
}

func (o outcome) String() string {
	var b strings.Builder
	for _, n := range o.notes {
		fmt.Fprintf(&b, "notification %s\n", n)
	}
	for _, n := range slices.Sorted(slices.Values(o.asked)) {
		fmt.Fprintf(&b, "request %s\n", n)
	}
	if o.err != nil {
		fmt.Fprintf(&b, "error %d %s %s\n", o.err.Code, o.err.Message, canonical(o.err.Data))
	} else {
		fmt.Fprintf(&b, "result %s\n", canonical(o.result))
	}
	return b.String()
}

// canonical writes JSON so that equal values have equal texts: members sorted, numbers
// as exact fractions.
func canonical(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "malformed: " + string(text)
	}
	fillEmptyText(v)
	out, err := json.MarshalIndent(exact(v), "", " ")
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// fillEmptyText adds the empty text of resource contents, which the SDK's encoder drops
// though MCP requires it; the typed form keeps it.
func fillEmptyText(v any) {
	switch v := v.(type) {
	case map[string]any:
		if r, ok := v["resource"].(map[string]any); ok {
			fillEmptyText([]any{r})
		}
		for k, member := range v {
			if contents, ok := member.([]any); ok && k == "contents" {
				fillEmptyText(contents)
			} else if k != "contents" && k != "resource" {
				fillEmptyText(member)
			}
		}
	case []any:
		for _, item := range v {
			r, ok := item.(map[string]any)
			if ok && r["uri"] != nil && r["text"] == nil && r["blob"] == nil && r["type"] == nil && r["name"] == nil {
				r["text"] = ""
			}
			fillEmptyText(item)
		}
	}
}

func exact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case json.Number:
		r, ok := new(big.Rat).SetString(v.String())
		switch {
		case ok && r.Sign() == 0 && strings.HasPrefix(v.String(), "-"):
			return "number -0"
		case ok:
			return "number " + r.RatString()
		}
	}
	return v
}

// A rawPeer speaks JSON-RPC to a server over the SDK's in-memory transport: the measure
// for what any wire must give.
type rawPeer struct {
	conn   mcp.Connection
	next   float64
	answer answerer // nil if no requests are expected
}

func newRawPeer(t testing.TB, server *mcp.Server) *rawPeer {
	t.Helper()
	ctx := context.Background()
	client, srv := mcp.NewInMemoryTransports()
	ss, err := server.Connect(ctx, srv, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = ss.Wait()
	})
	return &rawPeer{conn: conn}
}

func (p *rawPeer) call(ctx context.Context, method string, params json.RawMessage) (o outcome) {
	p.next++
	id, err := jsonrpc.MakeID(p.next)
	if err != nil {
		return outcome{err: &jsonrpc.Error{Message: err.Error()}}
	}
	if err := p.conn.Write(ctx, &jsonrpc.Request{ID: id, Method: method, Params: params}); err != nil {
		return outcome{err: &jsonrpc.Error{Message: err.Error()}}
	}
	for {
		m, err := p.conn.Read(ctx)
		if err != nil {
			return outcome{err: &jsonrpc.Error{Message: err.Error()}}
		}
		switch m := m.(type) {
		case *jsonrpc.Request:
			if !m.IsCall() {
				o.notes = append(o.notes, m.Method+" "+canonical(m.Params))
				continue
			}
			o.asked = append(o.asked, m.Method+" "+canonical(m.Params))
			res := &jsonrpc.Response{ID: m.ID, Result: p.answer(m.Method, m.Params)}
			if err := p.conn.Write(ctx, res); err != nil {
				return outcome{err: &jsonrpc.Error{Message: err.Error()}}
			}
		case *jsonrpc.Response:
			o.result = m.Result
			if wire, ok := errors.AsType[*jsonrpc.Error](m.Error); ok {
				o.err = wire
			}
			return o
		}
	}
}

func (p *rawPeer) notify(ctx context.Context, method string) error {
	return p.conn.Write(ctx, &jsonrpc.Request{Method: method})
}

// envelope gives the envelope of a request.
func envelope(id int64, method string, params json.RawMessage) *mcpv1.Envelope {
	return &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{IntId: &id, ParamsJson: params}}}
}

// An envelopeStream is what Send and Connect have in common.
type envelopeStream interface {
	Receive() (*mcpv1.Envelope, error)
}

type sendStream struct {
	*connect.ServerStreamForClient[mcpv1.Envelope]
}

func (s sendStream) Receive() (*mcpv1.Envelope, error) {
	if s.ServerStreamForClient.Receive() {
		return s.Msg(), nil
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// read takes messages up to the response.
func read(s envelopeStream) (o outcome, err error) { return readAnswering(s, nil, nil) }

// readAnswering is read for a peer that is asked: reply sends its responses. see is shown
// each envelope.
func readAnswering(s envelopeStream, reply func(*mcpv1.Envelope) error, see func(*mcpv1.Envelope)) (o outcome, err error) {
	for {
		e, err := s.Receive()
		if err != nil {
			return o, err
		}
		if see != nil {
			see(e)
		}
		switch k := e.Kind.(type) {
		case *mcpv1.Envelope_Notification:
			o.notes = append(o.notes, e.Method+" "+canonical(eitherTwin(k.Notification.Params, k.Notification.ParamsJson)))
		case *mcpv1.Envelope_Request:
			o.asked = append(o.asked, e.Method+" "+canonical(eitherTwin(k.Request.Params, k.Request.ParamsJson)))
			if reply == nil {
				return o, fmt.Errorf("unexpected request of the server: %v", e)
			}
			if err := reply(e); err != nil {
				return o, err
			}
		case *mcpv1.Envelope_Response:
			if e := k.Response.GetError(); e != nil {
				o.err = wireError(e)
			}
			o.result = eitherTwin(k.Response.GetResult(), k.Response.GetResultJson())
			return o, nil
		}
	}
}

// eitherTwin gives the text of a member that has a Struct and a text for it.
func eitherTwin(s *structpb.Struct, text []byte) json.RawMessage {
	out, err := mapping.JSONText(s, text)
	if err != nil {
		return json.RawMessage("malformed: " + err.Error())
	}
	return out
}

func wireError(e *mcpv1.JsonRpcError) *jsonrpc.Error {
	data := json.RawMessage(e.DataJson)
	if e.Data != nil {
		data, _ = e.Data.MarshalJSON()
	}
	return &jsonrpc.Error{Code: int64(e.Code), Message: e.Message, Data: data}
}

// detail gives the JSON-RPC error of a failed RPC, nil for none.
func detail(err error) *jsonrpc.Error {
	ce, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return nil
	}
	for _, d := range ce.Details() {
		if m, err := d.Value(); err == nil {
			if e, ok := m.(*mcpv1.JsonRpcError); ok {
				return wireError(e)
			}
		}
	}
	return nil
}
