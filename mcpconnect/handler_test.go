// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestLimitsMustNotBeNegative(t *testing.T) {
	t.Parallel()
	for want, limits := range map[string]Limits{
		"MessageBytes is -1": {MessageBytes: -1},
		"JSONDepth is -1":    {JSONDepth: -1},
		"JSONNodes is -1":    {JSONNodes: -1},
		"StreamCalls is -1":  {StreamCalls: -1},
		"Sessions is -1":     {Sessions: -1},
		"SessionIdle is -1s": {SessionIdle: -time.Second},
		"UnaryTime is -1s":   {UnaryTime: -time.Second},
		"ReadTimeout is -1s": {ReadTimeout: -time.Second},
		"WriteTimeout is -1": {WriteTimeout: -1},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			defer func() {
				got := fmt.Sprint(recover())
				if !strings.Contains(got, want) || !strings.Contains(got, "write a positive value, or 0 for the default") {
					t.Errorf("got %s, want %q and what to write", got, want)
				}
			}()
			server := mcp.NewServer(&mcp.Implementation{Name: "limits", Version: "1"}, nil)
			_ = NewHandler(server, WithLimits(limits)).Close()
		})
	}
}

func TestIsFramed(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"application/grpc":           true,
		"APPLICATION/GRPC":           true,
		"application/grpc-web+proto": true,
		"application/connect+json":   true,
		"Application/Connect+Proto":  true,
		"application/proto":          false,
		"Application/JSON":           false,
		"":                           false,
	} {
		if got := isFramed(contentType); got != want {
			t.Errorf("%q: got %v, want %v", contentType, got, want)
		}
	}
}
