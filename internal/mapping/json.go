// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/base64"
	"math"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// maxMessageDepth is how deep messages nest that come from JSON (content in the result of
// a tool in content ...). What is deeper stays text, for the reason of maxStructDepth.
const maxMessageDepth = 30

// FromJSON reads the JSON object data, the twin of m, into m, which it resets first. enc
// says whether free-form JSON goes to Struct fields, as far as they can hold it, or to
// their _json twins. A Content is read as a content block; it, input requests and input
// responses take any value, as other_json.
//
// If it returns nil, [ToJSON] gives the same JSON value back. Else m is empty, and the
// error is [ErrMalformed]: data is not one JSON object in valid UTF-8; or repeats a
// member; or lacks a member that MCP requires and m cannot leave out (such as the content
// of a tool's result); or has members that m has no place for; or m has no twin that is a
// single object (such as frames and [mcpv1.ResourceEvent]).
func FromJSON(data []byte, m proto.Message, enc mcpv1.JsonEncoding) error {
	proto.Reset(m)
	s := scanner{data: bytes.Clone(data)} // the message keeps parts of it
	raw, err := s.only()
	if err != nil {
		return err
	}
	if err := (reader{enc: enc}).message(raw, m); err != nil {
		proto.Reset(m)
		return err
	}
	return nil
}

// reader reads JSON into messages. The text that it is given has been passed over by a
// scanner, and has no white space around it.
//
// Where a method gives an error or false, the message cannot hold the text: the parent
// keeps it as text then, in extra_json or other_json.
type reader struct {
	enc   mcpv1.JsonEncoding
	depth int
}

// object splits the object raw, and gives the reader for what is in it.
func (r reader) object(raw []byte) (reader, []member, error) {
	if r.depth++; r.depth > maxMessageDepth {
		return r, nil, malformed("messages nest more than %d levels", maxMessageDepth)
	}
	ms, err := members(raw)
	return r, ms, err
}

// fields reads the members of an object into the fields of m, and what has no place there
// into its extra_json.
func (r reader) fields(ms []member, m protoreflect.Message) error {
	p := planOf(m.Descriptor())
	for i := range p.fields {
		if f := &p.fields[i]; f.required && find(ms, f.member) == nil {
			return malformed("member %q is missing", f.member)
		}
	}
	var extra []member
	for _, mb := range ms {
		f := p.byName[mb.key]
		if f == nil || !r.field(f, mb.value, m) {
			extra = append(extra, mb)
		}
	}
	return r.extra(p, extra, m)
}

// extra puts members that have no field where m keeps those.
func (r reader) extra(p *plan, ms []member, m protoreflect.Message) error {
	if len(ms) == 0 {
		return nil
	}
	switch {
	case p.extraStruct != nil && p.extraText != nil:
		s, text := twins(join(ms), r.enc)
		if s != nil {
			m.Set(p.extraStruct, protoreflect.ValueOfMessage(s.ProtoReflect()))
		} else {
			m.Set(p.extraText, protoreflect.ValueOfBytes(text))
		}
	case p.extraText != nil:
		m.Set(p.extraText, protoreflect.ValueOfBytes(join(ms)))
	case p.extraStruct != nil:
		s, ok := exactStruct(join(ms), maxStructDepth)
		if !ok {
			return malformed("member %q, or one after it, does not fit a google.protobuf.Struct", ms[0].key)
		}
		m.Set(p.extraStruct, protoreflect.ValueOfMessage(s.ProtoReflect()))
	default:
		return malformed("member %q has no place in %s", ms[0].key, m.Descriptor().FullName())
	}
	return nil
}

// field reads raw into one field. If it is false, the field is as it was.
func (r reader) field(f *field, raw []byte, m protoreflect.Message) bool {
	if f.text != nil {
		if s, text := twins(raw, r.enc); s != nil {
			m.Set(f.fd, protoreflect.ValueOfMessage(s.ProtoReflect()))
		} else {
			m.Set(f.text, protoreflect.ValueOfBytes(text))
		}
		return true
	}
	v := m.NewField(f.fd)
	var ok bool
	switch {
	case f.fd.IsList():
		ok = r.list(f, raw, v.List())
	case f.fd.IsMap():
		ok = r.entries(f, raw, v.Map())
	case f.fd.Message() != nil:
		ok = r.child(f, raw, v.Message())
	default:
		v, ok = scalar(f.fd, raw)
		// A field without presence does not keep its zero, unless it is always written.
		ok = ok && (f.fd.HasPresence() || f.required || !v.Equal(f.fd.Default()))
	}
	if ok {
		m.Set(f.fd, v)
	}
	return ok
}

func (r reader) list(f *field, raw []byte, l protoreflect.List) bool {
	values, ok := elements(raw)
	if !ok || len(values) == 0 && !f.required {
		return false
	}
	for _, raw := range values {
		v := l.NewElement()
		if f.fd.Message() != nil {
			ok = r.child(f, raw, v.Message())
		} else {
			v, ok = scalar(f.fd, raw)
		}
		if !ok {
			return false
		}
		l.Append(v)
	}
	return true
}

func (r reader) entries(f *field, raw []byte, entries protoreflect.Map) bool {
	ms, err := members(raw)
	if err != nil || len(ms) == 0 {
		return false
	}
	for _, mb := range ms {
		v := entries.NewValue()
		var ok bool
		if f.fd.MapValue().Message() != nil {
			ok = r.child(f, mb.value, v.Message())
		} else {
			v, ok = scalar(f.fd.MapValue(), mb.value)
		}
		if !ok || !mb.exact {
			return false
		}
		entries.Set(protoreflect.ValueOfString(mb.key).MapKey(), v)
	}
	return true
}

func (r reader) child(f *field, raw []byte, m protoreflect.Message) bool {
	c, ok := m.Interface().(*mcpv1.Content)
	switch {
	case !ok:
		return r.message(raw, m.Interface()) == nil
	case f.shape == shapeContents:
		r.contents(raw, c)
	case f.shape == shapePromptMessage:
		return r.promptMessage(raw, c) == nil
	default:
		r.block(raw, c)
	}
	return true
}

// scalar reads raw as a value of fd's kind, if that can hold it exactly.
func scalar(fd protoreflect.FieldDescriptor, raw []byte) (v protoreflect.Value, ok bool) {
	switch fd.Kind() { //nolint:exhaustive // mcp.v1 has no other kinds with a twin
	case protoreflect.StringKind:
		text, ok := exactString(raw)
		return protoreflect.ValueOfString(text), ok
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(raw[0] == 't'), raw[0] == 't' || raw[0] == 'f'
	case protoreflect.DoubleKind:
		f, ok := exactDouble(raw)
		return protoreflect.ValueOfFloat64(f), ok
	case protoreflect.Int64Kind:
		i, ok := exactInt(raw)
		return protoreflect.ValueOfInt64(i), ok
	case protoreflect.Int32Kind:
		i, ok := exactInt(raw)
		return protoreflect.ValueOfInt32(int32(i)), ok && i == int64(int32(i))
	case protoreflect.Uint32Kind:
		i, ok := exactInt(raw)
		return protoreflect.ValueOfUint32(uint32(i)), ok && 0 <= i && i <= math.MaxUint32
	case protoreflect.BytesKind:
		data, ok := exactBase64(raw)
		return protoreflect.ValueOfBytes(data), ok
	}
	return v, false
}

// exactBase64 reads a string of canonical base64: padded, with no stray bits and no line
// breaks, so that there is one text for the bytes.
func exactBase64(raw []byte) ([]byte, bool) {
	text, ok := exactString(raw)
	if !ok {
		return nil, false
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	return data, err == nil && base64.StdEncoding.EncodedLen(len(data)) == len(text)
}
