// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair gives a Conn that coalesces, and its peer. What is written waits for the peer to read
// it: the pipe has no buffer.
func pair(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	below, peer := net.Pipe()
	c := Client(below)
	t.Cleanup(func() {
		_ = c.Close()
		_ = peer.Close()
	})
	return c, peer
}

func wantWrite(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Errorf("Write of %d bytes: got %d, %v", len(s), n, err)
	}
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got[:n], err, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
	var op *net.OpError
	if err != nil && !errors.As(err, &op) {
		t.Errorf("%s: error %v is no *net.OpError", what, err)
	}
}

func wantElapsed(t *testing.T, since time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(since); got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}

func TestWritesAreJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t)
		wantWrite(t, c, "first ")
		synctest.Wait() // the flusher has taken it, and waits for the peer
		var want []byte
		for range 1000 {
			wantWrite(t, c, "small ")
			want = append(want, "small "...)
		}
		wantRead(t, peer, "first ")
		got := make([]byte, writeBuffer)
		n, err := peer.Read(got)
		if err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("one read gave %d bytes and %v, want all %d", n, err, len(want))
		}
	})
}

func TestBufferIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t)
		start := time.Now()
		c.SetWriteDeadline(start.Add(time.Second))
		n, err := c.Write(make([]byte, 1<<20))
		wantError(t, "Write to a peer that does not read", err, os.ErrDeadlineExceeded)
		wantElapsed(t, start, time.Second)
		if n < writeBuffer || n > 2*writeBuffer {
			t.Errorf("got %d bytes into the buffer, want between %d and %d", n, writeBuffer, 2*writeBuffer)
		}

		// Not a byte more or less than was said arrives.
		c.SetWriteDeadline(time.Time{})
		wantRead(t, peer, string(make([]byte, n)))
		go c.Close()
		if more, err := io.ReadAll(peer); len(more) > 0 || err != nil {
			t.Errorf("got %d bytes too many, %v", len(more), err)
		}
	})
}

func TestBackPressureEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t)
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		go func() {
			if n, err := c.Write(want); n != len(want) || err != nil {
				t.Errorf("got %d, %v, want %d", n, err, len(want))
			}
			_ = c.Close()
		}()
		got, err := io.ReadAll(peer)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v, want the %d that were written", len(got), err, len(want))
		}
	})
}

func TestWriteDeadline(t *testing.T) {
	t.Parallel()
	full := func(c *Conn) (int, error) { return c.Write(make([]byte, 3*writeBuffer)) }
	for _, tt := range []struct {
		name string
		set  func(c *Conn)
		want time.Duration
	}{
		{"set before", func(c *Conn) { c.SetWriteDeadline(time.Now().Add(time.Second)) }, time.Second},
		{"set before for both directions", func(c *Conn) { c.SetDeadline(time.Now().Add(time.Second)) }, time.Second},
		{"in the past", func(c *Conn) { c.SetWriteDeadline(time.Unix(1, 0)) }, 0},
		{"set meanwhile", func(c *Conn) {
			time.AfterFunc(time.Second, func() { c.SetWriteDeadline(time.Now().Add(time.Second)) })
		}, 2 * time.Second},
		{"set into the past meanwhile", func(c *Conn) {
			time.AfterFunc(time.Second, func() { c.SetWriteDeadline(time.Unix(1, 0)) })
		}, time.Second},
		{"moved out meanwhile", func(c *Conn) {
			c.SetWriteDeadline(time.Now().Add(2 * time.Second))
			time.AfterFunc(time.Second, func() { c.SetWriteDeadline(time.Now().Add(4 * time.Second)) })
		}, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, _ := pair(t)
				start := time.Now()
				tt.set(c)
				_, err := full(c)
				wantError(t, "Write", err, os.ErrDeadlineExceeded)
				wantElapsed(t, start, tt.want)
				_, err = c.Write([]byte("x"))
				wantError(t, "next Write", err, os.ErrDeadlineExceeded)
			})
		})
	}
}

func TestDeadlineStopsFlushUntilMoved(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		read int // bytes that the peer takes before the deadline
	}{{"nothing was taken", 0}, {"a part was taken", 3}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const text = "in the buffer"
				c, peer := pair(t)
				c.SetWriteDeadline(time.Now().Add(time.Second))
				wantWrite(t, c, text)
				if tt.read > 0 {
					wantRead(t, peer, text[:tt.read])
				}
				time.Sleep(2 * time.Second)
				peer.SetReadDeadline(time.Now().Add(time.Second))
				if n, err := peer.Read(make([]byte, 1)); n > 0 || err == nil {
					t.Fatal("bytes arrive after the write deadline")
				}
				peer.SetReadDeadline(time.Time{})
				c.SetWriteDeadline(time.Time{})
				wantWrite(t, c, ", and more")
				wantRead(t, peer, text[tt.read:]+", and more")
			})
		})
	}
}

// The HTTP/2 server clears the deadline when Write has returned, so it must not be forgotten
// in the connection below.
func TestDeadlineIsClearedBelow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer := pair(t)
		for range 3 {
			c.SetWriteDeadline(time.Now().Add(time.Second))
			wantWrite(t, c, "x")
			synctest.Wait()
			c.SetWriteDeadline(time.Time{})
			time.Sleep(time.Minute)
			wantRead(t, peer, "x")
		}
	})
}

// A faulty connection fails to write.
type faulty struct {
	net.Conn
	err error
}

func (f faulty) Write([]byte) (int, error) { return 0, f.err }

func TestWriteErrorIsStickyAndPrompt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		errBroken := errors.New("broken")
		below, peer := net.Pipe()
		defer peer.Close()
		c := Client(faulty{below, &net.OpError{Op: "write", Net: "pipe", Err: errBroken}})
		readErr := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			readErr <- err
		}()
		wantWrite(t, c, "lost")
		if err := <-readErr; err == nil {
			t.Error("the reader was woken without an error")
		}
		for range 2 {
			_, err := c.Write([]byte("x"))
			wantError(t, "Write", err, errBroken)
		}
		wantError(t, "CloseWrite", c.out.shut(), errBroken)
		wantError(t, "Close", c.Close(), errBroken)
	})
}

// A socket lets its reader have what the peer said before its end.
func TestWriteErrorLeavesWhatThePeerSaid(t *testing.T) {
	t.Parallel()
	below, peer := net.Pipe()
	c := Client(faulty{below, os.NewSyscallError("write", syscall.EPIPE)})
	defer c.Close()
	wantWrite(t, c, "lost")
	go func() {
		_, _ = peer.Write([]byte("goodbye"))
		_ = peer.Close()
	}()
	wantRead(t, c, "goodbye")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestBlockedWriteWakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wake func(c *Conn, peer net.Conn)
		want error
	}{
		{"by Close", func(c *Conn, _ net.Conn) { _ = c.Close() }, net.ErrClosed},
		{"by an error", func(_ *Conn, peer net.Conn) { _ = peer.Close() }, io.ErrClosedPipe},
		{"by CloseWrite", func(c *Conn, _ net.Conn) {
			c.SetWriteDeadline(time.Now().Add(time.Hour))
			go func() { _ = c.out.shut() }()
		}, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, peer := pair(t)
				failed := make(chan error, 1)
				go func() {
					_, err := c.Write(make([]byte, 1<<20))
					failed <- err
				}()
				synctest.Wait()
				tt.wake(c, peer)
				wantError(t, "Write", <-failed, tt.want)
			})
		})
	}
}

// The bytes of a Write stay together, and no writer waits for ever.
func TestWritersAreServedInTurn(t *testing.T) {
	t.Parallel()
	const writers, times = 4, 8
	c, peer := pair(t)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range times {
				if _, err := c.Write(bytes.Repeat([]byte{byte('a' + i)}, writeBuffer)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var order []byte
	block := make([]byte, writeBuffer)
	for range writers * times {
		if _, err := io.ReadFull(peer, block); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(block, block[:1]); n != len(block) {
			t.Fatalf("a Write of %d bytes was torn after %d", len(block), n)
		}
		order = append(order, block[0])
	}
	all.Wait()
	// All wait all the time, so nobody should be behind by much more than a turn.
	for i := range writers {
		if bytes.IndexByte(order, byte('a'+i)) >= writers*times/2 {
			t.Errorf("writer %c comes late: %s", 'a'+i, order)
		}
	}
}
