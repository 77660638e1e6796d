// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A stdio is a client's side of ServeStdio.
type stdio struct {
	in   *io.PipeWriter
	out  *io.PipeReader
	stop context.CancelFunc
	done chan error
}

func stdioOver(t testing.TB, cfg gateway.StdioConfig) *stdio {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	inRead, in := io.Pipe()
	out, outWrite := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stdio{in: in, out: out, stop: cancel, done: make(chan error, 1)}
	var running sync.WaitGroup
	running.Go(func() {
		err := gateway.ServeStdio(ctx, inRead, outWrite, cfg)
		_ = outWrite.Close()
		s.done <- err
	})
	t.Cleanup(func() {
		cancel()
		_ = out.Close()
		running.Wait()
	})
	return s
}

// Connect implements mcp.Transport.
func (s *stdio) Connect(ctx context.Context) (mcp.Connection, error) {
	return (&mcp.IOTransport{Reader: s.out, Writer: s.in}).Connect(ctx)
}

// remotes are the ways of ServeStdio to a server at a URL.
var remotes = map[string]func(url string) gateway.Upstream{
	"http": func(url string) gateway.Upstream { return gateway.Upstream{Name: "up", URL: url + "/mcp"} },
	"grpc": func(url string) gateway.Upstream {
		return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url)}
	},
	"grpcweb": func(url string) gateway.Upstream {
		return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url, mcpconnect.WithProtocol(mcpconnect.ProtocolGRPCWeb))}
	},
	"connect": func(url string) gateway.Upstream {
		return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url, mcpconnect.WithProtocol(mcpconnect.ProtocolConnect))}
	},
	"connect over HTTP/1.1": func(url string) gateway.Upstream {
		return gateway.Upstream{Name: "up", Transport: mcpconnect.NewTransport(url, mcpconnect.WithProtocol(mcpconnect.ProtocolConnect), mcpconnect.WithHTTP1())}
	},
}

func TestStdioPassesMessagesAsTheyAre(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25", "2025-03-26"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				const capabilities = `{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}`
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream(serveEverything(t))}), version, capabilities)
				direct := rpctest.Dial(t, mcpconnect.NewTransport(serveEverything(t)), version, capabilities)
				over.Answer, direct.Answer = answers, answers
				unknown := relayed{everything.EchoMethod, everything.EchoMethod, `{"_meta":{META},"unknown":9007199254740993}`, rpctest.ModernVersion}
				for _, r := range append([]relayed{unknown}, relays...) {
					if r.only != "" && r.only != version {
						continue
					}
					ctx, params := rpctest.Context(t), r.paramsFor(version)
					want, got := direct.Call(ctx, r.method, params), over.Call(ctx, r.method, params)
					if diff := cmp.Diff(want.String(), got.String()); diff != "" {
						t.Errorf("%s: differs over stdio (-direct +stdio):\n%s", r.name, diff)
					}
				}
			})
		}
	}
}

// A lineClient writes and reads lines.
type lineClient struct {
	t     *testing.T
	s     *stdio
	lines *bufio.Scanner
}

func newLineClient(t *testing.T, s *stdio) *lineClient {
	c := &lineClient{t: t, s: s, lines: bufio.NewScanner(s.out)}
	c.lines.Buffer(nil, 8<<20)
	return c
}

func (c *lineClient) write(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.s.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *lineClient) read() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the output has ended: %v", c.lines.Err())
	}
	return c.lines.Text()
}

func TestStdioAnswersWhatCannotBePassed(t *testing.T) {
	t.Parallel()
	c := newLineClient(t, stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t)), MaxMessageBytes: 1000}))
	ping := func(id string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"method":"server/discover","params":{"_meta":{` + modernMeta + `}}}`
	}
	for _, tt := range []struct{ name, line, want string }{
		{"no JSON", `{"jsonrpc":`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"neither request nor response", `{"jsonrpc":"2.0","id":1}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"an array of nothing", `[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"too large", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"a little too large", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 1050) + `"}}` + "\n" + ping(`6`),
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"what comes after it", "", `{"jsonrpc":"2.0","id":6,"result":`},
		{"an id that is a text", ping(`"a\u0000b"`), `{"jsonrpc":"2.0","id":"a\u0000b","result":`},
		{"an id that no float64 holds", ping(`9007199254740993`), `{"jsonrpc":"2.0","id":9007199254740993,"result":`},
		{"the same id again", ping(`9007199254740993`), `{"jsonrpc":"2.0","id":9007199254740993,"result":`},
		{"an id that is nearly the same", ping(`-9223372036854775808`), `{"jsonrpc":"2.0","id":-9223372036854775808,"result":`},
		{"an id beyond 64 bits", ping(`9223372036854775808`), `{"jsonrpc":"2.0","id":9223372036854775808,"error":{"code":-32600,`},
		{"an id with a fraction", ping(`1.5`), `{"jsonrpc":"2.0","id":1.5,"error":{"code":-32600,`},
		{"an id of null", ping(`null`), `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"an id that is an object", ping(`{}`), `{"jsonrpc":"2.0","id":{},"error":{"code":-32600,`},
		{"a member twice", strings.Replace(ping(`7`), `{`, `{"id":6,`, 1), `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"a member that JSON-RPC does not have", strings.Replace(ping(`7`), `{`, `{"vendor":6,`, 1), `{"jsonrpc":"2.0","id":7,"result":`},
		{"a batch", `[` + ping(`7`) + `]`, `{"jsonrpc":"2.0","id":7,"result":`},
		{"an answer to nothing", `{"jsonrpc":"2.0","id":1,"result":{}}` + "\n" + ping(`8`), `{"jsonrpc":"2.0","id":8,"result":`},
		{"an empty line", "\n\r\n" + ping(`9`), `{"jsonrpc":"2.0","id":9,"result":`},
	} {
		if tt.line != "" {
			c.write(tt.line)
		}
		if got := c.read(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %.200s, want %s…", tt.name, got, tt.want)
		}
	}
}

// TestStdioForgetsCancelledCalls: there is no answer to wait for.
func TestStdioForgetsCancelledCalls(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			r := newRestartable(t, time.Millisecond)
			s := stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + r.addr), DrainTimeout: patience})
			c := newLineClient(t, s)
			c.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{` + modernMeta + `},"name":"block","arguments":{}}}`)
			<-r.everything.Blocked()
			c.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
			<-r.everything.Unblocked()
			c.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{` + modernMeta + `},"name":"greet","arguments":{"name":"x"}}}`)
			if got := c.read(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":1,"result":`) {
				t.Errorf("the id is free again, and got %s", got)
			}
			began := time.Now()
			if err := s.in.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-s.done; err != nil || time.Since(began) > patience/2 {
				t.Errorf("it ended after %v with %v", time.Since(began), err)
			}
		})
	}
}

func TestStdioTwoCallsOfOneID(t *testing.T) {
	t.Parallel()
	c := newLineClient(t, stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t))}))
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{` + modernMeta + `},"name":"block","arguments":{}}}`
	c.write(call)
	c.write(call)
	if got := c.read(); !strings.Contains(got, `"id":1`) || !strings.Contains(got, "in flight") {
		t.Errorf("got %s", got)
	}
}

// TestStdioTakesAClientThatDoesNotWait for the answer to initialize.
func TestStdioTakesAClientThatDoesNotWait(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c := newLineClient(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream(serveEverything(t))}))
			c.write(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
			c.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
			c.write(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"greet","arguments":{"name":"x"}}}`)
			for _, want := range []string{`{"jsonrpc":"2.0","id":1,"result":`, `{"jsonrpc":"2.0","id":2,"result":`} {
				if got := c.read(); !strings.HasPrefix(got, want) {
					t.Errorf("got %s, want %s…", got, want)
				}
			}
		})
	}
}

// TestStdioEnds with its input: calls in flight are answered, those that do not end are not
// waited for and get an error, and subscriptions are not waited for.
func TestStdioEnds(t *testing.T) {
	t.Parallel()
	call := func(id int, method, params string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{"_meta":{%s},%s}}`, id, method, modernMeta, params)
	}
	t.Run("after the answers", func(t *testing.T) {
		t.Parallel()
		s := stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t)), DrainTimeout: patience})
		c := newLineClient(t, s)
		c.write(call(1, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`))
		c.read()
		for i := range 20 {
			c.write(call(i+2, "tools/call", `"name":"greet","arguments":{"name":"x"}`))
		}
		if err := s.in.Close(); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if got := c.read(); !strings.Contains(got, "result") {
				t.Errorf("got %s", got)
			}
		}
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("with a line that has no end", func(t *testing.T) {
		t.Parallel()
		s := stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t))})
		if _, err := io.WriteString(s.in, call(1, "tools/call", `"name":"greet","arguments":{"name":"x"}`)); err != nil {
			t.Fatal(err)
		}
		if err := s.in.Close(); err != nil {
			t.Fatal(err)
		}
		if got := newLineClient(t, s).read(); !strings.Contains(got, "result") {
			t.Errorf("got %s", got)
		}
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("after the drain timeout", func(t *testing.T) {
		t.Parallel()
		s := stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t)), DrainTimeout: 50 * time.Millisecond})
		c := newLineClient(t, s)
		c.write(call(1, "tools/call", `"name":"block","arguments":{}`))
		if err := s.in.Close(); err != nil {
			t.Fatal(err)
		}
		if got := c.read(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":1,"error":`) {
			t.Errorf("the call was answered with %s", got)
		}
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("with its context", func(t *testing.T) {
		t.Parallel()
		r := newRestartable(t, time.Millisecond)
		s := stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"]("http://" + r.addr)})
		c := newLineClient(t, s)
		c.write(call(1, "tools/call", `"name":"block","arguments":{}`))
		<-r.everything.Blocked()
		s.stop()
		if got := c.read(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":1,"error":`) {
			t.Errorf("the call was answered with %s", got)
		}
		if err := <-s.done; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("when nobody reads", func(t *testing.T) {
		t.Parallel()
		s := stdioOver(t, gateway.StdioConfig{Upstream: remotes["grpc"](serveEverything(t))})
		_ = s.out.Close()
		newLineClient(t, s).write(`nonsense`)
		if err := <-s.done; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A restartable is a server that can go away and come back.
type restartable struct {
	t          *testing.T
	addr       string
	everything *everything.Server
	grace      time.Duration // of the server that stops
	stop       func()
}

func newRestartable(t *testing.T, grace time.Duration) *restartable {
	r := &restartable{t: t, addr: "127.0.0.1:0", grace: grace}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *restartable) start() {
	r.t.Helper()
	var ln net.Listener
	eventually(r.t, "the address is free", func() bool {
		var err error
		ln, err = net.Listen("tcp", r.addr)
		return err == nil
	})
	r.addr = ln.Addr().String()
	r.everything = everything.New(nil)
	h := mcpconnect.NewHandler(r.everything.MCP(), mcpconnect.WithLogger(quiet), mcpconnect.WithStreamableHTTP())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = mcpconnect.Serve(ctx, ln, h, mcpconnect.WithGracePeriod(r.grace), mcpconnect.WithServeLogger(quiet))
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-served
	})
}

// TestStdioRepeatsTheCallsOfAForgottenSession, however many learn of it at the same time: the server
// has looked at none of them.
func TestStdioRepeatsTheCallsOfAForgottenSession(t *testing.T) {
	t.Parallel()
	const calls = 16
	for way, upstream := range remotes {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			r := newRestartable(t, time.Millisecond)
			transport := stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + r.addr), Patience: patience})
			over, err := mcp.NewClient(&mcp.Implementation{Name: "t", Version: "1"}, nil).Connect(rpctest.Context(t), transport, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
			if err != nil {
				t.Fatal(err)
			}
			defer over.Close()
			r.stop()
			r.start()
			var all sync.WaitGroup
			for i := range calls {
				all.Go(func() {
					name := fmt.Sprintf("caller %d", i)
					res, err := over.CallTool(rpctest.Context(t), &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": name}})
					if err != nil || !strings.Contains(res.Content[0].(*mcp.TextContent).Text, name) {
						t.Errorf("call %d gave %v, %v", i, res, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestStdioGoesOnAfterARestart of the server: what was in flight fails and says why, and the
// client's session goes on, with its subscriptions.
func TestStdioGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	const watched = `{"uri":"test://watched-resource"}`
	for way, upstream := range remotes {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				r := newRestartable(t, time.Millisecond)
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + r.addr), Patience: patience}), version, `{}`)
				meta := `"_meta":{` + modernMeta + `},`
				if version < rpctest.ModernVersion {
					meta = ""
					if o := over.Call(rpctest.Context(t), "resources/subscribe", watched); o.Err != nil {
						t.Fatalf("subscribing gave %v", o)
					}
				}
				for range 2 {
					lost := make(chan rpctest.Outcome, 1)
					go func() { lost <- over.Call(rpctest.Context(t), "tools/call", `{`+meta+`"name":"block","arguments":{}}`) }()
					<-r.everything.Blocked()
					r.stop()
					r.start() // some calls are resumed, and fail once the server is back
					if o := <-lost; o.Err == nil {
						t.Errorf("the call in flight gave %v", o)
					}
					o := over.Call(rpctest.Context(t), "tools/call", `{`+meta+`"name":"greet","arguments":{"name":"x"}}`)
					if o.Err != nil {
						t.Errorf("the call after the restart gave %v", o)
					}
					if version < rpctest.ModernVersion {
						// What the answer brought with it, and what comes with the next ones.
						said := strings.Join(o.Said, "\n")
						eventually(t, "the update of the resource is told", func() bool {
							o := over.Call(rpctest.Context(t), "tools/call", `{"name":"update_resource","arguments":{"text":"new"}}`)
							said += "\n" + strings.Join(o.Said, "\n")
							return strings.Contains(said, "notifications/resources/updated")
						})
					}
				}
			})
		}
	}
}

// TestStdioSaysThatTheServerIsNotThere, soon, and goes on once it is.
func TestStdioSaysThatTheServerIsNotThere(t *testing.T) {
	t.Parallel()
	for way, upstream := range remotes {
		for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
			t.Run(way+"/"+version, func(t *testing.T) {
				t.Parallel()
				r := newRestartable(t, time.Millisecond)
				over := rpctest.Dial(t, stdioOver(t, gateway.StdioConfig{Upstream: upstream("http://" + r.addr), Patience: 300 * time.Millisecond}), version, `{}`)
				meta := ""
				if version >= rpctest.ModernVersion {
					meta = `"_meta":{` + modernMeta + `},`
				}
				call := func() rpctest.Outcome {
					return over.Call(rpctest.Context(t), "tools/call", `{`+meta+`"name":"greet","arguments":{"name":"x"}}`)
				}
				if o := call(); o.Err != nil {
					t.Fatalf("the first call gave %v", o)
				}
				r.stop()
				for range 2 {
					began := time.Now()
					if o := call(); o.Err == nil {
						t.Errorf("a call without a server gave %v", o)
					}
					if took := time.Since(began); took > patience/3 {
						t.Errorf("the error took %v", took)
					}
				}
				r.start()
				eventually(t, "a call is answered", func() bool { return call().Err == nil })
			})
		}
	}
}
