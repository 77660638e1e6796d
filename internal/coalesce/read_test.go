// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tcpPair gives both ends of a connection.
func tcpPair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// pipePair is tcpPair without sockets.
func pipePair(t testing.TB) (net.Conn, net.Conn) {
	a, b := net.Pipe()
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

var pairs = map[string]func(testing.TB) (net.Conn, net.Conn){"tcp": tcpPair, "pipe": pipePair}

func TestPrefaceBeginsCoalescing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		parts []string
		want  bool
	}{
		{"in one piece", []string{preface}, true},
		{"as net/http asks for it", []string{preface[:14], preface[14:]}, true},
		{"byte by byte", strings.Split(preface, ""), true},
		{"with what follows", []string{preface + "frames"}, true},
		{"with what follows in parts", []string{preface[:20], preface[20:] + "frames"}, true},
		{"not complete", []string{preface[:len(preface)-1]}, false},
		{"not complete, then wrong", []string{preface[:len(preface)-1], "X"}, false},
		{"not the first", []string{"x", preface}, false},
		{"HTTP/1.1", []string{"GET / HTTP/1.1\r\n\r\n"}, false},
		{"a method of HTTP/1.1 that begins like it", []string{"PRI * HTTP/1.1\r\n\r\n"}, false},
		{"HTTP/1.1, then the preface", []string{"GET / HTTP/1.1\r\n\r\n", preface}, false},
		{"TLS", []string{"\x16\x03\x01"}, false},
	}
	for i := 1; i < len(preface); i++ {
		tests = append(tests, struct {
			name  string
			parts []string
			want  bool
		}{fmt.Sprintf("split at %d", i), []string{preface[:i], preface[i:]}, true})
	}
	for _, tt := range tests {
		for name, pair := range pairs {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				t.Parallel()
				below, peer := pair(t)
				c := server(below)
				for _, part := range tt.parts {
					go wantWrite(t, peer, part)
					wantRead(t, c, part)
				}
				if got := c.out.on.Load(); got != tt.want {
					t.Errorf("coalescing: got %v, want %v", got, tt.want)
				}
				go wantWrite(t, peer, "question")
				wantRead(t, c, "question")
				go wantWrite(t, c, "answer")
				wantRead(t, peer, "answer")
			})
		}
	}
}

// coalescing gives a server's Conn that has read the preface.
func coalescing(t testing.TB, pair func(testing.TB) (net.Conn, net.Conn)) (*Conn, net.Conn) {
	t.Helper()
	below, peer := pair(t)
	c := server(below)
	go io.WriteString(peer, preface)
	if _, err := io.ReadFull(c, make([]byte, len(preface))); err != nil {
		t.Fatal(err)
	}
	return c, peer
}

// A counted connection counts reads.
type counted struct {
	net.Conn
	reads int
}

func (c *counted) Read(p []byte) (int, error) {
	c.reads++
	return c.Conn.Read(p)
}

func TestReadsAreBuffered(t *testing.T) {
	t.Parallel()
	below, peer := tcpPair(t)
	count := &counted{Conn: below}
	c := server(count)
	wantWrite(t, peer, preface)
	wantRead(t, c, preface)
	wantWrite(t, peer, strings.Repeat("header 9b", 100))
	before := count.reads
	for range 100 {
		wantRead(t, c, "header 9b")
	}
	if got := count.reads - before; got > 3 {
		t.Errorf("100 frames took %d reads", got)
	}
	// Large payloads are not copied.
	large := strings.Repeat("x", 10*readBuffer)
	go wantWrite(t, peer, large)
	wantRead(t, c, large)
}

func TestReadDeadline(t *testing.T) {
	t.Parallel()
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, peer := coalescing(t, pair)
			go wantWrite(t, peer, "abc")
			wantRead(t, c, "a") // and b, c are in the buffer

			c.SetReadDeadline(time.Unix(1, 0))
			n, err := c.Read(make([]byte, 2))
			if n != 0 {
				t.Errorf("got %d bytes after the deadline", n)
			}
			wantError(t, "Read", err, os.ErrDeadlineExceeded)
			c.SetReadDeadline(time.Time{})
			wantRead(t, c, "bc")

			for _, size := range []int{1, 2 * readBuffer} {
				c.SetReadDeadline(time.Time{})
				blocked := make(chan error, 1)
				go func() {
					_, err := c.Read(make([]byte, size))
					blocked <- err
				}()
				runtime.Gosched() // it may be blocked by now; the result is the same
				c.SetReadDeadline(time.Unix(1, 0))
				wantError(t, "blocked Read", <-blocked, os.ErrDeadlineExceeded)
			}
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err = c.Read(make([]byte, 1))
			wantError(t, "Read", err, os.ErrDeadlineExceeded)
			c.SetReadDeadline(time.Time{})
			go wantWrite(t, peer, "all well")
			wantRead(t, c, "all well")
		})
	}
}

func TestReadEnds(t *testing.T) {
	t.Parallel()
	for name, pair := range pairs {
		t.Run("with what came before the end, "+name, func(t *testing.T) {
			t.Parallel()
			c, peer := coalescing(t, pair)
			go func() {
				_, _ = peer.Write([]byte("last words"))
				_ = peer.Close()
			}()
			wantRead(t, c, "last words")
			for range 2 {
				if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
					t.Errorf("got %d, %v, want EOF", n, err)
				}
			}
		})
		t.Run("by Close, "+name, func(t *testing.T) {
			t.Parallel()
			c, _ := coalescing(t, pair)
			blocked := make(chan error, 1)
			go func() {
				_, err := c.Read(make([]byte, 1))
				blocked <- err
			}()
			runtime.Gosched()
			_ = c.Close()
			wantError(t, "Read", <-blocked, net.ErrClosed)
		})
	}
	t.Run("with an error of the socket", func(t *testing.T) {
		t.Parallel()
		c, peer := coalescing(t, tcpPair)
		_ = peer.(*net.TCPConn).SetLinger(0) // Close resets the connection
		_ = peer.Close()
		_, err := c.Read(make([]byte, 1))
		if err == nil || errors.Is(err, io.EOF) {
			t.Fatalf("got %v, want a reset", err)
		}
		wantError(t, "Read", err, err)
	})
}

func TestIdleConnectionsHoldNothing(t *testing.T) {
	const conns = 500
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC() // and what the pools held
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	var all [conns]*Conn
	var peers [conns]net.Conn
	for i := range all {
		all[i], peers[i] = coalescing(t, tcpPair)
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	for i, c := range all {
		wantWrite(t, c, strings.Repeat("x", writeBuffer))
		wantRead(t, peers[i], strings.Repeat("x", writeBuffer))
		wantWrite(t, peers[i], "y")
		wantRead(t, c, "y")
		go c.Read(make([]byte, 9)) // as the HTTP/2 server waits for frames
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > goroutines+conns && time.Now().Before(deadline) {
		runtime.Gosched() // flushers that are about to end
	}
	if got := runtime.NumGoroutine() - goroutines - conns; got > 0 {
		t.Errorf("%d flushers are left", got)
	}
	for _, c := range all {
		c.out.mu.Lock()
		if !c.out.empty() {
			t.Fatal("there is a write buffer")
		}
		c.out.mu.Unlock()
	}
	if grown := (int64(heap()) - int64(before)) / conns; grown > 1<<10 {
		t.Errorf("each idle connection holds %d bytes of heap", grown)
	}
}

func FuzzStreamsAreKept(f *testing.F) {
	f.Add([]byte(preface+"frames"), []byte{3, 14, 200}, []byte{1, 9})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{1}, []byte{255, 2})
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r"), []byte{24}, []byte{24})
	f.Fuzz(func(t *testing.T, stream, writes, reads []byte) {
		if len(stream) > 1<<16 {
			return
		}
		below, peer := net.Pipe()
		c := server(below)
		if bytes.HasPrefix(stream, []byte("!")) {
			c.out.begin() // as Negotiated
		}
		go func() { // the peer sends the stream in parts
			for i, rest := 0, stream; len(rest) > 0; i++ {
				n := min(part(writes, i), len(rest))
				_, _ = peer.Write(rest[:n])
				rest = rest[n:]
			}
		}()
		echoed := make(chan []byte)
		go func() {
			all := make([]byte, len(stream))
			n, _ := io.ReadFull(peer, all)
			echoed <- all[:n]
		}()
		var got []byte
		for i := 0; len(got) < len(stream); i++ {
			p := make([]byte, part(reads, i))
			n, err := c.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p[:n]...)
			if _, err := c.Write(p[:n]); err != nil {
				t.Fatal(err)
			}
		}
		if echo := <-echoed; !bytes.Equal(got, stream) || !bytes.Equal(echo, stream) {
			t.Errorf("read %q and echoed %q of %q", got, echo, stream)
		}
		if got, want := c.in.mode.Load() == buffering, bytes.HasPrefix(stream, []byte(preface)); got != want {
			t.Errorf("buffering: got %v, want %v", got, want)
		}
		_ = c.Close()
		_ = peer.Close()
	})
}

// part gives the size of the part i of a stream.
func part(sizes []byte, i int) int {
	if len(sizes) == 0 {
		return 1 << 10
	}
	return int(sizes[i%len(sizes)]) + 1
}
