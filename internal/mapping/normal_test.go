// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestCheckMembers(t *testing.T) {
	t.Parallel()
	many := func(last string) string {
		return `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,` + last + `}`
	}
	for _, tt := range []struct {
		text string
		key  string // that is repeated; empty for none
	}{
		{``, ""}, {`null`, ""}, {`[1,1]`, ""}, {`{}`, ""}, {` {"a":1} `, ""},
		{`{"a":1,"b":{"a":1}}`, ""}, {`{"a":1,"A":1}`, ""}, {`{"a":{"b":1,"b":1}}`, ""},
		{`{"\u0061":1,"b":1}`, ""}, {`{"\ud800":1,"\ud801":1}`, ""}, {many(`"r":1`), ""},
		{`{"a":1,"a":1}`, "a"}, {`{"b":1,"a":1, "a" :2}`, "a"}, {`{"":1,"":1}`, ""}, {`{"a":1,"\u0061":1}`, "a"},
		{many(`"a":1`), "a"}, {many(`"q":1`), "q"},
	} {
		err := CheckMembers([]byte(tt.text))
		repeats := tt.key != "" || tt.text == `{"":1,"":1}`
		if !repeats && err != nil || repeats && (!errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), `"`+tt.key+`"`)) {
			t.Errorf("%s gave %v, want a repeated key: %q", tt.text, err, tt.key)
		}
	}
}

// TestNormalizeCostsNothing for the requests that nearly all are.
func TestNormalizeCostsNothing(t *testing.T) {
	name, version := "echo", "2026-07-28"
	req := &mcpv1.CallToolRequest{Name: &name, ArgumentsJson: []byte(`{}`), Meta: &mcpv1.RequestMeta{ProtocolVersion: &version}}
	params := []byte(`{"name":"echo","arguments":{"a":[1,2]},"_meta":{}}`)
	if n := testing.AllocsPerRun(100, func() {
		if err := errors.Join(Normalize(req), CheckMembers(params)); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	const bytes = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
	name, version := "echo", "2026-07-28"
	for _, tt := range []struct {
		name      string
		req, want Request // want is nil for an error
	}{
		{"nothing to move", &mcpv1.CallToolRequest{Name: &name}, &mcpv1.CallToolRequest{Name: &name}},
		{"a member that has a field", &mcpv1.CallToolRequest{ExtraJson: []byte(`{"name":"echo"}`)}, &mcpv1.CallToolRequest{Name: &name}},
		{
			"a member of _meta that has a field",
			&mcpv1.CallToolRequest{Name: &name, Meta: &mcpv1.RequestMeta{ExtraJson: []byte(`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","x":1}`)}},
			&mcpv1.CallToolRequest{Name: &name, Meta: &mcpv1.RequestMeta{ProtocolVersion: &version, ExtraJson: []byte(`{"x":1}`)}},
		},
		{
			"a _meta beside an encoding",
			&mcpv1.CallToolRequest{Name: &name, Meta: &mcpv1.RequestMeta{JsonEncoding: bytes, ExtraJson: []byte(`{"traceparent":7}`)}},
			&mcpv1.CallToolRequest{Name: &name, Meta: &mcpv1.RequestMeta{JsonEncoding: bytes, ExtraJson: []byte(`{"traceparent":7}`)}},
		},
		{"a _meta that is null", &mcpv1.DiscoverRequest{ExtraJson: []byte(`{"_meta":null}`)}, &mcpv1.DiscoverRequest{ExtraJson: []byte(`{"_meta":null}`)}},
		{"a _meta that is none", &mcpv1.DiscoverRequest{ExtraJson: []byte(`{"_meta":7}`)}, nil},
		{"a _meta that repeats a member", &mcpv1.DiscoverRequest{ExtraJson: []byte(`{"_meta":{"x":1,"x":2}}`)}, nil},
		{"two values of one member", &mcpv1.CallToolRequest{Name: &name, ExtraJson: []byte(`{"name":"echo"}`)}, nil},
		{"two values of one member of _meta", &mcpv1.PingRequest{Meta: &mcpv1.RequestMeta{ProtocolVersion: &version, ExtraJson: []byte(`{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`)}}, nil},
	} {
		err := Normalize(tt.req)
		if (err != nil) != (tt.want == nil) || err == nil && !proto.Equal(tt.req, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, tt.req, err, tt.want)
		}
	}
}
