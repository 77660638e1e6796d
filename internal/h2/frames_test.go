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
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mcpconnect/mcpconnect/internal/h2"
)

// A peer writes frames as it likes, and reads what comes of them.
type peer struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
	block  bytes.Buffer
	header *hpack.Encoder
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	p := &peer{t: t, conn: conn, framer: http2.NewFramer(conn, conn)}
	p.framer.AllowIllegalWrites = true
	p.header = hpack.NewEncoder(&p.block)
	p.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, _ = io.WriteString(conn, http2.ClientPreface)
	return p
}

// begin is what a client begins with.
func (p *peer) begin(settings ...http2.Setting) *peer {
	_ = p.framer.WriteSettings(settings...)
	return p
}

// fields are the header of a request.
func (p *peer) fields(pairs ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = p.header.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return bytes.Clone(p.block.Bytes())
}

var getRoot = []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "localhost"}

// open opens a stream.
func (p *peer) open(id uint32, end bool, more ...string) *peer {
	block := p.fields(append(append([]string{}, getRoot...), more...)...)
	const most = 16 << 10
	first := block[:min(len(block), most)]
	block = block[len(first):]
	_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(block) == 0, EndStream: end})
	for len(block) > 0 {
		part := block[:min(len(block), most)]
		block = block[len(part):]
		_ = p.framer.WriteContinuation(id, len(block) == 0, part)
	}
	return p
}

// until reads frames until one says what is wanted, and gives that.
func (p *peer) until(want string) string {
	p.t.Helper()
	var all []string
	for {
		f, err := p.framer.ReadFrame()
		said := tell(f, err)
		if said != "" {
			all = append(all, said)
		}
		if ping, ok := f.(*http2.PingFrame); ok && !ping.IsAck() {
			_ = p.framer.WritePing(true, ping.Data)
		}
		if strings.HasPrefix(said, want) {
			return said
		}
		if err != nil {
			p.t.Fatalf("got %q, want %q", all, want)
		}
	}
}

// next is until for the next frame that is not about windows or settings.
func (p *peer) next(want string) {
	p.t.Helper()
	for {
		said := p.until("")
		if said == "" || strings.HasPrefix(said, "window") || strings.HasPrefix(said, "settings") {
			continue
		}
		if !strings.HasPrefix(said, want) {
			p.t.Fatalf("got %q, want %q", said, want)
		}
		return
	}
}

// untilAll is until for what may come in any order.
func (p *peer) untilAll(want ...string) {
	p.t.Helper()
	for left := slices.Clone(want); len(left) > 0; {
		said := p.until("")
		left = slices.DeleteFunc(left, func(w string) bool { return strings.HasPrefix(said, w) })
		if said == "closed" && len(left) > 0 {
			p.t.Fatalf("%q did not come", left)
		}
	}
}

// tell says what a frame is about; nothing for what always comes.
func tell(f http2.Frame, err error) string {
	if err != nil {
		return "closed"
	}
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return fmt.Sprintf("headers %d %s%s", f.StreamID, f.PseudoValue("status"), ending(f.StreamEnded()))
	case *http2.DataFrame:
		return fmt.Sprintf("data %d %d%s", f.StreamID, len(f.Data()), ending(f.StreamEnded()))
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("reset %d %v", f.StreamID, f.ErrCode)
	case *http2.GoAwayFrame:
		return fmt.Sprintf("goaway %v %d", f.ErrCode, int32(f.LastStreamID))
	case *http2.PingFrame:
		return fmt.Sprintf("ping %v %s", f.IsAck(), f.Data[:])
	case *http2.WindowUpdateFrame:
		return fmt.Sprintf("window %d", f.StreamID)
	case *http2.SettingsFrame:
		if f.IsAck() {
			return "settings ack"
		}
	}
	return ""
}

func ending(end bool) string {
	if end {
		return " end"
	}
	return ""
}

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "hello")
}

// TestRules has clients break the rules of RFC 9113, and keep them where that is not usual. What
// h2spec tests is not here.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		send func(p *peer)
		want []string
	}{
		{"no settings first", func(p *peer) { p.open(1, true) }, []string{"goaway PROTOCOL_ERROR", "closed"}},
		{"a plain request", func(p *peer) { p.begin().open(1, true) }, []string{"settings ack", "headers 1 200", "data 1 5 end"}},
		{"a body in pieces, one of them empty", func(p *peer) {
			p.begin().open(1, false)
			_ = p.framer.WriteData(1, false, nil)
			_ = p.framer.WriteDataPadded(1, false, []byte("x"), make([]byte, 200))
			_ = p.framer.WriteData(1, true, []byte("x"))
		}, []string{"headers 1 200", "data 1 5 end"}},
		{"a field in capitals", func(p *peer) { p.begin().open(1, true, "X-Upper", "x") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a field of HTTP/1.1", func(p *peer) { p.begin().open(1, true, "connection", "close") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a te of HTTP/1.1", func(p *peer) { p.begin().open(1, true, "te", "gzip") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"two hosts", func(p *peer) { p.begin().open(1, true, "host", "elsewhere") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"the same host twice", func(p *peer) { p.begin().open(1, true, "host", "localhost") }, []string{"headers 1 200"}},
		{"the same host in capitals", func(p *peer) { p.begin().open(1, true, "host", "LocalHost") }, []string{"headers 1 200"}},
		{"a length that is none", func(p *peer) { p.begin().open(1, false, "content-length", "x") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"two lengths", func(p *peer) { p.begin().open(1, false, "content-length", "1", "content-length", "2") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"less than the length", func(p *peer) {
			p.begin().open(1, false, "content-length", "2")
			_ = p.framer.WriteData(1, true, []byte("x"))
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"more than the length", func(p *peer) {
			p.begin().open(1, false, "content-length", "2")
			_ = p.framer.WriteData(1, false, []byte("xxx"))
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a length and no body", func(p *peer) { p.begin().open(1, true, "content-length", "2") }, []string{"reset 1 PROTOCOL_ERROR"}},
		{"extended CONNECT, which was not offered", func(p *peer) {
			p.begin()
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields(
				":method", "CONNECT", ":scheme", "http", ":path", "/", ":authority", "localhost", ":protocol", "websocket")})
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a path that is none", func(p *peer) {
			p.begin()
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(
				":method", "GET", ":scheme", "http", ":path", "no-slash", ":authority", "localhost")})
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a path with a host", func(p *peer) {
			p.begin()
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(
				":method", "GET", ":scheme", "http", ":path", "http://elsewhere/", ":authority", "localhost")})
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"all paths", func(p *peer) {
			p.begin()
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(
				":method", "OPTIONS", ":scheme", "http", ":path", "*", ":authority", "localhost")})
		}, []string{"headers 1 200"}},
		{"an authority with a user", func(p *peer) {
			p.begin()
			_ = p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(
				":method", "GET", ":scheme", "http", ":path", "/", ":authority", "user:secret@localhost")})
		}, []string{"reset 1 PROTOCOL_ERROR"}},
		{"a header that is too large", func(p *peer) {
			large := strings.Repeat("x", 9<<10)
			p.begin().open(1, true, "x-a", large, "x-b", large, "x-c", large, "x-d", large)
			p.open(3, true)
		}, []string{"reset 1", "headers 3 200"}},
		{"a header without end", func(p *peer) { // CVE-2023-45288
			_ = p.begin().framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.fields(getRoot...)})
			for range 20 {
				_ = p.framer.WriteContinuation(1, false, p.fields("x-large", strings.Repeat("x", 16_000)))
			}
		}, []string{"goaway PROTOCOL_ERROR 0"}},
		{"settings without end", func(p *peer) { p.begin(make([]http2.Setting, 101)...) }, []string{"goaway PROTOCOL_ERROR 0"}},
		{"a stream that goes back", func(p *peer) { p.begin().open(3, true).open(1, true) }, []string{"goaway STREAM_CLOSED"}},
		{"a stream of ours", func(p *peer) { p.begin().open(2, true) }, []string{"goaway PROTOCOL_ERROR"}},
		{"a push", func(p *peer) {
			p.begin()
			_ = p.framer.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: p.fields(getRoot...), EndHeaders: true})
		}, []string{"goaway PROTOCOL_ERROR"}},
		{"a window that is too wide", func(p *peer) {
			p.begin().open(1, false)
			_ = p.framer.WriteWindowUpdate(1, 1<<31-1)
		}, []string{"reset 1 FLOW_CONTROL_ERROR"}},
		{"settings of no sense", func(p *peer) { p.begin(http2.Setting{ID: http2.SettingEnablePush, Val: 7}) }, []string{"goaway PROTOCOL_ERROR"}},
		{"a ping", func(p *peer) { _ = p.begin().framer.WritePing(false, [8]byte{'p', 'o', 'n', 'g'}) }, []string{"ping true pong"}},
		{"a frame that is too large", func(p *peer) { _ = p.begin().framer.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16<<10+1)) }, []string{"goaway FRAME_SIZE_ERROR"}},
		{"what nobody knows", func(p *peer) {
			_ = p.begin().framer.WriteRawFrame(77, 0, 1, []byte("x"))
			p.open(1, true)
		}, []string{"headers 1 200"}},
		{"a window that does not grow", func(p *peer) {
			p.begin().open(1, false)
			_ = p.framer.WriteRawFrame(http2.FrameWindowUpdate, 0, 1, make([]byte, 4))
			p.open(3, true)
		}, []string{"reset 1 PROTOCOL_ERROR", "headers 3 200"}},
		{"a window that does not grow, of no stream", func(p *peer) { _ = p.begin().framer.WriteRawFrame(http2.FrameWindowUpdate, 0, 7, make([]byte, 4)) }, []string{"goaway PROTOCOL_ERROR 0"}},
		{"a stream of ours, malformed", func(p *peer) { p.begin().open(2, true, "X-Upper", "x") }, []string{"goaway PROTOCOL_ERROR 0"}},
		{"a stream that goes back, malformed", func(p *peer) { p.begin().open(3, true).open(1, true, "X-Upper", "x") }, []string{"goaway STREAM_CLOSED 3"}},
		{"padding that is longer than its header", func(p *peer) {
			_ = p.begin().framer.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, []byte{9, 0x82})
		}, []string{"goaway PROTOCOL_ERROR 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := dial(t, serve(t, http.HandlerFunc(hello), false, small))
			tt.send(p)
			for _, want := range tt.want {
				p.until(want)
			}
		})
	}
}

// small bounds the header of requests.
func small(s *http.Server) { s.MaxHeaderBytes = 32 << 10 }

// TestUnreadBodiesFillTheirWindow, and no more: the client that sends more breaks a rule.
func TestUnreadBodiesFillTheirWindow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	p := dial(t, serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), false))
	p.begin().open(1, false)
	for range 1<<20/(16<<10) + 1 {
		if err := p.framer.WriteData(1, false, make([]byte, 16<<10)); err != nil {
			t.Fatal(err)
		}
	}
	p.until("goaway FLOW_CONTROL_ERROR")
}

// TestWindowsAreKept: no more is sent than the client allows, of a stream and of all.
func TestWindowsAreKept(t *testing.T) {
	t.Parallel()
	const size = 200_000
	p := dial(t, serve(t, say(strings.Repeat("x", size)), false))
	p.begin(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
	p.open(1, true).open(3, true)
	left := map[uint32]int{1: 1000, 3: 1000}
	got := map[uint32]int{}
	all := 65535
	for ended := 0; ended < 2; {
		f, err := p.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		d, ok := f.(*http2.DataFrame)
		if !ok {
			continue
		}
		n := len(d.Data())
		left[d.StreamID], all, got[d.StreamID] = left[d.StreamID]-n, all-n, got[d.StreamID]+n
		if left[d.StreamID] < 0 || all < 0 {
			t.Fatalf("%d bytes too many of stream %d, %d of all", -left[d.StreamID], d.StreamID, -all)
		}
		if d.StreamEnded() {
			ended++
			continue
		}
		if left[d.StreamID] == 0 {
			_ = p.framer.WriteWindowUpdate(d.StreamID, 7000)
			left[d.StreamID] = 7000
		}
		if all < 8000 {
			_ = p.framer.WriteWindowUpdate(0, 20_000)
			all += 20_000
		}
	}
	if got[1] != size || got[3] != size {
		t.Errorf("got %v", got)
	}
}

// TestNobodyIsForgotten: many answers wait for a window that is opened bit by bit, each of which is
// more than some of them need.
func TestNobodyIsForgotten(t *testing.T) {
	t.Parallel()
	const streams = 40
	p := dial(t, serve(t, say(strings.Repeat("x", 5000)), false))
	p.begin()
	for i := range uint32(streams) {
		p.open(2*i+1, true)
	}
	for ended := 0; ended < streams; {
		f, err := p.framer.ReadFrame()
		if err != nil {
			t.Fatalf("%d of %d have ended: %v", ended, streams, err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			if d.StreamEnded() {
				ended++
			}
			if n := len(d.Data()); n > 0 {
				_ = p.framer.WriteWindowUpdate(0, uint32(n))
			}
		}
	}
}

// TestGivenUpStreamsAreCounted: a client that opens streams and gives them up at once has as many
// handlers as others (CVE-2023-44487), and is cut off if it goes on.
func TestGivenUpStreamsAreCounted(t *testing.T) {
	t.Parallel()
	for name, giveUp := range map[string]func(fr *http2.Framer, id uint32) error{
		"by the client": func(fr *http2.Framer, id uint32) error { return fr.WriteRSTStream(id, http2.ErrCodeCancel) },
		"by the server": func(fr *http2.Framer, id uint32) error { // CVE-2025-8671
			return fr.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			giveUpStreams(t, giveUp)
		})
	}
}

func giveUpStreams(t *testing.T, giveUp func(fr *http2.Framer, id uint32) error) {
	t.Helper()
	const most = 10
	var mu sync.Mutex
	running, peak := 0, 0
	release := make(chan struct{})
	addr := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		running++
		peak = max(peak, running)
		mu.Unlock()
		<-release
		mu.Lock()
		running--
		mu.Unlock()
	}), false, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: most} })
	defer close(release)
	p := dial(t, addr)
	p.begin()
	go func() {
		for id := uint32(1); ; id += 2 {
			block := []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'x'} // GET http / x
			if p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}) != nil ||
				giveUp(p.framer, id) != nil {
				return
			}
		}
	}()
	p.until("goaway ENHANCE_YOUR_CALM")
	mu.Lock()
	defer mu.Unlock()
	if peak > most {
		t.Errorf("%d handlers ran", peak)
	}
}

// TestTooManyStreamsAreRefused, so that the client may try again.
func TestTooManyStreamsAreRefused(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	addr := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), false,
		func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2} })
	p := dial(t, addr)
	p.begin().open(1, true).open(3, true).open(5, true)
	p.until("reset 5 REFUSED_STREAM")
	close(release)
	p.until("headers 1 200")
}

// TestAnswersThatNobodyReads fill no memory.
func TestAnswersThatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string]func(*http2.Framer) error{
		"pings":    func(fr *http2.Framer) error { return fr.WritePing(false, [8]byte{}) },
		"settings": func(fr *http2.Framer) error { return fr.WriteSettings() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := dial(t, serve(t, http.HandlerFunc(hello), false, func(s *http.Server) {
				s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
					_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10) // or the kernel takes megabytes
					return ctx
				}
			}))
			p.begin().open(1, true)
			p.until("data 1 5 end")
			var many bytes.Buffer
			fr := http2.NewFramer(&many, nil)
			fr.AllowIllegalWrites = true
			for range 5000 {
				_ = frame(fr) // a bytes.Buffer takes all
			}
			for {
				if _, err := p.conn.Write(many.Bytes()); err != nil { // the server has had enough
					if isTimeout(err) {
						t.Error("the server goes on")
					}
					break
				}
			}
		})
	}
}

// TestSlowReaders do not hold up others on their connection, and are cut off at the deadline.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Slow") == "" {
			_, _ = io.WriteString(w, "hello")
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := w.Write(make([]byte, 1<<20))
		failed <- err
	}), false)
	p := dial(t, addr)
	p.begin(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
	p.open(1, true, "slow", "yes").open(3, true)
	p.until("data 3 5 end")
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the write gave %v", err)
	}
	p.until("reset 1 INTERNAL_ERROR")
}

// A dripConn takes a little at a time, and each time longer than a stall may take in all.
type dripConn struct {
	net.Conn

	left atomic.Int64
}

func (c *dripConn) Write(p []byte) (int, error) {
	if c.left.Add(-1) < 0 {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:min(len(p), 100)])
	if err == nil && n < len(p) {
		err = os.ErrDeadlineExceeded // as if the rest did not fit in time
	}
	return n, err
}

type dripListener struct{ net.Listener }

func (l dripListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &dripConn{Conn: conn}
	c.left.Store(50)
	return c, nil
}

// TestSlowConnections go on as long as something gets through.
func TestSlowConnections(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: say(strings.Repeat("x", 20_000)), Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{WriteByteTimeout: time.Minute}}
	s.Protocols.SetUnencryptedHTTP2(true)
	wait := h2.Configure(s)
	go func() { _ = s.Serve(dripListener{ln}) }() // until Close
	defer wait()
	defer s.Close()
	res, err := client(t).Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || len(got) != 20_000 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}
