// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

const modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}`

// A relayed request must give over the gateway what it gives without.
type relayed struct {
	name, method, params string // META stands for the members of a modern `_meta`
	only                 string // the one version; empty for both
}

func callOf(tool, arguments string) relayed {
	return relayed{tool + " " + arguments, "tools/call", fmt.Sprintf(`{"_meta":{META},"name":%q,"arguments":%s}`, tool, arguments), ""}
}

var relays = []relayed{
	{"tools", "tools/list", `{"_meta":{META}}`, ""},
	{"prompts", "prompts/list", `{"_meta":{META}}`, ""},
	{"resources", "resources/list", `{"_meta":{META}}`, ""},
	{"templates", "resources/templates/list", `{"_meta":{META}}`, ""},
	{"a cursor that is none", "tools/list", `{"_meta":{META},"cursor":"nonsense"}`, ""},
	{"a resource", "resources/read", `{"_meta":{META},"uri":"test://static-text"}`, ""},
	{"a binary resource", "resources/read", `{"_meta":{META},"uri":"test://static-binary"}`, ""},
	{"an unknown resource", "resources/read", `{"_meta":{META},"uri":"test://nobody"}`, ""},
	{"a prompt", "prompts/get", `{"_meta":{META},"name":"test_simple_prompt"}`, ""},
	{"an unknown prompt", "prompts/get", `{"_meta":{META},"name":"nobody"}`, ""},
	{"a completion", "completion/complete", `{"_meta":{META},"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"t"}}`, ""},
	callOf("test_simple_text", `{}`),
	callOf("test_image_content", `{}`),
	callOf("content_all", `{}`),
	callOf("greet", `{"name":"Ada"}`),
	callOf("structured_array", `{}`),
	callOf("structured_big_numbers", `{}`),
	callOf("structured_echo", `{"n":[9007199254740993,1e400,-0,1.10],"empty":{},"nothing":null,"text":"\u0000<&>"}`),
	callOf("error_jsonrpc", `{"code":-32000,"message":"m","data":{"n":9007199254740993}}`),
	callOf("error_result", `{}`),
	callOf("nobody", `{}`),
	{"two names, of which one is null", "tools/call", `{"_meta":{META},"name":"test_simple_text","name":null,"arguments":{}}`, ""},
	{"two names", "tools/call", `{"_meta":{META},"name":"nobody","name":"test_simple_text","arguments":{}}`, ""},
	{"progress", "tools/call", `{"_meta":{"progressToken":8META,},"name":"test_tool_with_progress","arguments":{}}`, ""},
	{"progress by a text", "tools/call", `{"_meta":{"progressToken":"7"META,},"name":"test_tool_with_progress","arguments":{}}`, ""},
	{"log", "tools/call", `{"_meta":{META,"io.modelcontextprotocol/logLevel":"debug"},"name":"test_tool_with_logging","arguments":{}}`, rpctest.ModernVersion},
	{"a question of this era", "tools/call", `{"_meta":{META},"name":"test_input_required_result_elicitation","arguments":{}}`, ""},
	{"elicitation", "tools/call", `{"name":"test_elicitation","arguments":{"message":"who?"}}`, "2025-11-25"},
	{"sampling", "tools/call", `{"name":"test_sampling","arguments":{"prompt":"p"}}`, "2025-11-25"},
}

func (r relayed) paramsFor(version string) string {
	if version >= rpctest.ModernVersion {
		return strings.ReplaceAll(strings.ReplaceAll(r.params, "META,}", ","+modernMeta+"}"), "META", modernMeta)
	}
	return strings.ReplaceAll(strings.ReplaceAll(r.params, "META,}", "}"), "META", "")
}

func answers(method string, _ json.RawMessage) (json.RawMessage, error) {
	switch method {
	case "elicitation/create":
		return json.RawMessage(`{"action":"accept","content":{"name":"Ada","username":"ada","email":"ada@example.com"}}`), nil
	case "sampling/createMessage":
		return json.RawMessage(`{"role":"assistant","content":{"type":"text","text":"Hello"},"model":"m"}`), nil
	}
	return json.RawMessage(`{"roots":[{"uri":"file:///a","name":"a"}]}`), nil
}

// TestRelayedRequestsAreThoseOfTheServer on each way to an upstream, in both eras.
func TestRelayedRequestsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T) gateway.Upstream{
		"child": func(t *testing.T) gateway.Upstream { return child(t, "up", "everything") },
		"http": func(t *testing.T) gateway.Upstream {
			return gateway.Upstream{Name: "up", URL: serveEverything(t) + "/mcp"}
		},
	}
	for name, option := range map[string]mcpconnect.Protocol{"grpc": mcpconnect.ProtocolGRPC, "grpcweb": mcpconnect.ProtocolGRPCWeb, "connect": mcpconnect.ProtocolConnect} {
		ways[name] = func(t *testing.T) gateway.Upstream {
			return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(serveEverything(t), mcpconnect.WithProtocol(option))}
		}
	}
	for way, upstream := range ways {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				g := open(t, gateway.Config{Upstreams: []gateway.Upstream{upstream(t)}})
				const capabilities = `{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}`
				over := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), version, capabilities)
				direct := rpctest.Dial(t, mcpconnect.NewTransport(serveEverything(t)), version, capabilities)
				over.Answer, direct.Answer = answers, answers
				for _, r := range relays {
					if r.only != "" && r.only != version {
						continue
					}
					ctx, params := rpctest.Context(t), r.paramsFor(version)
					want, got := direct.Call(ctx, r.method, params), over.Call(ctx, r.method, params)
					if diff := cmp.Diff(want.String(), got.String()); diff != "" {
						t.Errorf("%s: differs over the gateway (-direct +gateway):\n%s", r.name, diff)
					}
				}
			})
		}
	}
}

// TestUnknownMethodsPass to the one upstream, and what is unknown in results comes back.
func TestUnknownMethodsPass(t *testing.T) {
	t.Parallel()
	for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
		for _, way := range []string{"grpc", "http"} {
			t.Run(version+" over "+way, func(t *testing.T) {
				t.Parallel()
				g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
				url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP()))
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: remotes[way](url)}), version, `{}`)
				direct := rpctest.Dial(t, mcpconnect.NewTransport(serveEverything(t)), version, `{}`)
				for _, method := range []string{everything.EchoMethod, "nobody/knows"} {
					params := relayed{params: `{"_meta":{META},"unknown":9007199254740993}`}.paramsFor(version)
					want, got := direct.Call(rpctest.Context(t), method, params), over.Call(rpctest.Context(t), method, params)
					if got.Err != nil && want.Err != nil && got.Err.Code == want.Err.Code {
						continue
					}
					if diff := cmp.Diff(want.String(), got.String()); diff != "" {
						t.Errorf("%s: differs over the gateway (-direct +gateway):\n%s", method, diff)
					}
				}
			})
		}
	}
}

// TestProgressTokensAreTheClients, though the server may know others: those that two clients
// have chosen alike, and those that it would round.
func TestProgressTokensAreTheClients(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	for range 4 {
		over := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for _, token := range []string{`"same"`, `1`, `9007199254740993`, `-9007199254740993`} {
				o := over.Call(rpctest.Context(t), "tools/call", `{"_meta":{"progressToken":`+token+`,`+modernMeta+`},"name":"test_tool_with_progress","arguments":{}}`)
				if len(o.Said) != 3 || o.Err != nil {
					t.Fatalf("token %s gave %v", token, o)
				}
				for _, said := range o.Said {
					if !strings.Contains(said, `"progressToken": `+token) {
						t.Errorf("token %s came back as %s", token, said)
					}
				}
			}
		})
	}
}

// TestGatewayOverStreamableHTTP: what clients of a gateway over Streamable HTTP get is what the
// server gives them, params or none.
func TestGatewayOverStreamableHTTP(t *testing.T) {
	t.Parallel()
	for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
			url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP()))
			const capabilities = `{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}`
			over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: remotes["http"](url)}), version, capabilities)
			direct := rpctest.Dial(t, mcpconnect.NewTransport(serveEverything(t)), version, capabilities)
			over.Answer, direct.Answer = answers, answers
			requests := relays
			if version < rpctest.ModernVersion {
				requests = append([]relayed{{"no params", "prompts/list", "", version}}, relays...)
			}
			for _, r := range requests {
				if r.only != "" && r.only != version {
					continue
				}
				ctx, params := rpctest.Context(t), r.paramsFor(version)
				want, got := direct.Call(ctx, r.method, params), over.Call(ctx, r.method, params)
				if diff := cmp.Diff(want.String(), got.String()); diff != "" {
					t.Errorf("%s: differs over the gateway (-direct +gateway):\n%s", r.name, diff)
				}
			}
		})
	}
}
