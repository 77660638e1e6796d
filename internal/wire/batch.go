// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of Envelope.
const (
	fieldCall  protowire.Number = 7
	fieldReply protowire.Number = 8
	fieldBatch protowire.Number = 10
)

const (
	// BatchBytes is about how large a batch may grow: far below any peer's limit, far above
	// what one write of the connection takes, and small enough that little waits for its
	// transfer.
	BatchBytes = 64 << 10
	// SmallBytes is the size up to which messages go before larger ones that wait: those would
	// delay them by much more than their own transfer takes.
	SmallBytes = 4 << 10
)

// Elements calls visit with each envelope that raw holds, in order: what stands outside of
// its batch first, unless that is nothing and there is a batch, then those of the batch. The
// bytes are parts of raw, as long as only one of the two is there. batched tells which one it
// is. The error is that of visit, or says that raw is no message.
func Elements(raw []byte, visit func(element []byte, batched bool) error) error {
	own, batches, err := ownFields(raw)
	if err != nil {
		return malformed(err)
	}
	if len(own) > 0 || batches == 0 {
		if err := visit(own, false); err != nil {
			return err
		}
	}
	for ; batches > 0; batches-- {
		var element []byte
		element, raw = nextBatched(raw)
		if err := visit(element, true); err != nil {
			return err
		}
	}
	return nil
}

// ownFields gives the fields outside of the batch, and how many envelopes the batch has.
func ownFields(raw []byte) (own []byte, batches int, err error) {
	for rest := raw; len(rest) > 0; {
		number, kind, n := protowire.ConsumeField(rest)
		if n < 0 {
			return nil, 0, protowire.ParseError(n)
		}
		switch {
		case number == fieldBatch && kind == protowire.BytesType:
			batches++
		case batches == 0 && len(own) == len(raw)-len(rest):
			own = raw[: len(own)+n : len(own)+n] // so far there was nothing else
		default:
			own = append(own, rest[:n]...)
		}
		rest = rest[n:]
	}
	return own, batches, nil
}

// nextBatched gives the next envelope of a batch, and what follows it. ownFields must have
// found one.
func nextBatched(raw []byte) (element, rest []byte) {
	for {
		number, kind, n := protowire.ConsumeTag(raw)
		m := protowire.ConsumeFieldValue(number, kind, raw[n:])
		value := raw[n : n+m]
		raw = raw[n+m:]
		if number == fieldBatch && kind == protowire.BytesType {
			element, _ = protowire.ConsumeBytes(value)
			return element, raw
		}
	}
}

// AppendBatched appends an envelope of size bytes to a batch: the caller appends the bytes
// themselves. Together with others it makes an envelope that is a batch.
func AppendBatched(b []byte, size int) []byte {
	b = protowire.AppendTag(b, fieldBatch, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(size))
}

// SizeBatched is what AppendBatched and an envelope of size bytes take.
func SizeBatched(size int) int {
	return protowire.SizeTag(fieldBatch) + protowire.SizeBytes(size)
}

// Unbatched gives the only envelope of a batch as an envelope of its own.
func Unbatched(batch []byte) []byte {
	element, _ := nextBatched(batch)
	return element
}
