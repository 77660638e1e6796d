// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package gateway

import (
	"io"
	"os"
	"os/exec"
	"syscall"
)

// A processGroup is a child and what it starts, as far as that stays in its group: the real
// server, where the child is npx or a shell.
type processGroup struct {
	child *exec.Cmd
	guard *exec.Cmd // leads the group; nil if there is none, and the child leads it
	held  *os.File  // open as long as we are there
}

// newProcessGroup prepares a child that has not been started.
//
// If we are killed, nobody is left to end the group. So a guard leads it, a shell that waits for the
// end of a pipe that only we hold, and then kills its own group. As long as it is not waited
// for, nobody else gets the group's id.
func newProcessGroup(child *exec.Cmd) *processGroup {
	g := &processGroup{child: child}
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(child.SysProcAttr)
	r, w, err := os.Pipe()
	if err != nil {
		return g
	}
	defer func() { _ = r.Close() }()
	guard := exec.Command("/bin/sh", "-c", "trap '' HUP INT TERM; read _; kill -KILL 0") //nolint:noctx // end ends it
	guard.Stdin, guard.Dir, guard.Env = r, "/", []string{}
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if guard.Start() != nil { // there are systems without a shell
		_ = w.Close()
		return g
	}
	g.guard, g.held = guard, w
	child.SysProcAttr.Pgid = guard.Process.Pid
	return g
}

func (g *processGroup) signal(s syscall.Signal) {
	leader := g.child
	if g.guard != nil {
		leader = g.guard
	}
	if leader.Process != nil {
		_ = syscall.Kill(-leader.Process.Pid, s)
	}
}

func (g *processGroup) terminate() { g.signal(syscall.SIGTERM) }

// kill kills what is there of the group, which is of no use after that.
func (g *processGroup) kill() {
	g.signal(syscall.SIGKILL)
	if g.guard != nil {
		_ = g.guard.Wait() // killed
		_ = g.held.Close()
	}
}

// writeNow writes to a pipe if it has room for all of b, and tells whether that is so. b must not
// be larger than atomicWrite.
func writeNow(pipe io.Writer, b []byte) bool {
	f, ok := pipe.(*os.File)
	if !ok {
		return false
	}
	c, err := f.SyscallConn()
	if err != nil {
		return false
	}
	written := false
	err = c.Write(func(fd uintptr) bool {
		n, err := syscall.Write(int(fd), b)
		written = err == nil && n == len(b)
		return true // it is not tried again
	})
	return err == nil && written
}
