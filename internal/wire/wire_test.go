// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func marshal(t interface{ Fatal(...any) }, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t interface{ Fatal(...any) }, b []byte) *mcpv1.Envelope {
	e, err := wire.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func toolFrame(id uint64, timeout uint32, name string, args, meta []byte) *mcpv1.Envelope {
	r := &mcpv1.CallToolRequest{Name: &name, ArgumentsJson: args}
	if meta != nil {
		r.Meta = &mcpv1.RequestMeta{ExtraJson: meta}
	}
	return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: &mcpv1.CallFrame{
		CallId: id, TimeoutMs: timeout, Request: &mcpv1.CallFrame_CallTool{CallTool: r},
	}}}
}

// TestToolCallsAreWhatProtobufReads compares both directions with the protobuf runtime.
func TestToolCallsAreWhatProtobufReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		args := rapid.SliceOf(rapid.Byte()).Draw(t, "arguments")
		var meta []byte
		if rapid.Bool().Draw(t, "with meta") {
			meta = rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "meta")
		}
		e := toolFrame(rapid.Uint64().Draw(t, "id"), rapid.Uint32().Draw(t, "timeout"), name, args, meta)
		var c wire.ToolCall
		if !c.Parse(marshal(t, e)) {
			t.Fatalf("%v is not a ToolCall", e)
		}
		f := e.GetCall()
		if c.CallID != f.CallId || c.TimeoutMs != f.TimeoutMs || c.Name != name || !bytes.Equal(c.Arguments, args) {
			t.Fatalf("got %+v of %v", c, e)
		}
		b := c.Append([]byte("before"))
		if len(b) != len("before")+c.Size() {
			t.Fatalf("Size is %d, and %d bytes were appended", c.Size(), len(b)-len("before"))
		}
		if diff := cmp.Diff(e, decode(t, b[len("before"):]), protocmp.Transform(), protocmp.IgnoreEmptyMessages()); diff != "" {
			t.Fatalf("read again (-want +got):\n%s", diff)
		}
	})
}

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// TestRareFormsAreLeftToProtobuf lists what is close to a common form and is not one.
func TestRareFormsAreLeftToProtobuf(t *testing.T) {
	t.Parallel()
	name := "tool"
	call := func(change func(*mcpv1.CallFrame, *mcpv1.CallToolRequest)) []byte {
		e := toolFrame(1, 0, name, []byte("{}"), nil)
		change(e.GetCall(), e.GetCall().GetCallTool())
		return marshal(t, e)
	}
	good := call(func(*mcpv1.CallFrame, *mcpv1.CallToolRequest) {})
	for what, b := range map[string][]byte{
		"nothing":                      {},
		"a truncated frame":            good[:len(good)-1],
		"two frames":                   append(bytes.Clone(good), good...),
		"a batch":                      append(bytes.Clone(good), field(10, good)...),
		"an event id":                  append(bytes.Clone(good), field(2, []byte("x"))...),
		"garbage":                      {0xff, 0xff, 0xff},
		"a stream":                     call(func(f *mcpv1.CallFrame, _ *mcpv1.CallToolRequest) { f.Stream = true }),
		"another kind":                 call(func(f *mcpv1.CallFrame, _ *mcpv1.CallToolRequest) { f.Request = &mcpv1.CallFrame_Ping{} }),
		"no request":                   call(func(f *mcpv1.CallFrame, _ *mcpv1.CallToolRequest) { f.Request = nil }),
		"no name":                      call(func(_ *mcpv1.CallFrame, r *mcpv1.CallToolRequest) { r.Name = nil }),
		"extra members":                call(func(_ *mcpv1.CallFrame, r *mcpv1.CallToolRequest) { r.ExtraJson = []byte("{}") }),
		"a request state":              call(func(_ *mcpv1.CallFrame, r *mcpv1.CallToolRequest) { r.RequestState = &name }),
		"a task":                       call(func(_ *mcpv1.CallFrame, r *mcpv1.CallToolRequest) { r.Task = &mcpv1.TaskMetadata{} }),
		"a name twice":                 field(7, field(3, append(field(1, []byte("a")), field(1, []byte("b"))...))),
		"a name not in UTF8":           field(7, field(3, field(1, []byte{0xff}))),
		"a later field":                field(7, append(field(3, field(1, []byte("a"))), field(99, nil)...)),
		"a later field of the request": field(7, field(3, append(field(1, []byte("a")), field(99, nil)...))),
	} {
		var c wire.ToolCall
		if c.Parse(b) {
			t.Errorf("%s is taken for a common call: %+v", what, c)
		}
		var r wire.Reply
		if r.Parse(b) {
			t.Errorf("%s is taken for a reply: %+v", what, r)
		}
		var q wire.Request
		if q.Parse(b) {
			t.Errorf("%s is taken for a request: %+v", what, q)
		}
	}
}

func TestTextResultsAreWhatProtobufReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var content []mcp.Content
		want := &mcpv1.CallToolResult{}
		for _, s := range rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "texts") {
			content = append(content, &mcp.TextContent{Text: s})
			want.Content = append(want.Content, &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: &s}}})
		}
		var r wire.TextResult
		if !r.SetContent(content, 1<<20) {
			t.Fatal("text is not taken for text")
		}
		if r.IsError = rapid.Bool().Draw(t, "error"); r.IsError {
			want.IsError = &r.IsError
		}
		r.Structured = rapid.SliceOf(rapid.Byte()).Draw(t, "structured")
		want.StructuredContentJson = r.Structured
		if rapid.Bool().Draw(t, "with meta") {
			want.Meta = &mcpv1.Meta{ValuesJson: []byte(`{"a":1}`)}
			r.Meta = marshal(t, want.Meta)
		}
		if rapid.Bool().Draw(t, "with type") {
			r.Type = "complete"
			want.ResultType = &r.Type
		}
		id := rapid.Uint64().Draw(t, "id")
		reply := r.Reply(id)
		b := reply.Append(nil)
		if len(b) != reply.Size() {
			t.Fatalf("Size is %d, and %d bytes were appended", reply.Size(), len(b))
		}
		e := &mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: &mcpv1.ReplyFrame{CallId: id, Reply: &mcpv1.ReplyFrame_CallTool{
			CallTool: &mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Result{Result: want}},
		}}}}
		if diff := cmp.Diff(e, decode(t, b), protocmp.Transform()); diff != "" {
			t.Fatalf("protobuf reads (-want +got):\n%s", diff)
		}
		var got wire.Reply
		if !got.Parse(marshal(t, e)) || got.CallID != id || got.Kind != wire.FieldReplyTool {
			t.Fatalf("got %+v of %v", got, e)
		}
		var again wire.TextResult
		if !again.Parse(got.Body) {
			t.Fatalf("%v is not taken for text", e)
		}
		second := again.Reply(id)
		if !bytes.Equal(second.Append(nil), b) {
			t.Fatalf("read and written again: got %x, want %x", second.Append(nil), b)
		}
	})
}

func TestOtherResultsAreNoText(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]mcp.Content{
		"an image":            &mcp.ImageContent{},
		"nothing":             nil,
		"nil text":            (*mcp.TextContent)(nil),
		"annotated text":      &mcp.TextContent{Annotations: &mcp.Annotations{}},
		"text with metadata":  &mcp.TextContent{Meta: mcp.Meta{"a": 1}},
		"text over the limit": &mcp.TextContent{Text: strings.Repeat("x", 1<<20+1)},
		"text not in UTF-8":   &mcp.TextContent{Text: "\xff"},
	} {
		var r wire.TextResult
		if r.SetContent([]mcp.Content{c}, 1<<20) {
			t.Errorf("%s is taken for plain text", what)
		}
	}
	text, uri := "t", "u"
	for what, m := range map[string]*mcpv1.CallToolResult{
		"extra members":   {ExtraJson: []byte("{}")},
		"a Struct":        {StructuredContent: nil, Meta: nil, Content: []*mcpv1.Content{{}}},
		"a resource text": {Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Text{Text: &mcpv1.TextContent{Text: &text, Uri: &uri}}}}},
		"binary content":  {Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Blob{Blob: &mcpv1.BlobContent{}}}}},
	} {
		var r wire.TextResult
		if r.Parse(marshal(t, &mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Result{Result: m}})) {
			t.Errorf("%s is taken for plain text: %+v", what, r)
		}
	}
}

func TestRequestsAndResponsesAreWhatProtobufReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.String().Draw(t, "method")
		params := rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "params")
		q, p := &mcpv1.JsonRpcRequest{ParamsJson: params}, &mcpv1.JsonRpcResponse{Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: params}}
		var id wire.ID
		if id.IsText = rapid.Bool().Draw(t, "text id"); id.IsText {
			id.Text = rapid.String().Draw(t, "id")
			q.Id, p.Id = &id.Text, &id.Text
		} else {
			id.Number = rapid.Int64().Draw(t, "id")
			q.IntId, p.IntId = &id.Number, &id.Number
		}
		e := &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Request{Request: q}}
		var got wire.Request
		if ok := got.Parse(marshal(t, e)); ok != (method != "") {
			t.Fatalf("%v: taken for a request: %t", e, ok)
		} else if ok && (got.ID != id || string(got.Method) != method || !bytes.Equal(got.Params, params)) {
			t.Fatalf("got %+v of %v", got, e)
		}
		r := &wire.Response{ID: id, Result: params}
		b := r.Append(nil)
		if len(b) != r.Size() {
			t.Fatalf("Size is %d, and %d bytes were appended", r.Size(), len(b))
		}
		want := &mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: p}}
		if diff := cmp.Diff(want, decode(t, b), protocmp.Transform()); diff != "" {
			t.Fatalf("protobuf reads (-want +got):\n%s", diff)
		}
	})
}

func TestElements(t *testing.T) {
	t.Parallel()
	one, two := marshal(t, &mcpv1.Envelope{Method: "one"}), marshal(t, &mcpv1.Envelope{Method: "two"})
	batch := wire.AppendBatched(nil, len(one))
	batch = append(batch, one...)
	batch = append(wire.AppendBatched(batch, len(two)), two...)
	if diff := cmp.Diff([]string{"one", "two"}, methods(decode(t, batch))); diff != "" {
		t.Errorf("protobuf reads of the batch (-want +got):\n%s", diff)
	}
	if len(batch) != wire.SizeBatched(len(one))+wire.SizeBatched(len(two)) {
		t.Errorf("the batch has %d bytes", len(batch))
	}
	type element struct {
		method  string
		batched bool
	}
	for _, row := range []struct {
		name string
		raw  []byte
		want []element
	}{
		{"nothing", nil, []element{{"", false}}},
		{"one envelope", one, []element{{"one", false}}},
		{"a batch", batch, []element{{"one", true}, {"two", true}}},
		{"an envelope with a batch", append(bytes.Clone(one), batch...), []element{{"one", false}, {"one", true}, {"two", true}}},
		{"a batch with an envelope", append(bytes.Clone(batch), two...), []element{{"two", false}, {"one", true}, {"two", true}}},
		{"an envelope around a batch", append(append(field(2, []byte("id")), batch...), one...), []element{{"one", false}, {"one", true}, {"two", true}}},
		{"an empty envelope in a batch", field(10, nil), []element{{"", true}}},
	} {
		var got []element
		if err := wire.Elements(row.raw, func(b []byte, batched bool) error {
			got = append(got, element{decode(t, b).Method, batched})
			return nil
		}); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(element{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	for _, bad := range [][]byte{{0xff}, one[:len(one)-1], batch[:len(batch)-1], {0x52, 0x05, 0x01}} {
		if err := wire.Elements(bad, func([]byte, bool) error { return nil }); err == nil {
			t.Errorf("%x: no error", bad)
		}
	}
}

func methods(e *mcpv1.Envelope) (all []string) {
	for _, b := range e.GetBatch() {
		all = append(all, b.GetMethod())
	}
	return all
}

func TestCodecLeavesEnvelopesEncoded(t *testing.T) {
	t.Parallel()
	c := wire.Codec{}
	want := marshal(t, &mcpv1.Envelope{Method: "m"})
	var e mcpv1.Envelope
	if err := c.Unmarshal(want, &e); err != nil {
		t.Fatal(err)
	}
	raw, ok := wire.Raw(&e)
	if !ok || !bytes.Equal(raw, want) {
		t.Errorf("got %x, %t, want %x", raw, ok, want)
	}
	if got, err := c.Marshal(&e); err != nil || !bytes.Equal(got, want) {
		t.Errorf("written again: %x, %v, want %x", got, err, want)
	}
	if _, ok := wire.Raw(&mcpv1.Envelope{Method: "m"}); ok {
		t.Error("an envelope with fields counts as encoded")
	}
	var ping mcpv1.PingRequest
	if err := c.Unmarshal([]byte{0xff}, &ping); err == nil {
		t.Error("other messages are not decoded")
	}
	if err := c.Unmarshal(nil, "text"); err == nil {
		t.Error("text counts as a message")
	}
	if _, err := c.Marshal("text"); err == nil {
		t.Error("text counts as a message")
	}
}

// FuzzEnvelope feeds all readers with bytes from outside: what they accept must be what the
// protobuf runtime reads.
func FuzzEnvelope(f *testing.F) {
	f.Add(marshal(f, toolFrame(1, 2, "tool", []byte(`{"a":1}`), []byte(`{}`))))
	f.Add(marshal(f, &mcpv1.Envelope{Batch: []*mcpv1.Envelope{toolFrame(1, 0, "a", nil, nil), {Method: "b"}}}))
	f.Add(marshal(f, &mcpv1.Envelope{Method: "tools/call", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{IntId: new(int64(3)), ParamsJson: []byte(`{}`)}}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want mcpv1.Envelope
		valid := proto.Unmarshal(raw, &want) == nil
		n := 0
		_ = wire.Elements(raw, func(b []byte, _ bool) error { // an error means not valid
			n++
			checkElement(t, b)
			return nil
		})
		if valid && n < len(want.Batch) {
			t.Errorf("%d elements of a batch of %d", n, len(want.Batch))
		}
	})
}

func checkElement(t *testing.T, b []byte) {
	var call wire.ToolCall
	var reply wire.Reply
	var request wire.Request
	isCall, isReply, isRequest := call.Parse(b), reply.Parse(b), request.Parse(b)
	var e mcpv1.Envelope
	if err := proto.Unmarshal(b, &e); err != nil {
		// What a frame holds may be malformed in turn; its reader sees that.
		return
	}
	if f := e.GetCall(); isCall && (f.GetCallId() != call.CallID || f.GetCallTool().GetName() != call.Name || !bytes.Equal(f.GetCallTool().GetArgumentsJson(), call.Arguments)) {
		t.Errorf("got %+v of %v", call, &e)
	}
	if f := e.GetReply(); isReply && f.GetCallId() != reply.CallID {
		t.Errorf("got %+v of %v", reply, &e)
	}
	if r := e.GetRequest(); isRequest && (e.Method != string(request.Method) || !bytes.Equal(r.GetParamsJson(), request.Params)) {
		t.Errorf("got %+v of %v", request, &e)
	}
}
