// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
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

// buildCommand builds mcpconnect, and gives its path.
func buildCommand(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mcpconnect")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/mcpconnect")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// gatewayTo runs `mcpconnect gateway` in front of u until the test ends, and gives its URL.
func gatewayTo(t *testing.T, program string, u gateway.Upstream) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), program, append([]string{"gateway", "--log-format", "json", "--listen", "127.0.0.1:0", "--"}, u.Command...)...)
	cmd.Env = append(os.Environ(), u.Env...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := addressIn(log)
	rest := make(chan struct{})
	go func() {
		defer close(rest)
		_, _ = io.Copy(io.Discard, log)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-rest
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	if address == "" {
		t.Fatal("the gateway has ended")
	}
	return "http://" + address
}

var protocols = []string{"grpc", "grpcweb", "connect", "http"}

// TestTypeScriptClientThroughStdio: the TypeScript SDK's client, which starts `mcpconnect stdio`,
// has the session that it has with the server itself, though that stands behind `mcpconnect gateway`.
func TestTypeScriptClientThroughStdio(t *testing.T) {
	t.Parallel()
	program := buildCommand(t)
	for _, p := range thirdParties {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			// Whatever a server remembers, each session has a server and a folder of its own.
			run := func(t *testing.T, by func(gateway.Upstream) []string) []string {
				dir := t.TempDir()
				script, command := "session.mjs", by(p.upstream(t, dir))
				if p.name != "everything" {
					script, command = "requests.mjs", append([]string{requestsIn(t, p, dir)}, command...)
				}
				return strings.Split(strings.ReplaceAll(session(t, script, command...), dir, "DIR"), "\n")
			}
			want := run(t, withEnv)
			if text := strings.Join(want, "\n"); p.name == "everything" &&
				(!strings.Contains(text, "progress") || !strings.Contains(text, "elicited") || !strings.Contains(text, "cancelled")) {
				t.Fatalf("the session with the server itself is not whole:\n%s", text)
			}
			for _, protocol := range protocols {
				t.Run(protocol, func(t *testing.T) {
					t.Parallel()
					got := run(t, func(u gateway.Upstream) []string {
						return []string{program, "stdio", gatewayTo(t, program, u), "--protocol", protocol}
					})
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("the session differs (-direct +%s):\n%s", protocol, diff)
					}
				})
			}
		})
	}
}

// withEnv is the command of u, with its environment.
func withEnv(u gateway.Upstream) []string {
	return append(append([]string{"env"}, u.Env...), u.Command...)
}

// requestsIn are the requests of p as requests.mjs takes them. Of the lists there is only the one that the
// server has: that it does not have the others, the bridges say in their own words over Streamable HTTP.
func requestsIn(t *testing.T, p thirdParty, dir string) string {
	t.Helper()
	all := make([][2]json.RawMessage, 0, len(p.requests))
	for _, r := range slices.Concat(lists[:1], p.requests) {
		method, err := json.Marshal(r.method)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, [2]json.RawMessage{method, json.RawMessage(strings.ReplaceAll(r.params, "DIR", dir))})
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGoClientOnGRPC: the Go SDK's client has the session through `mcpconnect gateway` that it has
// with the server itself: progress, a question, a change that it is told of, a call that it gives up.
func TestGoClientOnGRPC(t *testing.T) {
	t.Parallel()
	program := buildCommand(t)
	u := thirdParties[0].upstream(t, t.TempDir())
	want := goSession(t, &mcp.CommandTransport{Command: exec.Command(u.Command[0], u.Command[1:]...)})
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			url := gatewayTo(t, program, u)
			transports := map[string]mcp.Transport{
				"grpc":    mcpconnect.NewTransport(url),
				"grpcweb": mcpconnect.NewTransport(url, mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb)),
				"connect": mcpconnect.NewTransport(url, mcpconnect.WithProtocol(mcpconnect.ProtocolConnect)),
				"http":    &mcp.StreamableClientTransport{Endpoint: url + "/mcp"},
			}
			if diff := cmp.Diff(want, goSession(t, transports[protocol])); diff != "" {
				t.Errorf("the session differs (-direct +%s):\n%s", protocol, diff)
			}
		})
	}
}

// goSession is a session of the Go SDK's client with server-everything: what happened, a line each.
func goSession(t *testing.T, transport mcp.Transport) (events []string) {
	t.Helper()
	ctx := rpctest.Context(t)
	say := func(what string, value any, err error) {
		text, marshalErr := json.Marshal(value)
		events = append(events, fmt.Sprintf("%s %s %v %v", what, text, err, marshalErr))
	}
	var mu sync.Mutex
	asked := 0
	begun, updated := make(chan struct{}, 100), make(chan string, 1)
	c, err := mcp.NewClient(&mcp.Implementation{Name: "session", Version: "1"}, &mcp.ClientOptions{
		// As a gateway declares to a server that clients share; the others are inferred.
		Capabilities: &mcp.ClientCapabilities{
			Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{}},
			RootsV2:     &mcp.RootCapabilities{ListChanged: true},
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}, nil
		},
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Role: "assistant", Content: &mcp.TextContent{Text: "Hello"}, Model: "m"}, nil
		},
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) {
			begun <- struct{}{}
		},
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { updated <- r.Params.URI },
	}).Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: legacy})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	call := func(ctx context.Context, name string, arguments map[string]any) (*mcp.CallToolResult, error) {
		p := &mcp.CallToolParams{Name: name, Arguments: arguments}
		p.SetProgressToken("token of " + name)
		return c.CallTool(ctx, p)
	}
	tools, err := c.ListTools(ctx, nil)
	say("tools", tools, err)
	prompts, err := c.ListPrompts(ctx, nil)
	say("prompts", prompts, err)
	res, err := call(ctx, "echo", map[string]any{"message": "grüß dich"})
	say("echo", res, err)
	res, err = call(ctx, "get-structured-content", map[string]any{"location": "Chicago"})
	say("structured", res, err)
	res, err = call(ctx, "trigger-long-running-operation", map[string]any{"duration": 0.4, "steps": 4})
	say("long", res, err)
	for range 4 {
		<-begun
	}
	res, err = call(ctx, "trigger-elicitation-request", map[string]any{})
	say("elicitation", res, err)
	res, err = call(ctx, "trigger-sampling-request", map[string]any{"prompt": "p", "maxTokens": 10})
	say("sampling", res, err)

	const uri = "demo://resource/static/document/features.md"
	say("subscribe", nil, c.Subscribe(ctx, &mcp.SubscribeParams{URI: uri}))
	_, err = call(ctx, "toggle-subscriber-updates", map[string]any{})
	say("toggle", nil, err)
	select {
	case got := <-updated:
		say("updated", got, nil)
	case <-ctx.Done():
		say("updated", nil, ctx.Err())
	}
	say("unsubscribe", nil, c.Unsubscribe(ctx, &mcp.UnsubscribeParams{URI: uri}))

	stopping, stop := context.WithCancel(ctx)
	go func() {
		<-begun
		stop()
	}()
	_, err = call(stopping, "trigger-long-running-operation", map[string]any{"duration": 60, "steps": 60})
	say("cancelled", errors.Is(err, context.Canceled), nil)
	res, err = call(ctx, "echo", map[string]any{"message": "still there"})
	say("after", res, err)
	mu.Lock()
	defer mu.Unlock()
	say("asked", asked, nil)
	return events
}

// session runs a script with a server that command starts, and gives what happened.
func session(t *testing.T, script string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(rpctest.Context(t), abs(t, node), append([]string{script}, command...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command[:1], err, out, stderr.Bytes())
	}
	return string(out)
}
