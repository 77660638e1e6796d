// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"compress/gzip"
	"fmt"
	"io"

	"connectrpc.com/connect"
)

// boundedGzip is gzip whose reader stops at a limit. connect by itself inflates a message
// that is over its limit to the end, to tell its size: a megabyte of zeros costs a core
// most of a second.
func boundedGzip(limit int64) connect.HandlerOption {
	return connect.WithCompression("gzip",
		func() connect.Decompressor { return &boundedGunzip{limit: limit} },
		func() connect.Compressor { return gzip.NewWriter(io.Discard) },
	)
}

// acceptGzip lets the server compress its answers if the options say so: connect's clients
// offer gzip by default.
func (c *clientConfig) acceptGzip() connect.ClientOption {
	if !c.compression {
		return connect.WithAcceptCompression("gzip", nil, nil)
	}
	limit := int64(c.messageBytes)
	return connect.WithAcceptCompression("gzip",
		func() connect.Decompressor { return &boundedGunzip{limit: limit} },
		func() connect.Compressor { return gzip.NewWriter(io.Discard) })
}

func errTooLarge(limit int64) error {
	return connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("message is larger than %d bytes when decompressed", limit))
}

type boundedGunzip struct {
	gzip.Reader
	limit, read int64
}

// Reset starts a new message.
func (b *boundedGunzip) Reset(r io.Reader) error {
	b.read = 0
	return b.Reader.Reset(r)
}

// Read fails once there is more than the limit. One byte over it is let through, so that
// connect sees that the message is too large before it asks for the rest.
func (b *boundedGunzip) Read(p []byte) (int, error) {
	if b.read > b.limit {
		return 0, errTooLarge(b.limit)
	}
	if left := b.limit + 1 - b.read; int64(len(p)) > left {
		p = p[:left]
	}
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	return n, err
}
