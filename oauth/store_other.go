// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix || solaris || aix

package oauth

import "context"

// Lock implements [Locker]. There is no lock here: processes that refresh at the same time may have
// to log in again.
func (FileStore) Lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }
