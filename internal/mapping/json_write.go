// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/base64"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// ToJSON writes the JSON object that is the twin of m, without insignificant white space
// of its own; text of _json fields is written as it is.
//
// It is [ErrBothTwins] if a field and its _json twin are both set, and [ErrMalformed] if m
// says what JSON cannot: a _json field that is not JSON, a member both in a field and in
// extra_json, a oneof that must be set and is not, NaN, strings that are not valid UTF-8;
// or if m has no twin that is a single object.
func ToJSON(m proto.Message) ([]byte, error) {
	var w writer
	if err := w.message(m); err != nil {
		return nil, err
	}
	return w.buf, nil
}

// writer writes messages as JSON.
type writer struct{ buf []byte }

// text appends JSON text from a _json field.
func (w *writer) text(text []byte) error {
	s := scanner{data: text}
	raw, err := s.only()
	w.buf = append(w.buf, raw...)
	return err
}

// textObject is text for a field that must be an object.
func (w *writer) textObject(text []byte) error {
	s := scanner{data: text}
	raw, err := s.only()
	if err == nil {
		err = objectOnly(raw)
	}
	w.buf = append(w.buf, raw...)
	return err
}

// extraMembers splits the text of an extra_json field.
func extraMembers(text []byte) ([]member, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return members(text)
}

// objectWriter writes one object of JSON.
type objectWriter struct {
	*writer
	// extra are the members from extra_json; they come last.
	extra []member
	some  bool
}

func (w *writer) begin(extra []member) *objectWriter {
	w.buf = append(w.buf, '{')
	return &objectWriter{writer: w, extra: extra}
}

func (o *objectWriter) comma() {
	if o.some {
		o.buf = append(o.buf, ',')
	}
	o.some = true
}

// key begins a member.
func (o *objectWriter) key(name string) error {
	if o.held(name) {
		return malformed("member %q stands both in a field and in extra_json, set one of them", name)
	}
	o.comma()
	err := o.string(name)
	o.buf = append(o.buf, ':')
	return err
}

// held says that extra_json has the member name.
func (o *objectWriter) held(name string) bool { return find(o.extra, name) != nil }

// optional writes a member that is a string, if it is set.
func (o *objectWriter) optional(name string, value *string) error {
	if value == nil {
		return nil
	}
	if err := o.key(name); err != nil {
		return err
	}
	return o.string(*value)
}

func (o *objectWriter) end() {
	for _, mb := range o.extra {
		o.comma()
		o.buf = append(append(append(o.buf, mb.quoted...), ':'), mb.value...)
	}
	o.buf = append(o.buf, '}')
}

// plain writes the twin of a message that has no special shape.
func (w *writer) plain(m protoreflect.Message) error {
	o, err := w.beginMessage(m)
	if err != nil {
		return err
	}
	if err := o.fields(m); err != nil {
		return err
	}
	o.end()
	return nil
}

// beginMessage begins the twin of m, whose last members will be those of its extra_json.
func (w *writer) beginMessage(m protoreflect.Message) (*objectWriter, error) {
	p := planOf(m.Descriptor())
	var s *structpb.Struct
	if p.extraStruct != nil && m.Has(p.extraStruct) {
		s, _ = m.Get(p.extraStruct).Message().Interface().(*structpb.Struct)
	}
	var text []byte
	if p.extraText != nil {
		text = m.Get(p.extraText).Bytes()
	}
	if s != nil {
		if len(text) > 0 {
			return nil, bothTwins("extra", "extra_json")
		}
		var sub writer
		if err := sub.object(s); err != nil {
			return nil, at("extra", err)
		}
		text = sub.buf
	}
	extra, err := extraMembers(text)
	if err != nil {
		return nil, at("extra_json", err)
	}
	return w.begin(extra), nil
}

// fields writes all fields of m that have a member.
func (o *objectWriter) fields(m protoreflect.Message) error {
	p := planOf(m.Descriptor())
	for i := range p.fields {
		f := &p.fields[i]
		hasText := f.text != nil && m.Has(f.text)
		switch {
		case m.Has(f.fd) && hasText:
			return bothTwins(string(f.fd.Name()), string(f.text.Name()))
		case !m.Has(f.fd) && !hasText && (!f.required || o.held(f.member)):
			continue
		case f.required && !f.fd.IsList() && o.held(f.member): // the code of an error beyond int32
			continue
		}
		if err := o.key(f.member); err != nil {
			return err
		}
		if hasText {
			if err := o.text(m.Get(f.text).Bytes()); err != nil {
				return at(string(f.text.Name()), err)
			}
			continue
		}
		if err := o.field(f, m.Get(f.fd)); err != nil {
			return at(string(f.fd.Name()), err)
		}
	}
	return nil
}

func (w *writer) field(f *field, v protoreflect.Value) error {
	switch {
	case f.fd.IsList():
		return w.list(f, v.List())
	case f.fd.IsMap():
		return w.entries(f, v.Map())
	case f.fd.Message() != nil:
		return w.child(f, v.Message())
	}
	return w.scalar(f.fd, v)
}

func (w *writer) list(f *field, l protoreflect.List) error {
	w.buf = append(w.buf, '[')
	for i := range l.Len() {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		var err error
		if f.fd.Message() != nil {
			err = w.child(f, l.Get(i).Message())
		} else {
			err = w.scalar(f.fd, l.Get(i))
		}
		if err != nil {
			return atIndex(i, err)
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

// entries writes a map, with sorted keys so that equal messages give equal text.
func (w *writer) entries(f *field, entries protoreflect.Map) error {
	keys := make([]string, 0, entries.Len())
	for k := range entries.Range {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	o := w.begin(nil)
	for _, key := range keys {
		if err := o.key(key); err != nil {
			return err
		}
		v := entries.Get(protoreflect.ValueOfString(key).MapKey())
		var err error
		if f.fd.MapValue().Message() != nil {
			err = w.child(f, v.Message())
		} else {
			err = w.scalar(f.fd.MapValue(), v)
		}
		if err != nil {
			return atKey(key, err)
		}
	}
	o.end()
	return nil
}

func (w *writer) child(f *field, m protoreflect.Message) error {
	if s, ok := m.Interface().(*structpb.Struct); ok {
		return w.object(s)
	}
	c, ok := m.Interface().(*mcpv1.Content)
	switch {
	case !ok:
		return w.message(m.Interface())
	case f.shape == shapeContents:
		return w.contents(c)
	case f.shape == shapePromptMessage:
		return w.promptMessage(c)
	}
	return w.block(c)
}

func (w *writer) scalar(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return w.string(v.String())
	case protoreflect.BoolKind:
		w.bool(v.Bool())
	case protoreflect.DoubleKind:
		return w.double(v.Float())
	case protoreflect.Int64Kind, protoreflect.Int32Kind:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case protoreflect.Uint32Kind:
		w.buf = strconv.AppendUint(w.buf, v.Uint(), 10)
	case protoreflect.BytesKind:
		w.base64(v.Bytes())
	default:
		return malformed("a %v has no twin in JSON", fd.Kind())
	}
	return nil
}

func (w *writer) base64(data []byte) {
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, data)
	w.buf = append(w.buf, '"')
}
