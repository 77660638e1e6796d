// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"io"
	"os/exec"
)

// A processGroup is a child. What it starts is not known here.
type processGroup struct{ child *exec.Cmd }

func newProcessGroup(child *exec.Cmd) *processGroup { return &processGroup{child} }

func (g *processGroup) terminate() { g.kill() }

func (g *processGroup) kill() {
	if g.child.Process != nil {
		_ = g.child.Process.Kill()
	}
}

// writeNow writes nothing: there is no way to know whether the pipe has room.
func writeNow(io.Writer, []byte) bool { return false }
