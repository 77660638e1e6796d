// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A link carries messages to an upstream server and back.
type link interface {
	// send takes a message, waiting for room until ctx ends. For a call, ctx is the caller's:
	// its values and its deadline may travel with the message.
	send(ctx context.Context, m *message) error
	// receive waits for the next message. Its error is the end of the link.
	receive() (*message, error)
	// close ends the link, and frees what it holds. It may be called at any time.
	close()
	// wait waits until all of the link has ended, after close.
	wait()
}

// An awakeLink can be read by those who make calls, too.
type awakeLink interface {
	link
	// receiveAll gives the peer each message, one at a time. Its error is the end of the link.
	receiveAll(p *peer) error
	// receiveAwake does so for a moment, for a call when no other is in flight.
	receiveAwake(p *peer, c *call)
}

// A transportLink is a link over a transport of the SDK.
type transportLink struct {
	conn   mcp.Connection
	ctx    context.Context
	cancel context.CancelFunc

	mu sync.Mutex
	// aliases are the ids of calls in flight that the SDK would round, by what stands for them.
	aliases map[string]json.RawMessage
}

func newTransportLink(ctx context.Context, t mcp.Transport) (link, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	conn, err := t.Connect(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &transportLink{conn: conn, ctx: ctx, cancel: cancel}, nil
}

func (l *transportLink) send(ctx context.Context, m *message) error {
	sdk, err := l.aliased(m).forSDK()
	if err != nil {
		return err
	}
	return l.conn.Write(ctx, sdk)
}

// aliased gives a message under an id that the SDK holds: its integers are float64s.
func (l *transportLink) aliased(m *message) *message {
	switch {
	case m.isCall() && !isExact(m.ID) && m.Method != methodListen: // whose id comes with all that it says
		alias := aliasOf(m.ID)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.aliases == nil {
			l.aliases = map[string]json.RawMessage{}
		}
		l.aliases[string(alias)] = m.ID
		own := *m
		own.ID = alias
		return &own
	case m.Method == methodCancelled:
		params, err := objectOf(m.Params)
		if err != nil {
			return m
		}
		id := params["requestId"]
		if isNull(id) || !isID(id) || isExact(id) {
			return m
		}
		alias := aliasOf(id)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.aliases, string(alias)) // there is no answer
		own := *m
		own.Params = params.with("requestId", alias).text()
		return &own
	}
	return m
}

func aliasOf(id json.RawMessage) json.RawMessage { return quote("mcpconnect-id-" + string(id)) }

// unaliased undoes aliased for an answer.
func (l *transportLink) unaliased(m *message) *message {
	if !m.isResponse() {
		return m
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id, ok := l.aliases[string(m.ID)]; ok {
		delete(l.aliases, string(m.ID))
		m.ID = id
	}
	return m
}

func (l *transportLink) receive() (*message, error) {
	m, err := l.conn.Read(l.ctx)
	if err != nil {
		return nil, err
	}
	own, err := ofSDK(m)
	if err != nil {
		return nil, err
	}
	return l.unaliased(own), nil
}

func (l *transportLink) close() {
	_ = l.conn.Close() // it is over, whatever it says
	l.cancel()
}

func (l *transportLink) wait() {}

// forSDK gives the message as the SDK has it.
func (m *message) forSDK() (jsonrpc.Message, error) {
	id, err := sdkID(m.ID)
	if err != nil {
		return nil, err
	}
	if !m.isResponse() {
		return &jsonrpc.Request{ID: id, Method: m.Method, Params: m.Params}, nil
	}
	r := &jsonrpc.Response{ID: id, Result: m.Result}
	if m.Error != nil {
		r.Error = failure(m.Error)
	}
	return r, nil
}

func sdkID(text json.RawMessage) (jsonrpc.ID, error) {
	if isNull(text) {
		return jsonrpc.ID{}, nil
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		if f := float64(n); int64(f) == n {
			return jsonrpc.MakeID(f)
		}
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return jsonrpc.ID{}, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: fmt.Sprintf("id %s: want a string, or an integer that a float64 holds", text)}
	}
	return jsonrpc.MakeID(s)
}

func ofSDK(m jsonrpc.Message) (*message, error) {
	switch m := m.(type) {
	case *jsonrpc.Request:
		id, err := idText(m.ID)
		return &message{ID: id, Method: m.Method, Params: m.Params}, err
	case *jsonrpc.Response:
		id, err := idText(m.ID)
		r := &message{ID: id, Result: m.Result}
		if m.Error != nil {
			r.Error = responseError(m.Error)
			r.noSession = isNoSession(m.Error)
			r.unsent = isUnsent(m.Error) || isDrained(m.Error)
		} else if r.Result == nil {
			r.Result = json.RawMessage("{}")
		}
		return r, err
	}
	return nil, errors.New("neither request nor response")
}

// isNoSession tells whether an RPC failed because the server does not know its session: that has
// a status that no other error of this code has (SPEC.md §11).
func isNoSession(err error) bool {
	e, ok := errors.AsType[*jsonrpc.Error](err)
	return ok && e.Code == jsonrpc.CodeInvalidRequest && connect.CodeOf(err) == connect.CodeNotFound
}

// responseError keeps what a transport tells of a call that failed on the way.
func responseError(err error) json.RawMessage {
	if _, ok := errors.AsType[*jsonrpc.Error](err); !ok {
		err = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: err.Error()}
	}
	return errorText(err)
}

func idText(id jsonrpc.ID) (json.RawMessage, error) {
	if !id.IsValid() {
		return nil, nil
	}
	return json.Marshal(id.Raw())
}
