// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

func mustPolicy(t testing.TB, cfg PolicyConfig) *Policy {
	t.Helper()
	p, err := NewPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	byPath := func(_ context.Context, arguments json.RawMessage) []string {
		if strings.Contains(string(arguments), "secret") {
			return []string{"secret"}
		}
		return nil
	}
	var (
		tools = PolicyConfig{Tools: map[string]Rule{"free": {}, "read": {Scopes: []string{"read"}}, "both": {Scopes: []string{"read", "write"}}, "path": {ScopesFor: byPath}}}
		base  = PolicyConfig{Baseline: []string{"mcp"}, Tools: map[string]Rule{"read": {Scopes: []string{"read"}}}}
		tree  = PolicyConfig{Tools: tools.Tools, Implies: map[string][]string{"admin": {"write"}, "write": {"read", "write"}, "loop": {"loop"}}}
		files = PolicyConfig{
			Resources: map[string]Rule{"file:///a": {}, "file:///{+path}": {Scopes: []string{"read"}}, "file:///private/{name}": {Scopes: []string{"secret"}}},
			Prompts:   map[string]Rule{"hello": {Scopes: []string{"read"}}},
			Methods:   map[string]Rule{"prompts/get": {Scopes: []string{"prompts"}}, "tasks/get": {Scopes: []string{"tasks"}}},
		}
		all = PolicyConfig{Default: &Rule{Scopes: []string{"any"}}}
	)
	const denied = "-"
	call := func(tool, arguments string) Action {
		return Action{Method: "tools/call", Name: tool, Arguments: json.RawMessage(arguments)}
	}
	for _, test := range []struct {
		name   string
		cfg    PolicyConfig
		scopes string
		a      Action
		want   string // empty: allowed; else denied, or the scopes that are needed
	}{
		{"a tool for everybody", tools, "", call("free", ""), ""},
		{"with the scope", tools, "read", call("read", ""), ""},
		{"without the scope", tools, "write", call("read", ""), "read"},
		{"a scope that begins alike", tools, "readwrite", call("read", ""), "read"},
		{"a star is no scope for all", tools, "*", call("read", ""), "read"},
		{"one of two scopes", tools, "read", call("both", ""), "read write"},
		{"a tool without rule", tools, "read write", call("other", ""), denied},
		{"the name in another case", tools, "read", call("Read", ""), denied},
		{"a name that looks alike", tools, "read", call("re\u0430d", ""), denied},
		{"a name with a space", tools, "read", call("read ", ""), denied},
		{"a prompt by the name of a tool", tools, "read", Action{Method: "prompts/get", Name: "read"}, denied},
		{"by arguments, allowed", tools, "", call("path", `{"path":"open"}`), ""},
		{"by arguments, not allowed", tools, "read", call("path", `{"path":"secret"}`), "secret"},
		{"by arguments, in a list", tools, "", Action{Method: "tools/call", Name: "path", Listing: true}, ""},
		{"a list", tools, "", Action{Method: "tools/list"}, ""},
		{"a method of users without rule", tools, "", Action{Method: "com.example/x"}, denied},
		{"a notification", tools, "", Action{Method: "notifications/progress"}, ""},
		{"without the baseline", base, "read", call("read", ""), "mcp read"},
		{"with the baseline alone", base, "mcp", call("read", ""), "mcp read"},
		{"with both", base, "mcp read", call("read", ""), ""},
		{"a scope that includes it", tree, "write", call("read", ""), ""},
		{"a scope that includes it by another", tree, "admin", call("both", ""), ""},
		{"not the other way round", tree, "read", call("both", ""), "read write"},
		{"a resource of its own", files, "", Action{Method: "resources/read", Name: "file:///a"}, ""},
		{"a resource of a template", files, "", Action{Method: "resources/read", Name: "file:///b"}, "read"},
		{"a resource of two templates", files, "read", Action{Method: "resources/read", Name: "file:///private/b"}, "read secret"},
		{"a template in a list", files, "read", Action{Method: "resources/read", Name: "file:///{+path}", Listing: true}, ""},
		{"a resource without rule", files, "read", Action{Method: "resources/read", Name: "http://b"}, denied},
		{"a prompt and its method", files, "read", Action{Method: "prompts/get", Name: "hello"}, "prompts read"},
		{"a method of users", files, "tasks", Action{Method: "tasks/get"}, ""},
		{"a method of users without scope", files, "", Action{Method: "tasks/get"}, "tasks"},
		{"the default", all, "any", call("x", ""), ""},
		{"the default without scope", all, "", Action{Method: "com.example/x"}, "any"},
	} {
		ctx := NewContext(t.Context(), &Principal{Subject: "ann", Method: MethodJWT, Scopes: strings.Fields(test.scopes)})
		err := mustPolicy(t, test.cfg).Allow(ctx, test.a)
		got := ""
		if wire, ok := err.(*jsonrpc.Error); ok {
			d, ok := readDenial(wire)
			if got = strings.Join(sortedWords(d.Scope), " "); d.Reason == reasonDenied {
				got = denied
			}
			if !ok {
				t.Errorf("%s: got the error %v", test.name, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if err := mustPolicy(t, test.cfg).Allow(t.Context(), test.a); err == nil {
			t.Errorf("%s: nobody was let in", test.name)
		}
	}
}

func sortedWords(text string) []string {
	words := strings.Fields(text)
	for i := range words {
		for j := i; j > 0 && words[j] < words[j-1]; j-- {
			words[j], words[j-1] = words[j-1], words[j]
		}
	}
	return words
}

func TestAuthorizer(t *testing.T) {
	t.Parallel()
	ctx := NewContext(t.Context(), &Principal{Subject: "ann", Method: MethodJWT})
	for _, test := range []struct {
		name   string
		answer error
		denied bool
		failed bool
	}{
		{"allowed", nil, false, false},
		{"denied", Denied(), true, false},
		{"a scope is missing", InsufficientScope("x"), true, false},
		{"denied, wrapped", fmt.Errorf("by rule 7: %w", Denied()), true, false},
		{"it fails", errors.New("SECRET"), false, true},
		{"a JSON-RPC error of another kind", &jsonrpc.Error{Code: -32603}, false, true},
	} {
		asked := Action{}
		p := mustPolicy(t, PolicyConfig{Default: &Rule{}, Authorizer: func(_ context.Context, p *Principal, a Action) error {
			if p.Subject != "ann" {
				t.Errorf("%s: got %v", test.name, p)
			}
			asked = a
			return test.answer
		}})
		err := p.Allow(ctx, Action{Method: "tools/call", Name: "x"})
		wire, _ := err.(*jsonrpc.Error)
		if IsDenial(wire) != test.denied || errors.Is(err, errAuthorizer) != test.failed || (err == nil) != (test.answer == nil) {
			t.Errorf("%s: got %v", test.name, err)
		}
		if asked.Name != "x" {
			t.Errorf("%s: it was asked about %+v", test.name, asked)
		}
	}
	p := mustPolicy(t, PolicyConfig{Authorizer: func(context.Context, *Principal, Action) error {
		t.Error("it was asked about what the rules refuse")
		return nil
	}})
	if p.Allow(ctx, Action{Method: "tools/call", Name: "x"}) == nil {
		t.Error("an authorizer has overruled the rules")
	}
}

func TestPolicyMistakes(t *testing.T) {
	t.Parallel()
	bad := map[string]Rule{"x": {Scopes: []string{"a b"}}}
	for name, cfg := range map[string]PolicyConfig{
		"a baseline":  {Baseline: []string{""}},
		"tools":       {Tools: bad},
		"prompts":     {Prompts: bad},
		"resources":   {Resources: bad},
		"methods":     {Methods: bad},
		"the default": {Default: &Rule{Scopes: []string{"a b"}}},
		"a hierarchy": {Implies: map[string][]string{"a": {"b c"}}},
	} {
		if _, err := NewPolicy(cfg); err == nil || !strings.Contains(err.Error(), "RFC 6749") {
			t.Errorf("%s with a scope that is none: got %v", name, err)
		}
	}
	if _, err := NewPolicy(PolicyConfig{Resources: map[string]Rule{"file:///{": {}}}); err == nil || !strings.Contains(err.Error(), "template") {
		t.Errorf("a template that is none: got %v", err)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	m := mustMetadata(t, oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com"})
	byToken, byKey := &Principal{Method: MethodJWT}, &Principal{Method: MethodAPIKey}
	const where = `,"resource_metadata":"https://mcp.example.com/.well-known/oauth-protected-resource"`
	for _, test := range []struct {
		name string
		m    *Metadata
		p    *Principal
		e    *jsonrpc.Error
		data string
	}{
		{"a token", m, byToken, InsufficientScope("a", "b"), `{"reason":"insufficient_scope","scope":"a b"` + where + `}`},
		{"a token, and nowhere to go", nil, byToken, InsufficientScope("a"), `{"reason":"insufficient_scope","scope":"a"}`},
		{"a key, which cannot get scopes", m, byKey, InsufficientScope("a"), `{"reason":"access_denied"}`},
		{"nobody that we know", m, nil, InsufficientScope("a"), `{"reason":"insufficient_scope","scope":"a"` + where + `}`},
		{"denied", m, byToken, Denied(), `{"reason":"access_denied"}`},
		{"another error", m, byToken, &jsonrpc.Error{Code: -32600, Data: json.RawMessage(`{"reason":"x"}`)}, `{"reason":"x"}`},
		{"an error with other data", m, byToken, &jsonrpc.Error{Code: -32600, Data: json.RawMessage(`1`)}, `1`},
	} {
		if got := test.m.Explain(test.p, test.e); string(got.Data) != test.data {
			t.Errorf("%s: got %s, want %s", test.name, got.Data, test.data)
		}
	}
	err := connect.NewError(connect.CodePermissionDenied, nil)
	m.StepUp(Denied(), nil, err)
	if len(err.Details()) != 0 {
		t.Error("there is a challenge where nothing helps")
	}
}

func BenchmarkPolicy(b *testing.B) {
	p := mustPolicy(b, PolicyConfig{Baseline: []string{"mcp"}, Tools: map[string]Rule{"read": {Scopes: []string{"read"}}}})
	ctx := NewContext(b.Context(), &Principal{Subject: "ann", Method: MethodJWT, Scopes: []string{"mcp", "read"}})
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Allow(ctx, Action{Method: "tools/call", Name: "read"}); err != nil {
			b.Fatal(err)
		}
	}
}
