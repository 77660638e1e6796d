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
	"golang.org/x/net/http2/hpack"

	"github.com/mcpconnect/mcpconnect/internal/h2"
)

// accept runs script for each connection, with the number that it has.
func accept(t *testing.T, script func(p *peer, number int)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for number := 0; ; number++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				preface := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != http2.ClientPreface {
					return // it was dialed for nothing
				}
				p := &peer{t: t, conn: conn, framer: http2.NewFramer(conn, conn)}
				p.header = hpack.NewEncoder(&p.block)
				p.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
				script(p, number)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return "http://" + ln.Addr().String()
}

// answer answers a request with some header fields.
func (p *peer) answer(id uint32, end bool, pairs ...string) {
	block := p.fields(append([]string{":status", "200"}, pairs...)...)
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: end})
}

// rest reads until the connection ends.
func (p *peer) rest() {
	for {
		if _, err := p.framer.ReadFrame(); err != nil {
			return
		}
	}
}

// TestServersThatMisbehave end the call that they answer, with an error, and nothing else.
func TestServersThatMisbehave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer func(p *peer)
		want   string // in the error of the response, or of its body
	}{
		{"no status", func(p *peer) {
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields("x", "y")})
		}, "PROTOCOL_ERROR"},
		{"a status of no sense", func(p *peer) {
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(":status", "2000")})
		}, "PROTOCOL_ERROR"},
		{"data before headers", func(p *peer) { _ = p.framer.WriteData(1, false, []byte("x")) }, "PROTOCOL_ERROR"},
		{"an end before headers", func(p *peer) { _ = p.framer.WriteData(1, true, nil) }, "PROTOCOL_ERROR"},
		{"a field of HTTP/1.1", func(p *peer) { p.answer(1, true, "connection", "close") }, "PROTOCOL_ERROR"},
		{"less than the length", func(p *peer) {
			p.answer(1, false, "content-length", "5")
			_ = p.framer.WriteData(1, true, []byte("x"))
		}, "unexpected EOF"},
		{"more than the length", func(p *peer) {
			p.answer(1, false, "content-length", "1")
			_ = p.framer.WriteData(1, true, []byte("xx"))
		}, "PROTOCOL_ERROR"},
		{"the connection breaks before the answer", func(p *peer) { _ = p.conn.(*net.TCPConn).CloseWrite() }, "EOF"},
		{"the connection breaks in the middle", func(p *peer) {
			p.answer(1, false)
			_ = p.framer.WriteData(1, false, []byte("x"))
			_ = p.conn.(*net.TCPConn).CloseWrite()
		}, "unexpected EOF"},
		{"it is reset", func(p *peer) { _ = p.framer.WriteRSTStream(1, http2.ErrCodeInternal) }, "stream ID 1; INTERNAL_ERROR; received from peer"},
		{"it is reset in the middle", func(p *peer) {
			p.answer(1, false)
			_ = p.framer.WriteRSTStream(1, http2.ErrCodeCancel)
		}, "CANCEL; received from peer"},
		{"a push", func(p *peer) {
			_ = p.framer.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: p.fields(getRoot...), EndHeaders: true})
		}, "PROTOCOL_ERROR"},
		{"too much that informs", func(p *peer) {
			for range 6 {
				_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields(":status", "103")})
			}
		}, "PROTOCOL_ERROR"},
		{"a length and no body", func(p *peer) { p.answer(1, true, "content-length", "5") }, "unexpected EOF"},
		{"settings that are a client's", func(p *peer) {
			_ = p.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})
		}, "PROTOCOL_ERROR"},
		{"goodbye with an error", func(p *peer) { _ = p.framer.WriteGoAway(0, http2.ErrCodeInternal, nil) }, "GOAWAY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := accept(t, func(p *peer, _ int) {
				_ = p.framer.WriteSettings()
				p.until("headers 1")
				tt.answer(p)
				p.rest()
			})
			res, err := ours(t).Get(url)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestWhatWasNotTakenIsMadeAgain on another connection, body and all, if the server says so; and is
// not if it may have been.
func TestWhatWasNotTakenIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		refuse func(p *peer)
	}{
		{"the server goes away", func(p *peer) {
			_ = p.framer.WriteSettings()
			p.until("headers 1")
			_ = p.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		}},
		{"there was one too many before that was known", func(p *peer) {
			p.until("headers 1")
			_ = p.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
			_ = p.framer.WriteRSTStream(1, http2.ErrCodeRefusedStream)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := accept(t, func(p *peer, number int) {
				if number == 0 {
					tt.refuse(p)
					p.rest()
					return
				}
				_ = p.framer.WriteSettings()
				p.until("data 1 5 end")
				p.answer(1, true)
				p.rest()
			})
			res, err := ours(t).Post(url, "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
		})
	}
}

// TestMoreConnections are opened when the server takes no more streams on those that there are, and
// not before.
func TestMoreConnections(t *testing.T) {
	t.Parallel()
	const most, calls = 3, 10
	release := make(chan struct{})
	var conns atomic.Int64
	begun := make(chan struct{}, calls)
	addr := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-release
	}), false, func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: most}
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
	})
	c := ours(t)
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			res, err := c.Get("http://" + addr)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		})
		<-begun // the settings have come by then, and the next one knows
		if want := int64(i/most + 1); conns.Load() != want {
			t.Errorf("%d calls took %d connections, want %d", i+1, conns.Load(), want)
		}
	}
	close(release)
	callers.Wait()
}

// TestCancelledCalls tell the server, whatever they are about.
func TestCancelledCalls(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(p *peer){
		"before the answer": func(*peer) {},
		"in the middle":     func(p *peer) { p.answer(1, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			told := make(chan struct{})
			url := accept(t, func(p *peer, _ int) {
				_ = p.framer.WriteSettings()
				p.until("headers 1")
				begin(p)
				if name == "before the answer" {
					cancel()
				}
				p.until("reset 1 CANCEL")
				close(told)
				p.rest()
			})
			in, out := io.Pipe()
			defer out.Close()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, in)
			if err != nil {
				t.Fatal(err)
			}
			res, err := ours(t).Do(req)
			if err == nil {
				cancel()
				_, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			<-told
			if _, err := out.Write([]byte("x")); err == nil {
				t.Error("the body is still read")
			}
		})
	}
}

// TestClosedBodies end the call.
func TestClosedBodies(t *testing.T) {
	t.Parallel()
	told := make(chan struct{})
	url := accept(t, func(p *peer, _ int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, false)
		_ = p.framer.WriteData(1, false, []byte("x"))
		p.until("reset 1 CANCEL")
		close(told)
		p.rest()
	})
	res, err := ours(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("got %v", err)
	}
	<-told
}

// TestBodiesFail with their reader.
func TestBodiesFail(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	url := accept(t, func(p *peer, _ int) {
		_ = p.framer.WriteSettings()
		p.until("reset 1 CANCEL")
		p.rest()
	})
	_, err := ours(t).Post(url, "text/plain", io.MultiReader(strings.NewReader("x"), failing{boom}))
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestEarlyAnswers end before the request does.
func TestEarlyAnswers(t *testing.T) {
	t.Parallel()
	url := accept(t, func(p *peer, _ int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, false)
		_ = p.framer.WriteData(1, true, []byte("no"))
		p.until("reset 1")
		p.rest()
	})
	in, out := io.Pipe()
	res, err := ours(t).Post(url, "text/plain", in)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != "no" {
		t.Errorf("got %q, %v", got, err)
	}
	for range 2 { // the first may be on its way
		_, err = out.Write(make([]byte, 1<<20))
	}
	if err == nil {
		t.Error("the body is still read")
	}
}

// tellClosed closes a channel when the only connection of a server is closed.
func tellClosed(closed chan struct{}) func(*http.Server) {
	return func(s *http.Server) {
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(closed)
			}
		}
	}
}

// TestIdleConnections end after their time, and when the client is of no more use.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(tr *http.Transport, closeIdle func()){
		"after their time": func(*http.Transport, func()) {},
		"at once":          func(_ *http.Transport, closeIdle func()) { closeIdle() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := make(chan struct{})
			addr := serve(t, http.HandlerFunc(hello), false, tellClosed(closed))
			tr := &http.Transport{Protocols: new(http.Protocols), IdleConnTimeout: time.Hour}
			tr.Protocols.SetUnencryptedHTTP2(true)
			if name == "after their time" {
				tr.IdleConnTimeout = 20 * time.Millisecond
			}
			closeIdle := h2.ConfigureTransport(tr)
			defer closeIdle()
			res, err := clientOf(tr).Get("http://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			end(tr, closeIdle)
			select {
			case <-closed:
			case <-time.After(patience):
				t.Error("the connection is open")
			}
		})
	}
}

// TestDialsAfterTheEnd leave no connection behind, and their requests fail.
func TestDialsAfterTheEnd(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	addr := serve(t, http.HandlerFunc(hello), false, tellClosed(closed))
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	closeIdle := h2.ConfigureTransport(tr)
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		closeIdle()
		return conn, err
	}
	res, err := clientOf(tr).Get("http://" + addr)
	if err == nil {
		_ = res.Body.Close()
		t.Error("the request succeeds")
	}
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("the connection is open")
	}
}

// TestManyCallersOfOurs is TestManyCallers with both ends of this package, and TLS.
func TestManyCallersOfOurs(t *testing.T) {
	t.Parallel()
	change, standard := secure(t)
	tr := standard.Transport.(*http.Transport).Clone()
	tr.TLSNextProto = nil
	tr.DisableCompression = true
	closeIdle := h2.ConfigureTransport(tr)
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		closeIdle()
	})
	c := clientOf(tr)
	url := "https://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"X-End", r.Proto)
	}), false, change)
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for i := range 30 {
				size := (caller*7919 + i*104729) % (1 << uint(i%20+1))
				sent := bytes.Repeat([]byte{byte(caller), byte(i)}, size/2)
				var body io.Reader = bytes.NewReader(sent)
				if i%2 == 0 {
					body = unknownLength{body}
				}
				res, err := c.Post(url, "application/octet-stream", body)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || !bytes.Equal(got, sent) || res.Trailer.Get("X-End") != "HTTP/2.0" {
					t.Errorf("sent %d bytes, got %d, %v, trailer %v", len(sent), len(got), err, res.Trailer)
				}
			}
		})
	}
	callers.Wait()
}

// TestDialsAtTheSameTime make one connection.
func TestDialsAtTheSameTime(t *testing.T) {
	t.Parallel()
	var served sync.Map
	addr := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { served.Store(r.RemoteAddr, true) }), false)
	c := ours(t)
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			res, err := c.Get("http://" + addr)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		})
	}
	callers.Wait()
	n := 0
	served.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Error(fmt.Sprint(n, " connections were used"))
	}
}

// TestNothingGoesInClear that is meant for TLS, to the same host and port.
func TestNothingGoesInClear(t *testing.T) {
	t.Parallel()
	change, standard := secure(t)
	addrs := make(chan string, 2)
	addrs <- serve(t, http.HandlerFunc(hello), false)
	addrs <- serve(t, http.HandlerFunc(hello), false, change)
	tr := standard.Transport.(*http.Transport).Clone()
	tr.TLSNextProto = nil
	tr.DisableCompression = true
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, <-addrs)
	}
	closeIdle := h2.ConfigureTransport(tr)
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		closeIdle()
	})
	for _, url := range []string{"http://example.com:443", "https://example.com:443"} {
		res, err := clientOf(tr).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got, want := res.TLS != nil, strings.HasPrefix(url, "https"); got != want {
			t.Errorf("%s: TLS %v, want %v", url, got, want)
		}
	}
}
