// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// careless is a server that reads with encoding/json, and answers with what it has read.
func careless(t *testing.T) gateway.Upstream {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				Name, URI string
				Arguments json.RawMessage
				Ref       struct{ Name, URI string }
			}
		}
		text, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch err := json.Unmarshal(text, &m); {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case m.Method == "server/discover":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{},"completions":{}}}}`, m.ID)
		default:
			p := m.Params
			read, _ := json.Marshal(strings.Join([]string{p.Name, p.URI, string(p.Arguments), p.Ref.Name, p.Ref.URI}, " "))
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"read":%s,"content":[]}}`, m.ID, read)
		}
	}))
	t.Cleanup(up.Close)
	return gateway.Upstream{Name: "careless", URL: up.URL}
}

// TestAmbiguousMembersGoNowhere: what a policy decides on is what the upstream does, also if that reads
// JSON in another way. Members that are like no other pass.
func TestAmbiguousMembersGoNowhere(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{careless(t)}})
	tokens, err := authn.NewStatic(map[string]authn.Grant{"token-of-ann": {Subject: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	admin := authn.Rule{Scopes: []string{"admin"}}
	policy, err := authn.NewPolicy(authn.PolicyConfig{
		Default: &authn.Rule{},
		Tools: map[string]authn.Rule{"secret": admin, "read": {ScopesFor: func(_ context.Context, arguments json.RawMessage) []string {
			if strings.Contains(string(arguments), "secret") {
				return []string{"admin"}
			}
			return nil
		}}},
		Prompts:   map[string]authn.Rule{"secret": admin},
		Resources: map[string]authn.Rule{"test://secret": admin},
	})
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP(),
		mcpconnect.WithAuthn(authn.Bearer{tokens}), mcpconnect.WithPolicy(policy)))
	for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
		c := rpctest.Dial(t, mcpconnect.NewTransport(url, mcpconnect.WithHeader("authorization", "Bearer token-of-ann")), version, `{}`)
		for _, call := range []struct{ method, params, want string }{
			{"tools/call", `"name":"secret"`, "not allowed"},
			{"tools/call", `"Name":"secret"`, `"Name" as "name"`},
			{"tools/call", `"name":"read","Name":"secret"`, `"Name" as "name"`},
			{"tools/call", `"name":"","NAME":"secret"`, `"NAME" as "name"`},
			{"tools/call", `"name":"read","arguments":{},"Arguments":{"path":"secret"}`, `"Arguments" as "arguments"`},
			{"tools/call", `"name":"read","argument\u017f":{"path":"secret"}`, `as "arguments"`},
			{"tools/call", `"name":"read","arguments":{"path":"ok"},"arguments":null`, `member "arguments" is repeated`},
			{"tools/call", `"name":"read","name":"secret"`, `member "name" is repeated`},
			{"nobody/knows", `"name":"read","name":"secret"`, `member "name" is repeated`},
			{"tools/call", `"name":"read","Request\u017ftate":"x"`, `as "requestState"`},
			{"tools/call", `"name":"read","arguments":{"a":1,"A":2},"nam":"secret","argument":1`, `read  {"a":1,"A":2}`},
			{"prompts/get", `"name":"open","nAme":"secret"`, `"nAme" as "name"`},
			{"prompts/get", `"name":"open","arguments":{"b":"2","b":"3"}`, `open  {"b":"3"}`},
			{"resources/read", `"uri":"test://open","URI":"test://secret"`, `"URI" as "uri"`},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":"open","Name":"secret"},"argument":{"name":"a","value":""}`, `"ref.Name" as "ref.name"`},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":"open"},"Ref":{"type":"ref/prompt","name":"secret"},"argument":{"name":"a","value":""}`, `"Ref" as "ref"`},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":"secret","name":"open"},"argument":{"name":"a","value":""}`, `   open `},
			{"tasks/get", `"taskId":"1","TaskId":"2"`, `"TaskId" as "taskId"`},
			{"tools/list", `"Cursor":"x"`, `"Cursor" as "cursor"`},
			{"tools/call", `"name":"read","_Meta":{}`, `"_Meta" as "_meta"`},
			{"tools/call", `"_meta":{"ProgressToken":1META,},"name":"read"`, `"_meta.ProgressToken" as "_meta.progressToken"`},
		} {
			params := `{"_meta":{META},` + call.params + `}`
			if strings.Contains(call.params, "META") {
				params = `{` + call.params + `}`
			}
			o := c.Call(rpctest.Context(t), call.method, relayed{params: params}.paramsFor(version))
			if got := strings.ReplaceAll(o.String(), `\"`, `"`); !strings.Contains(got, call.want) {
				t.Errorf("%s, %s %s gave %s, want %s", version, call.method, call.params, got, call.want)
			}
		}
	}
}
