// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of CallFrame and CallToolRequest.
const (
	fieldCallID        protowire.Number = 1
	fieldCallTimeout   protowire.Number = 2
	fieldCallTool      protowire.Number = 3
	fieldToolName      protowire.Number = 1
	fieldToolArguments protowire.Number = 3
	fieldToolMeta      protowire.Number = 4
)

// A ToolCall is a frame that calls a tool for its outcome alone, with arguments as text and
// nothing rare: nearly every frame is one. Its slices are parts of what was parsed.
type ToolCall struct {
	CallID    uint64
	TimeoutMs uint32
	Name      string // in UTF-8
	Arguments []byte // JSON text, not checked; empty if absent
	Meta      []byte // an encoded RequestMeta, not checked; nil if absent
}

// Parse reads the encoding of an envelope. It tells whether that is a ToolCall, and nothing
// but one; if not, c has no meaning.
func (c *ToolCall) Parse(envelope []byte) bool {
	*c = ToolCall{}
	frame, ok := onlyBytes(envelope, fieldCall)
	if !ok {
		return false
	}
	var request []byte
	for len(frame) > 0 {
		number, kind, n := protowire.ConsumeTag(frame)
		if n < 0 {
			return false
		}
		frame = frame[n:]
		switch {
		case number == fieldCallID && kind == protowire.VarintType:
			c.CallID, n = protowire.ConsumeVarint(frame)
		case number == fieldCallTimeout && kind == protowire.VarintType:
			var ms uint64
			ms, n = protowire.ConsumeVarint(frame)
			c.TimeoutMs = uint32(ms) // as protobuf does
		case number == fieldCallTool && kind == protowire.BytesType && request == nil:
			request, n = protowire.ConsumeBytes(frame)
		default:
			return false
		}
		if n < 0 {
			return false
		}
		frame = frame[n:]
	}
	return request != nil && c.parseRequest(request)
}

func (c *ToolCall) parseRequest(b []byte) bool {
	var seen [fieldToolMeta + 1]bool
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		// A field that comes twice has a meaning of its own in protobuf.
		if n < 0 || kind != protowire.BytesType || number > fieldToolMeta || seen[number] {
			return false
		}
		seen[number] = true
		b = b[n:]
		value, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		switch number {
		case fieldToolName:
			if !utf8.Valid(value) {
				return false
			}
			c.Name = string(value)
		case fieldToolArguments:
			c.Arguments = value
		case fieldToolMeta:
			c.Meta = value
		default:
			return false
		}
	}
	return seen[fieldToolName]
}

// Size is how many bytes Append appends.
func (c *ToolCall) Size() int { return sizeBytes(c.sizeFrame()) }

// sizeBytes is the size of a field of bytes whose tag has one byte.
func sizeBytes(n int) int { return 1 + protowire.SizeBytes(n) }

func (c *ToolCall) sizeRequest() int {
	n := sizeBytes(len(c.Name))
	if len(c.Arguments) > 0 {
		n += sizeBytes(len(c.Arguments))
	}
	if c.Meta != nil {
		n += sizeBytes(len(c.Meta))
	}
	return n
}

func (c *ToolCall) sizeFrame() int {
	n := 1 + protowire.SizeVarint(c.CallID) + sizeBytes(c.sizeRequest())
	if c.TimeoutMs > 0 {
		n += 1 + protowire.SizeVarint(uint64(c.TimeoutMs))
	}
	return n
}

// Append appends the encoding of the envelope.
func (c *ToolCall) Append(b []byte) []byte {
	b = appendPrefix(b, fieldCall, c.sizeFrame())
	b = protowire.AppendTag(b, fieldCallID, protowire.VarintType)
	b = protowire.AppendVarint(b, c.CallID)
	if c.TimeoutMs > 0 {
		b = protowire.AppendTag(b, fieldCallTimeout, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(c.TimeoutMs))
	}
	b = appendPrefix(b, fieldCallTool, c.sizeRequest())
	b = append(appendPrefix(b, fieldToolName, len(c.Name)), c.Name...)
	if len(c.Arguments) > 0 {
		b = append(appendPrefix(b, fieldToolArguments, len(c.Arguments)), c.Arguments...)
	}
	if c.Meta != nil {
		b = append(appendPrefix(b, fieldToolMeta, len(c.Meta)), c.Meta...)
	}
	return b
}

// appendPrefix begins a field of n bytes.
func appendPrefix(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

// onlyBytes gives the value of a message's only field.
func onlyBytes(message []byte, field protowire.Number) ([]byte, bool) {
	number, kind, n := protowire.ConsumeTag(message)
	if n < 0 || number != field || kind != protowire.BytesType {
		return nil, false
	}
	value, m := protowire.ConsumeBytes(message[n:])
	return value, m >= 0 && n+m == len(message)
}
