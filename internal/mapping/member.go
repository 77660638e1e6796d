// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// unquote decodes a string that the scanner has passed over. A lone surrogate, which no
// Go string can hold, makes it inexact: it stands there in the three bytes that UTF-8
// would have for it, so that different strings stay different.
func unquote(quoted []byte) (text string, exact bool) {
	in := quoted[1 : len(quoted)-1]
	i := 0
	for i < len(in) && in[i] != '\\' {
		i++
	}
	if i == len(in) {
		return string(in), true
	}
	out := append(make([]byte, 0, len(in)), in[:i]...)
	exact = true
	for i < len(in) {
		if in[i] != '\\' {
			out = append(out, in[i])
			i++
			continue
		}
		if in[i+1] != 'u' {
			out = append(out, simpleEscape(in[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(in[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := hex4(in[i:])
			if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
				r = pair
				i += 6
			} else {
				exact = false
				out = append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
				continue
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), exact
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// member is a member of an object: its key as it was, decoded, and its value.
type member struct {
	quoted []byte
	key    string
	exact  bool // key is the same string as quoted
	value  []byte
}

// members splits the object raw. It is an error if raw is something else, or if two
// members have the same key: no field can hold both.
func members(raw []byte) ([]member, error) {
	s := scanner{data: raw}
	s.space()
	if s.peek() != '{' {
		return nil, malformed("JSON is %s, expected an object", kindOf(s.peek()))
	}
	var ms []member
	if err := s.object(func(quoted, value []byte) {
		key, exact := unquote(quoted)
		ms = append(ms, member{quoted, key, exact, value})
	}); err != nil {
		return nil, err
	}
	s.space()
	if s.pos < len(raw) {
		return nil, s.errorf("the end")
	}
	if key, ok := repeated(ms); ok {
		return nil, malformed("member %q is repeated, send it once", key)
	}
	return ms, nil
}

// Object reads a JSON object like [DecodeSDK], but its values are parts of text, not copies. Of
// members with the same key the last counts.
func Object(text []byte) (map[string]json.RawMessage, error) {
	o := map[string]json.RawMessage{}
	s := scanner{data: text}
	s.space()
	plain := s.peek() == '{'
	if plain {
		err := s.object(func(quoted, value []byte) {
			plain = plain && bytes.IndexByte(quoted, '\\') < 0
			o[commonName(quoted[1:len(quoted)-1])] = value
		})
		s.space()
		plain = plain && err == nil && s.pos == len(text)
	}
	if plain {
		return o, nil
	}
	clear(o)
	err := DecodeSDK(text, &o)
	return o, err
}

// commonName gives the name of a member, without a copy if it is one of those that most messages have.
func commonName(b []byte) string {
	switch string(b) {
	case "_meta":
		return "_meta"
	case "name":
		return "name"
	case "arguments":
		return "arguments"
	case "content":
		return "content"
	case "isError":
		return "isError"
	case "structuredContent":
		return "structuredContent"
	case "resultType":
		return "resultType"
	case "progressToken":
		return "progressToken"
	case mcp.MetaKeyProtocolVersion:
		return mcp.MetaKeyProtocolVersion
	case mcp.MetaKeyClientInfo:
		return mcp.MetaKeyClientInfo
	case mcp.MetaKeyClientCapabilities:
		return mcp.MetaKeyClientCapabilities
	case mcp.MetaKeyServerInfo:
		return mcp.MetaKeyServerInfo
	}
	return string(b)
}

func kindOf(c byte) string {
	switch c {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case 0:
		return "empty"
	}
	return "a number"
}

// repeated finds a key that ms has more than once.
func repeated(ms []member) (string, bool) {
	if len(ms) <= 16 { // as nearly always: quicker than a map
		for i := range ms {
			if find(ms[:i], ms[i].key) != nil {
				return ms[i].key, true
			}
		}
		return "", false
	}
	seen := make(map[string]struct{}, len(ms))
	for i := range ms {
		if _, ok := seen[ms[i].key]; ok {
			return ms[i].key, true
		}
		seen[ms[i].key] = struct{}{}
	}
	return "", false
}

// find gives the value of the member key, or nil.
func find(ms []member, key string) []byte {
	for i := range ms {
		if ms[i].key == key {
			return ms[i].value
		}
	}
	return nil
}

// take gives the value of the member key, or nil, and the other members.
func take(ms []member, key string) (value []byte, rest []member) {
	for i := range ms {
		if ms[i].key == key {
			rest = append(append(make([]member, 0, len(ms)), ms[:i]...), ms[i+1:]...)
			return ms[i].value, rest
		}
	}
	return nil, ms
}

// takeString is take for a member that must be a string; any other is left in rest.
func takeString(ms []member, key string) (value *string, rest []member) {
	raw, others := take(ms, key)
	if text, ok := exactString(raw); ok {
		return &text, others
	}
	return nil, ms
}

func exactString(raw []byte) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return unquote(raw)
}

// elements splits the array raw; ok is false if it is something else.
func elements(raw []byte) (values [][]byte, ok bool) {
	if raw[0] != '[' {
		return nil, false
	}
	s := scanner{data: raw}
	err := s.array(func(value []byte) { values = append(values, value) })
	return values, err == nil
}

// join is the inverse of members.
func join(ms []member) []byte {
	size := 2
	for i := range ms {
		size += len(ms[i].quoted) + len(ms[i].value) + 2
	}
	out := append(make([]byte, 0, size), '{')
	for i := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, ms[i].quoted...), ':'), ms[i].value...)
	}
	return append(out, '}')
}
