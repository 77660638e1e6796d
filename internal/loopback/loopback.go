// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package loopback tells what is this machine.
package loopback

import (
	"net/netip"
	"strings"
)

// IsHost tells whether a host, without port, can only be this machine: "localhost", or a loopback
// address, in brackets or not.
func IsHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
