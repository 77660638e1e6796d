// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// FuzzFromJSON reads any text into any message, in any encoding: which of them, the first
// two arguments say.
func FuzzFromJSON(f *testing.F) {
	types := mappedTypes()
	for i, typ := range types {
		f.Add(uint8(i), uint8(i), `{"content":[],"name":"x","_meta":{"a":1},"`+string(typ.Descriptor().Name())+`":1e400}`)
	}
	f.Fuzz(func(t *testing.T, typ, enc uint8, data string) {
		m := types[int(typ)%len(types)].New().Interface()
		keptOrRefused(t, []byte(data), m, mcpv1.JsonEncoding(enc%3))
	})
}

func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"n":9007199254740993}}}`,
		`{"jsonrpc":"2.0","id":"1","result":null}`,
		`{"jsonrpc":"2.0","error":{"code":-32700,"message":"m","data":[1e400],"x":{}}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":null}`,
		`[{"jsonrpc":"2.0"}]`,
	} {
		f.Add(text, uint8(0))
		f.Add(text, uint8(2))
	}
	f.Fuzz(func(t *testing.T, data string, enc uint8) {
		e, err := EnvelopeFromJSON([]byte(data), mcpv1.JsonEncoding(enc%3))
		if err != nil {
			return
		}
		if e.GetKind() == nil {
			t.Fatalf("%s became an envelope without a message", data)
		}
		keptOrRefused(t, []byte(data), &mcpv1.Envelope{}, mcpv1.JsonEncoding(enc%3))
	})
}

// FuzzCheckJSON compares the scanner with encoding/json, and the limits with a count of
// tokens.
func FuzzCheckJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e-3,"\ud800\u0000😀",{"b":null}]}`, `[[[[]]]]`, "\"\xff\"", `[1,]`, ` 1 `, `{"a":1}x`} {
		f.Add(text, uint8(3), uint8(4))
	}
	f.Fuzz(func(t *testing.T, data string, depth, nodes uint8) {
		valid := json.Valid([]byte(data)) && utf8.ValidString(data)
		if err := CheckJSON([]byte(data), Limits{}); (err == nil) != valid {
			t.Fatalf("got error %v, want valid = %v", err, valid)
		}
		if !valid {
			return
		}
		gotDepth, gotNodes := measure(t, data)
		err := CheckJSON([]byte(data), Limits{MaxDepth: int(depth), MaxNodes: int(nodes)})
		tooDeep := depth > 0 && gotDepth > int(depth)
		tooMany := nodes > 0 && gotNodes > int(nodes)
		switch {
		case err == nil && (tooDeep || tooMany), err != nil && !tooDeep && !tooMany,
			errors.Is(err, ErrDepth) && !tooDeep, errors.Is(err, ErrNodes) && !tooMany:
			t.Fatalf("got error %v for depth %d of %d, nodes %d of %d", err, gotDepth, depth, gotNodes, nodes)
		}
	})
}

// measure counts levels and nodes in well-formed JSON.
func measure(t *testing.T, data string) (depth, nodes int) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		if _, tooBig := errors.AsType[*json.UnmarshalTypeError](err); !tooBig { // 1e400
			t.Fatal(err)
		}
	}
	level, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			nodes++
			level++
			depth = max(depth, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return depth, nodes
}

// FuzzParsePlainCall compares the quick reader with that of package json and with the SDK's: what it
// takes for a plain call is one, and nothing of it is lost.
func FuzzParsePlainCall(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":"a","arguments":{"x":[1,{"y":2}]},"_meta":{"k":"v"}}`, ` { "arguments" : {} , "name" : "a" } `,
		`{"name":"a","name":"b"}`, `{"name":"a","Name":"b"}`, `{"name":"\u0061"}`, `{"name":"a","arguments":[]}`, `{"name":null}`, `{"name":"a"}x`,
		`{"name":"a","arguments":{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, "{\"name\":\"\xff\"}", `{"name":"a","\u006eame":"b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, ok := ParsePlainCall(text, Limits{MaxDepth: 32, MaxNodes: 1000})
		if !ok {
			return
		}
		var want mcp.CallToolParamsRaw
		if err := DecodeSDK(text, &want); err != nil {
			t.Fatalf("%q is taken, and the SDK says %v", text, err)
		}
		if want.Name != string(c.Name) || string(want.Arguments) != string(c.Arguments) || (c.Meta == nil) != (want.Meta == nil) {
			t.Errorf("%q: got %s with %s, want %s with %s", text, c.Name, c.Arguments, want.Name, want.Arguments)
		}
		var members map[string]json.RawMessage
		var name string
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%q is no JSON: %v", text, err)
		}
		if err := json.Unmarshal(members["name"], &name); err != nil || utf8.Valid(c.Name) && name != string(c.Name) {
			t.Errorf("%q has the name %q, and not %q", text, name, c.Name)
		}
		delete(members, "name")
		for member, value := range map[string]json.RawMessage{"arguments": c.Arguments, "_meta": c.Meta} {
			if !bytes.Equal(members[member], value) {
				t.Errorf("%s of %q is %q, and not %q", member, text, members[member], value)
			}
			delete(members, member)
		}
		if len(members) > 0 {
			t.Errorf("%q has %q, too", text, members)
		}
	})
}
