// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcpconnect/mcpconnect/internal/busypoll"
)

// canReadNow tells whether pipes can be read without waiting.
const canReadNow = true

// errNothing says that there is nothing to read yet.
var errNothing error = syscall.EAGAIN

// A pipe is what a child writes to. Read is for one goroutine at a time.
type pipe struct {
	file *os.File
	raw  syscall.RawConn
	now  bool // Read does not wait, but fails with errNothing

	into []byte // of read
	n    int    // what came of it
	err  error
	read func(fd uintptr)
}

func newPipe(stdout io.Reader) (*pipe, error) {
	f, ok := stdout.(*os.File)
	if !ok {
		return nil, fmt.Errorf("the standard output of the child is a %T, want a file", stdout)
	}
	raw, err := f.SyscallConn()
	p := &pipe{file: f, raw: raw}
	p.read = func(fd uintptr) { p.n, p.err = unix.Read(int(fd), p.into) }
	return p, err
}

// Read reads beside an await that waits, which the file's own Read would wait for.
func (p *pipe) Read(into []byte) (int, error) {
	for {
		p.into = into
		err := p.raw.Control(p.read)
		p.into = nil
		switch {
		case err != nil:
			return 0, err
		case p.err == nil && p.n == 0:
			return 0, io.EOF
		case p.err == nil:
			return p.n, nil
		case errors.Is(p.err, syscall.EINTR):
		case p.now || !errors.Is(p.err, errNothing):
			return 0, p.err
		default:
			if err := p.await(); err != nil {
				return 0, err
			}
		}
	}
}

// await waits until there is something to read, the end, or wake.
func (p *pipe) await() error { return p.raw.Read(busypoll.Readable) }

// wake ends await, from now on. Read does not heed it.
func (p *pipe) wake() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) } // if it is closed, await fails, too
