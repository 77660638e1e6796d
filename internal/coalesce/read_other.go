// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package coalesce

import "errors"

// useSocket does nothing: the reader holds its buffer while it waits.
func (r *reader) useSocket() {}

func (r *reader) fillFromSocket() error { return errors.ErrUnsupported }
