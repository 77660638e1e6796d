// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// ChildArg is the first argument of this program when it is to be a server on its standard
// input and output, which [ServeStdio] is.
const ChildArg = "child"

// Names of the contenders whose server is a child process that speaks stdio: that of the SDK's
// client, and one behind a gateway.
const (
	Child    = "sdk-stdio-child"
	OurGated = "ours-gateway-child"
)

// Children are the contenders that call a child process, see [ServeStdio]. They are for cases of
// their own: the others have no third process beside them.
func Children() []Contender { return []Contender{direct{}, gated{}, proxied{}} }

// ServeStdio is a server on in and out that has the tool add alone, and costs next to nothing: what
// is measured is the way to it. It writes when there is nothing more to read, until in ends.
func ServeStdio(in io.Reader, out io.Writer) error {
	lines, answers := bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return nil //nolint:nilerr // the client has gone
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Arguments tools.Pair `json:"arguments"`
			} `json:"params"`
		}
		if json.Unmarshal(line, &m) != nil || m.ID == nil {
			continue
		}
		switch m.Method {
		case "initialize":
			fmt.Fprintf(answers, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"child","version":"1"}}}`+"\n", m.ID)
		case "tools/list":
			fmt.Fprintf(answers, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":%q,"inputSchema":%s}]}}`+"\n", m.ID, tools.Add, tools.PairSchema)
		case "tools/call":
			fmt.Fprintf(answers, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"%d"}]}}`+"\n", m.ID, m.Params.Arguments.A+m.Params.Arguments.B)
		default:
			fmt.Fprintf(answers, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"method not found"}}`+"\n", m.ID)
		}
		if lines.Buffered() == 0 {
			if err := answers.Flush(); err != nil {
				return err
			}
		}
	}
}

// direct is the SDK's client of a child process of its own.
type direct struct{}

func (direct) Name() string { return Child }

// Serve serves nobody: the client has the server.
func (direct) Serve(ctx context.Context, ln net.Listener, _ Setup) error {
	<-ctx.Done()
	return ln.Close()
}

func (direct) Dial(ctx context.Context, _ string, _ int) (Client, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return dialSDK(ctx, &mcp.CommandTransport{Command: exec.Command(exe, ChildArg)}, "") //nolint:noctx // until the client is closed
}

// gated is our typed client of a gateway that has the child process.
type gated struct{}

func (gated) Name() string { return OurGated }

func (gated) Serve(ctx context.Context, ln net.Listener, _ Setup) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	g, err := gateway.New(ctx, gateway.Config{Upstreams: []gateway.Upstream{{Name: Child, Command: []string{exe, ChildArg}}}, Logger: quiet})
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }() // it is over, whatever it says
	h := g.Handler(mcpconnect.WithLogger(quiet))
	defer func() { _ = h.Close() }() // always nil
	return mcpconnect.Serve(ctx, ln, h, mcpconnect.WithServeLogger(quiet), mcpconnect.WithGracePeriod(0))
}

func (gated) Dial(ctx context.Context, addr string, _ int) (Client, error) { return typed()(ctx, addr) }
