// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"unicode/utf8"
	"unsafe"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/encoding/protowire"
)

// The kinds of a [Reply] that its reader looks at.
const (
	FieldReplyError protowire.Number = 2
	FieldReplyTool  protowire.Number = 4
)

// Field numbers of ReplyFrame, InvokeToolResponse, CallToolResult, Content and TextContent.
const (
	fieldReplyID          protowire.Number = 1
	fieldOutcomeResult    protowire.Number = 1
	fieldResultContent    protowire.Number = 1
	fieldResultIsError    protowire.Number = 2
	fieldResultStructured protowire.Number = 4
	fieldResultMeta       protowire.Number = 5
	fieldResultType       protowire.Number = 6
	fieldContentText      protowire.Number = 1
	fieldText             protowire.Number = 1
)

// A Reply is a frame that answers a call.
type Reply struct {
	CallID uint64
	Kind   protowire.Number // the field of the answer
	Body   []byte           // the encoded answer, not checked; a part of what was parsed
}

// Parse reads the encoding of an envelope. It tells whether that is a Reply, and nothing but
// one; if not, r has no meaning.
func (r *Reply) Parse(envelope []byte) bool {
	*r = Reply{}
	frame, ok := onlyBytes(envelope, fieldReply)
	if !ok {
		return false
	}
	for len(frame) > 0 {
		number, kind, n := protowire.ConsumeTag(frame)
		if n < 0 {
			return false
		}
		frame = frame[n:]
		switch {
		case number == fieldReplyID && kind == protowire.VarintType:
			r.CallID, n = protowire.ConsumeVarint(frame)
		case kind == protowire.BytesType && r.Kind == 0:
			r.Kind = number
			r.Body, n = protowire.ConsumeBytes(frame)
		default:
			return false
		}
		if n < 0 {
			return false
		}
		frame = frame[n:]
	}
	return r.Kind != 0
}

// A TextResult is the result of a tool whose content is plain text: nearly every result is
// one.
type TextResult struct {
	Texts      []string // in UTF-8
	one        [1]string
	IsError    bool
	NoError    bool   // is_error is there, and false
	Structured []byte // JSON text; empty if absent
	Meta       []byte // an encoded Meta; nil if absent
	Type       string // resultType: "complete", or empty if absent
}

const completeType = "complete"

// SetContent takes the content of a result, if it is plain text of limit bytes at the most.
func (t *TextResult) SetContent(content []mcp.Content, limit int) bool {
	t.Texts = t.one[:0] // nearly always enough
	for _, c := range content {
		text, ok := c.(*mcp.TextContent)
		if !ok || text == nil || text.Annotations != nil || len(text.Meta) > 0 {
			return false
		}
		if limit -= len(text.Text); limit < 0 || !utf8.ValidString(text.Text) {
			return false
		}
		t.Texts = append(t.Texts, text.Text)
	}
	return true
}

func sizeText(s string) int { return sizeBytes(len(s)) }

func (t *TextResult) size() int {
	n := 0
	for _, s := range t.Texts {
		n += sizeBytes(sizeBytes(sizeText(s)))
	}
	if t.IsError || t.NoError {
		n += 2
	}
	if len(t.Structured) > 0 {
		n += sizeBytes(len(t.Structured))
	}
	if t.Meta != nil {
		n += sizeBytes(len(t.Meta))
	}
	if t.Type != "" {
		n += sizeBytes(len(t.Type))
	}
	return n
}

// append appends the CallToolResult.
func (t *TextResult) append(b []byte) []byte {
	for _, s := range t.Texts {
		b = appendPrefix(b, fieldResultContent, sizeBytes(sizeText(s)))
		b = appendPrefix(b, fieldContentText, sizeText(s))
		b = append(appendPrefix(b, fieldText, len(s)), s...)
	}
	if t.IsError || t.NoError {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldResultIsError, protowire.VarintType), protowire.EncodeBool(t.IsError))
	}
	if len(t.Structured) > 0 {
		b = append(appendPrefix(b, fieldResultStructured, len(t.Structured)), t.Structured...)
	}
	if t.Meta != nil {
		b = append(appendPrefix(b, fieldResultMeta, len(t.Meta)), t.Meta...)
	}
	if t.Type != "" {
		b = append(appendPrefix(b, fieldResultType, len(t.Type)), t.Type...)
	}
	return b
}

// A ToolReply is the frame with a result.
type ToolReply struct {
	callID                  uint64
	result                  *TextResult
	resultSize, outcomeSize int
	frameSize               int
}

// Reply gives the frame that answers a call with the result, which must not change any more.
func (t *TextResult) Reply(callID uint64) ToolReply {
	r := ToolReply{callID: callID, result: t, resultSize: t.size()}
	r.outcomeSize = sizeBytes(r.resultSize)
	r.frameSize = 1 + protowire.SizeVarint(callID) + sizeBytes(r.outcomeSize)
	return r
}

// Size is how many bytes Append appends.
func (r *ToolReply) Size() int { return sizeBytes(r.frameSize) }

// Append appends the encoding of the envelope.
func (r *ToolReply) Append(b []byte) []byte {
	b = appendPrefix(b, fieldReply, r.frameSize)
	b = protowire.AppendTag(b, fieldReplyID, protowire.VarintType)
	b = protowire.AppendVarint(b, r.callID)
	b = appendPrefix(b, FieldReplyTool, r.outcomeSize)
	b = appendPrefix(b, fieldOutcomeResult, r.resultSize)
	return r.result.append(b)
}

// Parse reads the encoding of an InvokeToolResponse. It tells whether that is a TextResult,
// and nothing but one; if not, t has no meaning. Structured and Meta are parts of what is
// parsed.
func (t *TextResult) Parse(outcome []byte) bool {
	*t = TextResult{}
	t.Texts = t.one[:0]
	result, ok := onlyBytes(outcome, fieldOutcomeResult)
	if !ok {
		return false
	}
	for len(result) > 0 {
		number, kind, n := protowire.ConsumeTag(result)
		if n < 0 {
			return false
		}
		result = result[n:]
		if number == fieldResultIsError && kind == protowire.VarintType {
			var v uint64
			v, n = protowire.ConsumeVarint(result)
			t.IsError = protowire.DecodeBool(v)
			t.NoError = !t.IsError
		} else {
			var value []byte
			if kind != protowire.BytesType {
				return false
			}
			if value, n = protowire.ConsumeBytes(result); n < 0 || !t.parseField(number, value) {
				return false
			}
		}
		if n < 0 {
			return false
		}
		result = result[n:]
	}
	return true
}

// shareBytes is the size from which a text shares its memory with the message that it came in.
// Batches are hardly larger, so that little is kept beside it.
const shareBytes = 32 << 10

// toString gives a part of a message that [Codec] has read as a string. Nobody writes to those.
func toString(b []byte) string {
	if len(b) < shareBytes {
		return string(b)
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (t *TextResult) parseField(number protowire.Number, value []byte) bool {
	switch {
	case number == fieldResultContent:
		content, ok := onlyBytes(value, fieldContentText)
		if !ok {
			return false
		}
		text, ok := onlyBytes(content, fieldText)
		if !ok || !utf8.Valid(text) {
			return false
		}
		t.Texts = append(t.Texts, toString(text))
		return true
	case number == fieldResultStructured && t.Structured == nil:
		t.Structured = value
		return true
	case number == fieldResultMeta && t.Meta == nil:
		t.Meta = value
		return true
	case number == fieldResultType && t.Type == "":
		if string(value) != completeType {
			return false
		}
		t.Type = completeType
		return true
	}
	return false
}
