// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"fmt"
	"go/format"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// readmeAddr is the address in the README's blocks, which the tests replace.
const readmeAddr = "127.0.0.1:8080"

// A block is a code block of the README.
type block struct {
	language, text string
}

var (
	blockPattern = regexp.MustCompile("(?s)<!-- test: (\\S+) -->\n```(\\w+)\n(.*?)\n```\n")
	fencePattern = regexp.MustCompile("(?m)^```\\w+$")
)

// readme gives the code blocks of the README by the names in their marks.
func readme(t testing.TB) map[string]block {
	t.Helper()
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]block{}
	for _, m := range blockPattern.FindAllSubmatch(content, -1) {
		blocks[string(m[1])] = block{string(m[2]), string(m[3])}
	}
	if all := len(fencePattern.FindAll(content, -1)); all != len(blocks) {
		t.Fatalf("%d of %d blocks have a mark of their own", len(blocks), all)
	}
	return blocks
}

// TestReadmeHasNoOtherBlocks fails for a block that no test below runs.
func TestReadmeHasNoOtherBlocks(t *testing.T) {
	t.Parallel()
	run := map[string]string{
		"picture": "text", "commands": "sh", "curl": "sh", "grpcurl": "sh", "buf": "sh",
		"server": "go", "client": "go", "typed": "go", "mux": "go",
	}
	for name, b := range readme(t) {
		if run[name] != b.language {
			t.Errorf("block %q of %s is not tested", name, b.language)
		}
		delete(run, name)
		if b.language != "go" {
			continue
		}
		if lines := strings.Count(b.text, "\n") + 1; lines > 25 {
			t.Errorf("block %q has %d lines, want at most 25", name, lines)
		}
		if formatted, err := format.Source([]byte(b.text)); err != nil || strings.TrimSuffix(string(formatted), "\n") != b.text {
			t.Errorf("block %q is not as gofmt has it (%v):\n%s", name, err, formatted)
		}
	}
	for name := range run {
		t.Errorf("there is no block %q", name)
	}
}

// TestReadmeCommands starts the demo as the README says, and asks make whether it knows the
// other command: running it here would run this test.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	lines := strings.Split(readme(t)["commands"].text, "\n")
	if len(lines) != 2 {
		t.Fatalf("got commands %q, want two", lines)
	}
	demo, _, _ := strings.Cut(lines[0], "#")
	command := exec.CommandContext(t.Context(), "bash", "-c", "exec "+demo+" --addr 127.0.0.1:0")
	command.Dir = ".."
	// "go run" passes no signal on: a terminal sends Ctrl-C to the whole group.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := startCommand(t, command)
	t.Cleanup(func() {
		if !p.waited {
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		}
	})
	if line := p.line(); !strings.Contains(line, "http://127.0.0.1:") {
		t.Errorf("the demo begins with %q", line)
	}
	if err := syscall.Kill(-command.Process.Pid, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	p.wait()
	test, _, _ := strings.Cut(lines[1], "#")
	succeed(t, "", "bash", "-c", "cd .. && exec "+test+" --dry-run")
}

// TestReadmeCalls pastes each line of the shell blocks into a shell, while a demo runs.
func TestReadmeCalls(t *testing.T) {
	t.Parallel()
	s := serveDemo(t)
	wants := map[string][]string{ // parts of what each line prints, without blanks
		"curl":    {`"structuredContent":{"sum":5}`, `ETag:`},
		"grpcurl": {`rpcInvokeTool(.mcp.v1.CallToolRequest)returns(.mcp.v1.InvokeToolResponse);`, `"text":"lift-off"`},
		"buf":     {`"data":"iVBORw0KGgo`, `"name":"countdown"`},
	}
	blocks := readme(t)
	for name, want := range wants {
		lines := strings.Split(strings.ReplaceAll(blocks[name].text, readmeAddr, s.addr), "\n")
		if len(lines) != len(want) {
			t.Errorf("block %q has %d lines, want %d", name, len(lines), len(want))
			continue
		}
		for i, line := range lines {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				t.Parallel()
				out := succeed(t, "", "bash", "-c", line)
				if got := strings.Join(strings.Fields(out), ""); !strings.Contains(strings.ToLower(got), strings.ToLower(want[i])) {
					t.Errorf("%s\nprinted %s\nwant %s in it", line, out, want[i])
				}
			})
		}
	}
}

// TestReadmePrograms runs the server, and against it the clients.
func TestReadmePrograms(t *testing.T) {
	t.Parallel()
	blocks := readme(t)
	server := startProgram(t, blocks["server"].text, "127.0.0.1:0")
	addr := serving(t, server)
	if got, want := runProgram(t, blocks["client"].text, addr), "Hi Ada <nil>\n"; got != want {
		t.Errorf("the client printed %q, want %q", got, want)
	}
	typed := "package main\n\nimport (\n\"context\"\n\"fmt\"\n\n\"github.com/mcpconnect/mcpconnect/mcpconnect\"\n" +
		"\"github.com/modelcontextprotocol/go-sdk/mcp\"\n)\n\nfunc main() {\nctx := context.Background()\n" +
		blocks["typed"].text + "\nfmt.Println(res.Content[0].(*mcp.TextContent).Text, err)\n}\n"
	if got, want := runProgram(t, typed, addr), "greet <nil>\nHi Ada <nil>\n"; got != want {
		t.Errorf("the typed client printed %q, want %q", got, want)
	}
}

// TestReadmeMux runs the block about the mux, and calls every route of it.
func TestReadmeMux(t *testing.T) {
	t.Parallel()
	program := "package main\n\nimport (\n\"context\"\n\"fmt\"\n\"log\"\n\"net\"\n\"net/http\"\n\"os/signal\"\n\"syscall\"\n\n" +
		"\"github.com/mcpconnect/mcpconnect/mcpconnect\"\n\"github.com/modelcontextprotocol/go-sdk/mcp\"\n)\n\nfunc main() {\n" +
		"ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)\ndefer stop()\n" +
		"server := mcp.NewServer(&mcp.Implementation{Name: \"mux\", Version: \"v1\"}, nil)\n" +
		"ln, err0 := net.Listen(\"tcp\", \"" + readmeAddr + "\")\nif err0 != nil { log.Fatal(err0) }\nlog.Print(\"serving on \", ln.Addr())\n" +
		readme(t)["mux"].text + "\nif err != nil { log.Fatal(err) }\n}\n"
	p := startProgram(t, program, "127.0.0.1:0")
	addr := serving(t, p)
	if code, _, body := curl(t, "http://"+addr+"/hello"); code != http.StatusOK || body != "hello\n" {
		t.Errorf("hello: got %d %q", code, body)
	}
	for _, prefix := range []string{"", "/api/mcp"} {
		c := mcpconnect.NewClient("http://" + addr + prefix)
		if _, err := c.Ping(testContext(t)); err != nil {
			t.Errorf("under %q: %v", prefix, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if listed := succeed(t, "", "grpcurl", "-plaintext", addr, "list"); !strings.Contains(listed, "mcp.v1.MCP") {
		t.Errorf("reflection: got %s", listed)
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if o := p.wait(); o.code != 0 {
		t.Errorf("the program ended with %+v", o)
	}
}

// compile builds a program of the README in a module of its own, with nothing but what is in
// the module cache.
func compile(t testing.TB, source, addr string) *exec.Cmd {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"go.mod": "module readme\n\ngo 1.26\n\nrequire github.com/mcpconnect/mcpconnect v0.0.0\n\n" +
			"replace github.com/mcpconnect/mcpconnect => " + root + "\n",
		"go.sum":  string(sums),
		"main.go": strings.ReplaceAll(source, readmeAddr, addr),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", "program", ".")
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, source)
	}
	return exec.CommandContext(testContext(t), filepath.Join(dir, "program"))
}

// startProgram runs a program whose errors and log come on standard output, too.
func startProgram(t testing.TB, source, addr string) *process {
	t.Helper()
	program := compile(t, source, addr)
	return startCommand(t, exec.CommandContext(testContext(t), "bash", "-c", `exec "$0" 2>&1`, program.Path))
}

func runProgram(t testing.TB, source, addr string) string {
	t.Helper()
	return succeed(t, "", compile(t, source, addr).Path)
}

// serving reads where a program serves.
func serving(t testing.TB, p *process) string {
	t.Helper()
	_, addr, ok := strings.Cut(p.line(), "serving on ")
	if !ok {
		t.Fatal("the program does not say where it serves")
	}
	return addr
}
