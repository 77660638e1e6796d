// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package schema

import "bytes"

// Accepts tells that text, if it is JSON, is surely valid. False says nothing: the text may be
// invalid, or have something that is left to a complete check, such as a member that the
// schema does not name, or an escape in a name.
func (p *Plain) Accepts(json []byte) bool {
	w := walker{json}
	return w.value(p) && w.peek() == 0 && len(w.rest) == 0
}

// A walker walks over text.
type walker struct{ rest []byte }

// peek gives the next byte that is not space, 0 at the end.
func (w *walker) peek() byte {
	for i, c := range w.rest {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			w.rest = w.rest[i:]
			return c
		}
	}
	w.rest = nil
	return 0
}

func (w *walker) take(c byte) bool {
	if w.peek() != c {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

func (w *walker) value(p *Plain) bool {
	switch c := w.peek(); {
	case c == '{':
		return p.kinds&object != 0 && w.object(p)
	case c == '[':
		return p.kinds&array != 0 && w.array(p)
	case c == '"':
		_, ok := w.string()
		return ok && p.kinds&text != 0
	case c == '-' || '0' <= c && c <= '9':
		return w.number(p)
	case c == 't':
		return p.kinds&boolean != 0 && w.literal("true")
	case c == 'f':
		return p.kinds&boolean != 0 && w.literal("false")
	case c == 'n':
		return p.kinds&null != 0 && w.literal("null")
	}
	return false
}

func (w *walker) literal(s string) bool {
	rest, ok := bytes.CutPrefix(w.rest, []byte(s))
	w.rest = rest
	return ok
}

func (w *walker) object(p *Plain) bool {
	w.take('{')
	seen := uint64(0)
	for first := true; !w.take('}'); first = false {
		if !first && !w.take(',') {
			return false
		}
		if w.peek() != '"' {
			return false
		}
		name, ok := w.string()
		m, known := p.members[string(name)]
		if !ok || !known || seen&m.bit != 0 || !w.take(':') || !w.value(m.schema) {
			return false
		}
		seen |= m.bit
	}
	return seen&p.required == p.required
}

func (w *walker) array(p *Plain) bool {
	w.take('[')
	for first := true; !w.take(']'); first = false {
		if !first && !w.take(',') {
			return false
		}
		if p.items == nil || !w.value(p.items) {
			return false
		}
	}
	return true
}

// string gives what stands between quotes. Escapes stay as they are.
func (w *walker) string() ([]byte, bool) {
	for i := 1; i < len(w.rest); i++ {
		switch w.rest[i] {
		case '\\':
			i++
		case '"':
			s := w.rest[1:i]
			w.rest = w.rest[i+1:]
			return s, true
		}
	}
	return nil, false
}

func (w *walker) number(p *Plain) bool {
	n := 0
	whole := true
	for n < len(w.rest) {
		c := w.rest[n]
		if c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-' && n > 0 {
			whole = false
		} else if c != '-' && (c < '0' || c > '9') {
			break
		}
		n++
	}
	negative := w.rest[0] == '-'
	w.rest = w.rest[n:]
	return p.kinds&number != 0 && !p.nonNegative ||
		whole && p.kinds&(integer|number) != 0 && (!p.nonNegative || !negative)
}
