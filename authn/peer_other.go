// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package authn

import (
	"errors"
	"net"
)

func peerUID(*net.UnixConn) (uint32, error) {
	return 0, errors.ErrUnsupported
}
