// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestBuffer compares a buffer with one long slice, whatever comes and is read in whatever pieces.
func TestBuffer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 50), rapid.IntRange(0, 3*chunkBytes))
		var b buffer
		var want []byte
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				data := make([]byte, size.Draw(t, "bytes"))
				for i := range data {
					data[i] = next
					next += 3 // no divisor of a chunk's size
				}
				b.write(data)
				want = append(want, data...)
			},
			"read": func(t *rapid.T) {
				p := make([]byte, size.Draw(t, "room"))
				n := b.read(p)
				if n != min(len(p), len(want)) || !bytes.Equal(p[:n], want[:n]) {
					t.Fatalf("read %d bytes of %d into %d, or others", n, len(want), len(p))
				}
				want = want[n:]
			},
			"discard": func(*rapid.T) {
				b.discard()
				want = nil
			},
			"": func(t *rapid.T) {
				if b.n != len(want) {
					t.Fatalf("it holds %d bytes, want %d", b.n, len(want))
				}
				if b.n == 0 && (len(b.chunks) > 0 || cap(b.small) > 2*smallBuffer) {
					t.Fatalf("an empty one keeps %d chunks, and %d bytes", len(b.chunks), cap(b.small))
				}
			},
		})
	})
}

// TestSmallPiecesAreNotMoved again and again, as they come and go in a body.
func TestSmallPiecesAreNotMoved(t *testing.T) {
	t.Parallel()
	for _, held := range []int{smallBuffer - 1, smallBuffer, 1 << 18} {
		var b buffer
		b.write(make([]byte, held))
		moved, one := 0, make([]byte, 1)
		for range 1000 {
			b.read(one)
			at, chunked := b.at, len(b.chunks)
			b.write(one)
			if b.at < at && len(b.chunks) == chunked {
				moved++
			}
		}
		if moved > 1 {
			t.Errorf("%d bytes: moved for %d of 1000 bytes", held, moved)
		}
	}
}
