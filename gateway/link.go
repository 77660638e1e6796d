// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

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

// A transportLink is a link over a transport of the SDK.
type transportLink struct {
	conn   mcp.Connection
	ctx    context.Context
	cancel context.CancelFunc
}

func newTransportLink(ctx context.Context, t mcp.Transport) (link, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	conn, err := t.Connect(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &transportLink{conn, ctx, cancel}, nil
}

func (l *transportLink) send(ctx context.Context, m *message) error {
	sdk, err := m.forSDK()
	if err != nil {
		return err
	}
	return l.conn.Write(ctx, sdk)
}

func (l *transportLink) receive() (*message, error) {
	m, err := l.conn.Read(l.ctx)
	if err != nil {
		return nil, err
	}
	return ofSDK(m)
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
		return jsonrpc.ID{}, fmt.Errorf("id %s: want a string, or an integer that a float64 holds", text)
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
