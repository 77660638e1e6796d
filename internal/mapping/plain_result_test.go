// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// plainResults are results, and whether they are plain.
var plainResults = map[string]bool{
	`{"content":[{"type":"text","text":"5"}],"resultType":"complete"}`:                                          true,
	` { "content" : [ { "text" : "a\n\u00e9😀" , "type" : "text" } ] , "resultType" : "complete" } `:             true,
	`{"content":[],"resultType":"complete","isError":false}`:                                                    true,
	`{"content":[{"type":"text","text":""},{"type":"text","text":"b"}],"isError":true,"resultType":"complete"}`: true,
	`{"resultType":"complete","_meta":{"a":9007199254740993,"b":{"c":[1e400]}},"content":[]}`:                   true,
	`{"structuredContent":{"n":9007199254740993},"content":[],"resultType":"complete"}`:                         true,
	`{"structuredContent":[1, 2],"content":[],"resultType":"complete"}`:                                         true,
	`{"structuredContent":null,"content":[],"resultType":"complete"}`:                                           true,
	`{"content":[]}`:                                                                     false,
	`{"resultType":"complete"}`:                                                          false,
	`{"content":[],"resultType":"input_required"}`:                                       false,
	`{"content":[],"resultType":"complete","other":1}`:                                   false,
	`{"content":null,"resultType":"complete"}`:                                           false,
	`{"content":[],"resultType":"complete","isError":1}`:                                 false,
	`{"content":[],"resultType":"complete","_meta":null}`:                                false,
	`{"content":[{"type":"text"}],"resultType":"complete"}`:                              false,
	`{"content":[{"text":"a"}],"resultType":"complete"}`:                                 false,
	`{"content":[{"type":"text","text":7}],"resultType":"complete"}`:                     false,
	`{"content":[{"type":"text","text":"\ud800"}],"resultType":"complete"}`:              false,
	`{"content":[{"type":"text","text":"a","_meta":{}}],"resultType":"complete"}`:        false,
	`{"content":[{"type":"text","text":"a","text":"b"}],"resultType":"complete"}`:        false,
	`{"content":[{"type":"text","type":"text","text":"b"}],"resultType":"complete"}`:     false,
	`{"content":[{"type":"image","data":"","mimeType":""}],"resultType":"complete"}`:     false,
	`{"content":["a"],"resultType":"complete"}`:                                          false,
	`{"content":[],"content":[],"resultType":"complete"}`:                                false,
	`{"content":[],"resultType":"complete","resultType":"complete"}`:                     false,
	`{"content":[],"resultType":"complete","isError":true,"isError":false}`:              false,
	`{"content":[],"resultType":"complete","_meta":{},"_meta":{}}`:                       false,
	`{"content":[],"resultType":"complete","structuredContent":1,"structuredContent":2}`: false,
	`{"content":[],"resultType":"complete"}x`:                                            false,
	`{"content":[],"resultType":"complete"`:                                              false,
	`[]`:                                                                                 false, `null`: false, ``: false,
}

func TestParsePlainResult(t *testing.T) {
	t.Parallel()
	for text, plain := range plainResults {
		if got := samePlainResult(t, text); got != plain {
			t.Errorf("%s is plain: %v, want %v", text, got, plain)
		}
	}
	var r wire.TextResult
	if ParsePlainResult([]byte(`{"content":[{"type":"text","text":"abc"},{"type":"text","text":"de"}],"resultType":"complete"}`), 4, &r) {
		t.Error("5 bytes of text are plain, beyond the limit of 4")
	}
}

// FuzzParsePlainResult: a plain result is the same to the reader of all others.
func FuzzParsePlainResult(f *testing.F) {
	for text := range plainResults {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { samePlainResult(t, text) })
}

func samePlainResult(t *testing.T, text string) bool {
	t.Helper()
	var r wire.TextResult
	if !ParsePlainResult([]byte(text), len(text), &r) {
		return false
	}
	var want mcpv1.InvokeToolResponse
	if err := FromJSON([]byte(text), &want, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		t.Fatalf("%s is plain, and otherwise %v", text, err)
	}
	reply := r.Reply(1)
	var got mcpv1.Envelope
	if err := proto.Unmarshal(reply.Append(nil), &got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got.GetReply().GetCallTool(), &want) {
		t.Fatalf("%s\nplain: %v\nelse:  %v", text, got.GetReply().GetCallTool(), &want)
	}
	return true
}
