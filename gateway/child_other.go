// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package gateway

import "os/exec"

// startWithParent starts cmd. A child whose parent is killed sees the end of its standard
// input; more cannot be done here.
func startWithParent(cmd *exec.Cmd) error { return cmd.Start() }
