// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// A socket is a Unix socket that goes with its listener, unless another one has taken its place.
type socket struct {
	*net.UnixListener

	path string
	file fs.FileInfo
}

// Addr is where the socket is, and not where it was made.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

// Close stops listening.
func (s *socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.file) {
		_ = os.Remove(s.path) // what is left of it is replaced the next time
	}
	return s.UnixListener.Close()
}

// listenUnix listens on a Unix socket with a mode. It takes the place of a socket whose process is
// dead, and of nothing else. The socket is made in a folder of its own, and comes to its path when
// it has its mode: no umask opens it for a moment.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (_ net.Listener, err error) {
	parent := filepath.Dir(path)
	if info, err := os.Stat(parent); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return nil, fmt.Errorf("everybody can write %s, and so put another socket into the place of ours: take that right away (chmod o-w), or use another folder", parent)
	}
	stale, err := staleSocket(ctx, path)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, ".mcp")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := filepath.Join(dir, "s")
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", made)
	if err != nil {
		return nil, err
	}
	s := &socket{UnixListener: ln.(*net.UnixListener), path: path} //nolint:errcheck,forcetypeassert // that is what it is
	s.SetUnlinkOnClose(false)
	if err = os.Chmod(made, mode); err == nil {
		s.file, err = os.Lstat(made)
	}
	if err == nil && stale != nil {
		err = moveAway(path, filepath.Join(dir, "stale"), stale)
	}
	if err == nil {
		err = os.Link(made, path) // which replaces nothing
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return s, nil
}

// staleSocket gives the socket at path if it is one of ours that nobody serves, nil for nothing.
func staleSocket(ctx context.Context, path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there, and is no socket: remove it, or listen somewhere else", path)
	case !isOurs(info):
		return nil, fmt.Errorf("%s is a socket of another user: remove it, or listen somewhere else", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		return nil, errors.Join(fmt.Errorf("somebody serves at %s already", path), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil, err
	}
	return info, nil
}

// moveAway moves what is at path, if it is still what it was.
func moveAway(path, to string, was fs.FileInfo) error {
	if err := os.Rename(path, to); err != nil {
		return err
	}
	now, err := os.Lstat(to)
	if err == nil && !os.SameFile(now, was) {
		err = fmt.Errorf("somebody else has begun to serve at %s", path)
		if back := os.Rename(to, path); back != nil {
			err = errors.Join(err, back)
		}
	}
	return err
}
