// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

// TestBufCurl calls every protocol by HTTP/2 in clear, with the schema from the files and by
// reflection.
func TestBufCurl(t *testing.T) {
	t.Parallel()
	s := serveReflecting(t, everything.NewServer())
	for _, protocol := range []string{"connect", "grpc", "grpcweb"} {
		for schema, flags := range map[string][]string{"files": {"--schema", "../proto"}, "reflection": nil} {
			t.Run(protocol+" with "+schema, func(t *testing.T) {
				t.Parallel()
				curl := func(data, rpc string) outcome {
					t.Helper()
					args := append([]string{"curl", "--http2-prior-knowledge", "--protocol", protocol}, flags...)
					return run(t, "", "buf", append(args, "-d", data, s.url()+"/mcp.v1.MCP/"+rpc)...)
				}
				o := curl(`{"name":"structured_echo","arguments":{"a":[1,null,"x"]}}`, "InvokeTool")
				if o.code != 0 {
					t.Fatalf("InvokeTool: %s", o.stderr)
				}
				result := values(t, o.stdout)
				if got := member(result[0], "result", "structuredContent", "a", "0"); got != 1.0 {
					t.Errorf("InvokeTool: got %v", result)
				}
				o = curl(`{"name":"test_tool_with_progress","meta":{"progressToken":{"stringValue":"t"}}}`, "CallTool")
				if events := values(t, o.stdout); o.code != 0 || len(events) != 4 || member(events[3], "result") == nil {
					t.Errorf("CallTool: got %v, %s", events, o.stderr)
				}
				o = curl(`{"uri":"everything://gone"}`, "ReadResource")
				failure := values(t, o.stderr)
				if o.code == 0 || member(failure[0], "code") != "not_found" ||
					!strings.HasSuffix(member(failure[0], "details", "0", "type").(string), "mcp.v1.JsonRpcError") {
					t.Errorf("ReadResource: got status %d, %s", o.code, o.stderr)
				}
			})
		}
	}
}

// TestBufCurlConnects has a Connect stream by the protocols that can carry it.
func TestBufCurlConnects(t *testing.T) {
	t.Parallel()
	s := serveReflecting(t, everything.NewServer())
	for _, protocol := range []string{"connect", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			out := succeed(t, `{"method":"ping","request":{"id":"1"}} {"method":"prompts/list","request":{"id":"2"}}`,
				"buf", "curl", "--http2-prior-knowledge", "--protocol", protocol, "--schema", "../proto", "-d", "@-", s.url()+"/mcp.v1.MCP/Connect")
			if envelopes := values(t, out); len(envelopes) != 2 {
				t.Errorf("got %v", envelopes)
			}
		})
	}
}

// TestBufCurlOverHTTP1 makes the calls that HTTP/1.1 can carry.
func TestBufCurlOverHTTP1(t *testing.T) {
	t.Parallel()
	s := serveReflecting(t, everything.NewServer())
	for _, protocol := range []string{"connect", "grpcweb"} {
		for _, rpc := range []string{"InvokeTool", "CallTool"} {
			t.Run(protocol+" "+rpc, func(t *testing.T) {
				t.Parallel()
				out := succeed(t, "", "buf", "curl", "--protocol", protocol, "--schema", "../proto", "-d", `{"name":"greet","arguments":{"name":"Ada"}}`, s.url()+"/mcp.v1.MCP/"+rpc)
				if got := member(values(t, out)[0], "result", "content", "0", "text", "text"); got != "Hi Ada" {
					t.Errorf("got %s", out)
				}
			})
		}
	}
}
