// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package busypoll

const supported = false

// Readable tells whether a read of the file would not wait. Where that cannot be found out, it would not.
func Readable(uintptr) bool { return true }
