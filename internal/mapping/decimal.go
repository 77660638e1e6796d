// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"math"
	"strconv"
)

// decimal is the exact value of a JSON number: 0.DIGITS × 10^exp, without leading or
// trailing zeros. Zero has no digits. It is compared, never expanded: an exponent costs
// the sender ten bytes, and must not cost us 10^10.
type decimal struct {
	negative bool
	digits   []byte
	exp      int64
}

// parseDecimal reads a number that the scanner has passed over. ok is false if the
// exponent is beyond everything that a field can hold.
func parseDecimal(text []byte) (d decimal, ok bool) {
	if text[0] == '-' {
		d.negative = true
		text = text[1:]
	}
	mantissa, exponent := text, []byte(nil)
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	digits := append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)
	d.exp = int64(len(whole))
	n := len(digits)
	digits = bytes.TrimLeft(digits, "0")
	d.exp -= int64(n - len(digits))
	d.digits = bytes.TrimRight(digits, "0")
	if len(d.digits) == 0 {
		d.exp = 0
		return d, true // 0e999999999999 is 0
	}
	if exponent != nil {
		e, err := strconv.ParseInt(string(exponent), 10, 64)
		if err != nil || e > math.MaxInt32 || e < math.MinInt32 {
			return d, false
		}
		d.exp += e
	}
	return d, true
}

func (d decimal) equal(e decimal) bool {
	return d.negative == e.negative && d.exp == e.exp && bytes.Equal(d.digits, e.digits)
}

// isShortInt says that text is an integer so short that every double and int64 holds it.
// Minus zero is none.
func isShortInt(text []byte) bool {
	digits := text
	if text[0] == '-' {
		digits = text[1:]
		if digits[0] == '0' {
			return false
		}
	}
	if len(digits) > 15 {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isNumber(raw []byte) bool { return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' }

// exactDouble gives the double that raw denotes. ok is false unless the shortest text of
// that double denotes the very number of raw: what is read must be what is written.
func exactDouble(raw []byte) (f float64, ok bool) {
	if !isNumber(raw) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, false
	}
	if isShortInt(raw) {
		return f, true
	}
	want, ok := parseDecimal(raw)
	if !ok {
		return 0, false
	}
	got, _ := parseDecimal(strconv.AppendFloat(nil, f, 'e', -1, 64))
	return f, got.equal(want)
}

// exactInt gives the integer that raw denotes, in whatever spelling: 1e2 is 100. ok is
// false if it is none, does not fit, or is minus zero.
func exactInt(raw []byte) (i int64, ok bool) {
	if !isNumber(raw) {
		return 0, false
	}
	if isShortInt(raw) {
		i, err := strconv.ParseInt(string(raw), 10, 64)
		return i, err == nil
	}
	d, ok := parseDecimal(raw)
	if !ok || len(d.digits) == 0 {
		return 0, ok && !d.negative
	}
	if d.exp > 19 || d.exp < int64(len(d.digits)) {
		return 0, false
	}
	text := make([]byte, 0, 20)
	if d.negative {
		text = append(text, '-')
	}
	text = append(text, d.digits...)
	for range d.exp - int64(len(d.digits)) {
		text = append(text, '0')
	}
	i, err := strconv.ParseInt(string(text), 10, 64)
	return i, err == nil
}

// appendDouble appends the shortest text of f, spelt as ECMAScript does. ok is false for
// NaN and the infinities, which JSON does not have.
func appendDouble(out []byte, f float64) (_ []byte, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return out, false
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(out, f, format, -1, 64), true
}
