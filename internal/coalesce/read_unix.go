// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package coalesce

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// useSocket lets the reader wait for the peer without a buffer, if conn is a socket: most of
// the connections of a server do nothing but that. Types that only have a socket somewhere
// inside are left alone, they may want to see what is read.
func (r *reader) useSocket() {
	var err error
	switch conn := r.conn.(type) {
	case *net.TCPConn:
		r.socket, err = conn.SyscallConn()
	case *net.UnixConn:
		r.socket, err = conn.SyscallConn()
	default:
		return
	}
	if err != nil {
		r.socket = nil // Read will say it again
		return
	}
	r.tryRead = r.readSocket
}

func (r *reader) fillFromSocket() error {
	err := r.socket.Read(r.tryRead)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		op.Op = "read" // it says raw-read
	}
	if err == nil {
		err = r.err
	}
	if err != nil {
		r.release()
	}
	return err
}

// readSocket tells whether Read has something to return. If not, the runtime waits until
// there is something to read, or for the deadline, and calls it again.
func (r *reader) readSocket(fd uintptr) bool {
	r.acquire()
	for {
		n, err := syscall.Read(int(fd), r.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.release()
			return false
		case err != nil:
			r.err = opError("read", r.conn, os.NewSyscallError("read", err))
		case n == 0:
			r.err = io.EOF
		default:
			r.end, r.err = n, nil
		}
		return true
	}
}
