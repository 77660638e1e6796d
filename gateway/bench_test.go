// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// BenchmarkChild compares a small call of a child process that costs next to nothing, by the SDK's
// client and by the typed client through a gateway: one at a time, and 64.
func BenchmarkChild(b *testing.B) {
	ctx := context.Background()
	params := &mcp.CallToolParams{Name: "pid"}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"=fast")
	session, err := mcp.NewClient(&mcp.Implementation{Name: "b", Version: "1"}, nil).Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	g := open(b, gateway.Config{Upstreams: []gateway.Upstream{child(b, "up", "fast")}})
	client := mcpconnect.NewClient(serve(b, g.Handler(mcpconnect.WithLogger(quiet))))
	defer client.Close()
	for name, call := range map[string]func() error{
		"direct":  func() error { _, err := session.CallTool(ctx, params); return err },
		"gateway": func() error { _, err := client.CallTool(ctx, params); return err },
	} {
		b.Run(name+"/1", func(b *testing.B) {
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/64", func(b *testing.B) {
			b.SetParallelism(32) // times two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := call(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
