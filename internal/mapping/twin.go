// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// maxStructDepth is how deep the JSON of a Struct may be; what is deeper stays text. One
// level of JSON is three of protobuf, and protobuf runtimes other than Go's refuse to read
// more than 100.
const maxStructDepth = 30

// JSONText gives the JSON text of a field pair x, x_json. It is nil if neither is set.
// The text is that of x_json itself, not a copy, if that is set.
//
// It is [ErrBothTwins] if both are set, and [ErrMalformed] if the text is not one JSON
// value in valid UTF-8, or if the Struct holds what JSON does not have: NaN, an infinity,
// a value of no kind.
func JSONText(s *structpb.Struct, text []byte) (json.RawMessage, error) {
	switch {
	case s != nil && len(text) > 0:
		return nil, bothTwins("the field", "its _json twin")
	case s != nil:
		var w writer
		if err := w.object(s); err != nil {
			return nil, err
		}
		return w.buf, nil
	case len(text) > 0:
		sc := scanner{data: text}
		return sc.only()
	}
	return nil, nil
}

// Twins splits JSON text into a field pair: with JSON_ENCODING_BYTES it is the text, else
// the Struct if one can hold the value exactly, and the text if not. Empty text gives
// neither. The bytes returned are a part of text, not a copy.
//
// It is [ErrMalformed] if text is not one JSON value in valid UTF-8.
func Twins(text []byte, enc mcpv1.JsonEncoding) (*structpb.Struct, []byte, error) {
	if len(text) == 0 {
		return nil, nil, nil
	}
	sc := scanner{data: text}
	value, err := sc.only()
	if err != nil {
		return nil, nil, err
	}
	s, value := twins(value, enc)
	return s, value, nil
}

// twins is Twins for text that the scanner has passed over.
func twins(raw []byte, enc mcpv1.JsonEncoding) (*structpb.Struct, []byte) {
	if enc != mcpv1.JsonEncoding_JSON_ENCODING_BYTES && raw[0] == '{' {
		if s, ok := exactStruct(raw, maxStructDepth); ok {
			return s, nil
		}
	}
	return nil, raw
}

// exactStruct gives the Struct that holds the object raw, which the scanner has passed
// over, if there is one.
func exactStruct(raw []byte, depth int) (*structpb.Struct, bool) {
	r := structReader{scanner{data: raw}}
	return r.exactStruct(depth)
}

// structReader reads text, in one pass and until something does not fit a Struct. The
// scanner finds no errors in it any more.
type structReader struct{ scanner }

func (r *structReader) exactStruct(depth int) (*structpb.Struct, bool) {
	if depth == 0 {
		return nil, false
	}
	s := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	r.pos++
	r.space()
	for more := r.peek() != '}'; more; more, _ = r.next('}') {
		key, exact := unquote(r.token((*scanner).string))
		if _, again := s.Fields[key]; again || !exact {
			return nil, false
		}
		r.space()
		r.pos++ // the colon
		r.space()
		v, ok := r.exactValue(depth - 1)
		if !ok {
			return nil, false
		}
		s.Fields[key] = v
	}
	r.pos++
	return s, true
}

func (r *structReader) exactList(depth int) (*structpb.ListValue, bool) {
	if depth == 0 {
		return nil, false
	}
	l := &structpb.ListValue{}
	r.pos++
	r.space()
	for more := r.peek() != ']'; more; more, _ = r.next(']') {
		v, ok := r.exactValue(depth - 1)
		if !ok {
			return nil, false
		}
		l.Values = append(l.Values, v)
	}
	r.pos++
	return l, true
}

func (r *structReader) exactValue(depth int) (*structpb.Value, bool) {
	switch c := r.peek(); c {
	case '{':
		s, ok := r.exactStruct(depth)
		return structpb.NewStructValue(s), ok
	case '[':
		l, ok := r.exactList(depth)
		return structpb.NewListValue(l), ok
	case '"':
		text, ok := unquote(r.token((*scanner).string))
		return structpb.NewStringValue(text), ok
	case 't', 'f':
		r.token((*scanner).value)
		return structpb.NewBoolValue(c == 't'), true
	case 'n':
		r.token((*scanner).value)
		return structpb.NewNullValue(), true
	}
	f, ok := exactDouble(r.token((*scanner).number))
	return structpb.NewNumberValue(f), ok
}

// token gives the text that pass passes over.
func (r *structReader) token(pass func(*scanner) error) []byte {
	start := r.pos
	_ = pass(&r.scanner)
	return r.data[start:r.pos]
}

// object writes a Struct, with sorted keys so that equal messages give equal text.
func (w *writer) object(s *structpb.Struct) error {
	w.buf = append(w.buf, '{')
	for i, key := range slices.Sorted(maps.Keys(s.GetFields())) {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.string(key); err != nil {
			return err
		}
		w.buf = append(w.buf, ':')
		if err := w.value(s.GetFields()[key]); err != nil {
			return atKey(key, err)
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

func (w *writer) value(v *structpb.Value) error {
	switch k := v.GetKind().(type) {
	case *structpb.Value_NullValue:
		w.buf = append(w.buf, "null"...)
	case *structpb.Value_BoolValue:
		w.bool(k.BoolValue)
	case *structpb.Value_NumberValue:
		return w.double(k.NumberValue)
	case *structpb.Value_StringValue:
		return w.string(k.StringValue)
	case *structpb.Value_StructValue:
		return w.object(k.StructValue)
	case *structpb.Value_ListValue:
		w.buf = append(w.buf, '[')
		for i, v := range k.ListValue.GetValues() {
			if i > 0 {
				w.buf = append(w.buf, ',')
			}
			if err := w.value(v); err != nil {
				return atIndex(i, err)
			}
		}
		w.buf = append(w.buf, ']')
	default:
		return malformed("google.protobuf.Value has no kind, set null_value for null")
	}
	return nil
}

func (w *writer) bool(b bool) {
	if b {
		w.buf = append(w.buf, "true"...)
	} else {
		w.buf = append(w.buf, "false"...)
	}
}

func (w *writer) double(f float64) error {
	var ok bool
	if w.buf, ok = appendDouble(w.buf, f); !ok {
		return malformed("JSON has no number %v", f)
	}
	return nil
}

func (w *writer) string(text string) error {
	if !utf8.ValidString(text) {
		return malformed("string %q is not valid UTF-8", text)
	}
	const hex = "0123456789abcdef"
	w.buf = append(w.buf, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.buf = append(w.buf, text[start:i]...)
		start = i + 1
		if c < ' ' {
			w.buf = append(w.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			w.buf = append(w.buf, '\\', c)
		}
	}
	w.buf = append(append(w.buf, text[start:]...), '"')
	return nil
}
