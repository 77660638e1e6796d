// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A thirdParty is a server of the MCP project, which speaks stdio.
type thirdParty struct {
	name     string
	args     func(dir string) []string
	env      func(dir string) []string
	requests []request
}

type request struct{ method, params string }

func tool(name, arguments string) request {
	return request{"tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, name, arguments)}
}

var lists = []request{{"tools/list", `{}`}, {"prompts/list", `{}`}, {"resources/list", `{}`}, {"resources/templates/list", `{}`}, {"nobody/knows", `{}`}, {"ping", `{}`}}

var thirdParties = []thirdParty{
	{
		name: "everything",
		requests: []request{
			tool("echo", `{"message":"grüß dich"}`),
			tool("echo", `{"message":7}`),
			tool("get-sum", `{"a":0.1,"b":0.2}`),
			tool("get-tiny-image", `{}`),
			tool("get-annotated-message", `{"messageType":"error","includeImage":true}`),
			tool("get-resource-links", `{"count":3}`),
			tool("get-structured-content", `{"location":"New York"}`),
			tool("nobody", `{}`),
			{"tools/call", `{"_meta":{"progressToken":"t"},"name":"trigger-long-running-operation","arguments":{"duration":0.2,"steps":4}}`},
			tool("trigger-elicitation-request", `{}`),
			tool("trigger-sampling-request", `{"prompt":"p","maxTokens":10}`),
			{"prompts/get", `{"name":"simple-prompt"}`},
			{"prompts/get", `{"name":"args-prompt","arguments":{"city":"Rome"}}`},
			{"prompts/get", `{"name":"args-prompt"}`},
			{"resources/read", `{"uri":"demo://resource/static/document/features.md"}`},
			{"resources/read", `{"uri":"demo://nobody"}`},
			{"completion/complete", `{"ref":{"type":"ref/prompt","name":"completable-prompt"},"argument":{"name":"department","value":"E"}}`},
			{"resources/subscribe", `{"uri":"demo://resource/static/document/features.md"}`},
			{"resources/unsubscribe", `{"uri":"demo://resource/static/document/features.md"}`},
			{"logging/setLevel", `{"level":"debug"}`},
		},
	},
	{
		name: "filesystem",
		args: func(dir string) []string { return []string{dir} },
		requests: []request{
			tool("write_file", `{"path":"DIR/a.txt","content":"one\ntwo\n"}`),
			tool("read_text_file", `{"path":"DIR/a.txt"}`),
			tool("edit_file", `{"path":"DIR/a.txt","edits":[{"oldText":"two","newText":"2"}]}`),
			tool("list_directory", `{"path":"DIR"}`),
			tool("read_text_file", `{"path":"/etc/passwd"}`),
		},
	},
	{
		name: "memory",
		env:  func(dir string) []string { return []string{"MEMORY_FILE_PATH=" + filepath.Join(dir, "memory.jsonl")} },
		requests: []request{
			tool("create_entities", `{"entities":[{"name":"Ada","entityType":"person","observations":["wrote a program"]}]}`),
			tool("read_graph", `{}`),
			tool("search_nodes", `{"query":"Ada"}`),
			tool("delete_entities", `{"entityNames":["Ada"]}`),
			tool("create_entities", `{"entities":"none"}`),
		},
	},
}

// upstream is the server as a child, which keeps what it has in dir.
func (p thirdParty) upstream(t *testing.T, dir string) gateway.Upstream {
	t.Helper()
	u := gateway.Upstream{Name: p.name, Command: []string{abs(t, node), abs(t, "node_modules/@modelcontextprotocol/server-"+p.name+"/dist/index.js")}}
	if p.args != nil {
		u.Command = append(u.Command, p.args(dir)...)
	}
	if p.env != nil {
		u.Env = p.env(dir)
	}
	return u
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make conformance-short installs it", err)
	}
	return path
}

// capabilities are all that a gateway declares to a server that clients share.
const capabilities = `{"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true},"sampling":{}}`

func answers(method string, _ json.RawMessage) (json.RawMessage, error) {
	switch method {
	case "elicitation/create":
		return json.RawMessage(`{"action":"accept","content":{"name":"Ada"}}`), nil
	case "roots/list":
		return json.RawMessage(`{"roots":[{"uri":"file:///a","name":"a"}]}`), nil
	}
	return json.RawMessage(`{"role":"assistant","content":{"type":"text","text":"Hello"},"model":"m"}`), nil
}

// TestThirdPartyServersOnGRPC: a session with a server that a gateway has put on gRPC is, message
// by message, one with the server itself.
func TestThirdPartyServersOnGRPC(t *testing.T) {
	t.Parallel()
	for _, p := range thirdParties {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			directDir, overDir := t.TempDir(), t.TempDir()
			u := p.upstream(t, directDir)
			cmd := exec.Command(u.Command[0], u.Command[1:]...)
			cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, u.Env...)
			direct := rpctest.Dial(t, &mcp.CommandTransport{Command: cmd}, legacy, capabilities)
			over := rpctest.Dial(t, mcpconnect.NewTransport(serveUpstream(t, p.upstream(t, overDir))), legacy, capabilities)
			direct.Answer, over.Answer = answers, answers
			for _, r := range slices.Concat(lists, p.requests) {
				want := direct.Call(rpctest.Context(t), r.method, strings.ReplaceAll(r.params, "DIR", directDir))
				got := over.Call(rpctest.Context(t), r.method, strings.ReplaceAll(r.params, "DIR", overDir))
				if diff := cmp.Diff(ownWords(want, directDir), ownWords(got, overDir)); diff != "" {
					t.Errorf("%s %s differs (-direct +gRPC):\n%s", r.method, r.params, diff)
				}
			}
		})
	}
}

// ownWords is an outcome without what belongs to no call: that a list has changed, log messages
// of the session, and that the server asks for the roots at its start.
func ownWords(o rpctest.Outcome, dir string) string {
	o.Said = slices.DeleteFunc(o.Said, func(s string) bool {
		return strings.Contains(s, "list_changed") || strings.HasPrefix(s, "notifications/message") || strings.HasPrefix(s, "roots/list")
	})
	return strings.ReplaceAll(o.String(), dir, "DIR")
}

// serveUpstream serves a gateway to u over all protocols.
func serveUpstream(t *testing.T, u gateway.Upstream) string {
	t.Helper()
	g, err := gateway.New(rpctest.Context(t), gateway.Config{Upstreams: []gateway.Upstream{u}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := serve(context.Background(), g.Handler(mcpconnect.WithStreamableHTTP(), mcpconnect.WithLogger(quiet)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("serving ended with %v", err)
		}
		_ = g.Close()
	})
	return url
}

// TestTypeScriptClientThroughStdio: the TypeScript SDK's client, which starts `mcpconnect stdio`,
// has the session that it has with the server itself.
func TestTypeScriptClientThroughStdio(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "mcpconnect")
	build := exec.Command("go", "build", "-o", program, "./cmd/mcpconnect")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	u := thirdParties[0].upstream(t, t.TempDir())
	want := session(t, u.Command...)
	if !strings.Contains(want, "progress") || !strings.Contains(want, "elicited") || !strings.Contains(want, "cancelled") {
		t.Fatalf("the session with the server itself is not whole:\n%s", want)
	}
	for _, protocol := range []string{"grpc", "grpcweb", "connect", "http"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			// The server remembers what a session has toggled, so that each needs one of its own.
			got := session(t, program, "stdio", serveUpstream(t, u), "--protocol", protocol)
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("the session differs (-direct +%s):\n%s", protocol, diff)
			}
		})
	}
}

// session runs session.mjs with a server that command starts, and gives what happened.
func session(t *testing.T, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(rpctest.Context(t), abs(t, node), append([]string{"session.mjs"}, command...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command[:1], err, out, stderr.Bytes())
	}
	return string(out)
}
