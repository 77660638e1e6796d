// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalars are values that some implementation will get wrong.
var scalars = []string{
	`null`, `true`, `false`, `0`, `-0`, `-0.0`, `0e9`, `1`, `-1`, `1.0`, `1.5`, `1e2`, `100e-2`, `0.1`, `0.30000000000000004`, `0.1234567890123456789`,
	`9007199254740991`, `9007199254740993`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `-9223372036854775809`,
	`4294967295`, `4294967296`, `2147483647`, `2147483648`, `1e400`, `-1e400`, `1e-400`, `1e308`, `1e21`, `1e-7`, `5e-324`, `4.9e-324`, `1e999999999`,
	`1e-99999999999999999999`, `123456789012345678901234567890`,
	`""`, `"x"`, `"\u0000"`, `"\u007f\u2028"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"😀"`, `"\/\b\f\n\r\t\"\\"`, `"AAE="`, `"AAE"`, `"AAF="`, `"\u0041AE="`, `"_-8="`,
	`"2.0"`, `"text"`, `"image"`, `"audio"`, `"resource"`, `"resource_link"`, `"tool_use"`, `"tool_result"`, `"input_required"`, `"task"`,
	`"complete"`, `"user"`, `"accept"`, `"elicitation/create"`, `"sampling/createMessage"`, `"roots/list"`, `"ref/prompt"`, `"ref/resource"`,
	`[]`, `{}`, `[[]]`, `[null]`, `{"a":{"a":[1e400]}}`, `{"a":1,"a":1}`, `{"\ud800":1}`, `{"":""}`,
}

var oddKeys = []string{`"\ud800"`, `""`, `"Name"`, `"n\u0061me"`, `"__proto__"`, `"extraJson"`, `"extra_json"`, `"x"`}

// texts makes random JSON about messages, always the same.
type texts struct {
	*rand.Rand
	// keys are the members that messages have.
	keys []string
}

func newTexts(types []protoreflect.MessageType) *texts {
	keys := []string{
		"_meta", "argument", "blob", "completion", "hasMore", "id", "jsonrpc", "method", "params", "ref", "total", "type",
		"io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/clientCapabilities",
	}
	for _, typ := range types {
		for i := range typ.Descriptor().Fields().Len() {
			keys = append(keys, typ.Descriptor().Fields().Get(i).JSONName())
		}
	}
	slices.Sort(keys)
	return &texts{rand.New(rand.NewPCG(2026, 728)), slices.Compact(keys)}
}

func (r *texts) pick(from []string) string { return from[r.IntN(len(from))] }

func (r *texts) space() string { return r.pick([]string{"", "", "", " ", "\n\t", "\r "}) }

func (r *texts) value(depth int) string {
	switch kind := r.IntN(10); {
	case depth == 0 || kind < 5:
		return r.pick(scalars)
	case kind == 5:
		return strconv.FormatFloat(r.NormFloat64()*1e3, 'g', r.IntN(20)+1, 64)
	case kind == 6:
		return strconv.FormatInt(int64(r.Uint64()>>r.IntN(64)), 10)
	case kind == 7:
		parts := make([]string, r.IntN(4))
		for i := range parts {
			parts[i] = r.space() + r.value(depth-1)
		}
		return "[" + strings.Join(parts, r.space()+",") + r.space() + "]"
	}
	return r.object(depth, nil)
}

// object has a member of each field of must, mostly of its type, and some others.
func (r *texts) object(depth int, must protoreflect.MessageDescriptor) string {
	var parts []string
	seen := map[string]bool{}
	add := func(key, value string) {
		if seen[key] && r.IntN(20) > 0 { // repeated keys now and then
			return
		}
		seen[key] = true
		parts = append(parts, r.space()+key+r.space()+":"+r.space()+value+r.space())
	}
	for i := 0; must != nil && i < must.Fields().Len(); i++ {
		if fd := must.Fields().Get(i); r.IntN(4) > 0 {
			add(strconv.Quote(memberName(fd)), r.fitting(fd, depth-1))
		}
	}
	for range r.IntN(4) {
		key := `"` + r.pick(r.keys) + `"`
		if r.IntN(8) == 0 {
			key = r.pick(oddKeys)
		}
		add(key, r.value(depth-1))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func memberName(fd protoreflect.FieldDescriptor) string {
	switch name, reserved := fd.JSONName(), "io.modelcontextprotocol/"; {
	case name == "meta":
		return "_meta"
	case fd.ContainingMessage().Name() == "RequestMeta" && fd.Number() <= 4:
		return reserved + name
	default:
		return name
	}
}

// fitting is a value that the field probably holds.
func (r *texts) fitting(fd protoreflect.FieldDescriptor, depth int) string {
	if depth <= 0 || r.IntN(5) == 0 {
		return r.value(max(depth, 0))
	}
	switch {
	case fd.IsMap():
		return fmt.Sprintf(`{"k":%s}`, r.fitting(fd.MapValue(), depth-1))
	case fd.IsList():
		return "[" + r.one(fd, depth) + "]"
	}
	return r.one(fd, depth)
}

func (r *texts) one(fd protoreflect.FieldDescriptor, depth int) string {
	switch {
	case fd.Message() == nil:
		return r.scalar(fd.Kind())
	case fd.Message().FullName() == "google.protobuf.Struct":
		return r.object(depth, nil)
	case fd.Message().FullName() == "mcp.v1.Content":
		return r.content(depth)
	case fd.Message().FullName() == "mcp.v1.InputRequest":
		method := r.pick([]string{"elicitation/create", "sampling/createMessage", "roots/list", "x"})
		return fmt.Sprintf(`{"method":%q,"params":%s}`, method, r.object(depth-1, nil))
	}
	return r.object(depth, fd.Message())
}

func (r *texts) content(depth int) string {
	block := fmt.Sprintf(`{"type":%s,%q:%s,%q:%s}`, r.pick([]string{`"text"`, `"image"`, `"audio"`, `"resource_link"`, `"tool_use"`, `"new"`, `1`}),
		r.pick([]string{"text", "uri", "id"}), r.pick([]string{`"x"`, `""`, `null`}), r.pick([]string{"data", "blob", "mimeType", "name"}), r.pick(scalars))
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf(`{"role":%s,"content":%s}`, r.pick(scalars), block)
	case 1:
		return fmt.Sprintf(`{"uri":"file:///x",%q:%s,"mimeType":%s}`, r.pick([]string{"text", "blob"}), r.pick([]string{`"AAE="`, `"x"`, `7`}), r.value(depth-1))
	}
	return block
}

func (r *texts) scalar(kind protoreflect.Kind) string {
	switch kind { //nolint:exhaustive // mcp.v1 has no others
	case protoreflect.BoolKind:
		return r.pick([]string{"true", "false"})
	case protoreflect.StringKind:
		return r.pick([]string{`""`, `"x"`, `"é"`, `"\ud83d\ude00"`, `"2026-07-28"`})
	case protoreflect.BytesKind:
		return r.pick([]string{`""`, `"AAE="`, `"AA=="`})
	case protoreflect.DoubleKind:
		return r.pick([]string{"0", "-0", "0.5", "1e3", "0.1", "1e-7"})
	}
	return r.pick([]string{"0", "1", "42", "1e2", "2147483647"})
}
