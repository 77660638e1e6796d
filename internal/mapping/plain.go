// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	segmentio "github.com/segmentio/encoding/json"
)

// A PlainCall is the params of `tools/call` of the form that nearly all have: a name without
// escapes, arguments, `_meta`, and nothing else. Its slices are parts of the text.
type PlainCall struct {
	Name      []byte
	Arguments json.RawMessage // nil if absent
	Meta      json.RawMessage // nil if absent
}

// ParsePlainCall reads params, and tells whether they are a PlainCall within the limits. If
// not, another reader has to say what they are.
func ParsePlainCall(params []byte, l Limits) (c PlainCall, ok bool) {
	s := scanner{data: params, limits: l}
	s.space()
	if s.peek() != '{' {
		return c, false
	}
	plain := true
	err := s.object(func(key, value []byte) {
		switch member := string(key); {
		case member == `"name"` && c.Name == nil && value[0] == '"' && bytes.IndexByte(value, '\\') < 0:
			c.Name = value[1 : len(value)-1]
		case member == `"arguments"` && c.Arguments == nil && value[0] == '{':
			c.Arguments = value
		case member == `"_meta"` && c.Meta == nil && value[0] == '{':
			c.Meta = value
		default:
			plain = false
		}
	})
	s.space()
	return c, err == nil && plain && c.Name != nil && s.pos == len(s.data)
}

// AppendTextResult appends the JSON of a modern, complete result of a tool whose content is
// texts, in UTF-8. structured is JSON text, or nil for none.
func (s *ServerMeta) AppendTextResult(b []byte, texts []string, isError bool, structured []byte) []byte {
	b = append(b, `{"content":[`...)
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"text","text":`...)
		b = segmentio.AppendEscape(b, text, 0)
		b = append(b, '}')
	}
	b = append(b, ']')
	if len(structured) > 0 {
		b = append(b, `,"structuredContent":`...)
		b = append(b, structured...)
	}
	if isError {
		b = append(b, `,"isError":true`...)
	}
	b = append(b, `,"resultType":"`+ResultComplete+`"`...)
	if s != nil {
		b = append(b, `,"_meta":{"`+mcp.MetaKeyServerInfo+`":`...)
		b = append(b, s.memberText...)
		b = append(b, '}')
	}
	return append(b, '}')
}
