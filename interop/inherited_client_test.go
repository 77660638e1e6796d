// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// An inheritedClient runs the program that knows the inherited subset and nothing else.
type inheritedClient struct {
	t    testing.TB
	path string
	addr string
}

func inherited(t testing.TB, s *served) inheritedClient {
	t.Helper()
	return inheritedClient{t, build(t, "interop/inherited"), s.addr}
}

// call runs a command that succeeds, and gives the JSON values that it prints.
func (c inheritedClient) call(args ...string) []any {
	c.t.Helper()
	return values(c.t, succeed(c.t, "", c.path, append([]string{"--addr", c.addr}, args...)...))
}

// fail runs a command whose RPC fails, and gives the JSON of its status.
func (c inheritedClient) fail(args ...string) any {
	c.t.Helper()
	o := run(c.t, "", c.path, append([]string{"--addr", c.addr}, args...)...)
	if o.code != 1 {
		c.t.Fatalf("%q ended with status %d\n%s%s", args, o.code, o.stdout, o.stderr)
	}
	return values(c.t, o.stderr)[0]
}

// TestInheritedClient calls each RPC of the subset.
func TestInheritedClient(t *testing.T) {
	t.Parallel()
	c := inherited(t, serveDemo(t))
	tools := c.call("list-tools")
	if member(tools[0], "tools", "0", "name") != "add" || member(tools[0], "tools", "0", "inputSchema", "type") != "object" {
		t.Errorf("list-tools: got %v", tools)
	}
	sum := c.call("call-tool", "add", `{"a":2,"b":3}`)
	if len(sum) != 1 || member(sum[0], "result", "structuredContent", "sum") != 5.0 || member(sum[0], "result", "content", "0", "text", "text") != `{"sum":5}` {
		t.Errorf("call-tool: got %v", sum)
	}
	if uri := member(c.call("list-resources")[0], "resources", "0", "uri"); uri != "demo://clock" {
		t.Errorf("list-resources: got %v", uri)
	}
	if data, _ := member(c.call("read", "demo://logo")[0], "contents", "0", "blob", "data").(string); !strings.HasPrefix(data, "iVBORw0KGgo") {
		t.Errorf("read: got %s", data)
	}
	if prompts := c.call("list-prompts"); member(prompts[0], "prompts", "0", "arguments", "0", "name") != "language" {
		t.Errorf("list-prompts: got %v", prompts)
	}
	review := c.call("get-prompt", "review", `{"language":"Go"}`)
	if said, _ := member(review[0], "messages", "0", "text", "text").(string); !strings.HasPrefix(said, "Review the Go code") {
		t.Errorf("get-prompt: got %v", review)
	}
	wantJSON(t, "complete", `{"values":["Java","JavaScript"],"total":2}`,
		succeed(t, "", c.path, "--addr", c.addr, "complete", "review", "language", "java"))
	// An empty value is absent on the wire of this client.
	if all := c.call("complete", "review", "language", ""); member(all[0], "values", "0") != "C" {
		t.Errorf("complete: got %v", all)
	}
	if pong := c.call("ping"); member(pong[0], "serverTime") == nil {
		t.Errorf("ping: got %v", pong)
	}
	events := c.call("subscribe", "demo://clock", "2")
	if len(events) != 2 || member(events[0], "uri") != "demo://clock" || member(events[0], "at") == nil ||
		member(events[0], "update", "contents", "0", "text", "text") == member(events[1], "update", "contents", "0", "text", "text") {
		t.Errorf("subscribe: got %v, want two times", events)
	}
}

// TestInheritedSession opens a session by the typed RPC, uses it from other processes, and
// ends it.
func TestInheritedSession(t *testing.T) {
	t.Parallel()
	c := inherited(t, serve(t, everything.NewServer()))
	opened := c.call("initialize", "2025-06-18")[0]
	session, _ := member(opened, "sessionId").(string)
	if session == "" || member(opened, "protocolVersion") != "2025-06-18" || member(opened, "serverInfo", "name") != "everything" {
		t.Fatalf("initialize: got %v", opened)
	}
	inside := c.call("--session", session, "call-tool", "inspect_request", `{}`)
	if got := member(inside[0], "result", "structuredContent", "protocolVersion"); got != "2025-06-18" {
		t.Errorf("the tool saw version %v", got)
	}
	if got := c.call("shutdown", session); member(got[0], "accepted") != true {
		t.Errorf("shutdown: got %v", got)
	}
	ended := c.fail("--session", session, "list-tools")
	if member(ended, "code") != "NotFound" || member(ended, "details", "0", "code") != -32600.0 {
		t.Errorf("after shutdown: got %v", ended)
	}
}

// TestInheritedStream answers the server's question on a Connect stream.
func TestInheritedStream(t *testing.T) {
	t.Parallel()
	c := inherited(t, serveDemo(t))
	p := start(t, c.path, "--addr", c.addr, "--timeout", patience.String(), "connect")
	p.tell(`{"method":"initialize","request":{"id":"1","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"x","version":"1"}}}}`)
	if got := values(t, p.line())[0]; member(got, "response", "result", "serverInfo", "name") != "mcpconnect-demo" {
		t.Fatalf("initialize: got %v", got)
	}
	p.tell(`{"method":"notifications/initialized","notification":{}}`)
	p.tell(`{"method":"tools/call","request":{"id":"2","params":{"name":"greet","arguments":{}}}}`)
	asked := values(t, p.line())[0]
	id, _ := member(asked, "request", "id").(string)
	if member(asked, "method") != "elicitation/create" || id == "" || member(asked, "request", "params", "message") != "What is your name?" {
		t.Fatalf("got %v, want a question", asked)
	}
	p.tell(`{"response":{"id":"` + id + `","result":{"action":"accept","content":{"name":"Ada"}}}}`)
	greeted := values(t, p.line())[0]
	if member(greeted, "response", "id") != "2" || member(greeted, "response", "result", "content", "0", "text") != "Hello, Ada!" {
		t.Errorf("got %v", greeted)
	}
	p.tell(`{"method":"tools/call","request":{"id":"3","params":{"name":"countdown","arguments":{"from":1,"interval_ms":1},"_meta":{"progressToken":"p"}}}}`)
	progress := values(t, p.line())[0]
	if member(progress, "method") != "notifications/progress" || member(progress, "notification", "params", "progressToken") != "p" {
		t.Errorf("got %v, want progress", progress)
	}
	if done := values(t, p.line())[0]; member(done, "response", "id") != "3" || member(done, "response", "result") == nil {
		t.Errorf("got %v", done)
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if o := p.wait(); o.code != 0 || o.stdout != "" {
		t.Errorf("the stream ended with %+v", o)
	}
}

func TestInheritedClientSeesErrors(t *testing.T) {
	t.Parallel()
	c := inherited(t, serve(t, everything.NewServer()))
	tests := []struct {
		name    string
		args    []string
		code    string
		rpcCode float64
	}{
		{"unknown tool", []string{"call-tool", "nothing", `{}`}, "NotFound", -32602},
		{"unknown resource", []string{"read", "no://such"}, "NotFound", -32602},
		{"unknown prompt", []string{"get-prompt", "nothing", `{}`}, "NotFound", -32602},
		{"a tool that panics", []string{"call-tool", "panic", `{}`}, "Internal", -32603},
		{"an error of the tool's own", []string{"call-tool", "error_jsonrpc", `{"message":"no","data":{"a":1}}`}, "Unknown", everything.DefaultErrorCode},
		{"unknown session", []string{"--session", "none", "list-tools"}, "NotFound", -32600},
		{"no metadata", []string{"metadata"}, "NotFound", -32600},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := inheritedClient{t, c.path, c.addr}
			got := c.fail(test.args...)
			if member(got, "code") != test.code || member(got, "details", "0", "code") != test.rpcCode {
				t.Errorf("got %v, want %s and %v", got, test.code, test.rpcCode)
			}
		})
	}
	failed := c.call("call-tool", "test_error_handling", `{}`)
	if member(failed[0], "result", "isError") != true {
		t.Errorf("a tool that fails: got %v", failed)
	}
}

// TestInheritedStructs passes Structs both ways, and what a Struct cannot hold.
func TestInheritedStructs(t *testing.T) {
	t.Parallel()
	c := inherited(t, serve(t, everything.NewServer(), mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{Resource: "https://mcp.example.com"})))
	const arguments = `{"text":"grüß dich","list":[1,2.5,true,null,{"deep":[]}],"empty":{}}`
	echoed := c.call("call-tool", "structured_echo", arguments)
	if d := member(echoed[0], "result", "structuredContent"); d == nil {
		t.Errorf("got %v", echoed)
	} else {
		wantJSON(t, "structured content", arguments, jsonOf(t, d))
	}
	// Numbers beyond a double travel in a field that this client does not know: it sees the
	// text, and nothing that would be wrong.
	big := c.call("call-tool", "structured_big_numbers", "")
	if member(big[0], "result", "structuredContent") != nil || member(big[0], "result", "content", "0", "text", "text") == nil {
		t.Errorf("got %v", big)
	}
	if got := c.call("metadata"); member(got[0], "resource") != "https://mcp.example.com" {
		t.Errorf("metadata: got %v", got)
	}
}
