// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// BenchmarkCalls has a client that costs next to nothing make small gRPC calls, some at a time.
func BenchmarkCalls(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/grpc")
		_, _ = w.Write(message[:5])
		_, _ = w.Write(message[5:])
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})
	for _, standard := range []bool{true, false} {
		for _, inFlight := range []int{1, 64} {
			name := "h2"
			if standard {
				name = "standard"
			}
			b.Run(fmt.Sprintf("%s/%d", name, inFlight), func(b *testing.B) {
				c := dialRaw(b, serve(b, handler, standard))
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i += inFlight {
					c.calls(b, min(inFlight, b.N-i))
				}
			})
		}
	}
}

// A rawClient writes frames, and counts the streams that end.
type rawClient struct {
	conn   net.Conn
	framer *http2.Framer
	out    bytes.Buffer
	block  []byte
	body   []byte
	next   uint32
	credit int
}

func dialRaw(b *testing.B, addr string) *rawClient {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	e.SetMaxDynamicTableSize(0)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", "/mcp.v1.MCP/InvokeTool"}, {":authority", "localhost"}, {"content-type", "application/grpc"}, {"te", "trailers"}, {"grpc-accept-encoding", "gzip"}, {"user-agent", "bench"}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	c := &rawClient{conn: conn, block: block.Bytes(), body: append([]byte{0, 0, 0, 0, 32}, make([]byte, 32)...), next: 1}
	c.framer = http2.NewFramer(&c.out, conn)
	c.framer.SetReuseFrames()
	c.out.WriteString(http2.ClientPreface)
	_ = c.framer.WriteSettings()
	return c
}

func (c *rawClient) calls(b *testing.B, n int) {
	for range n {
		_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.next, BlockFragment: c.block, EndHeaders: true})
		_ = c.framer.WriteData(c.next, true, c.body)
		c.next += 2
	}
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		b.Fatal(err)
	}
	c.out.Reset()
	for n > 0 {
		f, err := c.framer.ReadFrame()
		if err != nil {
			b.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.DataFrame:
			if c.credit += len(f.Data()); c.credit > 1<<14 {
				_ = c.framer.WriteWindowUpdate(0, uint32(c.credit))
				c.credit = 0
			}
			if f.StreamEnded() {
				n--
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				n--
			}
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.framer.WriteSettingsAck()
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			b.Fatal(f)
		}
	}
}
