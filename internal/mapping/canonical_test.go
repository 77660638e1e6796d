// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sort"
	"strings"
	"testing"
)

// canonical gives one text for all spellings of a JSON value: members sorted (repeated
// ones kept, as a list), numbers as exact decimals. It shares nothing with the engine: the
// tokens are those of encoding/json, except that a string with a lone surrogate, which that
// replaces, keeps its spelling.
func canonical(data []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(markSurrogates(data)))
	dec.UseNumber()
	text, err := canonicalValue(dec)
	if err != nil {
		return "", err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("text after the value: %w", err)
	}
	return text, nil
}

// markSurrogates replaces escapes of surrogates that encoding/json would turn into U+FFFD
// by private-use text that it keeps.
func markSurrogates(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			continue
		}
		if data[i+1] != 'u' || i+6 > len(data) {
			out = append(out, data[i], data[i+1])
			i++
			continue
		}
		hex := strings.ToLower(string(data[i+2 : i+6]))
		high := hex >= "d800" && hex <= "dbff"
		low := hex >= "dc00" && hex <= "dfff"
		switch {
		case high && i+12 <= len(data) && data[i+6] == '\\' && data[i+7] == 'u':
			next := strings.ToLower(string(data[i+8 : i+12]))
			if next >= "dc00" && next <= "dfff" {
				out = append(out, data[i:i+12]...)
				i += 11
				continue
			}
			fallthrough
		case high || low:
			out = append(out, "\U0010FFFDlone-"+hex...)
		default:
			out = append(out, data[i:i+6]...)
		}
		i += 5
	}
	return out
}

func canonicalValue(dec *json.Decoder) (string, error) {
	tok, err := dec.Token()
	if err != nil {
		return "", err
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '{' {
			return canonicalObject(dec)
		}
		return canonicalArray(dec)
	case json.Number:
		return canonicalNumber(tok.String()), nil
	case string:
		return fmt.Sprintf("%q", tok), nil
	}
	return fmt.Sprint(tok), nil
}

func canonicalObject(dec *json.Decoder) (string, error) {
	var ms []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", err
		}
		value, err := canonicalValue(dec)
		if err != nil {
			return "", err
		}
		ms = append(ms, fmt.Sprintf("%q:%s", key, value))
	}
	sort.Strings(ms)
	_, err := dec.Token()
	return "{" + strings.Join(ms, ",") + "}", err
}

func canonicalArray(dec *json.Decoder) (string, error) {
	var vs []string
	for dec.More() {
		value, err := canonicalValue(dec)
		if err != nil {
			return "", err
		}
		vs = append(vs, value)
	}
	_, err := dec.Token()
	return "[" + strings.Join(vs, ",") + "]", err
}

// canonicalNumber gives the reduced fraction, or for an exponent too big to expand the
// mantissa without trailing zeros and the exponent.
func canonicalNumber(text string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if exponent == "" {
		exponent = "0"
	}
	exp, _ := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
	if whole, fraction, ok := strings.Cut(mantissa, "."); ok {
		mantissa = whole + fraction
		exp.Sub(exp, big.NewInt(int64(len(fraction))))
	}
	mantissa = strings.TrimLeft(mantissa, "0")
	trimmed := strings.TrimRight(mantissa, "0")
	exp.Add(exp, big.NewInt(int64(len(mantissa)-len(trimmed))))
	if trimmed == "" {
		return sign + "0"
	}
	return sign + trimmed + "e" + exp.String()
}

func mustCanonical(tb testing.TB, data []byte) string {
	tb.Helper()
	text, err := canonical(data)
	if err != nil {
		tb.Fatalf("not JSON: %v: %s", err, data)
	}
	return text
}

func requireSameJSON(tb testing.TB, got, want []byte) {
	tb.Helper()
	if g, w := mustCanonical(tb, got), mustCanonical(tb, want); g != w {
		tb.Fatalf("JSON changed\n got %s\nwant %s", got, want)
	}
}

func TestCanonicalTellsApartWhatMustDiffer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"order of members", `{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{"spelling of numbers", `[100,1.50]`, `[1e2,15e-1]`, true},
		{"white space and escapes", ` ["\u0041" ] `, `["A"]`, true},
		{"minus zero", `0`, `-0`, false},
		{"a digit beyond doubles", `9007199254740993`, `9007199254740992`, false},
		{"beyond the range of doubles", `1e400`, `1e401`, false},
		{"beyond all exponents", `1e99999999999999999999`, `10e99999999999999999998`, true},
		{"repeated keys", `{"a":1,"a":1}`, `{"a":1}`, false},
		{"null and absent", `{"a":null}`, `{}`, false},
		{"lone surrogates", `"\ud800"`, `"\ud801"`, false},
		{"lone surrogate and replacement", `"\ud800"`, `"\ufffd"`, false},
		{"surrogate pair", `"\ud83d\ude00"`, `"😀"`, true},
		{"order of elements", `[1,2]`, `[2,1]`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			same := mustCanonical(t, []byte(tt.a)) == mustCanonical(t, []byte(tt.b))
			if same != tt.same {
				t.Errorf("%s and %s: got same = %v, want %v", tt.a, tt.b, same, tt.same)
			}
		})
	}
}
