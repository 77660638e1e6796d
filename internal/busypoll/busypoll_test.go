// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package busypoll

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// forever is longer than any test takes.
const forever = time.Hour

// pair gives a connection and its other end.
func pair(t *testing.T, network string) (*conn, net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "") //nolint:usetesting // whose paths may be too long for sockets
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	there, err := net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	here, err := Listener(ln).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close() })
	c, ok := here.(*conn)
	if !ok {
		t.Fatalf("the reader of a %T does not stay awake", here)
	}
	return c, there
}

// alone has nobody else stay awake, who might have the only place.
func alone(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if n := awake.Load(); n != 0 {
			t.Errorf("at the end %d readers are said to be awake", n)
		}
	})
	if runtime.GOMAXPROCS(0) < 2 {
		before := runtime.GOMAXPROCS(2)
		t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	}
}

// isAwake waits until somebody is.
func isAwake(t *testing.T) {
	t.Helper()
	for begun := time.Now(); awake.Load() == 0; runtime.Gosched() {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("nobody stays awake")
		}
	}
}

func TestWhoIsAwakeHears(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for name, tc := range map[string]struct {
			happens func(c *conn, there net.Conn) error
			want    string
			err     error
		}{
			"a message":           {func(_ *conn, there net.Conn) error { return write(there, "hi") }, "hi", nil},
			"the end":             {func(_ *conn, there net.Conn) error { return there.Close() }, "", io.EOF},
			"that it was closed":  {func(c *conn, _ net.Conn) error { return c.Close() }, "", net.ErrClosed},
			"that its time is up": {func(c *conn, _ net.Conn) error { return c.SetReadDeadline(time.Unix(1, 0)) }, "", os.ErrDeadlineExceeded},
		} {
			t.Run(network+"/"+name, func(t *testing.T) {
				alone(t)
				c, there := pair(t, network)
				c.window, c.rest = forever, 0
				failed := make(chan error, 1)
				go func() {
					isAwake(t)
					failed <- tc.happens(c, there)
				}()
				b := make([]byte, 10)
				n, err := c.Read(b)
				if string(b[:n]) != tc.want || !errors.Is(err, tc.err) {
					t.Errorf("Read gave %q, %v, want %q, %v", b[:n], err, tc.want, tc.err)
				}
				if err := <-failed; err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func write(to io.Writer, s string) error {
	_, err := io.WriteString(to, s)
	return err
}

// receive has the peer say something, and reads it.
func receive(t *testing.T, c *conn, there net.Conn, message string) {
	t.Helper()
	if err := write(there, message); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(message))
	if n, err := c.Read(b); n != len(b) || err != nil {
		t.Fatalf("Read gave %d bytes and %v, want %d", n, err, len(b))
	}
}

func TestWhenToStayAwake(t *testing.T) {
	alone(t)
	c, there := pair(t, "tcp")
	c.window = forever // all messages come soon
	for i := range after {
		if c.rest == 0 {
			t.Fatalf("worth it after %d messages, want %d", i, after)
		}
		receive(t, c, there, "small")
	}
	if c.rest != 0 {
		t.Fatalf("not worth it after %d small messages that came soon: %d more", after, c.rest)
	}
	receive(t, c, there, strings.Repeat("x", small))
	if c.rest != after {
		t.Errorf("after a large message %d small ones must come, want %d", c.rest, after)
	}
	c.rest, c.window = 0, 0 // no message comes soon
	receive(t, c, there, "small")
	if c.rest != after {
		t.Errorf("after a message that came late %d small ones must come, want %d", c.rest, after)
	}
}

func TestInVain(t *testing.T) {
	alone(t)
	c, there := pair(t, "tcp")
	rest := 0
	for range 20 {
		c.rest = 0
		c.stayAwake(time.Now().Add(-forever)) // it is too late
		if c.rest <= rest && c.rest < maxRest {
			t.Fatalf("the rest was %d, and is %d after one more time in vain", rest, c.rest)
		}
		rest = c.rest
	}
	if rest != maxRest {
		t.Errorf("after many times in vain the rest is %d, want %d", rest, maxRest)
	}
	c.window, c.rest = forever, 0
	receive(t, c, there, "small")
	if c.rest != 0 || c.misses >= maxRest {
		t.Errorf("when it was not in vain the rest is %d, and the next would be from %d, want 0 and less than %d", c.rest, c.misses, maxRest)
	}
}

func TestHalfOfTheProcessors(t *testing.T) {
	alone(t)
	most := int32(runtime.GOMAXPROCS(0) / 2)
	awake.Add(most)
	defer awake.Add(-most)
	c, there := pair(t, "tcp")
	c.window, c.rest = forever, 0
	c.stayAwake(time.Now()) // or the test would not end
	if c.rest != 0 {
		t.Errorf("who found no place rests for %d messages, want none", c.rest)
	}
	receive(t, c, there, "small")
}

// TestNothingIsLost sends messages of all sizes, soon and late, to several readers too.
func TestNothingIsLost(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			c, there := pair(t, network)
			seed := rand.Uint64()
			random := rand.New(rand.NewPCG(seed, 0))
			var want bytes.Buffer
			sent := make(chan error, 1)
			go func() {
				for range 2000 {
					b := bytes.Repeat([]byte{byte(random.Uint32())}, 1+random.IntN(2*small))
					if random.IntN(4) > 0 {
						b = b[:1+len(b)/100]
					}
					want.Write(b)
					if _, err := there.Write(b); err != nil {
						sent <- err
						return
					}
					for range random.IntN(300) {
						runtime.Gosched()
					}
				}
				sent <- there.(interface{ CloseWrite() error }).CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err := errors.Join(err, <-sent); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want.Bytes()) {
				t.Errorf("seed %d: read %d bytes that are not the %d that were written", seed, len(got), want.Len())
			}
		})
	}
}

func TestTwoReaders(t *testing.T) {
	alone(t)
	c, there := pair(t, "tcp")
	c.window, c.rest = forever, 0
	read := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
	}
	if err := write(there, "hi"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-read, <-read); err != nil {
		t.Error(err)
	}
}

func TestTheRestIsThatOfTheConnectionBelow(t *testing.T) {
	c, there := pair(t, "unix")
	if _, ok := c.NetConn().(*net.UnixConn); !ok {
		t.Errorf("below is a %T", c.NetConn())
	}
	if raw, err := c.SyscallConn(); raw == nil || err != nil {
		t.Errorf("SyscallConn gave %v, %v", raw, err)
	}
	if n, err := c.ReadFrom(strings.NewReader("hi")); n != 2 || err != nil {
		t.Errorf("ReadFrom gave %d, %v", n, err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(there); string(got) != "hi" || err != nil {
		t.Errorf("the peer read %q, %v", got, err)
	}
}

func TestConnectionsWithoutAFile(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := Conn(a); got != a {
		t.Errorf("it is another one, a %T", got)
	}
}
