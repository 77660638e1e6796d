// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// sendQueue is how many messages wait for a child that reads slowly.
const sendQueue = 256

// errClosed is the end of a connection: what was to be sent on it has not left.
var errClosed = errors.New("the connection is closed")

func (l *childLink) send(ctx context.Context, m *message) error {
	text, err := m.text()
	if err != nil {
		return err
	}
	if len(text) > l.maxBytes {
		return fmt.Errorf("message is larger than the limit of %d bytes", l.maxBytes)
	}
	text = append(text, '\n')
	if m.alone && l.writeAtOnce(text) {
		return nil
	}
	l.unsent.Add(1)
	select {
	case l.queue <- text:
		return nil
	case <-l.closing:
		err = errClosed
	case <-l.gone:
		err = fmt.Errorf("%w: %w", errClosed, l.ended())
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.unsent.Add(-1)
	return err
}

// writeAtOnce writes a line if nothing waits and the child has room for it, and tells whether that
// is so: the caller need not wait for another goroutine then.
func (l *childLink) writeAtOnce(line []byte) bool {
	if len(line) > atomicWrite || !l.turn.TryLock() {
		return false
	}
	defer l.turn.Unlock()
	return l.unsent.Load() == 0 && writeNow(l.stdin, line)
}

// write writes what waits, as much at a time as there is.
func (l *childLink) write() {
	var batch bytes.Buffer
	for {
		select {
		case line := <-l.queue:
			batch.Reset()
			batch.Write(line)
			n := int32(1)
			for more := true; more && batch.Len() < 64<<10; {
				select {
				case line := <-l.queue:
					batch.Write(line)
					n++
				default:
					more = false
				}
			}
			l.turn.Lock()
			_, err := l.stdin.Write(batch.Bytes())
			l.unsent.Add(-n)
			l.turn.Unlock()
			if err != nil {
				l.close()
				return
			}
		case <-l.closing:
			return
		case <-l.gone:
			return
		}
	}
}
