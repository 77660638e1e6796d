// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

const (
	modernVersion = "2026-07-28"
	noneDeclared  = `{}`
)

var allVersions = []string{modernVersion, "2025-11-25", "2025-06-18"}

// A suite is a list of requests, made one after the other by one client. Each outcome
// must be the one that the SDK's own in-memory transport gives for it.
type suite struct {
	// server makes a server; those that it makes are equal. If nil, everything.NewServer.
	server func() *mcp.Server
	// changes says that the requests change the server: each run has one of its own.
	changes bool
	// versions are those to speak. If nil, allVersions.
	versions []string
	// wires are those to use. If nil, all.
	wires []wire
	// forms are those to use. If nil, all forms that speak in exact JSON.
	forms []form
	// options are those of the handler.
	options []mcpconnect.HandlerOption
	// capabilities are what the client declares, as JSON. If empty, none.
	capabilities string
	// answer answers the requests of the server. If nil, there must be none.
	answer answerer
	cases  []suiteCase
}

// An answerer gives a client's result for a request of the server.
type answerer func(method string, params json.RawMessage) json.RawMessage

// TestEveryMethodInBothFormsOnEveryWire runs the same requests in both forms, over every
// protocol, in every era.
func TestEveryMethodInBothFormsOnEveryWire(t *testing.T) {
	t.Parallel()
	suite{cases: cases}.run(t)
}

// TestEveryMethodWithStructs is the same for peers that speak in google.protobuf.Struct.
// What a Struct cannot hold comes as text.
func TestEveryMethodWithStructs(t *testing.T) {
	t.Parallel()
	suite{cases: cases, forms: structForms, wires: someWires, versions: someVersions}.run(t)
}

// someWires and someVersions are enough where neither protocol nor version matters much:
// each way to encode messages, each version of HTTP, each era.
var (
	someWires    = []wire{wires[0], wires[2], wires[5]}
	someVersions = allVersions[:2]
)

func (s suite) run(t *testing.T) {
	t.Helper()
	if s.server == nil {
		s.server = everything.NewServer
	}
	if s.versions == nil {
		s.versions = allVersions
	}
	if s.wires == nil {
		s.wires = wires
	}
	if s.forms == nil {
		s.forms = forms
	}
	if s.capabilities == "" {
		s.capabilities = noneDeclared
	}
	url := ""
	if !s.changes {
		url = serve(t, s.server(), s.options...)
	}
	for _, version := range s.versions {
		want := map[string]expectation{}
		for name, o := range s.native(t, version) {
			want[name] = expect(o)
		}
		for _, w := range s.wires {
			for _, form := range s.forms {
				if !form.fits(w) {
					continue
				}
				p := peer{wire: w, url: url, version: version, capabilities: s.capabilities, structs: form.structs, answer: s.answer}
				t.Run(version+"/"+w.name+"/"+form.name, func(t *testing.T) {
					t.Parallel()
					if s.changes {
						p.url = serve(t, s.server(), s.options...)
					}
					s.compare(t, form, p, want)
				})
			}
		}
	}
}

// An expectation is an outcome as each kind of form shows it.
type expectation struct{ full, unary, structs, structsUnary string }

func expect(o outcome) expectation {
	quiet := o
	quiet.notes = nil
	return expectation{o.String(), quiet.String(), unfold(o).String(), unfold(quiet).String()}
}

func (e expectation) by(f form) string {
	switch {
	case f.structs && f.unary:
		return e.structsUnary
	case f.structs:
		return e.structs
	case f.unary:
		return e.unary
	}
	return e.full
}

func (s suite) compare(t *testing.T, form form, p peer, want map[string]expectation) {
	t.Helper()
	client := form.open(t, p)
	for _, c := range s.cases {
		if !form.has(c, p.version) {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got := normal(client(ctx, c.method, c.paramsFor(p.version, p.capabilities)))
		cancel()
		if form.unary {
			got.notes = nil
		}
		if form.structs {
			got = unfold(got)
		}
		if a, b := want[c.name].by(form), got.String(); a != b {
			t.Errorf("%s: differs from the SDK's own transport (-want +got):\n%s", c.name, cmp.Diff(a, b))
		}
	}
}

// native asks a server of its own over the SDK's in-memory transport.
func (s suite) native(t *testing.T, version string) map[string]outcome {
	t.Helper()
	ctx := testContext(t)
	peer := newRawPeer(t, s.server())
	peer.answer = s.answer
	if version < modernVersion {
		if o := peer.call(ctx, "initialize", initializeDeclaring(version, s.capabilities)); o.err != nil {
			t.Fatal(o.err)
		}
		if err := peer.notify(ctx, "notifications/initialized"); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]outcome{}
	for _, c := range s.cases {
		if c.only != "" && (c.only == "modern") != (version >= modernVersion) {
			continue
		}
		if _, twice := want[c.name]; twice {
			t.Fatalf("two cases are called %q", c.name)
		}
		want[c.name] = normal(peer.call(ctx, c.method, c.paramsFor(version, s.capabilities)))
	}
	return want
}

// normal takes out what differs by design: the SDK puts the text of plain errors on the
// wire, with code 0, and of malformed params a dump of Go types (SPEC.md §11).
func normal(o outcome) outcome {
	if o.err == nil {
		return o
	}
	e := *o.err
	if e.Code == 0 {
		e.Code, e.Message = jsonrpc.CodeInternalError, "internal error"
	}
	if (e.Code == jsonrpc.CodeInvalidParams && !strings.HasPrefix(e.Message, "unknown ")) || e.Code == jsonrpc.CodeMethodNotFound || e.Code == jsonrpc.CodeInvalidRequest {
		e.Message = ""
	}
	o.err = &e
	return o
}

func initializeDeclaring(version, capabilities string) json.RawMessage {
	return fmt.Appendf(nil, `{"protocolVersion":%q,"capabilities":%s,"clientInfo":{"name":"suite","version":"1"}}`, version, capabilities)
}

const modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"suite","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{}`

// modernMetaDeclaring are the members of a modern `_meta` with capabilities.
func modernMetaDeclaring(capabilities string) string {
	return strings.TrimSuffix(modernMeta, noneDeclared) + capabilities
}

// A suiteCase is one request. %META% in its params stands for the members that a modern
// request has in `_meta`.
type suiteCase struct {
	name, method, params string
	// only is "modern" or "legacy" for a request of one era, empty for both.
	only string
}

func (c suiteCase) paramsFor(version, capabilities string) json.RawMessage {
	meta := ""
	if version >= modernVersion {
		meta = modernMetaDeclaring(capabilities)
	}
	params := strings.ReplaceAll(c.params, "%META%", meta)
	return json.RawMessage(strings.ReplaceAll(params, `{,`, `{`))
}

// in gives the case for one era only.
func (c suiteCase) in(era string) suiteCase {
	c.only = era
	return c
}

// retry gives a tool's case once more, with answers to what it asked.
func retry(name, args, responses, state string) suiteCase {
	return suiteCase{
		name: "tool " + name + " again with " + responses + state, method: "tools/call",
		params: fmt.Sprintf(`{"_meta":{%%META%%},"name":%q,"arguments":%s,"inputResponses":%s,"requestState":%q}`, name, args, responses, state),
	}
}

func tool(name, args string) suiteCase {
	return suiteCase{name: "tool " + name + " " + args, method: "tools/call", params: fmt.Sprintf(`{"_meta":{%%META%%},"name":%q,"arguments":%s}`, name, args)}
}

func prompt(name, args string) suiteCase {
	return suiteCase{name: "prompt " + name + args, method: "prompts/get", params: fmt.Sprintf(`{"_meta":{%%META%%},"name":%q,"arguments":%s}`, name, args)}
}

func resource(uri string) suiteCase {
	return suiteCase{name: "resource " + uri, method: "resources/read", params: fmt.Sprintf(`{"_meta":{%%META%%},"uri":%q}`, uri)}
}

func request(name, method, params string) suiteCase {
	return suiteCase{name: name, method: method, params: params}
}
