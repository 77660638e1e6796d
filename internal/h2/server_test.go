// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/mcpconnect/mcpconnect/internal/h2"
)

// TestTLS negotiates HTTP/2.
func TestTLS(t *testing.T) {
	t.Parallel()
	change, c := secure(t)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", r.TLS != nil, " ", h2.Served(r.Context()), " ", r.Context().Value(http.ServerContextKey) != nil)
	}), false, change)
	res, err := c.Get("https://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "HTTP/2.0 true true true" {
		t.Errorf("got %q, %v", body, err)
	}
}

// TestHTTP1 stays net/http's.
func TestHTTP1(t *testing.T) {
	t.Parallel()
	tr := new(http.Transport)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("http://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", h2.Served(r.Context()))
	}), false))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "HTTP/1.1 false" {
		t.Errorf("got %q, %v", body, err)
	}
}

// TestContexts end with the call, with its client, and with the connection, and have what the server
// gives them.
func TestContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	ended := make(chan string, 1)
	begun := make(chan context.Context, 1)
	addr := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		begun <- r.Context()
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
			ended <- fmt.Sprint(r.Context().Err(), r.Context().Value(key{}))
		}
	}), false, func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, key{}, " and its connection")
		}
	})
	for name, end := range map[string]func(cancel context.CancelFunc, c *http.Client){
		"by the client":     func(cancel context.CancelFunc, _ *http.Client) { cancel() },
		"by the connection": func(_ context.CancelFunc, c *http.Client) { c.Transport.(*cutter).cut() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		c := client(t)
		c.Transport = newCutter(c.Transport.(*http.Transport))
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/wait", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			res, err := c.Do(r)
			if err == nil {
				_ = res.Body.Close()
			}
			failed <- err
		}()
		<-begun
		end(cancel, c)
		if err := <-failed; err == nil {
			t.Errorf("ended %s: the call did not fail", name)
		}
		if got := <-ended; got != "context canceled and its connection" {
			t.Errorf("ended %s: got %q", name, got)
		}
		cancel()
	}
	res, err := client(t).Get("http://" + addr + "/at-once")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	<-(<-begun).Done() // with the end of the handler
}

// A cutter can cut its connections.
type cutter struct {
	*http.Transport

	mu    sync.Mutex
	conns []net.Conn
}

func newCutter(tr *http.Transport) *cutter {
	c := &cutter{Transport: tr}
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conns = append(c.conns, conn)
		return conn, err
	}
	return c
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// TestShutdownLosesNothing: what has begun ends, what comes later is told so before it is taken, so
// that a client that makes it again elsewhere makes it once.
func TestShutdownLosesNothing(t *testing.T) {
	t.Parallel()
	var handled, answered atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		handled.Add(1)
		_, _ = io.WriteString(w, "x")
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetUnencryptedHTTP2(true)
	wait := h2.Configure(s)
	go func() { _ = s.Serve(ln) }() // until Shutdown
	c := client(t)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				res, err := c.Get("http://" + ln.Addr().String())
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err == nil {
					answered.Add(1)
				}
				_ = res.Body.Close()
			}
		})
	}
	for answered.Load() < 100 { // all are at work
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	callers.Wait()
	wait()
	if handled.Load() != answered.Load() {
		t.Errorf("%d calls were handled, and %d answered", handled.Load(), answered.Load())
	}
}

// TestShutdownWaitsForHandlers, and tells the others.
func TestShutdownWaitsForHandlers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	p := dial(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-release
	}), false))
	p.begin().open(1, true)
	p.until("goaway NO_ERROR")
	p.open(3, true) // is on its way meanwhile
	close(release)
	p.untilAll("data 1 0 end", "data 3 0 end", "goaway NO_ERROR 3")
	p.until("closed")
}

// TestClientsThatStayOn do not keep a connection that ends: once they know, nothing new is taken.
func TestClientsThatStayOn(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var handled atomic.Int64
	p := dial(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		handled.Add(1)
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).Flush()
		<-release
	}), false))
	p.begin().open(1, true)
	p.until("goaway NO_ERROR 2147483647")
	p.until("goaway NO_ERROR 1")
	p.open(3, false)
	_ = p.framer.WriteData(3, false, []byte("x"))
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-sum", "1")})
	_ = p.framer.WritePing(false, [8]byte{'s', 'e', 'n', 't'})
	p.next("ping true sent")
	close(release)
	p.next("data 1 0 end")
	_ = p.framer.WriteRawFrame(http2.FrameData, 0, 0, nil)
	p.next("goaway PROTOCOL_ERROR 1") // an id does not grow again
	if handled.Load() != 1 {
		t.Errorf("%d requests were handled", handled.Load())
	}
}

// TestGoodbye of a client: what it has begun ends.
func TestGoodbye(t *testing.T) {
	t.Parallel()
	p := dial(t, serve(t, http.HandlerFunc(hello), false))
	_ = p.begin().open(1, true).framer.WriteGoAway(0, http2.ErrCodeNo, nil)
	p.untilAll("headers 1 200", "data 1 5 end", "goaway NO_ERROR 1")
	p.until("closed")
}

// TestDataOfNoStream is answered, but not for ever.
func TestDataOfNoStream(t *testing.T) {
	t.Parallel()
	p := dial(t, serve(t, http.HandlerFunc(hello), false))
	p.begin().open(1, true)
	p.until("data 1 5 end")
	for range 1000 {
		_ = p.framer.WriteData(1, false, []byte("x"))
	}
	p.open(3, true)
	p.next("reset 1 STREAM_CLOSED")
	p.next("headers 3 200")
}

// TestWhatComesTooLate for a stream that was reset is not held against its client: it did not know.
func TestWhatComesTooLate(t *testing.T) {
	t.Parallel()
	p := dial(t, serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), false))
	p.begin().open(1, false)
	p.until("reset 1 NO_ERROR")
	_ = p.framer.WriteData(1, false, []byte("x"))
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-sum", "1")})
	p.open(3, true)
	p.next("headers 3 200")
}

// TestManyCallers send and get bodies of all sizes over one connection.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	c := client(t)
	url := "http://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"X-End", "yes")
	}), false)
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for i := range 30 {
				size := (caller*7919 + i*104729) % (1 << uint(i%20+1))
				sent := bytes.Repeat([]byte{byte(caller), byte(i)}, size/2)
				res, err := c.Post(url, "application/octet-stream", bytes.NewReader(sent))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || !bytes.Equal(got, sent) || res.Trailer.Get("X-End") != "yes" {
					t.Errorf("sent %d bytes, got %d, %v, trailer %v", len(sent), len(got), err, res.Trailer)
				}
			}
		})
	}
	callers.Wait()
}

// TestBothWays: a handler answers piece by piece while the request goes on.
func TestBothWays(t *testing.T) {
	t.Parallel()
	url := "http://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			if err != nil {
				return
			}
			_, _ = w.Write(bytes.ToUpper(buf[:n]))
			_ = http.NewResponseController(w).Flush()
		}
	}), false)
	in, out := io.Pipe()
	res, err := client(t).Post(url, "text/plain", in)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for word := range strings.FieldsSeq("one two three") {
		_, _ = io.WriteString(out, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != strings.ToUpper(word) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	_ = out.Close()
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("got %q, %v", rest, err)
	}
}

// TestReadDeadline ends a read that waits, and one that comes later, until it is moved.
func TestReadDeadline(t *testing.T) {
	t.Parallel()
	got := make(chan error, 3)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		buf := make([]byte, 1)
		for range 2 {
			_, err := r.Body.Read(buf)
			got <- err
		}
		_ = control.SetReadDeadline(time.Time{})
		_, err := r.Body.Read(buf)
		got <- err
	}), false)
	p := dial(t, addr)
	p.begin().open(1, false)
	for range 2 {
		if err := <-got; !isTimeout(err) {
			t.Errorf("got %v, want a timeout", err)
		}
	}
	_ = p.framer.WriteData(1, true, []byte("x"))
	if err := <-got; err != nil {
		t.Errorf("after the deadline was moved: %v", err)
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
