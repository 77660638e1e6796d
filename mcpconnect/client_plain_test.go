// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMuxCallThatCannotBeEncodedFailsAlone: those that are written together with it are made.
func TestMuxCallThatCannotBeEncodedFailsAlone(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{ProtocolGRPC, ProtocolConnect} {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			m := newMuxServer(t, Limits{}).mux(t, WithProtocol(p))
			ctx := muxContext(t)
			s, err := m.current(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var calls sync.WaitGroup
			for i := range 200 {
				calls.Go(func() {
					if i%2 == 0 {
						if _, err := m.roundTrip(ctx, callFrame("\xff", "{}")); connect.CodeOf(err) != connect.CodeInternal {
							t.Errorf("a name that is not UTF-8 gave %v, want internal", err)
						}
						return
					}
					args := fmt.Sprintf(`{"n":%d}`, i)
					r, err := m.roundTrip(ctx, callFrame("echo", args))
					if err != nil {
						t.Errorf("call %d: %v", i, err)
						return
					}
					if got := r.GetCallTool().GetResult().GetContent()[0].GetText().GetText(); got != args {
						t.Errorf("call %d gave %s", i, got)
					}
				})
			}
			calls.Wait()
			if after, err := m.current(ctx); after != s || err != nil {
				t.Errorf("there is another stream, or none: %v", err)
			}
			if s.slots.taken != 0 || len(s.calls) != 0 {
				t.Errorf("%d slots are taken, %d calls are in flight, want none", s.slots.taken, len(s.calls))
			}
		})
	}
}

const nestedObject = `{"a":1,"b":{"c":{"d":[1,{"e":[{"f":"g"}],"h":{}}]}},"i":[[],[[{}]],{"j":null}],"k":"l"}`

func TestJSONTemplateGivesCopies(t *testing.T) {
	t.Parallel()
	var object map[string]any
	if err := json.Unmarshal([]byte(nestedObject), &object); err != nil {
		t.Fatal(err)
	}
	template := newJSONTemplate(object)
	for range 3 {
		c := template.object()
		if text, err := json.Marshal(c); err != nil || cmp.Diff(nestedObject, string(text)) != "" {
			t.Errorf("got %s, %v, want %s", text, err, nestedObject)
		}
		spoil(c)
	}
}

// TestJSONTemplateGivesCopiesOfAnything of what JSON can say.
func TestJSONTemplateGivesCopiesOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{}
		for _, key := range rapid.SliceOfN(rapid.StringMatching("[a-f]"), 0, 6).Draw(t, "keys") {
			object[key] = jsonValue(t, 3)
		}
		want, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		template := newJSONTemplate(object)
		for range 2 {
			c := template.object()
			if got, err := json.Marshal(c); err != nil || string(got) != string(want) {
				t.Fatalf("got %s, %v, want %s", got, err, want)
			}
			spoil(c)
		}
	})
}

// jsonValue draws a value as a decoder of JSON makes it.
func jsonValue(t *rapid.T, depth int) any {
	kinds := 3
	if depth > 0 {
		kinds = 5
	}
	n := rapid.IntRange(0, 3)
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
	case 2:
		return rapid.String().Draw(t, "text")
	case 3:
		object := map[string]any{}
		for i := range n.Draw(t, "members") {
			object[fmt.Sprint(i)] = jsonValue(t, depth-1)
		}
		return object
	default:
		array := []any{}
		for range n.Draw(t, "items") {
			array = append(array, jsonValue(t, depth-1))
		}
		return array
	}
}

// spoil changes all that can be changed in a value.
func spoil(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			spoil(member)
		}
		clear(v)
		v["spoilt"] = true
	case []any:
		for i := range v {
			spoil(v[i])
			v[i] = strings.Repeat("spoilt", 2)
		}
	}
}
