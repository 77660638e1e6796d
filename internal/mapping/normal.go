// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A Request is the message of a request, which has metadata.
type Request interface {
	proto.Message
	GetMeta() *mcpv1.RequestMeta
}

// Normalize moves the members of a request that have a field from its extra_json, and from that
// of its `_meta`, to that field: what a member says must not depend on its place (SPEC.md §5.1).
// A request without such text, as nearly all are, stays as it is, at no cost.
//
// It is as [ToJSON] says if the request has no twin, which is left as it is then, and
// [ErrMalformed] if its `_meta` is none.
func Normalize(m Request) error {
	meta := m.GetMeta()
	extra, ok := m.(interface{ GetExtraJson() []byte })
	if (!ok || len(extra.GetExtraJson()) == 0) && meta.GetExtra() == nil && len(meta.GetExtraJson()) == 0 {
		return nil
	}
	enc := meta.GetJsonEncoding() // has no twin
	text, err := ToJSON(m)
	if err != nil {
		return err
	}
	fresh := m.ProtoReflect().New().Interface()
	if err := FromJSON(text, fresh, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return err
	}
	proto.Reset(m)
	proto.Merge(m, fresh)
	if ok && m.GetMeta() == nil {
		if err := noMeta(extra.GetExtraJson()); err != nil {
			return err
		}
	}
	if enc != mcpv1.JsonEncoding_JSON_ENCODING_UNSPECIFIED {
		r := m.ProtoReflect()
		r.Mutable(r.Descriptor().Fields().ByName("meta"))
		m.GetMeta().JsonEncoding = enc
	}
	return nil
}

// noMeta refuses a `_meta` among the members that have no field, unless it is null.
func noMeta(extra []byte) error {
	if len(extra) == 0 {
		return nil
	}
	ms, err := members(extra)
	if err != nil {
		return err
	}
	if meta := find(ms, "_meta"); meta != nil && string(meta) != "null" {
		return at("_meta", new(reader).message(meta, new(mcpv1.RequestMeta)))
	}
	return nil
}

// CheckMembers refuses an object that repeats a member (SPEC.md §5.2, R5). What is no object
// passes. text must be JSON. For objects of few members, without escapes in their names, it does
// not allocate.
//
// It is [ErrMalformed].
func CheckMembers(text []byte) error {
	s := scanner{data: text}
	s.space()
	if s.peek() != '{' {
		return nil
	}
	var first [16][]byte
	n, many := 0, false
	if err := s.object(func(quoted, _ []byte) {
		for i := range min(n, len(first)) {
			many = many || bytes.Equal(first[i], quoted)
		}
		many = many || n >= len(first) || bytes.IndexByte(quoted, '\\') >= 0
		if n < len(first) {
			first[n] = quoted
		}
		n++
	}); err != nil {
		return err
	}
	if !many {
		return nil
	}
	_, err := members(text)
	return err
}
