// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// DecodeAny reads one JSON value as [DecodeSDK] does into an any, in one pass: that goes over the
// text once for each level of nesting, and makes room for 64 members in an object. Schemas are
// deep, and lists have many.
func DecodeAny(text []byte) (any, error) {
	r := anyReader{scanner{data: text}}
	r.space()
	if v, ok := r.value(); ok {
		if r.space(); r.pos == len(text) {
			return v, nil
		}
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil { // it is not one value
		return nil, err
	}
	v = nil
	err := DecodeSDK(text, &v)
	return v, err
}

// anyReader leaves to DecodeSDK what is not plain.
type anyReader struct{ scanner }

func (r *anyReader) value() (any, bool) {
	start := r.pos
	switch c := r.peek(); c {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		s, ok := r.string()
		return s, ok
	case 't', 'f', 'n':
		if r.scanner.value() != nil {
			return nil, false
		}
		if c == 'n' {
			return nil, true
		}
		return c == 't', true
	default:
		if r.number() != nil {
			return nil, false
		}
		f, err := strconv.ParseFloat(string(r.data[start:r.pos]), 64)
		return f, err == nil
	}
}

func (r *anyReader) string() (string, bool) {
	start := r.pos
	if r.peek() != '"' || r.scanner.string() != nil {
		return "", false
	}
	text := r.data[start+1 : r.pos-1]
	return schemaWord(text), bytes.IndexByte(text, '\\') < 0
}

// An anyMember is a member of an object that is not yet a map: that is made at the right size.
type anyMember struct {
	key   string
	value any
}

func (r *anyReader) object() (any, bool) {
	if r.enter() != nil {
		return nil, false
	}
	var few [8]anyMember
	members := few[:0]
	for more := r.peek() != '}'; more; {
		key, ok := r.string()
		if r.space(); !ok || r.peek() != ':' {
			return nil, false
		}
		r.pos++
		r.space()
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		members = append(members, anyMember{key, v})
		var err error
		if more, err = r.next('}'); err != nil {
			return nil, false
		}
	}
	r.pos++
	r.depth--
	m := make(map[string]any, len(members))
	for i := range members {
		m[members[i].key] = members[i].value
	}
	return m, true
}

func (r *anyReader) array() (any, bool) {
	if r.enter() != nil {
		return nil, false
	}
	values := []any{}
	for more := r.peek() != ']'; more; {
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		values = append(values, v)
		var err error
		if more, err = r.next(']'); err != nil {
			return nil, false
		}
	}
	r.pos++
	r.depth--
	return values, true
}

// schemaWord gives a string, without a copy if it is one that schemas are full of.
func schemaWord(b []byte) string {
	switch string(b) {
	case "type":
		return "type"
	case "object":
		return "object"
	case "string":
		return "string"
	case "number":
		return "number"
	case "integer":
		return "integer"
	case "boolean":
		return "boolean"
	case "array":
		return "array"
	case "properties":
		return "properties"
	case "required":
		return "required"
	case "description":
		return "description"
	case "items":
		return "items"
	case "additionalProperties":
		return "additionalProperties"
	}
	return string(b)
}
