// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"unicode/utf16"
	"unicode/utf8"
)

// maxScanDepth bounds recursion where the caller sets no limit; encoding/json has the
// same bound.
const maxScanDepth = 10_000

// scanner checks and splits JSON text (RFC 8259), in one pass and without allocating.
// encoding/json is no help where repeated keys, exact numbers, lone surrogates and
// invalid UTF-8 must be told from their look-alikes.
type scanner struct {
	data  []byte
	pos   int
	depth int
	nodes int
	// limits: zero means none, except for maxScanDepth.
	limits Limits
}

func (s *scanner) errorf(what string) error {
	if s.pos >= len(s.data) {
		return syntaxError{malformed("JSON ends too early, expected %s", what)}
	}
	return syntaxError{malformed("JSON has %q at offset %d, expected %s", s.data[s.pos], s.pos, what)}
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek gives the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// value passes over one value.
func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '"':
		return s.string()
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.array(nil)
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.errorf("a value")
}

func (s *scanner) word(w string) error {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.errorf(w)
	}
	s.pos += len(w)
	return nil
}

// enter steps over the bracket that opens an array or object.
func (s *scanner) enter() error {
	s.depth++
	s.nodes++
	limit := maxScanDepth
	if s.limits.MaxDepth > 0 {
		limit = min(limit, s.limits.MaxDepth)
	}
	if s.depth > limit {
		return depthError(limit)
	}
	if s.limits.MaxNodes > 0 && s.nodes > s.limits.MaxNodes {
		return nodesError(s.limits.MaxNodes)
	}
	s.pos++
	s.space()
	return nil
}

// object passes over an object. Each member goes to visit, unless that is nil: the key
// with its quotes, and the value.
func (s *scanner) object(visit func(key, value []byte)) error {
	if err := s.enter(); err != nil {
		return err
	}
	for more := s.peek() != '}'; more; {
		start := s.pos
		if s.peek() != '"' {
			return s.errorf("a member's name")
		}
		if err := s.string(); err != nil {
			return err
		}
		end := s.pos
		s.space()
		if s.peek() != ':' {
			return s.errorf("a colon")
		}
		s.pos++
		s.space()
		value := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if visit != nil {
			visit(s.data[start:end:end], s.data[value:s.pos:s.pos])
		}
		var err error
		if more, err = s.next('}'); err != nil {
			return err
		}
	}
	s.pos++
	s.depth--
	return nil
}

// array passes over an array. Each element goes to visit, unless that is nil.
func (s *scanner) array(visit func(value []byte)) error {
	if err := s.enter(); err != nil {
		return err
	}
	for more := s.peek() != ']'; more; {
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if visit != nil {
			visit(s.data[start:s.pos:s.pos])
		}
		var err error
		if more, err = s.next(']'); err != nil {
			return err
		}
	}
	s.pos++
	s.depth--
	return nil
}

// next steps over a comma, or stops at the closing bracket.
func (s *scanner) next(closing byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true, nil
	case closing:
		return false, nil
	}
	return false, s.errorf("a comma or the end")
}

func (s *scanner) string() error {
	data := s.data
	for i := s.pos + 1; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			return nil
		case c == '\\':
			n := escapeLen(data[i:])
			if n == 0 {
				s.pos = i
				return s.errorf("an escape sequence of JSON")
			}
			i += n
		case c < ' ':
			s.pos = i
			return s.errorf("an escaped control character")
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				s.pos = i
				return s.errorf("valid UTF-8")
			}
			i += n
		}
	}
	s.pos = len(data)
	return s.errorf("the end of a string")
}

// escapeLen is the length of the escape sequence that data begins with, or 0 if it is none.
func escapeLen(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(data); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the escape sequence `\uXXXX` that data begins with.
func hex4(data []byte) (r rune, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	for _, c := range data[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.errorf("a digit")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.errorf("a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.errorf("a digit")
		}
	}
	return nil
}

// only checks that data is one value, with nothing but white space around it, and gives
// the value without that.
func (s *scanner) only() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.value(); err != nil {
		return nil, err
	}
	end := s.pos
	s.space()
	if s.pos < len(s.data) {
		return nil, s.errorf("the end")
	}
	return s.data[start:end:end], nil
}

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
