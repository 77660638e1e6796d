// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"connectrpc.com/connect"
)

// Exit statuses, as `mcpconnect --help` tells them.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitTool        = 3
	exitNotLetIn    = 4
	exitUnreachable = 5
	exitInterrupted = 130
)

const exitHelp = `Exit status:
  0    done
  1    failed
  2    the command line or the configuration is wrong
  3    the tool was called, and says that it failed
  4    not let in: credentials are missing, wrong, or allow less
  5    the server cannot be reached, or did not answer in time
  130  interrupted`

// An exitError is an error with the status that the program ends with.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage makes err one of the command line or the configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

// exitStatus is the status for what a command returned.
func exitStatus(ctx context.Context, err error) int {
	switch e, ok := errors.AsType[*exitError](err); {
	case err == nil:
		return 0
	case ok:
		return e.status
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// exitOf is the status for the code that a request to a server failed with.
func exitOf(code connect.Code) int {
	switch code {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return exitNotLetIn
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		return exitUnreachable
	}
	return exitFailed
}
