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
	"syscall"
	"testing"
	"time"
)

// forever is longer than any test takes.
const forever = time.Hour

func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))) // with one nobody polls
	os.Exit(m.Run())
}

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
		t.Fatalf("the reader of a %T does not poll", here)
	}
	return c, there
}

// warm has the reader poll at the next Read, for as long as window. It gives what tells when that begins.
func (c *conn) warm(window time.Duration) (polls chan struct{}) {
	latest.Store(c)
	c.window, c.rest = window, 0
	polls = make(chan struct{}, 1)
	look := c.look
	c.look = func(fd uintptr) bool {
		select {
		case polls <- struct{}{}:
		default:
		}
		return look(fd)
	}
	return polls
}

func TestWhoPollsHears(t *testing.T) {
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
				c, there := pair(t, network)
				polls := c.warm(forever)
				failed := make(chan error, 1)
				go func() {
					<-polls
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

func TestWhenToPoll(t *testing.T) {
	c, there := pair(t, "tcp")
	latest.Store(c)
	c.window = forever // all messages come soon
	for i := range after {
		if c.rest == 0 {
			t.Fatalf("it polls after %d messages, want %d", i, after)
		}
		receive(t, c, there, "small")
	}
	if c.rest != 0 {
		t.Fatalf("it does not poll after %d small messages that came soon, but after %d more", after, c.rest)
	}
	receive(t, c, there, strings.Repeat("x", small))
	if c.rest != after {
		t.Errorf("after a large message %d small ones must come, want %d", c.rest, after)
	}
	for _, tt := range []struct {
		name       string
		n          int
		took       time.Duration
		rest, want int
	}{
		{"a small message", small - 1, 2 * window, 10, 9},
		{"a large message", small, 0, 10, 10},
		{"a late message", 1, 2*window + 1, 0, after},
		{"a late message in a long pause", 1, 2*window + 1, 10, 10},
		{"an end", 0, 0, 10, 10},
	} {
		c.window, c.rest = window, tt.rest
		c.note(tt.n, tt.took)
		if c.rest != tt.want {
			t.Errorf("%s: %d messages must come, want %d", tt.name, c.rest, tt.want)
		}
	}
}

// pollSince polls as a Read does that has begun to some time ago.
func (c *conn) pollSince(ago time.Duration) {
	c.readers.Add(1)
	defer c.readers.Add(-1)
	c.poll(time.Now().Add(-ago))
}

func TestTwoConnections(t *testing.T) {
	c, there := pair(t, "tcp")
	other, otherThere := pair(t, "tcp")
	c.warm(forever)
	receive(t, c, there, "small")
	if c.rest != 0 {
		t.Fatalf("alone it pauses for %d messages", c.rest)
	}
	other.rest = 0
	receive(t, other, otherThere, "small")
	receive(t, c, there, "small")
	for name, c := range map[string]*conn{"the first": c, "the other": other} {
		if c.rest < shareRest-1 {
			t.Errorf("%s pauses for %d messages, want %d", name, c.rest, shareRest)
		}
	}
}

// TestInVain has nothing come: the reader gives up, and waits as others do.
func TestInVain(t *testing.T) {
	c, there := pair(t, "tcp")
	polls := c.warm(time.Microsecond)
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 10))
		read <- err
	}()
	<-polls
	if err := write(there, "late"); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	rest := 0
	for range 20 {
		c.pollSince(forever) // it is too late
		if c.rest <= rest && c.rest < maxRest {
			t.Fatalf("the pause was %d, and is %d after one more time in vain", rest, c.rest)
		}
		rest = c.rest
	}
	if rest != maxRest {
		t.Errorf("after many times in vain the pause is %d, want %d", rest, maxRest)
	}
	c.warm(forever)
	receive(t, c, there, "small")
	if c.rest != 0 || c.lastRest >= maxRest {
		t.Errorf("when it was not in vain the pause is %d, and the last one is taken for %d, want 0 and less than %d", c.rest, c.lastRest, maxRest)
	}
	if err := write(there, "x"); err != nil {
		t.Fatal(err)
	}
	c.pollSince(forever * 2 / 3)
	if c.rest != after {
		t.Errorf("after a poll that took long the pause is %d, want %d", c.rest, after)
	}
}

// TestWhoDoesNotPoll are the reads that net/http does while a handler runs, and those of nothing.
func TestWhoDoesNotPoll(t *testing.T) {
	c, there := pair(t, "tcp")
	polls := c.warm(forever)
	for n := range 2 {
		receive(t, c, there, "x"[:n])
	}
	if len(polls) > 0 || c.rest != 0 {
		t.Errorf("it polled %d times, and the pause is %d", len(polls), c.rest)
	}
}

// TestNothingIsLost sends messages of all sizes, soon and late.
func TestNothingIsLost(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			c, there := pair(t, network)
			polls := c.warm(window)
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
			if len(polls) == 0 {
				t.Error("nobody polled")
			}
		})
	}
}

// TestSeveralReaders get what comes, and who polls leaves it to the others.
func TestSeveralReaders(t *testing.T) {
	c, there := pair(t, "tcp")
	polls := c.warm(forever)
	const readers = 3
	read := make(chan error, readers)
	for range readers {
		go func() {
			_, err := c.Read(make([]byte, 2))
			read <- err
		}()
	}
	<-polls
	for c.readers.Load() < readers {
		runtime.Gosched()
	}
	for range readers {
		if err := write(there, "hi"); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
	}
	if n := c.readers.Load(); n != 0 {
		t.Errorf("at the end there are %d readers", n)
	}
}

func TestTheRestIsThatOfTheConnectionBelow(t *testing.T) {
	c, there := pair(t, "unix")
	if _, ok := c.NetConn().(*net.UnixConn); !ok {
		t.Errorf("below is a %T", c.NetConn())
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

// A buffered connection has SyscallConn by what it embeds, and reads something else.
type buffered struct {
	*net.TCPConn

	in io.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

// An unbuffered connection says that it may be polled.
type unbuffered struct{ net.Conn }

func (u unbuffered) PollConn() (syscall.RawConn, error) { return u.Conn.(*net.TCPConn).SyscallConn() }

func TestOneProcessor(t *testing.T) {
	c, _ := pair(t, "tcp")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := Conn(c.Conn); got != c.Conn {
		t.Errorf("it is kept busy by a %T", got)
	}
}

func TestWhichConnections(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	c, _ := pair(t, "tcp")
	tcp := c.Conn.(*net.TCPConn)
	for name, tt := range map[string]struct {
		conn  net.Conn
		polls bool
	}{
		"TCP":                           {tcp, true},
		"a pipe":                        {here, false},
		"TCP with a buffer before":      {buffered{tcp, strings.NewReader("hi")}, false},
		"TCP with something else":       {unbuffered{tcp}, true},
		"a connection that polls by us": {c, false},
	} {
		if got := Conn(tt.conn); (got != tt.conn) != tt.polls {
			t.Errorf("%s: got a %T", name, got)
		}
	}
}
