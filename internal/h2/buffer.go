// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import "sync"

const (
	// smallBuffer is how much a buffer holds without chunks: most bodies are no larger.
	smallBuffer = 4 << 10
	// chunkBytes is the size of a chunk: two of the largest frames that most peers send.
	chunkBytes = 32 << 10
)

// chunks are of nobody at the moment.
var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

// A buffer holds bytes of a body that came and were not read. An empty one keeps little. The zero
// value is empty.
type buffer struct {
	small  []byte              // comes before the chunks
	chunks []*[chunkBytes]byte // from the pool
	at     int                 // where the first byte is, in small, or in the first chunk if that is empty
	end    int                 // where the last chunk ends
	n      int                 // bytes held
}

// write adds bytes.
func (b *buffer) write(data []byte) {
	b.n += len(data)
	if len(b.chunks) == 0 {
		// Less is moved than was read since the last time, however small the pieces are that come and go.
		if b.at > len(b.small)/2 && len(b.small)+len(data) > smallBuffer {
			b.small = b.small[:copy(b.small, b.small[b.at:])]
			b.at = 0
		}
		if len(b.small)+len(data) <= smallBuffer {
			b.small = append(b.small, data...)
			return
		}
	}
	for len(data) > 0 {
		if len(b.chunks) == 0 || b.end == chunkBytes {
			b.chunks = append(b.chunks, chunks.Get().(*[chunkBytes]byte)) //nolint:errcheck,forcetypeassert // the pool holds nothing else
			b.end = 0
		}
		n := copy(b.chunks[len(b.chunks)-1][b.end:], data)
		b.end += n
		data = data[n:]
	}
}

// read takes bytes, as many as there are and p has room for.
func (b *buffer) read(p []byte) (n int) {
	for len(p) > n && b.n > 0 {
		first := b.small
		if len(first) == 0 {
			first = b.chunks[0][:b.firstEnd()]
		}
		taken := copy(p[n:], first[b.at:])
		n += taken
		b.n -= taken
		if b.at += taken; b.at == len(first) {
			b.drop()
		}
	}
	return n
}

// firstEnd is where the first chunk ends.
func (b *buffer) firstEnd() int {
	if len(b.chunks) == 1 {
		return b.end
	}
	return chunkBytes
}

// drop leaves out what is read to its end.
func (b *buffer) drop() {
	b.at = 0
	if len(b.small) > 0 {
		b.small = b.small[:0]
		return
	}
	chunks.Put(b.chunks[0])
	b.chunks[0] = nil
	if b.chunks = b.chunks[1:]; len(b.chunks) == 0 {
		b.chunks = nil
	}
}

// discard empties the buffer, and keeps nothing.
func (b *buffer) discard() {
	for _, c := range b.chunks {
		chunks.Put(c)
	}
	*b = buffer{}
}
