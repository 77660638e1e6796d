// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkTwins checks that every free-form value in m that a Struct holds exactly came as a
// Struct (SPEC.md §5.2, R2). That the values are right, comparing the outcomes shows.
func checkTwins(t testing.TB, m proto.Message) {
	t.Helper()
	m.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap() && fd.MapValue().Kind() == protoreflect.MessageKind:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				checkTwins(t, v.Message().Interface())
				return true
			})
		case fd.IsList() && fd.Kind() == protoreflect.MessageKind:
			for i := range v.List().Len() {
				checkTwins(t, v.List().Get(i).Message().Interface())
			}
		case fd.IsMap() || fd.IsList():
		case fd.Kind() == protoreflect.MessageKind && strings.HasPrefix(string(fd.Message().FullName()), "mcp.v1."):
			checkTwins(t, v.Message().Interface())
		case fd.Kind() == protoreflect.BytesKind && structTwin(fd) && structHolds(v.Bytes()):
			t.Errorf("%s came as text, though a Struct holds it: %s", fd.FullName(), v.Bytes())
		}
		return true
	})
}

// structTwin tells whether a field is the `_json` twin of a Struct.
func structTwin(fd protoreflect.FieldDescriptor) bool {
	name, ok := strings.CutSuffix(string(fd.Name()), "_json")
	if !ok {
		return false
	}
	twin := fd.ContainingMessage().Fields().ByName(protoreflect.Name(name))
	return twin != nil && twin.Message() != nil && twin.Message().FullName() == "google.protobuf.Struct"
}

// structHolds tells whether a google.protobuf.Struct holds JSON exactly: it is written
// from SPEC.md alone, to check what package mapping makes of it.
func structHolds(text []byte) bool {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) || bytes.Contains(text, []byte(`\ud`)) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return holdsValue(d)
}

func holdsValue(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	switch token := token.(type) {
	case json.Number:
		return doubleHolds(token.String())
	case json.Delim:
		keys := map[any]bool{}
		for d.More() {
			if token == '{' {
				key, err := d.Token()
				if err != nil || keys[key] {
					return false
				}
				keys[key] = true
			}
			if !holdsValue(d) {
				return false
			}
		}
		_, err := d.Token()
		return err == nil || err == io.EOF
	}
	return true
}

func doubleHolds(number string) bool {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	want, ok := new(big.Rat).SetString(number)
	got, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && got.Cmp(want) == 0
}

// unfold replaces texts that are JSON by their canonical form: a tool that shows its
// arguments as text shows what it was sent, and a Struct keeps no order of members.
func unfold(o outcome) outcome {
	var v any
	d := json.NewDecoder(bytes.NewReader(o.result))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return o
	}
	unfoldTexts(v)
	if text, err := json.Marshal(v); err == nil {
		o.result = text
	}
	return o
}

func unfoldTexts(v any) {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["text"].(string); ok && strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
			v["text"] = canonical([]byte(text))
		}
		for _, member := range v {
			unfoldTexts(member)
		}
	case []any:
		for _, item := range v {
			unfoldTexts(item)
		}
	}
}

func TestStructHoldsWhatItShould(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{}`: true, `{"a":[1,0.1,1e3,-0]}`: true, `[]`: false, `"a"`: false, `null`: false,
		`{"a":9007199254740993}`: false, `{"a":1e400}`: false, `{"a":1,"a":2}`: false, `{"a":{"b":1,"b":1}}`: false,
		`{"a":9007199254740992}`: true, `{"a":3.141592653589793238}`: false,
	} {
		if got := structHolds([]byte(text)); got != want {
			t.Errorf("structHolds(%s) is %t, want %t", text, got, want)
		}
	}
}
