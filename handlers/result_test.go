// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// An ownList is a result of a middleware, which is free to have a type of its own.
type ownList struct {
	*mcp.ListToolsResult

	Extra string `json:"extra"`
}

// ownResults gives a server with two tools, whose lists are what own makes of them.
func ownResults(own func(*mcp.ListToolsResult) mcp.Result) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "own", Version: "1"}, nil)
	for _, name := range []string{"open", "secret"} {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{}, nil
		})
	}
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			res, err := next(ctx, method, req)
			if list, ok := res.(*mcp.ListToolsResult); ok && err == nil {
				return own(list), nil
			}
			return res, err
		}
	})
	return s
}

// A tokenTransport adds a token to each request.
type tokenTransport string

func (b tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestListsOfAnyTypeAreFiltered: what a middleware makes of a list does not hide from the policy
// what is in it.
func TestListsOfAnyTypeAreFiltered(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]func(*mcp.ListToolsResult) mcp.Result{
		"the SDK's": func(l *mcp.ListToolsResult) mcp.Result { return l },
		"a pointer": func(l *mcp.ListToolsResult) mcp.Result { return &ownList{l, "x"} },
		"a struct":  func(l *mcp.ListToolsResult) mcp.Result { return ownList{l, "x"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens, err := authn.NewStatic(map[string]authn.Grant{"token-of-ann": {Subject: "ann"}})
			if err != nil {
				t.Fatal(err)
			}
			policy, err := authn.NewPolicy(authn.PolicyConfig{Tools: map[string]authn.Rule{"open": {}, "secret": {Scopes: []string{"admin"}}}})
			if err != nil {
				t.Fatal(err)
			}
			url := serve(t, ownResults(own), mcpconnect.WithAuthn(authn.Bearer{tokens}), mcpconnect.WithPolicy(policy), mcpconnect.WithStreamableHTTP())
			client := &http.Client{Transport: tokenTransport("token-of-ann")}
			lists := map[string]string{}
			status, _, body := listOfTools("Authorization", "Bearer token-of-ann").do(t, client, url, "")
			lists["modern Streamable HTTP"] = body
			if status != http.StatusOK {
				t.Errorf("modern Streamable HTTP gave status %d", status)
			}
			res, err := client.Post(url+"/mcp.v1.MCP/ListTools", "application/json", bytes.NewReader([]byte("{}")))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			lists["typed"] = string(text)
			for form, transport := range map[string]mcp.Transport{
				"modern envelopes":       mcpconnect.NewTransport(url, mcpconnect.WithHeader("Authorization", "Bearer token-of-ann")),
				"legacy envelopes":       mcpconnect.NewTransport(url, mcpconnect.WithHeader("Authorization", "Bearer token-of-ann")),
				"legacy Streamable HTTP": &mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: client, DisableStandaloneSSE: true},
			} {
				version := "2025-11-25"
				params := `{}`
				if form == "modern envelopes" {
					version, params = rpctest.ModernVersion, `{"_meta":{`+modernMeta+`}}`
				}
				lists[form] = rpctest.Dial(t, transport, version, `{}`).Call(testContext(t), "tools/list", params).String()
			}
			for form, list := range lists {
				list = strings.Join(strings.Fields(list), "")
				if !strings.Contains(list, `"open"`) || strings.Contains(list, `"secret"`) || strings.Contains(list, `"public"`) {
					t.Errorf("%s: got %s", form, list)
				}
			}
		})
	}
}

// TestMetadataTellsNothingOfHiddenTools: metadata that mirrors an argument of a tool that the caller
// may not use is refused as if there were no such tool.
func TestMetadataTellsNothingOfHiddenTools(t *testing.T) {
	t.Parallel()
	tokens, err := authn.NewStatic(map[string]authn.Grant{"token-of-ann": {Subject: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := authn.NewPolicy(authn.PolicyConfig{Tools: map[string]authn.Rule{"open": {}}})
	if err != nil {
		t.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
	for _, name := range []string{"open", "secret"} {
		server.AddTool(&mcp.Tool{
			Name:        name,
			InputSchema: json.RawMessage(`{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`),
		}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{}, nil
		})
	}
	url := serve(t, server, mcpconnect.WithAuthn(authn.Bearer{tokens}), mcpconnect.WithPolicy(policy))
	call := func(tool string) error {
		client := mcpconnect.NewClient(url, mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb), // each call has metadata of its own
			mcpconnect.WithHeader("Authorization", "Bearer token-of-ann"), mcpconnect.WithHeader("Mcp-Param-Region", "another"))
		defer client.Close()
		_, err := client.CallTool(testContext(t), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"region": "here"}})
		return err
	}
	if err := call("open"); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("metadata that is wrong gave %v", err)
	}
	secret, nothing := call("secret"), call("nothing")
	if secret == nil || nothing == nil || strings.ReplaceAll(secret.Error(), "secret", "nothing") != nothing.Error() {
		t.Errorf("a tool that is hidden gave %v, and none %v", secret, nothing)
	}
}

// TestResultsMayBeStructs, and pointers that are nil are none.
func TestResultsMayBeStructs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		own  func(*mcp.ListToolsResult) mcp.Result
		want string
	}{
		"a struct":      {func(l *mcp.ListToolsResult) mcp.Result { return ownList{l, "x"} }, `"extra":"x"`},
		"a nil pointer": {func(*mcp.ListToolsResult) mcp.Result { return (*ownList)(nil) }, "internalerror"},
		"nil":           {func(*mcp.ListToolsResult) mcp.Result { return nil }, "internalerror"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, ownResults(tt.own), mcpconnect.WithStreamableHTTP())
			for form, transport := range map[string]mcp.Transport{
				"envelopes":       mcpconnect.NewTransport(url),
				"Streamable HTTP": &mcp.StreamableClientTransport{Endpoint: url + "/mcp", DisableStandaloneSSE: true},
			} {
				got := rpctest.Dial(t, transport, "2025-11-25", `{}`).Call(testContext(t), "tools/list", `{}`).String()
				if got = strings.Join(strings.Fields(got), ""); !strings.Contains(got, tt.want) {
					t.Errorf("%s: got %s, want %s", form, got, tt.want)
				}
			}
		})
	}
}
