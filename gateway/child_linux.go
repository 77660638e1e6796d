// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"os/exec"
	"runtime"
	"syscall"
)

// endWithParent has the kernel kill a child when we end without a chance to do so.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// startWithParent starts cmd. For Pdeathsig the parent is the thread that has started the
// child, not the process: so there is one that lives as long as the child does.
func startWithParent(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			waitNoReap(cmd.Process.Pid)
		}
	}()
	return <-started
}

// waitNoReap waits for the end of a process, and leaves it to be waited for.
func waitNoReap(pid int) {
	const pPid = 1
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPid, uintptr(pid), 0, syscall.WEXITED|wnowait, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}

const wnowait = 0x1000000

// atomicWrite is how much a pipe takes wholly or not at all (PIPE_BUF).
const atomicWrite = 4096

// yield lets another process run, if one waits for this processor: the child, maybe.
func yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) } //nolint:dogsled // it cannot fail
