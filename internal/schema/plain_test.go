// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"pgregory.net/rapid"

	"github.com/mcpconnect/mcpconnect/internal/schema"
)

func parse(t testing.TB, text string) *jsonschema.Schema {
	t.Helper()
	var s *jsonschema.Schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

const person = `{"type":"object","properties":{
	"name":{"type":"string","description":"who"},
	"age":{"type":"integer","minimum":0},
	"height":{"type":"number"},
	"tags":{"type":["null","array"],"items":{"type":"string"}},
	"home":{"type":"object","properties":{"street":{"type":"string"}},"required":["street"],"additionalProperties":false},
	"adult":{"type":"boolean"}},
	"required":["name"],"additionalProperties":false}`

func TestAccepts(t *testing.T) {
	t.Parallel()
	p := schema.New(parse(t, person))
	if p == nil {
		t.Fatal("the schema is not plain")
	}
	for text, want := range map[string]bool{
		`{"name":"x"}`: true,
		` { "name" : "x" , "age" : 0 , "height" : -1.5e3 , "tags" : [ "a" , "b" ] } `: true,
		`{"name":"a\"b","tags":null,"adult":true}`:                                    true,
		`{"name":"x","tags":[],"home":{"street":"s"},"adult":false}`:                  true,
		`{}`:                            false, // name is required
		`{"name":null}`:                 false,
		`{"name":"x","age":-1}`:         false,
		`{"name":"x","age":1.0}`:        false, // valid, but left to others
		`{"name":"x","age":"1"}`:        false,
		`{"name":"x","tags":["a",1]}`:   false,
		`{"name":"x","home":{}}`:        false,
		`{"name":"x","other":1}`:        false,
		`{"name":"x","name":"y"}`:       false, // left to others
		`{"n\u0061me":"x"}`:             false, // left to others
		`{"name":"x"} {}`:               false,
		`{"name":"x"`:                   false,
		`{"name":"x",}`:                 false,
		`{"name" "x"}`:                  false,
		`{"name":"x`:                    false,
		`{"name":"x","adult":truthful}`: false,
		`[]`:                            false,
		`null`:                          false,
		``:                              false,
	} {
		if got := p.Accepts([]byte(text)); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

func TestOnlyPlainSchemasArePlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"type":"object"}`: true,
		`{"type":"object","title":"t","description":"d","$comment":"c","examples":[1]}`: true,
		`{"type":"array","items":{"type":"integer"}}`:                                   true,
		`{"type":"integer","minimum":0}`:                                                true,
		`{}`:                                                                            false,
		`true`:                                                                          false,
		`{"type":"string","minLength":1}`:                                               false,
		`{"type":"string","pattern":"a"}`:                                               false,
		`{"type":"string","enum":["a"]}`:                                                false,
		`{"type":"string","default":"a"}`:                                               false,
		`{"type":"integer","minimum":1}`:                                                false,
		`{"type":"integer","maximum":1}`:                                                false,
		`{"type":"array","minItems":1}`:                                                 false,
		`{"type":"array","items":{}}`:                                                   false,
		`{"type":"object","minProperties":1}`:                                           false,
		`{"type":"object","required":["a"]}`:                                            false,
		`{"type":"object","patternProperties":{"a":{"type":"string"}}}`:                 false,
		`{"type":"object","properties":{"a":{"$ref":"#"}}}`:                             false,
		`{"type":"object","properties":{"a":{"type":"string","format":"uri"}}}`:         false,
		`{"type":"object","not":{"type":"object"}}`:                                     false,
		`{"type":"object","anyOf":[{"type":"object"}]}`:                                 false,
	} {
		if got := schema.New(parse(t, text)) != nil; got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
	if schema.New(nil) != nil {
		t.Error("nil is plain")
	}
}

// TestWhatIsAcceptedIsValid compares with the complete check, on random schemas and values.
func TestWhatIsAcceptedIsValid(t *testing.T) {
	t.Parallel()
	accepted, seen := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchema(t, 3)
		p := schema.New(s)
		if p == nil {
			return
		}
		resolved, err := s.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		text := drawValue(t, s)
		seen++
		if !p.Accepts([]byte(text)) {
			return
		}
		accepted++
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return // no JSON: the caller sees that
		}
		if err := resolved.Validate(v); err != nil {
			t.Fatalf("%s was accepted: %v", text, err)
		}
	})
	if accepted < seen/20 {
		t.Errorf("of %d values only %d were accepted: the test shows little", seen, accepted)
	}
}

var types = []string{"null", "boolean", "integer", "number", "string", "array", "object"}

func drawSchema(t *rapid.T, depth int) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	if depth == 0 {
		s.Type = rapid.SampledFrom(types[:5]).Draw(t, "type")
		return s
	}
	s.Type = rapid.SampledFrom(append(types, "object", "object", "array")).Draw(t, "type")
	if rapid.IntRange(0, 5).Draw(t, "several types") == 0 {
		s.Type, s.Types = "", []string{"null", s.Type}
	}
	if rapid.IntRange(0, 5).Draw(t, "minimum") == 0 {
		s.Minimum = new(0.0)
	}
	if rapid.Bool().Draw(t, "items") {
		s.Items = drawSchema(t, depth-1)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "properties") {
		if s.Properties == nil {
			s.Properties = map[string]*jsonschema.Schema{}
		}
		name := fmt.Sprint("p", i)
		s.Properties[name] = drawSchema(t, depth-1)
		if rapid.Bool().Draw(t, "required") {
			s.Required = append(s.Required, name)
		}
	}
	if rapid.Bool().Draw(t, "closed") {
		s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
	}
	return s
}

// drawValue gives text that is often valid.
func drawValue(t *rapid.T, s *jsonschema.Schema) string {
	if s == nil || rapid.IntRange(0, 15).Draw(t, "anything") == 0 {
		return rapid.SampledFrom([]string{
			"null", "true", "false", "0", "-0", "-1", "1.0", "1e2", "12345678901234567890", `""`, `"a\"b"`, `"é"`, `"\ud800"`,
			"[]", "[1]", "[[]]", "{}", `{"p0":1}`, `{"p0":1,"p0":"x"}`, `{"x":{}}`, "", "tru", "01", "[,]", "{,}", "-",
		}).Draw(t, "value")
	}
	kind := s.Type
	if kind == "" {
		kind = rapid.SampledFrom(s.Types).Draw(t, "kind")
	}
	switch kind {
	case "boolean":
		return "true"
	case "integer":
		return fmt.Sprint(rapid.Int64().Draw(t, "integer"))
	case "number":
		text, _ := json.Marshal(rapid.Float64Range(-1e9, 1e9).Draw(t, "number")) // never fails
		return string(text)
	case "string":
		text, _ := json.Marshal(rapid.String().Draw(t, "string")) // never fails
		return string(text)
	case "array":
		var items []string
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			items = append(items, drawValue(t, s.Items))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case "object":
		var members []string
		for name, p := range s.Properties {
			if rapid.IntRange(0, 9).Draw(t, "left out") > 0 {
				members = append(members, fmt.Sprintf("%q : %s", name, drawValue(t, p)))
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return "null"
}
