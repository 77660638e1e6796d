// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"reflect"
	"testing"
)

var anyTexts = []string{
	`{"type":"object","properties":{"a":{"type":"integer","minimum":-0},"b":{"enum":[1,2.5e-3,"x",null,true,false]}},"required":["a"]}`,
	` [ ] `, `{}`, `[[[]],{"a":{}}]`, `null`, `"a\ud800\u0000😀"`, `{"a\n":1,"a":2,"a":3}`, `1e400`, `-1E+2`, `9007199254740993`,
	`{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"10":10}`,
	`{"a":1`, `{"a" 1}`, `[1,]`, `{a:1}`, `tru`, ``, `1 2`, `01`, "\"\xff\"", "{\"\xff\":1}",
}

func TestDecodeAny(t *testing.T) {
	t.Parallel()
	for _, text := range anyTexts {
		sameAny(t, text)
	}
}

// FuzzDecodeAny compares the two readers.
func FuzzDecodeAny(f *testing.F) {
	for _, text := range anyTexts {
		f.Add(text)
	}
	f.Fuzz(sameAny)
}

func sameAny(t *testing.T, text string) {
	t.Helper()
	var want any
	wantErr := json.Unmarshal([]byte(text), new(any)) // which takes one value
	if wantErr == nil {
		wantErr = DecodeSDK([]byte(text), &want)
	}
	got, err := DecodeAny([]byte(text))
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q: got %#v, %v; want %#v, %v", text, got, err, want, wantErr)
	}
}

func BenchmarkDecodeAny(b *testing.B) {
	text := []byte(`{"type":"object","properties":{"city":{"type":"string","description":"The name of the city"},` +
		`"days":{"type":"integer","minimum":1,"maximum":14},"units":{"type":"string","enum":["metric","imperial"]}},` +
		`"required":["city"],"additionalProperties":false}`)
	b.Run("one pass", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = DecodeAny(text)
		}
	})
	b.Run("the SDK's", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			_ = DecodeSDK(text, &v)
		}
	})
}
