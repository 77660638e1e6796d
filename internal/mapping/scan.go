// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import "unicode/utf8"

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

// hex4 reads the escape sequence of `\u` and four hexadecimal digits that data begins with.
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
