// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package busypoll

import "golang.org/x/sys/unix"

const supported = true

// Readable tells whether a read of the file would not wait. Where that cannot be found out, it would not.
func Readable(fd uintptr) bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return n != 0 // -1 for an error, which a read tells
}
