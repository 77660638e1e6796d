// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// mappedTypes are the messages of mcp.v1 that have a twin, in order of their names.
func mappedTypes() (types []protoreflect.MessageType) {
	protoregistry.GlobalTypes.RangeMessages(func(t protoreflect.MessageType) bool {
		if !noTwin(t.Zero().Interface()) && !t.Descriptor().IsMapEntry() {
			types = append(types, t)
		}
		return true
	})
	slices.SortFunc(types, func(a, b protoreflect.MessageType) int {
		return strings.Compare(string(a.Descriptor().FullName()), string(b.Descriptor().FullName()))
	})
	return types
}

func TestEveryMessageHasAFile(t *testing.T) {
	t.Parallel()
	if n := len(mappedTypes()); n < 60 {
		t.Errorf("got %d messages with a twin, want at least 60", n)
	}
}

// jsonTexts generates JSON text in which everything is nasty that may be: spelling, white
// space, repeated keys, numbers of any size, members of the messages with values of
// any type.
type jsonTexts struct {
	names []string // of members that messages have
}

func newJSONTexts() *jsonTexts {
	names := map[string]bool{
		"type": true, "text": true, "data": true, "blob": true, "ref": true, "argument": true, "completion": true, "values": true,
		"content": true, "method": true, "params": true, "resultType": true, "task": true, "roots": true, "action": true, "role": true,
		"jsonrpc": true, "id": true, "result": true, "error": true, "uri": true, "total": true, "hasMore": true,
	}
	for _, t := range mappedTypes() {
		for name := range planOf(t.Descriptor()).byName {
			names[name] = true
		}
	}
	g := &jsonTexts{}
	for name := range names {
		g.names = append(g.names, name)
	}
	slices.Sort(g.names)
	return g
}

var scalarTexts = []string{
	`null`, `true`, `false`, `0`, `-0`, `-0.0`, `0e9`, `1`, `-1`, `1.0`, `1.5`, `1e2`, `100e-2`, `0.1`, `0.30000000000000004`,
	`9007199254740991`, `9007199254740993`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `-9223372036854775809`,
	`4294967295`, `4294967296`, `2147483647`, `2147483648`, `1e400`, `-1e400`, `1e-400`, `1e308`, `5e-324`, `4.9e-324`, `1e999999999`,
	`1e-99999999999999999999`, `123456789012345678901234567890`,
	`""`, `"x"`, `"\u0000"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"😀"`, `"\/\b\f\n\r\t\"\\"`, `"AAE="`, `"AAE"`, `"\u0041AE="`,
	`"2.0"`, `"text"`, `"image"`, `"audio"`, `"resource"`, `"resource_link"`, `"tool_use"`, `"tool_result"`, `"input_required"`, `"task"`,
	`"complete"`, `"user"`, `"accept"`, `"elicitation/create"`, `"sampling/createMessage"`, `"roots/list"`, `"ref/prompt"`, `"ref/resource"`,
	`[]`, `{}`, `[[]]`, `[null]`, `{"a":{"a":[1e400]}}`, `{"a":1,"a":1}`, `{"\ud800":1}`,
}

func (g *jsonTexts) space(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r "}).Draw(t, "space")
}

func (g *jsonTexts) value(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	switch {
	case depth == 0 || kind < 5:
		return rapid.SampledFrom(scalarTexts).Draw(t, "scalar")
	case kind == 5:
		return strconv.Quote(rapid.StringMatching(`[a-z /:.-]{0,8}`).Draw(t, "string"))
	case kind == 6:
		return strconv.FormatFloat(rapid.Float64().Draw(t, "float"), 'g', rapid.IntRange(-1, 20).Draw(t, "digits"), 64)
	case kind == 7:
		n := rapid.IntRange(0, 3).Draw(t, "elements")
		parts := make([]string, n)
		for i := range parts {
			parts[i] = g.space(t) + g.value(t, depth-1)
		}
		return "[" + strings.Join(parts, g.space(t)+",") + g.space(t) + "]"
	}
	return g.object(t, depth, nil)
}

func (g *jsonTexts) key(t *rapid.T) string {
	switch rapid.IntRange(0, 9).Draw(t, "key kind") {
	case 0:
		return rapid.SampledFrom([]string{`"\ud800"`, `""`, `"Name"`, `"n\u0061me"`, `"__proto__"`, `"extraJson"`, `"x"`}).Draw(t, "odd key")
	default:
		return `"` + rapid.SampledFrom(g.names).Draw(t, "key") + `"`
	}
}

// object gives an object that has the members must, and some more.
func (g *jsonTexts) object(t *rapid.T, depth int, must []string) string {
	var parts []string
	add := func(key string) {
		parts = append(parts, g.space(t)+key+g.space(t)+":"+g.space(t)+g.value(t, depth-1)+g.space(t))
	}
	for _, name := range must {
		add(`"` + name + `"`)
	}
	seen := map[string]bool{}
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		key := g.key(t)
		// Repeated keys now and then: at the top they make the whole document an error.
		if repeat := rapid.IntRange(0, 19).Draw(t, "repeat") == 0; !repeat && (seen[key] || slices.Contains(must, strings.Trim(key, `"`))) {
			continue
		}
		seen[key] = true
		add(key)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func requiredMembers(d protoreflect.MessageDescriptor) (names []string) {
	for _, f := range planOf(d).fields {
		if f.required || rapidBias[f.member] {
			names = append(names, f.member)
		}
	}
	switch d.Name() {
	case "SamplingMessage", "CreateMessageResult":
		names = append(names, "content")
	case "CompleteResponse":
		names = append(names, "completion")
	case "InputRequired":
		names = append(names, "resultType")
	case "Envelope":
		names = append(names, "jsonrpc", "method", "id")
	}
	return names
}

// rapidBias are members that random documents should nearly always have.
var rapidBias = map[string]bool{"_meta": true, "annotations": true}

func TestRandomDocumentsAreKeptByEveryMessage(t *testing.T) {
	t.Parallel()
	g := newJSONTexts()
	for _, typ := range mappedTypes() {
		t.Run(string(typ.Descriptor().Name()), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				text := g.object(t, 4, requiredMembers(typ.Descriptor()))
				enc := mcpv1.JsonEncoding(rapid.IntRange(0, 2).Draw(t, "encoding"))
				keptOrRefused(t, []byte(text), typ.New().Interface(), enc)
			})
		})
	}
}

// keptOrRefused is the promise of FromJSON.
func keptOrRefused(tb rapid.TB, data []byte, m proto.Message, enc mcpv1.JsonEncoding) {
	tb.Helper()
	if err := FromJSON(data, m, enc); err != nil {
		if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrInvalidRequest) && !errors.Is(err, ErrDepth) {
			tb.Fatalf("error is of no known kind: %v", err)
		}
		return
	}
	wire, err := proto.Marshal(m)
	if err != nil {
		tb.Fatalf("%s became a message that cannot be sent: %v", data, err)
	}
	if err := proto.Unmarshal(wire, m); err != nil {
		tb.Fatalf("%s became a message that cannot be received: %v", data, err)
	}
	if err := CheckMessage(m, Limits{}); err != nil {
		tb.Fatalf("%s became a message that is refused: %v", data, err)
	}
	got, err := ToJSON(m)
	if err != nil {
		tb.Fatalf("ToJSON of %s as %v: %v", data, m, err)
	}
	g, err := canonical(got)
	if err != nil {
		tb.Fatalf("ToJSON gave no JSON: %v: %s", err, got)
	}
	if _, ok := m.(*mcpv1.Envelope); ok {
		data = rpcMembers(tb, data)
	}
	w, err := canonical(data)
	if err != nil {
		tb.Fatalf("FromJSON took what is not JSON: %v: %s", err, data)
	}
	// The one thing that is not kept: see EnvelopeFromJSON.
	if _, ok := m.(*mcpv1.Envelope); ok && strings.Contains(w, `"id":<nil>`) {
		return
	}
	if g != w {
		tb.Fatalf("JSON changed\n got %s\nwant %s\nmessage %v", got, data, m)
	}
}

// rpcMembers gives a message of JSON-RPC without what an envelope drops.
func rpcMembers(tb rapid.TB, data []byte) []byte {
	ms, err := members(data)
	if err != nil {
		tb.Fatalf("FromJSON took %s: %v", data, err)
	}
	return join(slices.DeleteFunc(ms, func(mb member) bool {
		return !slices.Contains([]string{"jsonrpc", "id", "method", "params", "result", "error"}, mb.key)
	}))
}

func TestRandomEnvelopesAreKept(t *testing.T) {
	t.Parallel()
	g := newJSONTexts()
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{`"jsonrpc":"2.0"`}
		if rapid.Bool().Draw(t, "has id") {
			parts = append(parts, `"id":`+g.value(t, 0))
		}
		for _, name := range rapid.SampledFrom([][]string{{"params"}, {"result"}, {"error"}, {}}).Draw(t, "kind") {
			parts = append(parts, `"`+name+`":`+g.value(t, 3))
		}
		if rapid.Bool().Draw(t, "has method") {
			parts = append(parts, `"method":"m"`)
		}
		if rapid.Bool().Draw(t, "has more") {
			parts = append(parts, `"more":`+g.value(t, 1))
		}
		keptOrRefused(t, []byte("{"+strings.Join(parts, ",")+"}"), &mcpv1.Envelope{}, mcpv1.JsonEncoding(rapid.IntRange(0, 2).Draw(t, "encoding")))
	})
}

// messages generates random messages that ToJSON should take.
type messages struct{ texts *jsonTexts }

func (g messages) message(t *rapid.T, m protoreflect.Message, depth int) {
	fds := m.Descriptor().Fields()
	chosen := map[protoreflect.Name]protoreflect.Name{}
	for i := range m.Descriptor().Oneofs().Len() {
		if o := m.Descriptor().Oneofs().Get(i); !o.IsSynthetic() {
			chosen[o.Name()] = o.Fields().Get(rapid.IntRange(0, o.Fields().Len()-1).Draw(t, "choice")).Name()
		}
	}
	for i := range fds.Len() {
		fd := fds.Get(i)
		if o := fd.ContainingOneof(); o != nil && !o.IsSynthetic() {
			if chosen[o.Name()] != fd.Name() {
				continue
			}
		} else if rapid.IntRange(0, 2).Draw(t, "skip") == 0 {
			continue
		}
		half := structHalf(fd)
		if half != nil && m.Has(half) || skipInRandom[fd.FullName()] {
			continue
		}
		g.field(t, m, fd, depth)
	}
}

// skipInRandom are fields that do not go with others, or not with every place of their
// message.
var skipInRandom = map[protoreflect.FullName]bool{
	"mcp.v1.Content.role":                        true,
	"mcp.v1.Content.message_extra_json":          true,
	"mcp.v1.GetPromptResponse.input_required":    true,
	"mcp.v1.ReadResourceResponse.input_required": true,
	"mcp.v1.InputRequest.extra_json":             true,
	"mcp.v1.ListRootsRequest.no_params":          true,
	"mcp.v1.Envelope.batch":                      true,
	"mcp.v1.ProtectedResourceMetadata.extra":     true, // random keys may be those of fields
}

func (g messages) field(t *rapid.T, m protoreflect.Message, fd protoreflect.FieldDescriptor, depth int) {
	switch {
	case fd.IsList():
		l := m.NewField(fd).List()
		for range rapid.IntRange(0, 2).Draw(t, "length") {
			v := l.NewElement()
			switch {
			case fd.Message() == nil:
				v = g.scalar(t, fd)
			case depth > 0:
				g.message(t, v.Message(), depth-1)
			default:
				return
			}
			l.Append(v)
		}
		m.Set(fd, protoreflect.ValueOfList(l))
	case fd.IsMap():
		entries := m.NewField(fd).Map()
		for range rapid.IntRange(0, 2).Draw(t, "length") {
			v := entries.NewValue()
			switch {
			case fd.MapValue().Message() == nil:
				v = g.scalar(t, fd.MapValue())
			case depth > 0:
				g.message(t, v.Message(), depth-1)
			default:
				return
			}
			entries.Set(protoreflect.ValueOfString(rapid.String().Draw(t, "key")).MapKey(), v)
		}
		m.Set(fd, protoreflect.ValueOfMap(entries))
	case fd.Message() == nil:
		m.Set(fd, g.scalar(t, fd))
	case isStruct(fd):
		m.Set(fd, protoreflect.ValueOfMessage(g.object(t).ProtoReflect()))
	case fd.Message().FullName() == "google.protobuf.Timestamp":
		m.Set(fd, protoreflect.ValueOfMessage(timestamppb.Now().ProtoReflect()))
	case depth > 0 || fd.ContainingOneof() != nil:
		v := m.NewField(fd)
		g.message(t, v.Message(), max(depth-1, 0))
		m.Set(fd, v)
	}
}

func (g messages) object(t *rapid.T) *structpb.Struct {
	return &structpb.Struct{Fields: rapid.MapOfN(rapid.StringMatching(`x[a-z]{0,2}`), rapid.Custom(func(t *rapid.T) *structpb.Value {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return structpb.NewNullValue()
		case 1:
			return structpb.NewNumberValue(rapid.Float64().Draw(t, "number"))
		case 2:
			return structpb.NewStringValue(rapid.String().Draw(t, "string"))
		case 3:
			return structpb.NewBoolValue(rapid.Bool().Draw(t, "bool"))
		case 4:
			return structpb.NewListValue(&structpb.ListValue{})
		}
		return structpb.NewStructValue(&structpb.Struct{})
	}), 0, 3).Draw(t, "struct")}
}

func (g messages) scalar(t *rapid.T, fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() { //nolint:exhaustive // mcp.v1 has no other kinds
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.String().Draw(t, "string"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Draw(t, "double"))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.IntRange(0, 2).Draw(t, "enum")))
	case protoreflect.BytesKind:
		switch {
		case objectText[fd.Name()]:
			return protoreflect.ValueOfBytes([]byte(`{"xx":` + g.texts.value(t, 1) + `}`))
		case isText(fd):
			return protoreflect.ValueOfBytes([]byte(g.texts.value(t, 2)))
		}
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "bytes"))
	}
	t.Fatalf("no generator for %v", fd.FullName())
	return protoreflect.Value{}
}

func TestRandomMessagesAreStable(t *testing.T) {
	t.Parallel()
	g := messages{newJSONTexts()}
	for _, typ := range mappedTypes() {
		t.Run(string(typ.Descriptor().Name()), func(t *testing.T) {
			t.Parallel()
			taken := 0
			rapid.Check(t, func(t *rapid.T) {
				m := typ.New()
				g.message(t, m, 3)
				first, err := ToJSON(m.Interface())
				if err != nil {
					if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrInvalidRequest) && !errors.Is(err, ErrDepth) {
						t.Fatalf("error is of no known kind: %v", err)
					}
					return
				}
				taken++
				enc := mcpv1.JsonEncoding(rapid.IntRange(0, 2).Draw(t, "encoding"))
				back := typ.New().Interface()
				if err := FromJSON(first, back, enc); err != nil {
					t.Fatalf("FromJSON of %s: %v", first, err)
				}
				second, err := ToJSON(back)
				if err != nil {
					t.Fatal(err)
				}
				if mustCanonicalRapid(t, first) != mustCanonicalRapid(t, second) {
					t.Fatalf("JSON changed\n got %s\nwant %s", second, first)
				}
			})
			if taken == 0 {
				t.Error("no random message has a twin: the generator is too wild")
			}
		})
	}
}

func mustCanonicalRapid(t *rapid.T, data []byte) string {
	text, err := canonical(data)
	if err != nil {
		t.Fatalf("not JSON: %v: %s", err, data)
	}
	return text
}
