// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// rawFrames is a floor: the frames of our stream on TCP, each behind its length, with
// buffers that are flushed when nothing waits.
type rawFrames struct{}

func rawTCP() []Contender { return []Contender{rawFrames{}} }

func (rawFrames) Name() string { return "raw-tcp" }

func (rawFrames) Serve(ctx context.Context, ln net.Listener, setup Setup) error {
	service, err := newPlainService(setup)
	if err != nil {
		return err
	}
	return eachConn(ctx, ln, func(conn net.Conn) error { return service.serveFrames(ctx, newTCPFrames(conn)) })
}

// eachConn serves each connection of a listener, until ctx ends. What it fails with is its client's alone.
func eachConn(ctx context.Context, ln net.Listener, serve func(net.Conn) error) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	return until(ctx, func() error {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return err
			}
			conns.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				defer conn.Close()
				_ = serve(conn)
			})
		}
	}, func() { _ = ln.Close() })
}

func (rawFrames) Dial(ctx context.Context, addr string, _ int) (Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return stubClient{newFrameStub(newTCPFrames(conn), func() { _ = conn.Close() })}, nil
}

type tcpFrames struct {
	in        *bufio.Reader
	out       *bufio.Writer
	inBuffer  []byte
	outBuffer []byte
}

func newTCPFrames(conn net.Conn) *tcpFrames {
	return &tcpFrames{in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriterSize(conn, 64<<10)}
}

func (f *tcpFrames) send(batch []*mcpv1.Envelope) error {
	for _, e := range batch {
		var err error
		if f.outBuffer, err = (proto.MarshalOptions{}).MarshalAppend(append(f.outBuffer[:0], 0, 0, 0, 0), e); err != nil {
			return err
		}
		binary.BigEndian.PutUint32(f.outBuffer, uint32(len(f.outBuffer)-4))
		if _, err := f.out.Write(f.outBuffer); err != nil {
			return err
		}
	}
	return f.out.Flush()
}

func (f *tcpFrames) receive() (*mcpv1.Envelope, error) {
	var size [4]byte
	if _, err := io.ReadFull(f.in, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > maxMessage {
		return nil, fmt.Errorf("frame of %d bytes", n)
	}
	if cap(f.inBuffer) < n {
		f.inBuffer = make([]byte, n)
	}
	if _, err := io.ReadFull(f.in, f.inBuffer[:n]); err != nil {
		return nil, err
	}
	e := &mcpv1.Envelope{}
	return e, proto.Unmarshal(f.inBuffer[:n], e)
}
