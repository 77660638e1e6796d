// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// servedOn gives the client's end of a pipe, which takes nothing that is not read, with a server at the
// other. Its caller is in a bubble of testing/synctest.
func servedOn(t *testing.T, h http.Handler, hs *http.Server) (net.Conn, *http2.Framer) {
	t.Helper()
	hs.ErrorLog = log.New(io.Discard, "", 0)
	s := &server{hs: hs, conns: map[*serverConn]struct{}{}}
	nc, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		s.serve(theirs, h, false)
		close(served)
	}()
	t.Cleanup(func() {
		_ = nc.Close()
		<-served
		synctest.Wait() // for the handlers
		s.workers.Close()
	})
	_, _ = io.WriteString(nc, http2.ClientPreface)
	fr := http2.NewFramer(nc, nc)
	_ = fr.WriteSettings()
	return nc, fr
}

// TestAnswersWithoutABodyThatNobodyReads fill no memory: no window holds them back.
func TestAnswersWithoutABodyThatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]http.HandlerFunc{
		"header":   func(http.ResponseWriter, *http.Request) {},
		"trailers": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(http.TrailerPrefix+"Grpc-Status", "16") },
		"resets":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const most = 20_000
				var handled atomic.Int64
				large := strings.Repeat("x", 1000)
				_, fr := servedOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Large", fmt.Sprint(handled.Add(1), large))
					handle(w, r)
				}), &http.Server{HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 8}})
				for id, before := uint32(1), int64(-1); handled.Load() > before; id += 2 {
					if before = handled.Load(); before == most {
						t.Fatalf("%d requests of a client that reads nothing were handled", most)
					}
					block := []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'x'} // GET http / x
					_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true})
					synctest.Wait()
				}
			})
		})
	}
}

// TestRefusalsThatNobodyReads end the connection.
func TestRefusalsThatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 100_000
		_, fr := servedOn(t, http.NotFoundHandler(), &http.Server{})
		for i := range uint32(most) {
			malformed := []byte{0x82}
			if fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: malformed, EndHeaders: true, EndStream: true}) != nil {
				return
			}
		}
		t.Errorf("%d streams were refused to a client that reads nothing", most)
	})
}

// TestIdleTime counts from the end of the last request.
func TestIdleTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cfg  *http.HTTP2Config
		late time.Duration // a ping is waited for
	}{
		{"no pings", nil, 0},
		{"few pings", &http.HTTP2Config{SendPingTimeout: time.Hour}, 0},
		{"pings", &http.HTTP2Config{SendPingTimeout: 7 * time.Second, PingTimeout: 5 * time.Second}, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const idle, begin = time.Minute, 30 * time.Second
				nc, fr := servedOn(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), &http.Server{IdleTimeout: idle, HTTP2: tt.cfg})
				pongs := http2.NewFramer(nc, nil)
				begun, left := time.Now(), make(chan time.Duration, 1)
				go func() {
					for {
						f, err := fr.ReadFrame()
						if err != nil {
							return
						}
						switch f := f.(type) {
						case *http2.GoAwayFrame:
							left <- time.Since(begun)
							return
						case *http2.PingFrame:
							_ = pongs.WritePing(true, f.Data)
						}
					}
				}()
				time.Sleep(begin) // in the bubble
				block := []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'x'}
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true, EndStream: true})
				if got := <-left; got < begin+idle || got > begin+idle+tt.late {
					t.Errorf("the connection ended after %v, want %v", got, begin+idle)
				}
			})
		})
	}
}

// calling gives a client's end of a pipe in a bubble of testing/synctest, with what a server reads and
// writes at the other end.
func calling(t *testing.T, l limits) (*clientConn, net.Conn, *http2.Framer) {
	t.Helper()
	p := &pool{limits: l, conns: map[string][]*clientConn{}}
	nc, theirs := net.Pipe()
	c := newClientConn(p, "http://x", nc)
	t.Cleanup(func() {
		_ = theirs.Close()
		synctest.Wait()
		p.workers.Close()
	})
	return c, theirs, http2.NewFramer(theirs, theirs)
}

var clientLimits = limits{recvConn: recvWindow, recvStream: recvWindow, maxFrame: maxFrame, maxHeaders: 1 << 16}

// get begins a call.
func get(ctx context.Context, t *testing.T, c *clientConn) *call {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	x, err := newCall(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.open(x); err != nil {
		t.Fatal(err)
	}
	return x
}

// A mute takes no bytes, and gives none.
type mute struct{ net.Conn }

func (mute) Write([]byte) (int, error) { return 0, net.ErrClosed }

// TestConnectionsThatFailBeforeTheyAreServed end at once.
func TestConnectionsThatFailBeforeTheyAreServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := calling(t, clientLimits)
		c.nc = mute{c.nc}
		_, err := get(t.Context(), t, c).wait()
		begun := time.Now()
		c.serve()
		if waited := time.Since(begun); waited > 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("the connection lasted %v, and the call gave %v", waited, err)
		}
	})
}

// TestCallsEndWithTheRule that their server breaks, whether or not it takes note of that.
func TestCallsEndWithTheRule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs, fr := calling(t, clientLimits)
		go c.serve()
		go func() { _, _ = io.CopyN(io.Discard, theirs, 1<<10) }() // no more than the request
		x := get(t.Context(), t, c)
		begun := time.Now()
		_ = fr.WriteSettings()
		_ = fr.WriteRawFrame(http2.FrameData, 0, 0, nil)
		_, err := x.wait()
		if waited := time.Since(begun); waited > 0 || !errors.Is(err, http2.ConnectionError(http2.ErrCodeProtocol)) {
			t.Errorf("got %v after %v", err, waited)
		}
		if c.hasRoom() {
			t.Error("the connection takes more calls")
		}
	})
}

// TestCancelledAnswersAreCredited, or the connection would carry no more of them.
func TestCancelledAnswersAreCredited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs, fr := calling(t, clientLimits)
		go c.serve()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		_ = fr.WriteSettings()
		for id := uint32(1); id < 20; id += 2 {
			ctx, cancel := context.WithCancel(t.Context())
			x := get(ctx, t, c)
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndHeaders: true}) // 200
			for range recvWindow / 2 / maxFrame {
				_ = fr.WriteData(id, false, make([]byte, maxFrame))
			}
			res, err := x.wait()
			if err != nil {
				t.Fatalf("call %d: %v", id, err)
			}
			cancel()
			if _, err := io.Copy(io.Discard, res.Body); !errors.Is(err, context.Canceled) {
				t.Fatalf("call %d: the body gave %v", id, err)
			}
			synctest.Wait()
		}
	})
}

// TestCrumbs of a cookie are put together at once, however many there are.
func TestCrumbs(t *testing.T) { // not in parallel: AllocsPerRun counts all allocations
	fields := make([]hpack.HeaderField, 800)
	for i := range fields {
		fields[i] = hpack.HeaderField{Name: "cookie", Value: "a=b"}
	}
	var header http.Header
	if n := testing.AllocsPerRun(10, func() { header, _ = headerOf(fields) }); n > 40 {
		t.Errorf("%v allocations", n)
	}
	if got := header["Cookie"]; len(got) != 1 || got[0] != strings.TrimSuffix(strings.Repeat("a=b; ", len(fields)), "; ") {
		t.Errorf("got %d values", len(got))
	}
}

// A goneConn is a connection to which nothing can be written any more, with what the server has said
// before still to be read.
type goneConn struct {
	net.Conn

	why  error
	gone atomic.Bool
	told chan struct{} // closed when somebody has been told
	late sync.Once
}

func (c *goneConn) Write(b []byte) (int, error) {
	if !c.gone.Load() {
		return c.Conn.Write(b)
	}
	close(c.told)
	return 0, c.why
}

func (c *goneConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.gone.Load() {
		<-c.told
		c.late.Do(func() { time.Sleep(hangUp / 2) })
	}
	return n, err
}

// TestWhatAServerHasSaidBeforeItWent is heard, though nothing can be written any more.
func TestWhatAServerHasSaidBeforeItWent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		why            error
		goAway         bool
		answered, lost error
		after          time.Duration // the write has failed
	}{
		"an answer":                  {syscall.EPIPE, false, nil, syscall.EPIPE, hangUp},
		"and what it has left":       {syscall.EPIPE, true, nil, errNoRoom, hangUp / 2},
		"not if it is there, though": {os.ErrDeadlineExceeded, false, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, theirs, fr := calling(t, clientLimits)
				nc := &goneConn{Conn: c.nc, why: tt.why, told: make(chan struct{})}
				c.nc = nc
				ended := make(chan struct{})
				go func() {
					c.serve()
					close(ended)
				}()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				_ = fr.WriteSettings()
				answered := get(t.Context(), t, c)
				synctest.Wait()
				nc.gone.Store(true)
				lost := get(t.Context(), t, c)
				begun := time.Now()
				if c.hasRoom() {
					t.Error("the connection takes more calls")
				}
				said := make(chan struct{})
				go func() {
					defer close(said)
					if tt.goAway {
						_ = fr.WriteGoAway(1, http2.ErrCodeNo, nil)
					}
					_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true}) // 200
				}()
				_, lostErr := lost.wait()
				if waited := time.Since(begun); !errors.Is(lostErr, tt.lost) || waited != tt.after {
					t.Errorf("the call that was not answered got %v after %v, want %v after %v", lostErr, waited, tt.lost, tt.after)
				}
				if res, err := answered.wait(); !errors.Is(err, tt.answered) {
					t.Errorf("the call that was answered got %v, want %v", err, tt.answered)
				} else if err == nil {
					_ = res.Body.Close()
				}
				<-ended
				if waited := time.Since(begun); waited > hangUp {
					t.Errorf("the connection lasted for %v", waited)
				}
				<-said
			})
		})
	}
}

// TestPeersThatReadSlowly do not hold up whoever happens to write to them: calls end with their context.
func TestPeersThatReadSlowly(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"nothing": time.Hour, "a byte now and then": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := clientLimits
				l.writeStall = 15 * time.Second
				c, theirs, _ := calling(t, l)
				go c.serve()
				go func() {
					for b := make([]byte, 1); ; {
						select {
						case <-time.After(every):
						case <-t.Context().Done():
							return
						}
						if _, err := theirs.Read(b); err != nil {
							return
						}
					}
				}()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				begun := time.Now()
				_, err := get(ctx, t, c).wait()
				if waited := time.Since(begun); waited > 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v after %v", err, waited)
				}
			})
		})
	}
}
