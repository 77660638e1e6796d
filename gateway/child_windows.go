// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
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

// canReadNow tells whether pipes can be read without waiting.
const canReadNow = false

var errNothing = errors.New("there is nothing to read yet")

// A pipe is what a child writes to. It cannot be read without waiting, whatever now says.
type pipe struct {
	io.Reader

	now bool
}

func newPipe(stdout io.Reader) (*pipe, error) { return &pipe{Reader: stdout}, nil }

func (p *pipe) await() error { return nil }

func (p *pipe) wake() {}
