// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// beFast is a server that costs next to nothing, so that what is measured is the gateway. Its tools
// are pid, which tells its process id, level, which tells the log level, and crash. It writes when there is nothing more to read.
func beFast(stdout io.Writer) int {
	pid, level := os.Getpid(), "none"
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	out := bufio.NewWriterSize(stdout, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Name  string `json:"name"`
				Level string `json:"level"`
			} `json:"params"`
		}
		if json.Unmarshal(line, &m) != nil || m.ID == nil {
			continue
		}
		switch m.Method {
		case "initialize":
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"fast","version":"1"}}}`+"\n", m.ID)
		case "logging/setLevel":
			level = m.Params.Level
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{}}`+"\n", m.ID)
		case "tools/list":
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"pid","inputSchema":{"type":"object"}},{"name":"crash","inputSchema":{"type":"object"}}]}}`+"\n", m.ID)
		case "tools/call":
			switch m.Params.Name {
			case "crash":
				return 3
			case "level":
				fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%q}]}}`+"\n", m.ID, level)
			default:
				fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"%d"}]}}`+"\n", m.ID, pid)
			}
		default:
			fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"method not found"}}`+"\n", m.ID)
		}
		if in.Buffered() == 0 {
			if out.Flush() != nil {
				return 0
			}
		}
	}
}

// beFlood is a fast server that says things all the time, as fast as they are taken from it.
func beFlood() int {
	all := strings.Join([]string{
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"` + strings.Repeat("x", 1000) + `"}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"nobody's","progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`,
		`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://nobody"}}`,
		`{"jsonrpc":"2.0","id":"nobody","result":{}}`,
		`{"jsonrpc":"2.0","method":"notifications/of/nobody"}`,
		``,
	}, "\n")
	go func() {
		for {
			if _, err := os.Stdout.WriteString(all); err != nil {
				return
			}
		}
	}()
	return beFast(os.Stdout)
}

// batches writes what there is as a list of messages, as MCP 2025-03-26 has it.
type batches struct{}

func (batches) Write(p []byte) (int, error) {
	lines := strings.Split(strings.TrimSuffix(string(p), "\n"), "\n")
	if _, err := fmt.Printf("[%s]\n", strings.Join(lines, ",")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A trickle writes one byte at a time.
type trickle struct{}

func (trickle) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := os.Stdout.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}
