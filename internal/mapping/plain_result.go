// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/mcpconnect/mcpconnect/internal/wire"
)

// ParsePlainResult reads the JSON of a modern, complete result of a tool into t, if its content is
// text, of limit bytes at the most, without anything beside it, which nearly all are. If not,
// another reader has to say what it is, and t has no meaning.
func ParsePlainResult(text []byte, limit int, t *wire.TextResult) bool {
	*t = wire.TextResult{}
	r := plainResult{TextResult: t, limit: limit}
	s := scanner{data: text}
	s.space()
	if s.peek() != '{' {
		return false
	}
	plain := true
	err := s.object(func(key, value []byte) { plain = plain && r.member(key, value) })
	s.space()
	return err == nil && plain && s.pos == len(text) && t.Texts != nil && t.Type != ""
}

type plainResult struct {
	*wire.TextResult

	limit int // bytes of text that there may still be
}

func (r *plainResult) member(key, value []byte) bool {
	switch string(key) {
	case `"content"`:
		return r.Texts == nil && r.content(value)
	case `"isError"`:
		twice := r.IsError || r.NoError
		r.IsError, r.NoError = value[0] == 't', value[0] == 'f'
		return !twice && (r.IsError || r.NoError)
	case `"structuredContent"`:
		twice := r.Structured != nil
		r.Structured = value
		return !twice
	case `"resultType"`:
		twice := r.Type != ""
		r.Type = ResultComplete
		return !twice && string(value) == `"`+ResultComplete+`"`
	case `"_meta"`:
		if r.Meta != nil || value[0] != '{' {
			return false
		}
		r.Meta = protowire.AppendTag(make([]byte, 0, len(value)+8), fieldMetaText, protowire.BytesType)
		r.Meta = protowire.AppendBytes(r.Meta, value)
		return true
	}
	return false
}

// fieldMetaText is the number of Meta.values_json.
const fieldMetaText protowire.Number = 2

func (r *plainResult) content(array []byte) bool {
	if array[0] != '[' {
		return false
	}
	r.Texts = make([]string, 0, 1) // nearly always enough
	plain := true
	s := scanner{data: array}
	err := s.array(func(block []byte) {
		text, ok := plainText(block)
		r.limit -= len(text)
		plain = plain && ok && r.limit >= 0
		r.Texts = append(r.Texts, text)
	})
	return err == nil && plain
}

// plainText gives the text of a block that has nothing else.
func plainText(block []byte) (text string, ok bool) {
	if block[0] != '{' {
		return "", false
	}
	typed, texts, others := false, 0, false
	s := scanner{data: block}
	err := s.object(func(key, value []byte) {
		switch string(key) {
		case `"type"`:
			others = others || typed || string(value) != `"text"`
			typed = true
		case `"text"`:
			text, ok = exactString(value)
			texts++
		default:
			others = true
		}
	})
	return text, err == nil && ok && typed && texts == 1 && !others
}
