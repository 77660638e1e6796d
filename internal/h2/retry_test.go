// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// inTime fails the test if f does not return.
func inTime(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it takes for ever")
	}
}

// TestRefusedCalls are made again, as far as their body can be, and until their context ends.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	const refused = "REFUSED_STREAM"
	for _, tt := range []struct {
		name  string
		body  func() io.Reader
		again bool
	}{
		{"no body", func() io.Reader { return nil }, true},
		{"a small body", func() io.Reader { return strings.NewReader("hello") }, true},
		{"a large body", func() io.Reader { return bytes.NewReader(make([]byte, 60_000)) }, true},
		{"a body that comes once", func() io.Reader { return unknownLength{strings.NewReader("hello")} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := accept(t, func(p *peer, _ int) {
				_ = p.framer.WriteSettings()
				_ = p.framer.WriteWindowUpdate(0, 1<<20)
				p.until("headers 1")
				p.answer(1, true) // the client knows by now what it may
				p.until("headers 3")
				_ = p.framer.WriteRSTStream(3, http2.ErrCodeRefusedStream)
				if !tt.again {
					p.rest()
					return
				}
				for size, ended := 0, strings.HasSuffix(p.until("headers 5"), "end"); !ended; {
					var id uint32
					var n int
					_, _ = fmt.Sscanf(p.until("data 5"), "data %d %d", &id, &n)
					size += n
					ended = size == 5 || size == 60_000
				}
				p.answer(5, true)
				p.rest()
			})
			c := ours(t)
			res, err := c.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			res, err = c.Post(url, "text/plain", tt.body())
			if err == nil {
				_ = res.Body.Close()
			}
			if tt.again && err != nil || !tt.again && (err == nil || !strings.Contains(err.Error(), refused)) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("again and again", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		url := accept(t, func(p *peer, _ int) {
			_ = p.framer.WriteSettings()
			p.until("headers 1")
			p.answer(1, true)
			for id := uint32(3); id < 7; id += 2 {
				p.until(fmt.Sprint("headers ", id))
				_ = p.framer.WriteRSTStream(id, http2.ErrCodeRefusedStream)
			}
			cancel()
			p.rest()
		})
		c := ours(t)
		res, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestGoodbyesWithAnError fail what the server may have taken, with the reason. All else is made again.
func TestGoodbyesWithAnError(t *testing.T) {
	t.Parallel()
	taken := make(chan struct{})
	url := accept(t, func(p *peer, number int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, true)
		if number > 0 {
			p.rest()
			return
		}
		p.until("headers 3")
		close(taken)
		p.until("headers 5")
		_ = p.framer.WriteGoAway(3, http2.ErrCodeEnhanceYourCalm, nil)
	})
	c := ours(t)
	get := func() error {
		res, err := c.Get(url)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- get() }()
	<-taken
	if err := get(); err != nil {
		t.Errorf("what was not taken: %v", err)
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "ENHANCE_YOUR_CALM") {
		t.Errorf("what was taken: got %v, want the reason", err)
	}
}

// A rewindingBody is one that is the same when it is made again, as those of RPC libraries are.
type rewindingBody struct {
	t       *testing.T
	reading atomic.Bool
	closed  chan struct{}
	rest    *strings.Reader
}

func (b *rewindingBody) Read(p []byte) (int, error) {
	b.reading.Store(true)
	defer b.reading.Store(false)
	if b.closed != nil {
		<-b.closed
		for range 1000 {
			runtime.Gosched()
		}
		return 0, io.ErrClosedPipe
	}
	return b.rest.Read(p)
}

func (b *rewindingBody) Close() error {
	if b.closed != nil {
		close(b.closed)
	}
	return nil
}

func (b *rewindingBody) again() (io.ReadCloser, error) {
	if b.reading.Load() {
		b.t.Error("the body is made again while it is still read")
	}
	return &rewindingBody{t: b.t, rest: strings.NewReader("hello")}, nil
}

// TestBodiesAreMadeAgainWhenNobodyReadsThem any more.
func TestBodiesAreMadeAgainWhenNobodyReadsThem(t *testing.T) {
	t.Parallel()
	url := accept(t, func(p *peer, number int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		if number == 0 {
			_ = p.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
			p.rest()
			return
		}
		p.until("data 1 5")
		p.answer(1, true)
		p.rest()
	})
	body := &rewindingBody{t: t, closed: make(chan struct{})}
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.GetBody = body.again
	res, err := ours(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// A callingBody makes a call when it is read, and one when it is closed.
type callingBody struct {
	io.Reader

	call func()
}

func (b callingBody) Read(p []byte) (int, error) {
	b.call()
	return b.Reader.Read(p)
}

func (b callingBody) Close() error {
	b.call()
	return nil
}

// TestBodiesMayCall on the connection that they go out on: it is not locked meanwhile.
func TestBodiesMayCall(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{5, -1} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			t.Parallel()
			c := ours(t)
			url := "http://" + serve(t, http.HandlerFunc(hello), false)
			call := func() {
				res, err := c.Get(url)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
			}
			call()
			inTime(t, func() {
				req, err := http.NewRequest(http.MethodPost, url, callingBody{strings.NewReader("hello"), call})
				if err != nil {
					t.Error(err)
					return
				}
				req.ContentLength = length
				req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("once is enough") }
				res, err := c.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
			})
		})
	}
}

// TestAnswersAsRequests: the body of a request is that of an answer on the same connection, and the
// request fails when all of it was sent.
func TestAnswersAsRequests(t *testing.T) {
	t.Parallel()
	url := accept(t, func(p *peer, _ int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, false)
		_ = p.framer.WriteData(1, true, []byte("x"))
		p.until("data 3")
		p.until("data 3 0 end")
		_ = p.framer.WriteRSTStream(3, http2.ErrCodeInternal)
		p.rest()
	})
	c := ours(t)
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	inTime(t, func() {
		_, err = c.Post(url, "text/plain", res.Body)
		if err == nil || !strings.Contains(err.Error(), "INTERNAL_ERROR") {
			t.Errorf("got %v", err)
		}
	})
}

// TestHooksMayUseTheConnection that they tell of.
func TestHooksMayUseTheConnection(t *testing.T) {
	t.Parallel()
	url := accept(t, func(p *peer, _ int) {
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, false)
		p.until("headers 3")
		_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndHeaders: true, BlockFragment: p.fields(":status", "103")})
		p.until("reset 1 CANCEL")
		p.answer(3, true)
		p.rest()
	})
	c := ours(t)
	other, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	inTime(t, func() {
		trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return other.Body.Close() }}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		res, err := c.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		_ = res.Body.Close()
	})
}

// TestBodiesOfAnotherLength than they say are not sent as if they had it.
func TestBodiesOfAnotherLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{3, 7} {
		for _, size := range []int{5, 50_000} {
			c := ours(t)
			url := "http://" + serve(t, http.HandlerFunc(hello), false)
			res, err := c.Get(url) // the connection is there
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			body := make([]byte, size)
			req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(size) - 5 + length
			if res, err := c.Do(req); err == nil {
				_ = res.Body.Close()
				t.Errorf("%d bytes were sent as %d", size, req.ContentLength)
			}
		}
	}
}

// TestTrailersComeWithTheEnd of the body that is read, and not before: until then the map is its
// user's.
func TestTrailersComeWithTheEnd(t *testing.T) {
	t.Parallel()
	t.Run("of a request", func(t *testing.T) {
		t.Parallel()
		got, sent := make(chan string, 2), make(chan struct{})
		p := dial(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-sent
			got <- fmt.Sprint(r.Trailer)
			_, _ = io.Copy(io.Discard, r.Body)
			got <- fmt.Sprint(r.Trailer)
		}), false))
		p.begin().open(1, false, "trailer", "x-sum")
		_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-sum", "1")})
		_ = p.framer.WritePing(false, [8]byte{'s', 'e', 'n', 't'})
		p.until("ping true sent")
		close(sent)
		if before, after := <-got, <-got; before != "map[X-Sum:[]]" || after != "map[X-Sum:[1]]" {
			t.Errorf("got %q, then %q", before, after)
		}
	})
	t.Run("of an answer", func(t *testing.T) {
		t.Parallel()
		sent := make(chan struct{})
		url := accept(t, func(p *peer, _ int) {
			_ = p.framer.WriteSettings()
			p.until("headers 1")
			p.answer(1, false, "trailer", "x-sum")
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-sum", "1")})
			_ = p.framer.WritePing(false, [8]byte{'s', 'e', 'n', 't'})
			p.until("ping true sent")
			close(sent)
			p.rest()
		})
		res, err := ours(t).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		<-sent
		before := fmt.Sprint(res.Trailer)
		_, _ = io.Copy(io.Discard, res.Body)
		if after := fmt.Sprint(res.Trailer); before != "map[X-Sum:[]]" || after != "map[X-Sum:[1]]" {
			t.Errorf("got %q, then %q", before, after)
		}
	})
}

// TestWhatComesTooLateForACall is taken without a word: a server that is told again and again may take
// that for an attack.
func TestWhatComesTooLateForACall(t *testing.T) {
	t.Parallel()
	told := make(chan struct{})
	url := accept(t, func(p *peer, _ int) {
		defer close(told)
		_ = p.framer.WriteSettings()
		p.until("headers 1")
		p.answer(1, false)
		p.until("reset 1 CANCEL")
		for range 100 {
			_ = p.framer.WriteData(1, false, []byte("x"))
		}
		_ = p.framer.WritePing(false, [8]byte{'s', 'e', 'n', 't'})
		p.next("ping true sent")
	})
	res, err := ours(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	<-told
}

// TestHeadersThatAreTooLarge for the server fail alone: sent, they could end the connection, and the
// other calls with it.
func TestHeadersThatAreTooLarge(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c := ours(t)
	url := "http://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "hello")
	}), false, small)
	other, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Body.Close()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		req.Header.Set(fmt.Sprint("X-Large-", i), strings.Repeat(fmt.Sprint(i), 8<<10))
	}
	if res, err := c.Do(req); err == nil || !strings.Contains(err.Error(), "header") {
		if err == nil {
			_ = res.Body.Close()
		}
		t.Errorf("got %v", err)
	}
	close(release)
	if got, err := io.ReadAll(other.Body); err != nil || string(got) != "hello" {
		t.Errorf("the other call got %q, %v", got, err)
	}
}
