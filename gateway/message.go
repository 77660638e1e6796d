// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	segmentio "github.com/segmentio/encoding/json"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// A message is a JSON-RPC message, of which nothing is looked into that need not be.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`

	// alone is set for a call when no other is in flight: nothing is gained by waiting for more to
	// send along.
	alone bool
	// noSession is set for the error of a call that the server has not looked at, since it does
	// not know the session.
	noSession bool
	// unsent is set for the error of a call that has certainly not been done: it has not left, or the
	// server has left it undone.
	unsent bool
}

func (m *message) isResponse() bool { return m.Method == "" }
func (m *message) isCall() bool     { return m.Method != "" && len(m.ID) > 0 }

// text gives the message in one line, without its end.
func (m *message) text() ([]byte, error) {
	m.Version = "2.0"
	var b bytes.Buffer
	b.Grow(64 + len(m.Method) + len(m.Params) + len(m.Result) + len(m.Error))
	b.WriteString(`{"jsonrpc":"2.0"`)
	for _, part := range []struct {
		name string
		text json.RawMessage
	}{{"id", m.ID}, {"method", methodText(m.Method)}, {"params", m.Params}, {"result", m.Result}, {"error", m.Error}} {
		if len(part.text) == 0 {
			continue
		}
		b.WriteString(`,"` + part.name + `":`)
		if !bytes.ContainsAny(part.text, "\r\n") {
			b.Write(part.text)
		} else if err := json.Compact(&b, part.text); err != nil {
			return nil, fmt.Errorf("%s of a message: %w", part.name, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func methodText(method string) json.RawMessage {
	if method == "" {
		return nil
	}
	return quote(method)
}

func quote(s string) json.RawMessage {
	return segmentio.AppendEscape(make([]byte, 0, len(s)+2), s, 0)
}

// parse reads a message.
func parse(text []byte) (*message, error) {
	m := &message{}
	if err := mapping.DecodeSDK(text, m); err != nil {
		return nil, err
	}
	if m.Method == "" && m.Result == nil && m.Error == nil {
		return nil, errors.New("neither request nor response")
	}
	return m, nil
}

// parseAll reads the messages of a server: one, or a list of them, as MCP 2025-03-26 has it.
func parseAll(text []byte) ([]*message, error) {
	texts := []json.RawMessage{text}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		if err := mapping.DecodeSDK(text, &texts); err != nil {
			return nil, err
		}
	}
	messages := make([]*message, len(texts))
	for i, text := range texts {
		var err error
		if messages[i], err = parse(text); err != nil {
			return nil, err
		}
	}
	return messages, nil
}

// failure gives the error of a response.
func failure(text json.RawMessage) error {
	e := &jsonrpc.Error{}
	if err := json.Unmarshal(text, e); err != nil {
		return &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the server's error cannot be read"}
	}
	return e
}

// errorText is the inverse of failure. What is no JSON-RPC error tells the peer nothing.
func errorText(err error) json.RawMessage {
	e, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok {
		e = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return json.RawMessage(`{"code":-32603,"message":"internal error"}`)
	}
	return text
}

// An object is a JSON object whose values are not looked into.
type object map[string]json.RawMessage

// objectOf reads an object; nothing, and null, are an empty one.
func objectOf(text json.RawMessage) (object, error) {
	if isNull(text) {
		return object{}, nil
	}
	o, err := mapping.Object(text)
	if err != nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "want a JSON object"}
	}
	return o, nil
}

func isNull(text json.RawMessage) bool {
	text = bytes.TrimSpace(text)
	return len(text) == 0 || string(text) == "null"
}

// text writes the object; its values stay as they are.
func (o object) text() json.RawMessage { return o.textWith("", nil) }

// textWith is text with another value for a member, or without the member if value is empty.
func (o object) textWith(name string, value json.RawMessage) json.RawMessage {
	keys := make([]string, 0, len(o)+1)
	size := 2
	for k, v := range o {
		if k != name {
			keys = append(keys, k)
			size += len(k) + len(v) + 4
		}
	}
	if len(value) > 0 {
		keys = append(keys, name)
		size += len(name) + len(value) + 4
	}
	slices.Sort(keys)
	b := make([]byte, 0, size)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(segmentio.AppendEscape(b, k, 0), ':')
		if k == name {
			b = append(b, value...)
		} else {
			b = append(b, o[k]...)
		}
	}
	return append(b, '}')
}

// str gives a member that is a string; empty for none.
func (o object) str(name string) string {
	text := o[name]
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' && bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
		return string(text[1 : n-1])
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return ""
	}
	return s
}

func number(n int64) json.RawMessage { return strconv.AppendInt(nil, n, 10) }
