// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package busypoll

const supported = false

func readable(uintptr) bool { return true }
