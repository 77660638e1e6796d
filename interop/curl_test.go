// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// curl runs curl over HTTP/1.1 and gives status, headers and body.
func curl(t testing.TB, args ...string) (int, http.Header, string) {
	t.Helper()
	out := succeed(t, "", "curl", append([]string{"--silent", "--http1.1", "--include"}, args...)...)
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(out)), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer response.Body.Close()
	_, body, _ := strings.Cut(out, "\r\n\r\n")
	return response.StatusCode, response.Header, body
}

func TestCurlUnary(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	post := func(data, rpc string) (int, string) {
		t.Helper()
		code, header, body := curl(t, s.url()+"/mcp.v1.MCP/"+rpc, "-H", "Content-Type: application/json", "-d", data)
		if got := header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: got content type %q", rpc, got)
		}
		return code, body
	}
	if code, body := post(`{"name":"add","arguments":{"a":2,"b":3}}`, "InvokeTool"); code != http.StatusOK || member(values(t, body)[0], "result", "structuredContent", "sum") != 5.0 {
		t.Errorf("InvokeTool: got %d %s", code, body)
	}
	if code, body := post(`{}`, "ListTools"); code != http.StatusOK || member(values(t, body)[0], "tools", "0", "name") != "add" {
		t.Errorf("ListTools: got %d %s", code, body)
	}
	code, body := post(`{"name":"nothing"}`, "InvokeTool")
	failure := values(t, body)[0]
	if code != http.StatusNotFound || member(failure, "code") != "not_found" || member(failure, "details", "0", "type") != "mcp.v1.JsonRpcError" ||
		member(failure, "details", "0", "debug", "code") != -32602.0 {
		t.Errorf("an unknown tool: got %d %s", code, body)
	}
	if code, _, _ := curl(t, s.url()+"/mcp.v1.MCP/NoSuch", "-H", "Content-Type: application/json", "-d", "{}"); code != http.StatusNotFound {
		t.Errorf("an unknown RPC: got %d", code)
	}
	if code, _ := post(`{"name":`, "InvokeTool"); code != http.StatusBadRequest {
		t.Errorf("JSON that is none: got %d", code)
	}
}

// TestCurlGet reads a list as a cache would.
func TestCurlGet(t *testing.T) {
	t.Parallel()
	s := serve(t, everything.NewServer(), mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com"}))
	const query = "?connect=v1&encoding=json&message=%7B%7D"
	url := s.url() + "/mcp.v1.MCP/ListTools" + query
	code, header, body := curl(t, url)
	tag := header.Get("Etag")
	if code != http.StatusOK || tag == "" || member(values(t, body)[0], "tools", "0", "name") == nil {
		t.Fatalf("got %d %v %s", code, header, body)
	}
	// The SDK's lists say ttlMs 0: keep it, but ask each time.
	if got := header.Get("Cache-Control"); !strings.Contains(got, "no-cache") {
		t.Errorf("got cache-control %q", got)
	}
	for _, name := range []string{"authorization", "mcp-session-id", "mcp-protocol-version"} {
		if !strings.Contains(strings.ToLower(strings.Join(header.Values("Vary"), ",")), name) {
			t.Errorf("%s is not in vary %q", name, header.Values("Vary"))
		}
	}
	code, header, body = curl(t, url, "-H", "If-None-Match: "+tag)
	if code != http.StatusNotModified || body != "" || header.Get("Etag") != tag {
		t.Errorf("the same again: got %d %v %q", code, header, body)
	}
	if code, _, _ = curl(t, url, "-H", `If-None-Match: "other"`); code != http.StatusOK {
		t.Errorf("another tag: got %d", code)
	}
	_, header, _ = curl(t, url, "-H", "Authorization: Bearer x")
	if got := header.Get("Cache-Control"); !strings.Contains(got, "private") {
		t.Errorf("with credentials: got cache-control %q", got)
	}
	code, header, _ = curl(t, s.url()+"/mcp.v1.AuthDiscovery/GetMetadata"+query)
	if got := header.Get("Cache-Control"); code != http.StatusOK || !strings.HasPrefix(got, "public") {
		t.Errorf("GetMetadata: got %d, cache-control %q", code, got)
	}
	if code, _, _ = curl(t, s.url()+"/mcp.v1.MCP/InvokeTool"+query); code != http.StatusMethodNotAllowed {
		t.Errorf("GET of InvokeTool: got %d", code)
	}
	if code, header, _ = curl(t, url, "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}"); strings.Contains(header.Get("Cache-Control"), "max-age") {
		t.Errorf("POST: got %d, cache-control %q", code, header.Get("Cache-Control"))
	}
}
