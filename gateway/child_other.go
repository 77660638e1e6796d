// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package gateway

import (
	"os/exec"
	"runtime"
	"syscall"
)

// endWithParent does nothing: the kernel does not tell a child of its parent's end.
func endWithParent(*syscall.SysProcAttr) {}

func startWithParent(cmd *exec.Cmd) error { return cmd.Start() }

// atomicWrite is how much a pipe takes wholly or not at all, at least (_POSIX_PIPE_BUF).
const atomicWrite = 512

func yield() { runtime.Gosched() }
