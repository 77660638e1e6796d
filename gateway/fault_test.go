// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestAChildThatEndsIsStartedAgain: the call that was in flight gets an error that says what
// happened, and the next one its answer.
func TestAChildThatEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	blocked := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
	c := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
	lost := make(chan rpctest.Outcome, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() {
		lost <- blocked.Call(ctx, "tools/call", `{"_meta":{`+modernMeta+`},"name":"block","arguments":{}}`)
	}()
	for range 3 {
		// It crashes the process. The call that does so is lost, too.
		if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"panic","arguments":{}}`); o.Err == nil || !strings.Contains(o.Err.Message, `"up" was lost`) {
			t.Errorf("the call that ends the process gave %v", o)
		}
		if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"greet","arguments":{"name":"x"}}`); o.Err != nil {
			t.Errorf("the call after it gave %v", o)
		}
	}
	if o := <-lost; o.Err == nil || !strings.Contains(o.Err.Message, "unknown") {
		t.Errorf("the call in flight gave %v", o)
	}
}

// TestCallsThatComeAsAChildEnds wait for the next one: they have not left, so nothing is lost. They
// come from callers that have just been told of the end.
func TestCallsThatComeAsAChildEnds(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	callers := make([]*rpctest.Client, 8)
	for i := range callers {
		callers[i] = rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
	}
	call := func(c *rpctest.Client, tool string) rpctest.Outcome {
		return c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"`+tool+`","arguments":{"name":"x"}}`)
	}
	for range 3 { // more in a row, and calls do not wait any more
		var all sync.WaitGroup
		for i, c := range callers {
			all.Go(func() {
				if i == 0 {
					call(c, "panic")
				}
				for range 50 {
					if o := call(c, "greet"); o.Err != nil && !strings.Contains(o.Err.Message, "was lost") {
						t.Errorf("a call gave %v", o)
					}
				}
			})
		}
		all.Wait()
	}
}

// TestUpstreamsThatDoNotWork are told of when the gateway is made, and leave nothing behind.
func TestUpstreamsThatDoNotWork(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		up   gateway.Upstream
		want string
		// patience is the start timeout. To end a child that does not listen takes a while.
		patience time.Duration
	}{
		{"no such program", gateway.Upstream{Name: "up", Command: []string{"/nobody/has/this"}}, "no such file", time.Second},
		{"one that ends at once", child(t, "up", "ends"), "exit status 2", 10 * time.Second},
		{"one that says nothing", child(t, "up", "hung"), "deadline", time.Second},
		{"one that closes its output", child(t, "up", "mute"), "", 5 * time.Second},
		{"a message that is too large", child(t, "up", "large"), "larger", 12 * time.Second},
		{"a server that is not there", gateway.Upstream{Name: "up", URL: "http://127.0.0.1:1/mcp"}, "refused", time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := gateway.New(rpctest.Context(t), gateway.Config{
				Upstreams: []gateway.Upstream{tt.up}, Logger: quiet, StartTimeout: tt.patience, TellCause: true, MaxMessageBytes: 100_000,
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestGarbageIsSkipped: some programs print what should have gone to standard error.
func TestGarbageIsSkipped(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "garbage")}})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
	if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"greet","arguments":{"name":"x"}}`); o.Err != nil {
		t.Errorf("got %v", o)
	}
}

// TestAFloodOfGarbageDoesNotFloodTheLog.
func TestAFloodOfGarbageDoesNotFloodTheLog(t *testing.T) {
	t.Parallel()
	var lines atomic.Int64
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "noisy")}, Logger: slog.New(countLog{slog.DiscardHandler, &lines})})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
	if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"greet","arguments":{"name":"x"}}`); o.Err != nil {
		t.Errorf("got %v", o)
	}
	if n := lines.Load(); n == 0 || n > 2_000 {
		t.Errorf("20,000 lines of garbage gave %d lines in the log", n)
	}
}

// A countLog counts what is logged.
type countLog struct {
	slog.Handler

	lines *atomic.Int64
}

func (countLog) Enabled(context.Context, slog.Level) bool { return true }

func (l countLog) Handle(context.Context, slog.Record) error {
	l.lines.Add(1)
	return nil
}

// TestBatchesAreTaken of servers of 2025-03-26.
func TestBatchesAreTaken(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "batching")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	for range 4 {
		c := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 100 {
				if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"pid","arguments":{}}`); o.Err != nil {
					t.Fatalf("got %v", o)
				}
			}
		})
	}
}

// TestASharedServerHasTheLowestLevel that anybody wants, whatever a server of his own has.
func TestASharedServerHasTheLowestLevel(t *testing.T) {
	t.Parallel()
	own := replying(t, func(http.ResponseWriter, string, json.RawMessage) {})
	own.Name = "a"
	shared := child(t, "b", "fast")
	shared.Version = "2025-11-25"
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{own, shared}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	var last *rpctest.Client
	for _, level := range []string{"warning", "debug", "error"} {
		last = rpctest.Dial(t, mcpconnect.NewTransport(url), "2025-11-25", `{}`)
		if o := last.Call(rpctest.Context(t), "logging/setLevel", `{"level":"`+level+`"}`); o.Err != nil {
			t.Fatal(o)
		}
	}
	if o := last.Call(rpctest.Context(t), "tools/call", `{"name":"b_level","arguments":{}}`); !strings.Contains(string(o.Result), `"debug"`) {
		t.Errorf("got %v, want debug", o)
	}
}

// TestAServerThatIsStartedAgainHasTheLevel that clients have asked for before.
func TestAServerThatIsStartedAgainHasTheLevel(t *testing.T) {
	t.Parallel()
	up := child(t, "up", "fast")
	up.Version = "2025-11-25"
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), "2025-11-25", `{}`)
	level := func(want string) {
		t.Helper()
		if o := c.Call(rpctest.Context(t), "tools/call", `{"name":"level","arguments":{}}`); !strings.Contains(string(o.Result), want) {
			t.Errorf("the level is %v, want %s", o, want)
		}
	}
	level("none")
	if o := c.Call(rpctest.Context(t), "logging/setLevel", `{"level":"notice"}`); o.Err != nil {
		t.Fatal(o)
	}
	level("notice")
	if o := c.Call(rpctest.Context(t), "tools/call", `{"name":"crash","arguments":{}}`); o.Err == nil {
		t.Fatal("the server did not crash")
	}
	level("notice")
}

// TestALevelIsSetWhileAnUpstreamIsDown, and that has it once it is there.
func TestALevelIsSetWhileAnUpstreamIsDown(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	a, b := child(t, "a", "fast"), child(t, "b", "fast")
	a.Version, b.Version = "2025-11-25", "2025-11-25"
	a.Command = []string{"/bin/sh", "-c", `test -e "$0" && exit 1; exec "$1"`, broken, a.Command[0]}
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{a, b}})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), "2025-11-25", `{}`)
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := c.Call(rpctest.Context(t), "tools/call", `{"name":"a_crash","arguments":{}}`); o.Err == nil {
		t.Fatal("the server did not crash")
	}
	if o := c.Call(rpctest.Context(t), "logging/setLevel", `{"level":"notice"}`); o.Err != nil {
		t.Errorf("with one of two servers down: %v", o)
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both have the level", func() bool {
		for _, tool := range []string{"a_level", "b_level"} {
			if o := c.Call(rpctest.Context(t), "tools/call", `{"name":"`+tool+`","arguments":{}}`); !strings.Contains(string(o.Result), "notice") {
				return false
			}
		}
		return true
	})
}

// TestASilentCallEnds, and the server learns that nobody waits for it.
func TestASilentCallEnds(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}, CallTimeout: 100 * time.Millisecond})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
	if o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"block","arguments":{}}`); o.Err == nil || !strings.Contains(o.Err.Message, "said nothing") {
		t.Errorf("got %v", o)
	}
}

// TestNoChildOutlivesTheGateway, nor does what the child runs, however the gateway's process ends.
func TestNoChildOutlivesTheGateway(t *testing.T) {
	t.Parallel()
	for _, parent := range []string{"parent", "grandparent"} {
		for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(fmt.Sprintf("%s %v", parent, signal), func(t *testing.T) {
				t.Parallel()
				outlive(t, parent, signal)
			})
		}
	}
}

func outlive(t *testing.T, parent string, signal syscall.Signal) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+parent)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || convErr != nil {
		t.Fatalf("the parent said %q: %v", line, err)
	}
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the server is gone", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ") // nobody waits for it
	})
	eventually(t, "its group is empty", func() bool { return len(membersOf(t, group)) == 0 })
}

// membersOf gives the processes of a group that have not ended.
func membersOf(t *testing.T, group int) (pids []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			pids = append(pids, path)
		}
	}
	return pids
}

// TestSeveralUpstreams under one roof: prefixes, one list, and each call to its own.
func TestSeveralUpstreams(t *testing.T) {
	t.Parallel()
	none := ""
	a, b := child(t, "a", "everything"), child(t, "b", "everything")
	b.Prefix = &none
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{a, b}})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, "")
	lists := map[string]string{}
	for _, method := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		cursor, pages := "", 0
		for {
			o := c.Call(rpctest.Context(t), method, `{"_meta":{`+modernMeta+`}`+cursor+`}`)
			if o.Err != nil {
				t.Fatalf("%s gave %v", method, o)
			}
			lists[method] += string(o.Result)
			pages++
			next := between(string(o.Result), `"nextCursor":"`, `"`)
			if next == "" {
				break
			}
			cursor = `,"cursor":"` + next + `"`
		}
		if pages != 2 {
			t.Errorf("%s has %d pages, want one of each upstream", method, pages)
		}
	}
	for _, want := range []string{`"name":"a_greet"`, `"name":"greet"`} {
		if !strings.Contains(lists["tools/list"], want) {
			t.Errorf("the tools are without %s", want)
		}
	}
	for _, call := range []struct{ method, params, want string }{
		{"tools/call", `"name":"a_greet","arguments":{"name":"x"}`, "Hi x"},
		{"tools/call", `"name":"greet","arguments":{"name":"x"}`, "Hi x"},
		{"tools/call", `"name":"b_greet","arguments":{"name":"x"}`, "error -32602"},
		{"prompts/get", `"name":"a_test_simple_prompt"`, "simple prompt"},
		{"resources/read", `"uri":"test://static-text"`, "static"},
		{"resources/read", `"uri":"test://nobody"`, "error -32602"},
		{"tools/list", `"cursor":"nonsense"`, "error -32602"},
		{"tools/list", `"cursor":"eyJ1Ijo5OX0"`, "error -32602"},
	} {
		if o := c.Call(rpctest.Context(t), call.method, `{"_meta":{`+modernMeta+`},`+call.params+`}`); !strings.Contains(o.String(), call.want) {
			t.Errorf("%s %s gave %v, want %q", call.method, call.params, o, call.want)
		}
	}
}

func between(s, before, after string) string {
	_, rest, ok := strings.Cut(s, before)
	if !ok {
		return ""
	}
	inner, _, _ := strings.Cut(rest, after)
	return inner
}

// TestManyCallsThroughOneChild at a time, and none gets another's answer.
func TestManyCallsThroughOneChild(t *testing.T) {
	t.Parallel()
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{child(t, "up", "everything")}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet)))
	var all sync.WaitGroup
	for i := range 16 {
		c := rpctest.Dial(t, mcpconnect.NewTransport(url), rpctest.ModernVersion, "")
		all.Go(func() {
			for n := range 100 {
				name := fmt.Sprintf("%d-%d", i, n)
				o := c.Call(rpctest.Context(t), "tools/call", `{"_meta":{`+modernMeta+`},"name":"greet","arguments":{"name":"`+name+`"}}`)
				if o.Err != nil || !strings.Contains(string(o.Result), "Hi "+name+`"`) {
					t.Errorf("call %s gave %v", name, o)
					return
				}
			}
		})
	}
	all.Wait()
}
