// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Proxied is a floor for gateways: a child process for each TCP connection, whose lines are copied as
// they are.
const Proxied = "raw-proxy-child"

type proxied struct{}

func (proxied) Name() string { return Proxied }

func (proxied) Serve(ctx context.Context, ln net.Listener, _ Setup) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return eachConn(ctx, ln, func(conn net.Conn) error {
		return proxy(conn, exec.Command(exe, ChildArg)) //nolint:noctx // it ends with the connection
	})
}

// proxy copies between a connection and a child, until the connection ends.
func proxy(conn net.Conn, child *exec.Cmd) error {
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	var answers sync.WaitGroup
	answers.Go(func() { _, _ = io.Copy(conn, out) }) // of one client
	_, err = io.Copy(in, conn)
	err = errors.Join(err, in.Close())
	answers.Wait()
	return errors.Join(err, child.Wait())
}

func (proxied) Dial(ctx context.Context, addr string, _ int) (Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return dialSDK(ctx, &mcp.IOTransport{Reader: io.NopCloser(conn), Writer: conn}, "")
}
