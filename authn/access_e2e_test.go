// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/authntest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

const wellKnown = "https://mcp.example.com/.well-known/oauth-protected-resource/base"

// toolServer has tools, a prompt, resources and templates, and counts how often a handler
// was reached.
func toolServer(reached *atomic.Int64) *mcp.Server {
	s := newServer()
	object := json.RawMessage(`{"type":"object"}`)
	for _, name := range []string{"read", "write", "hidden"} {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: object}, func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			reached.Add(1)
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: seen(ctx, r.Extra)}}}, nil
		})
	}
	s.AddTool(&mcp.Tool{Name: "step-up", InputSchema: object}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		reached.Add(1)
		return nil, authn.InsufficientScope("admin", "write")
	})
	mcpconnect.AddTool(s, &mcp.Tool{Name: "typed-step-up"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		reached.Add(1)
		return nil, nil, authn.InsufficientScope("admin", "write")
	})
	s.AddTool(&mcp.Tool{Name: "denied", InputSchema: object}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		reached.Add(1)
		return nil, authn.Denied()
	})
	for _, name := range []string{"hello", "hidden"} {
		s.AddPrompt(&mcp.Prompt{Name: name}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			reached.Add(1)
			return &mcp.GetPromptResult{}, nil
		})
	}
	content := func(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		reached.Add(1)
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: r.Params.URI, Text: "x"}}}, nil
	}
	for _, uri := range []string{"file:///open", "file:///hidden"} {
		s.AddResource(&mcp.Resource{Name: uri, URI: uri}, content)
	}
	for _, uri := range []string{"notes:///{id}", "hidden:///{id}"} {
		s.AddResourceTemplate(&mcp.ResourceTemplate{Name: uri, URITemplate: uri}, content)
	}
	return s
}

// seen tells what a tool sees of its caller.
func seen(ctx context.Context, extra *mcp.RequestExtra) string {
	p := authn.FromContext(ctx)
	if extra == nil || p == nil || extra.TokenInfo == nil {
		return "nobody"
	}
	for _, name := range []string{"Authorization", "X-Mcp-Api-Key"} {
		if extra.Header.Get(name) != "" {
			return "a credential"
		}
	}
	if extra.TokenInfo.UserID != p.ID() {
		return "two callers"
	}
	return p.ID() + " by " + string(p.Method)
}

var policyConfig = authn.PolicyConfig{
	Tools: map[string]authn.Rule{
		"read": {Scopes: []string{"read"}}, "write": {Scopes: []string{"write", "read"}},
		"step-up": {}, "typed-step-up": {}, "denied": {},
	},
	Prompts:   map[string]authn.Rule{"hello": {}},
	Resources: map[string]authn.Rule{"file:///open": {}, "notes:///{id}": {Scopes: []string{"read"}}},
	Implies:   map[string][]string{"write": {"read"}},
}

// accessSite serves a policy for tokens of an issuer, and one API key.
func accessSite(t *testing.T) (*site, *authntest.Issuer, string, *atomic.Int64) {
	t.Helper()
	as := authntest.New("https://as.example", resource, authntest.NewKey("k1", "EdDSA"))
	v, err := authn.NewJWT(authn.JWTConfig{Resource: resource, Issuers: []authn.Issuer{{URL: as.URL, JWKS: as.JWKS(), Algorithms: []string{"EdDSA"}}}})
	if err != nil {
		t.Fatal(err)
	}
	key, record, err := authn.NewAPIKey("test", nil, authn.APIKey{Subject: "bob", Scopes: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := authn.NewAPIKeys(nil, record)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := authn.NewPolicy(policyConfig)
	if err != nil {
		t.Fatal(err)
	}
	reached := new(atomic.Int64)
	h := mcpconnect.NewHandler(toolServer(reached), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{v}, keys),
		mcpconnect.WithResourceMetadata(&document), mcpconnect.WithPolicy(policy), mcpconnect.WithStreamableHTTP())
	t.Cleanup(func() { h.Close() })
	return serve(t, h, nil), as, key, reached
}

// TestAccess calls tools that the caller may use and may not, in every form on every wire.
func TestAccess(t *testing.T) {
	t.Parallel()
	s, as, key, reached := accessSite(t)
	reader, writer := bearer(as.Token(authntest.Claims{"scope": "read"})), bearer(as.Token(authntest.Claims{"scope": "write"}))
	challenge := func(scopes string) string {
		return `Bearer error="insufficient_scope", scope="` + scopes + `", resource_metadata="` + wellKnown + `"`
	}
	for _, test := range []struct {
		name      string
		who       credential
		tool      string
		code      connect.Code
		challenge string // of a step-up; empty for none
		reaches   bool   // the tool itself says no
	}{
		{"a tool that the caller may use", reader, "read", 0, "", true},
		{"by a scope that includes another", writer, "write", 0, "", true},
		{"a scope is missing", reader, "write", connect.CodePermissionDenied, challenge("write read"), false},
		{"a scope is missing, and the caller has a key", apiKey(key), "write", connect.CodePermissionDenied, "", false},
		{"scopes that the request claims", claiming(reader, "write read admin"), "write", connect.CodePermissionDenied, challenge("write read"), false},
		{"a tool without rule", writer, "hidden", connect.CodePermissionDenied, "", false},
		{"a tool that is not there", writer, "nothing", connect.CodePermissionDenied, "", false},
		{"a name in another case", writer, "READ", connect.CodePermissionDenied, "", false},
		{"a name that looks alike", writer, "re\u0430d", connect.CodePermissionDenied, "", false},
		{"the tool wants more scopes", reader, "step-up", connect.CodePermissionDenied, challenge("admin write"), true},
		{"a typed tool wants more scopes", reader, "typed-step-up", connect.CodePermissionDenied, challenge("admin write"), true},
		{"the tool wants more scopes, and the caller has a key", apiKey(key), "step-up", connect.CodePermissionDenied, "", true},
		{"the tool says no", writer, "denied", connect.CodePermissionDenied, "", true},
	} {
		for _, w := range wires {
			for _, f := range forms {
				if !w.can(f) {
					continue
				}
				name := test.name + ", " + f.name + ", " + w.name
				c := s.call(t, w, test.who)
				before := reached.Load()
				got := f.call(testContext(t), c, test.tool, `{}`)
				if n := reached.Load() - before; (n == 1) != test.reaches {
					t.Errorf("%s: the tool was reached %d times", name, n)
				}
				if got.code != test.code {
					t.Errorf("%s: got %v %s, want %v", name, got.code, got.err, test.code)
				}
				if test.code == 0 {
					continue
				}
				checkStepUp(t, name, w, f, c, got, test.challenge)
			}
		}
	}
}

// claiming says by headers, of which none counts, what scopes the caller had.
func claiming(who credential, scopes string) credential {
	who.header = who.header.Clone()
	for _, name := range []string{"Scope", "X-Scope", "X-Scopes", "X-Mcp-Scopes", "X-Forwarded-Scopes", "X-Auth-Request-Scopes", "Mcp-Scope"} {
		who.header.Set(name, scopes)
	}
	return who
}

// checkStepUp checks that a challenge arrives once, where the caller's form has a place
// for it, and in the data of the JSON-RPC error always.
func checkStepUp(t *testing.T, name string, w wire, f form, c *caller, got reply, challenge string) {
	t.Helper()
	status, challenges := c.rec.last()
	wantStatus := http.StatusOK
	if f.unary && !w.grpc() && !w.grpcWeb() {
		wantStatus = http.StatusForbidden
	}
	if status != wantStatus {
		t.Errorf("%s: got HTTP status %d, want %d", name, status, wantStatus)
	}
	var want []string
	if challenge != "" && got.rpc {
		want = []string{challenge}
	}
	if !slices.Equal(challenges, want) {
		t.Errorf("%s: got the challenges %q, want %q", name, challenges, want)
	}
	if !f.http && (got.info != nil) != (want != nil) || (!f.http && want != nil && (got.info.GetReason() != "INSUFFICIENT_SCOPE" || got.info.GetMetadata()["resource_metadata"] != wellKnown)) {
		t.Errorf("%s: got the detail %v", name, got.info)
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(got.data), &data); err != nil {
		t.Errorf("%s: got the data %q", name, got.data)
		return
	}
	wantData := map[string]any{"reason": "access_denied"}
	if challenge != "" {
		_, scopes, _ := strings.Cut(challenge, `scope="`)
		scopes, _, _ = strings.Cut(scopes, `"`)
		wantData = map[string]any{"reason": "insufficient_scope", "scope": scopes, "resource_metadata": wellKnown}
	}
	if diff := cmp.Diff(wantData, data); diff != "" {
		t.Errorf("%s: the data differs (-want +got):\n%s", name, diff)
	}
}

// TestListsAreFiltered checks that a list shows what its caller may use, and to nobody else.
func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	s, as, _, _ := accessSite(t)
	for scope, want := range map[string]string{
		"":      "denied step-up typed-step-up; hello; file:///open; ",
		"read":  "denied read step-up typed-step-up; hello; file:///open; notes:///{id}",
		"write": "denied read step-up typed-step-up write; hello; file:///open; notes:///{id}",
	} {
		who := bearer(as.Token(authntest.Claims{"scope": scope}))
		for _, w := range wires {
			for _, get := range []bool{false, true} {
				var opts []connect.ClientOption
				if get {
					opts = append(opts, connect.WithHTTPGet())
				}
				c := s.call(t, w, who)
				client, ctx := c.mcp(opts...), testContext(t)
				tools, err := client.ListTools(ctx, &mcpv1.ListToolsRequest{})
				if err != nil {
					t.Fatal(err)
				}
				if control := c.rec.res.Header.Get("Cache-Control"); get && strings.HasPrefix(w.name, "Connect") && !strings.HasPrefix(control, "private") {
					t.Errorf("%s: got Cache-Control %q", w.name, control)
				}
				prompts, err := client.ListPrompts(ctx, &mcpv1.ListPromptsRequest{})
				if err != nil {
					t.Fatal(err)
				}
				resources, err := client.ListResources(ctx, &mcpv1.ListResourcesRequest{})
				if err != nil {
					t.Fatal(err)
				}
				templates, err := client.ListResourceTemplates(ctx, &mcpv1.ListResourceTemplatesRequest{})
				if err != nil {
					t.Fatal(err)
				}
				for _, scope := range []string{tools.GetCacheScope(), prompts.GetCacheScope(), resources.GetCacheScope(), templates.GetCacheScope()} {
					if scope != "private" {
						t.Errorf("%s: a list has cache scope %q", w.name, scope)
					}
				}
				got := names(tools.GetTools(), (*mcpv1.Tool).GetName) + "; " + names(prompts.GetPrompts(), (*mcpv1.Prompt).GetName) + "; " +
					names(resources.GetResources(), (*mcpv1.Resource).GetUri) + "; " + names(templates.GetResourceTemplates(), (*mcpv1.ResourceTemplate).GetUriTemplate)
				if got != want {
					t.Errorf("%s, scope %q: got %q, want %q", w.name, scope, got, want)
				}
			}
		}
	}
}

func names[T any](items []T, name func(T) string) string {
	var all []string
	for _, i := range items {
		all = append(all, name(i))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestAccessToOtherThings checks that no other method is a way round the rules.
func TestAccessToOtherThings(t *testing.T) {
	t.Parallel()
	s, as, _, reached := accessSite(t)
	c := s.call(t, wires[1], bearer(as.Token(authntest.Claims{"scope": "write"})))
	client := c.mcp()
	for _, test := range []struct {
		name    string
		call    func(ctx context.Context) error
		allowed bool
	}{
		{"a prompt", func(ctx context.Context) error {
			_, err := client.GetPrompt(ctx, &mcpv1.GetPromptRequest{Name: new("hello")})
			return err
		}, true},
		{"a prompt without rule", func(ctx context.Context) error {
			_, err := client.GetPrompt(ctx, &mcpv1.GetPromptRequest{Name: new("hidden")})
			return err
		}, false},
		{"a resource", func(ctx context.Context) error {
			_, err := client.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("file:///open")})
			return err
		}, true},
		{"a resource of a template", func(ctx context.Context) error {
			_, err := client.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("notes:///1")})
			return err
		}, true},
		{"a resource without rule", func(ctx context.Context) error {
			_, err := client.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("file:///hidden")})
			return err
		}, false},
		{"a template without rule", func(ctx context.Context) error {
			_, err := client.ReadResource(ctx, &mcpv1.ReadResourceRequest{Uri: new("hidden:///1")})
			return err
		}, false},
		{"a completion for a prompt without rule", func(ctx context.Context) error {
			_, err := client.Complete(ctx, &mcpv1.CompleteRequest{Ref: new("hidden"), ArgumentName: new("a"), Value: new("b")})
			return err
		}, false},
		{"a completion for a template without rule", func(ctx context.Context) error {
			_, err := client.Complete(ctx, &mcpv1.CompleteRequest{Ref: new("hidden:///{id}"), ArgumentName: new("id"), Value: new("b")})
			return err
		}, false},
		{"a subscription to a resource without rule", func(ctx context.Context) error {
			stream, err := client.SubscribeResource(ctx, &mcpv1.SubscribeResourceRequest{Uri: new("file:///hidden")})
			if err != nil {
				return err
			}
			defer stream.Close()
			stream.Receive()
			return stream.Err()
		}, false},
		{"a listen to a resource without rule", func(ctx context.Context) error {
			stream, err := client.Listen(ctx, &mcpv1.ListenRequest{Notifications: &mcpv1.SubscriptionFilter{ResourceSubscriptions: []string{"file:///open", "file:///hidden"}}})
			if err != nil {
				return err
			}
			defer stream.Close()
			stream.Receive()
			return stream.Err()
		}, false},
		{"a method of users", func(ctx context.Context) error {
			_, err := client.GetTask(ctx, &mcpv1.GetTaskRequest{TaskId: new("1")})
			return err
		}, false},
	} {
		before := reached.Load()
		err := test.call(testContext(t))
		if test.allowed != (err == nil) || (err != nil && connect.CodeOf(err) != connect.CodePermissionDenied) {
			t.Errorf("%s: got %v, want allowed: %t", test.name, err, test.allowed)
		}
		if n := reached.Load() - before; (n > 0) != test.allowed {
			t.Errorf("%s: a handler was reached %d times", test.name, n)
		}
	}
}

func TestBaselineOnEveryWire(t *testing.T) {
	t.Parallel()
	as := authntest.New("https://as.example", resource, authntest.NewKey("k1", "EdDSA"))
	v, err := authn.NewJWT(authn.JWTConfig{Resource: resource, Issuers: []authn.Issuer{{URL: as.URL, JWKS: as.JWKS(), Algorithms: []string{"EdDSA"}}}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := authn.NewPolicy(authn.PolicyConfig{Baseline: []string{"mcp"}, Default: &authn.Rule{}})
	if err != nil {
		t.Fatal(err)
	}
	reached := new(atomic.Int64)
	h := mcpconnect.NewHandler(toolServer(reached), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{v}),
		mcpconnect.WithResourceMetadata(&document), mcpconnect.WithPolicy(policy), mcpconnect.WithStreamableHTTP())
	t.Cleanup(func() { h.Close() })
	s := serve(t, h, nil)
	for _, test := range []struct {
		name      string
		who       credential
		code      connect.Code
		challenge string
	}{
		{"nobody", credential{}, connect.CodeUnauthenticated, `Bearer scope="mcp", resource_metadata="` + wellKnown + `"`},
		{"without the baseline", bearer(as.Token(nil)), connect.CodePermissionDenied, `Bearer error="insufficient_scope", scope="mcp", resource_metadata="` + wellKnown + `"`},
		{"with it", bearer(as.Token(authntest.Claims{"scope": "mcp", "exp": authntest.In(600)})), 0, ""},
	} {
		for _, w := range wires {
			for _, f := range forms {
				if !w.can(f) {
					continue
				}
				c := s.call(t, w, test.who)
				got := f.call(testContext(t), c, "read", `{}`)
				_, challenges := c.rec.last()
				if got.code != test.code || strings.Join(challenges, "; ") != test.challenge {
					t.Errorf("%s, %s, %s: got %v %s, %q, want %v, %q", test.name, f.name, w.name, got.code, got.err, challenges, test.code, test.challenge)
				}
			}
		}
	}
}

// TestAccessInLegacySessions checks that an older version is no way round the rules.
func TestAccessInLegacySessions(t *testing.T) {
	t.Parallel()
	s, as, _, reached := accessSite(t)
	const denied = `{"reason":"access_denied"}`
	for _, w := range wires {
		if w.http1 || w.grpcWeb() {
			continue
		}
		c := s.call(t, w, bearer(as.Token(authntest.Claims{"scope": "read"})))
		stream, err := c.mcp().Connect(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		ask := func(method, params string) reply {
			last++
			e := &mcpv1.Envelope{Method: method, Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{IntId: new(last), ParamsJson: []byte(params)}}}
			if err := stream.Send(e); err != nil {
				t.Fatal(err)
			}
			for {
				got, err := stream.Receive()
				if err != nil {
					t.Fatal(err)
				}
				if r := got.GetResponse(); r != nil {
					return reply{text: string(r.GetResultJson()), err: r.GetError().String(), data: dataOf(r.GetError())}
				}
			}
		}
		if r := ask("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`); r.text == "" {
			t.Fatalf("initialize: got %+v", r)
		}
		if err := stream.Send(&mcpv1.Envelope{Method: "notifications/initialized", Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{}}}); err != nil {
			t.Fatal(err)
		}
		before := reached.Load()
		for _, test := range []struct{ method, params, data string }{
			{"tools/call", `{"name":"hidden","arguments":{}}`, denied},
			{"tools/call", `{"name":"write","arguments":{}}`, `{"reason":"insufficient_scope","scope":"write read","resource_metadata":"` + wellKnown + `"}`},
			{"prompts/get", `{"name":"hidden"}`, denied},
			{"resources/read", `{"uri":"file:///hidden"}`, denied},
			{"resources/subscribe", `{"uri":"file:///hidden"}`, denied},
			{"resources/unsubscribe", `{"uri":"file:///hidden"}`, denied},
			{"completion/complete", `{"ref":{"type":"ref/prompt","name":"hidden"},"argument":{"name":"a","value":"b"}}`, denied},
			{"com.example/method", `{}`, denied},
		} {
			if r := ask(test.method, test.params); r.data != test.data || r.text != "" {
				t.Errorf("%s %s on %s: got %+v, want %s", test.method, test.params, w.name, r, test.data)
			}
		}
		if n := reached.Load() - before; n != 0 {
			t.Errorf("handlers were reached %d times", n)
		}
		if r := ask("tools/call", `{"name":"read","arguments":{}}`); !strings.Contains(r.text, "https://as.example|ann by jwt") {
			t.Errorf("a tool that may be used: got %+v", r)
		}
		if r := ask("tools/list", `{}`); strings.Contains(r.text, "hidden") || strings.Contains(r.text, `"write"`) || !strings.Contains(r.text, `"read"`) {
			t.Errorf("tools/list: got %s", r.text)
		}
		_ = stream.CloseRequest()
		_ = stream.CloseResponse()
	}
}
