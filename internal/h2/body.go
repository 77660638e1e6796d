// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"io"
	"net/http"
)

// A requestBody is the body of a request that is served.
type requestBody struct{ x *exchange }

// Read waits for bytes of the body.
func (b requestBody) Read(p []byte) (int, error) {
	b.x.c.mu.Lock()
	defer b.x.c.mu.Unlock()
	if b.x.expects {
		b.x.expects = false
		b.x.w.inform(http.StatusContinue)
	}
	return b.x.read(p)
}

// Close gives up the rest.
func (b requestBody) Close() error {
	s := &b.x.stream
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.readErr == io.EOF && s.unread.n == 0 { //nolint:errorlint // our own
		return nil
	}
	s.readErr = http.ErrBodyReadAfterClose
	s.discard()
	s.arrived.Broadcast()
	s.c.flush()
	return nil
}
