// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"
)

// To wait for a child costs more than what most children do: the kernel puts a thread to sleep, often
// a core with it, and wakes both. So who makes a call when no other is in flight stays awake for
// the moment that a quick answer takes, and reads it in the reader's place.
const (
	// awakeTime is how long a caller stays awake.
	awakeTime = 100 * time.Microsecond
	// maxDoze is for how many calls nobody does after many for which it was in vain.
	maxDoze = 64
)

// awake are the callers that are, of all children. They take half of the processors at most; of a
// single one, they leave it to others again and again.
var awake atomic.Int32

// receiveAll gives the peer each message, one at a time, until the end of the link. It is for the
// reader.
func (l *childLink) receiveAll(p *peer) error {
	for {
		_ = l.out.await() // the read tells what is wrong
		l.reading.Lock()
		err := l.broken
		for err == nil {
			if err = l.fill(); !errors.Is(err, errNothing) {
				err = l.take(p)
			}
		}
		l.reading.Unlock()
		if !errors.Is(err, errNothing) {
			return err
		}
	}
}

// receiveAwake is receiveAll for who has made a call: until the server says something about it, or
// for some time.
func (l *childLink) receiveAwake(p *peer, c *call) {
	if !canReadNow || l.unsent.Load() > 0 || !l.reading.TryLock() {
		return
	}
	defer l.reading.Unlock()
	if l.broken != nil {
		return // what comes is for nobody
	}
	if l.doze > 0 {
		l.doze--
		return
	}
	processors := runtime.GOMAXPROCS(0)
	defer awake.Add(-1)
	if int(awake.Add(1)) > max(1, processors/2) {
		return
	}
	pause := yield
	if processors == 1 {
		pause = runtime.Gosched
	}
	switch l.broken = l.takeSoon(p, c, pause); {
	case l.broken != nil:
		l.out.wake()
	case c.hasNews():
		l.misses = 0
	default:
		l.misses = min(2*l.misses+1, maxDoze)
		l.doze = l.misses
	}
}

// takeSoon takes what comes while the caller stays awake. It leaves nothing in the buffer but a part of
// a line: the reader waits for more than that.
func (l *childLink) takeSoon(p *peer, c *call, pause func()) error {
	for begun := time.Now(); !c.hasNews() && time.Since(begun) < awakeTime; {
		err := l.fill()
		if errors.Is(err, errNothing) {
			pause()
			continue
		}
		if err != nil {
			break // the reader finds out what it means
		}
		if err := l.take(p); err != nil {
			return err
		}
	}
	for l.hasLine() {
		if err := l.take(p); err != nil {
			return err
		}
	}
	return nil
}

// hasLine tells whether there is something to take without waiting.
func (l *childLink) hasLine() bool {
	if len(l.rest) > 0 {
		return true
	}
	text, _ := l.lines.Peek(l.lines.Buffered()) // what is there is there
	return bytes.IndexByte(text, '\n') >= 0
}

// fill reads until there is something to take. It does not wait, but fails with errNothing then. Other
// errors are for take, to find out what they mean.
func (l *childLink) fill() error {
	for !l.hasLine() {
		l.out.now = true
		_, err := l.lines.Peek(l.lines.Buffered() + 1)
		l.out.now = false
		if err != nil {
			return err
		}
	}
	return nil
}

// take gives the peer the next message.
func (l *childLink) take(p *peer) error {
	m, err := l.next()
	if m != nil {
		p.dispatch(m)
	}
	return err
}

// receive is for who is the only one to read.
func (l *childLink) receive() (*message, error) {
	for {
		if m, err := l.next(); m != nil || err != nil {
			return m, err
		}
	}
}

// next waits for the next line, unless fill has found one. It gives no message for lines that are none,
// which are logged: there are programs that print what should have gone to standard error.
func (l *childLink) next() (*message, error) {
	if len(l.rest) > 0 {
		m := l.rest[0]
		l.rest = l.rest[1:]
		return m, nil
	}
	line, err := l.line()
	if err != nil || len(bytes.TrimSpace(line)) == 0 {
		return nil, err
	}
	var m *message
	if line[0] == '[' {
		l.rest, err = parseAll(line)
	} else {
		m, err = parse(line)
	}
	if err != nil {
		l.garbage.log(l.log, slog.LevelWarn, "an upstream wrote what is no message", "upstream", l.name, "bytes", len(line))
	}
	return m, nil
}

func (l *childLink) line() ([]byte, error) {
	var long []byte
	for {
		part, err := l.lines.ReadSlice('\n')
		if len(long)+len(part) > l.maxBytes+1 {
			l.close()
			return nil, fmt.Errorf("it wrote a message larger than the limit of %d bytes", l.maxBytes)
		}
		switch {
		case err == nil && long == nil:
			return part, nil
		case errors.Is(err, bufio.ErrBufferFull) || err == nil:
			long = append(long, part...)
			if err == nil {
				return long, nil
			}
		default:
			l.close() // a child that writes no more is of no use
			<-l.gone
			return nil, l.ended()
		}
	}
}

func (l *childLink) ended() error { return fmt.Errorf("the process has ended: %w", l.exit) }
