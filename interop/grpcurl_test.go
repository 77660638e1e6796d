// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/mcpconnect/mcpconnect/internal/everything"
)

func TestGrpcurlReflects(t *testing.T) {
	t.Parallel()
	s := serveReflecting(t, everything.NewServer())
	listed := succeed(t, "", "grpcurl", "-plaintext", s.addr, "list")
	for _, service := range []string{"mcp.v1.MCP", "mcp.v1.AuthDiscovery"} {
		if !strings.Contains(listed, service+"\n") {
			t.Errorf("%s is not among the services:\n%s", service, listed)
		}
	}
	if methods := succeed(t, "", "grpcurl", "-plaintext", s.addr, "list", "mcp.v1.MCP"); strings.Count(methods, "\n") != 20 {
		t.Errorf("got methods\n%s", methods)
	}
	described := succeed(t, "", "grpcurl", "-plaintext", s.addr, "describe", "mcp.v1.MCP.InvokeTool")
	if !strings.Contains(described, "rpc InvokeTool ( .mcp.v1.CallToolRequest ) returns ( .mcp.v1.InvokeToolResponse );") {
		t.Errorf("got %s", described)
	}
	for name, want := range map[string]string{
		"mcp.v1.CallToolRequest":       ".google.protobuf.Struct arguments = 2;",
		"mcp.v1.GetMetadataRequest":    "message GetMetadataRequest",
		"mcp.v1.Envelope":              ".mcp.v1.JsonRpcRequest request = 3;",
		"google.protobuf.Struct":       "map<string, .google.protobuf.Value> fields = 1;",
		"mcp.v1.AuthDiscovery":         "rpc GetMetadata",
		"mcp.v1.MCP.SubscribeResource": "returns ( stream .mcp.v1.ResourceEvent );",
	} {
		if got := succeed(t, "", "grpcurl", "-plaintext", s.addr, "describe", name); !strings.Contains(got, want) {
			t.Errorf("describe %s: got %s", name, got)
		}
	}
}

// TestGrpcurlCalls calls the demo server, as a reader of the README would.
func TestGrpcurlCalls(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	call := func(data, rpc string, flags ...string) string {
		t.Helper()
		return succeed(t, "", "grpcurl", append(append([]string{"-plaintext"}, flags...), "-d", data, s.addr, "mcp.v1.MCP/"+rpc)...)
	}
	sum := values(t, call(`{"name":"add","arguments":{"a":2,"b":3}}`, "InvokeTool"))
	if got := member(sum[0], "result", "structuredContent", "sum"); got != 5.0 {
		t.Errorf("InvokeTool: got %v", sum)
	}
	events := values(t, call(`{"name":"countdown","arguments":{"from":2,"interval_ms":1},"meta":{"progressToken":{"stringValue":"t"}}}`, "CallTool"))
	if len(events) != 3 || member(events[0], "progress", "percentage") != 50.0 || member(events[1], "progress", "percentage") != 100.0 ||
		member(events[2], "result", "content", "0", "text", "text") != "lift-off" {
		t.Errorf("CallTool: got %v", events)
	}
	logo := values(t, call(`{"uri":"demo://logo"}`, "ReadResource"))
	if data, _ := member(logo[0], "contents", "0", "blob", "data").(string); !strings.HasPrefix(data, "iVBORw0KGgo") { // the PNG signature
		t.Errorf("ReadResource: got %v", logo)
	}
	initialized := values(t, call(`{"protocolVersion":"2025-11-25","clientInfo":{"name":"grpcurl","version":"1"}}`, "Initialize"))
	session, _ := member(initialized[0], "sessionId").(string)
	if closed := call(`{}`, "Shutdown", "-H", "mcp-session-id: "+session); !strings.Contains(closed, `"accepted": true`) {
		t.Errorf("Shutdown: got %s", closed)
	}
	envelopes := values(t, succeed(t, `{"method":"tools/list","request":{"id":"1"}} {"method":"no/such","request":{"id":"2"}}`,
		"grpcurl", "-plaintext", "-d", "@", s.addr, "mcp.v1.MCP/Connect"))
	if len(envelopes) != 2 {
		t.Errorf("Connect: got %v", envelopes)
	}
}

// TestGrpcurlSubscribes follows the clock for two of its seconds.
func TestGrpcurlSubscribes(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	o := run(t, "", "grpcurl", "-plaintext", "-max-time", "3.5", "-d", `{"uri":"demo://clock"}`, s.addr, "mcp.v1.MCP/SubscribeResource")
	if want := 64 + int(codes.DeadlineExceeded); o.code != want {
		t.Errorf("got status %d, want %d: %s", o.code, want, o.stderr)
	}
	events := values(t, o.stdout)
	if len(events) < 2 {
		t.Fatalf("got %d events in 3.5 s, want one each second", len(events))
	}
	for _, event := range events {
		if member(event, "uri") != "demo://clock" || member(event, "update", "contents", "0", "text", "text") == nil {
			t.Errorf("got event %v", event)
		}
	}
}

func TestGrpcurlShowsDetails(t *testing.T) {
	t.Parallel()
	s := serveReflecting(t, everything.NewServer())
	o := run(t, "", "grpcurl", "-plaintext", "-format-error",
		"-d", `{"name":"error_jsonrpc","arguments":{"code":4321,"message":"as you like","data":{"why":"testing"}}}`, s.addr, "mcp.v1.MCP/InvokeTool")
	if want := 64 + int(codes.Unknown); o.code != want {
		t.Errorf("got status %d, want %d: %s", o.code, want, o.stderr)
	}
	wantJSON(t, "error", `{"code":2,"message":"as you like","details":[`+
		`{"@type":"type.googleapis.com/mcp.v1.JsonRpcError","code":4321,"message":"as you like","data":{"why":"testing"}}]}`, o.stderr)
}
