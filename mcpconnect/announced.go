// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// isFramed tells the content types whose messages have a prefix: all but those of unary
// Connect RPCs, and of what is no RPC.
func isFramed(contentType string) bool {
	contentType = strings.ToLower(contentType) // as connect does
	return strings.HasPrefix(contentType, "application/grpc") || strings.HasPrefix(contentType, "application/connect+")
}

// A framedBody reads messages with a prefix of five bytes: flags, and the length in network
// order. It lets all of them through as they are, until one announces more than limit bytes:
// connect by itself reads such a message to its end, or waits for it, before it refuses it
// (connect-go#620). On a stream that is up to 4 GiB for each. Not safe for concurrent use.
type framedBody struct {
	io.ReadCloser

	limit  int64
	prefix [5]byte
	have   int   // bytes of the prefix that were read
	left   int64 // bytes of the message that were not read
	err    error
}

func (b *framedBody) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.left > 0:
		n, err := b.ReadCloser.Read(p[:min(b.left, int64(len(p)))])
		b.left -= int64(n)
		return n, err
	}
	n, err := b.ReadCloser.Read(p[:min(len(b.prefix)-b.have, len(p))])
	b.have += copy(b.prefix[b.have:], p[:n])
	if b.have == len(b.prefix) {
		b.have, b.left = 0, int64(binary.BigEndian.Uint32(b.prefix[1:]))
		if b.left > b.limit {
			// connect sees the prefix, and this when it goes on to read.
			b.err = fmt.Errorf("it announces %d bytes", b.left)
		}
	}
	return n, err
}
