// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// testGuard has the limits that the handler has by default.
var testGuard = guardConfig{
	singleRequest: bodyIsOneMessage,
	readTimeout:   30 * time.Second,
	writeTimeout:  15 * time.Second,
	wireLimit:     4<<20 + 1024,
}

func TestGuardCutsOffAClientThatStopsReading(t *testing.T) {
	t.Parallel()
	for name, stopReading := range map[string]func(*testing.T, *memoryListener, string, ...byte) (hangUp func()){
		"HTTP/1.1":                     stopReadingHTTP1,
		"HTTP/2, no flow control left": stopReadingHTTP2(zeroWindow, true),
		"HTTP/2, connection is full":   stopReadingHTTP2(largeWindow, false),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := newFakeMCP()
				failed := make(chan time.Duration, 1)
				fake.listen = func(_ context.Context, stream *connect.ServerStream[mcpv1.ListenResponse]) error {
					// connect ignores errors of Flush: the Send that is stuck succeeds in the
					// end, and the next one fails.
					for start := time.Now(); ; {
						if err := stream.Send(&mcpv1.ListenResponse{}); err != nil {
							failed <- time.Since(start)
							return err
						}
					}
				}
				ln := newMemoryListener()
				stop := startServe(t, ln, guard(fake.handler(), testGuard), WithDrain(fake))
				hangUp := stopReading(t, ln, mcpv1connect.MCPListenProcedure, 0, 0, 0, 0, 0)
				// On a connection that takes no byte nothing but its end helps: net/http's own
				// timeout, which counts from the last byte, or a lost ping.
				if took := <-failed; took < testGuard.writeTimeout || took > pingAfter+pingTimeout {
					t.Errorf("Send failed after %v, want %v", took, testGuard.writeTimeout)
				}
				hc, transport := ln.client(false)
				if _, err := mcpv1connect.NewMCPClient(hc, "http://memory").Ping(t.Context(), &mcpv1.PingRequest{}); err != nil {
					t.Errorf("another client: %v", err)
				}
				transport.CloseIdleConnections()
				hangUp()
				if err := stop(); err != nil {
					t.Errorf("Serve: %v", err)
				}
			})
		})
	}
}

// A response that fits the server's buffers is written after the handler has returned.
func TestGuardCutsOffTheBufferedRestOfAResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln := newMemoryListener()
		fake := newFakeMCP()
		stop := startServe(t, ln, guard(fake.handler(), testGuard), WithDrain(fake), WithGracePeriod(time.Minute))
		conn, framer := dialHTTP2(t, ln, zeroWindow)
		start := time.Now()
		// The JSON of an empty response is "{}", which is more than nothing.
		writeRequest(t, framer, mcpv1connect.MCPPingProcedure, "application/json", []byte("{}"))
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if reset, ok := frame.(*http2.RSTStreamFrame); ok {
				if reset.ErrCode != http2.ErrCodeInternal || time.Since(start) != testGuard.writeTimeout {
					t.Errorf("got %v after %v, want a reset after %v", reset.ErrCode, time.Since(start), testGuard.writeTimeout)
				}
				break
			}
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func stopReadingHTTP1(t *testing.T, ln *memoryListener, procedure string, body ...byte) (hangUp func()) {
	t.Helper()
	conn, err := ln.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: memory\r\nContent-Type: application/connect+proto\r\nContent-Length: %d\r\n\r\n%s", procedure, len(body), body)
	return func() { _ = conn.Close() }
}

const (
	zeroWindow  = 0
	largeWindow = 1 << 30
)

// stopReadingHTTP2 returns a client that opens a stream with a window of so many bytes, and
// from then on reads either all frames or none.
func stopReadingHTTP2(window uint32, readFrames bool) func(*testing.T, *memoryListener, string, ...byte) func() {
	return func(t *testing.T, ln *memoryListener, procedure string, body ...byte) (hangUp func()) {
		conn, framer := dialHTTP2(t, ln, window)
		writeRequest(t, framer, procedure, "application/connect+proto", body)
		if readFrames {
			go func() {
				for {
					frame, err := framer.ReadFrame()
					if err != nil {
						return
					}
					if ping, ok := frame.(*http2.PingFrame); ok && !ping.IsAck() {
						_ = framer.WritePing(true, ping.Data)
					}
				}
			}()
		}
		return func() { _ = conn.Close() }
	}
}

// dialHTTP2 opens a connection whose streams may send so many bytes, and does not read on once
// the settings are agreed upon.
func dialHTTP2(t *testing.T, ln *memoryListener, window uint32) (net.Conn, *http2.Framer) {
	t.Helper()
	conn, err := ln.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		t.Fatal(err)
	}
	for acked := false; !acked; {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok {
			acked = settings.IsAck()
			if !acked {
				err = framer.WriteSettingsAck()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if window > 0 {
		if err := framer.WriteWindowUpdate(0, window); err != nil {
			t.Fatal(err)
		}
	}
	return conn, framer
}

func writeRequest(t *testing.T, framer *http2.Framer, procedure, contentType string, body []byte) {
	t.Helper()
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "memory"}, {":path", procedure},
		{"content-type", contentType},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers.Bytes(), EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteData(1, true, body); err != nil {
		t.Fatal(err)
	}
}

func TestGuardEndsARequestThatDoesNotArrive(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
		fake := newFakeMCP()
		stop := startServe(t, ln, guard(fake.handler(), testGuard), WithDrain(fake))
		for _, test := range []struct{ procedure, contentType, begin, code string }{
			{mcpv1connect.MCPPingProcedure, "application/json", `{"meta":`, "deadline_exceeded"},
			{mcpv1connect.MCPPingProcedure, "application/grpc-web+proto", "\x00\x00\x00\x00\x08", "4"},
			{mcpv1connect.MCPPingProcedure, "application/grpc-web+proto", "\x00\x00\x00\x00\x08\x0a", "4"},
			{mcpv1connect.MCPListenProcedure, "application/connect+proto", "\x00", "deadline_exceeded"},
		} {
			body, begun := io.Pipe()
			go func() { _, _ = io.WriteString(begun, test.begin) }()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://memory"+test.procedure, body)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", test.contentType)
			start := time.Now()
			response, err := hc.Do(request)
			if err != nil {
				t.Fatalf("%s: %v", test.contentType, err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			_ = begun.Close()
			if took := time.Since(start); err != nil || took != testGuard.readTimeout {
				t.Errorf("%s: refused after %v, %v, want %v", test.contentType, took, err, testGuard.readTimeout)
			}
			answer := string(text) + response.Header.Get("Grpc-Status") + response.Header.Get("Grpc-Message")
			if !strings.Contains(answer, test.code) || !strings.Contains(answer, "request did not arrive within 30s") {
				t.Errorf("%s: got %q, want %s and the reason", test.contentType, answer, test.code)
			}
		}
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// The deadlines are for a peer that lets us wait. A call that takes its time has none.
func TestGuardLeavesSlowCallsAlone(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]func(*fakeMCP, *memoryListener) (stop func() error){
		"Serve": nil,
		"a user's server with timeouts": func(fake *fakeMCP, ln *memoryListener) func() error {
			server := &http.Server{
				Handler:           guard(fake.handler(), testGuard),
				Protocols:         new(http.Protocols),
				ReadTimeout:       10 * time.Second,
				WriteTimeout:      10 * time.Second,
				ReadHeaderTimeout: 10 * time.Second,
			}
			server.Protocols.SetHTTP1(true)
			server.Protocols.SetUnencryptedHTTP2(true)
			done := make(chan error, 1)
			go func() { done <- server.Serve(ln) }()
			return func() error {
				err := server.Shutdown(context.Background())
				<-done
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachVersion(t, func(t *testing.T, ln *memoryListener, hc *http.Client) {
				fake := newFakeMCP()
				wait := func(ctx context.Context) error {
					select {
					case <-time.After(time.Hour):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				fake.ping = wait
				fake.listen = func(ctx context.Context, stream *connect.ServerStream[mcpv1.ListenResponse]) error {
					for range 3 {
						if err := errors.Join(stream.Send(&mcpv1.ListenResponse{}), wait(ctx)); err != nil {
							return err
						}
					}
					return stream.Send(&mcpv1.ListenResponse{})
				}
				var stop func() error
				if h != nil {
					stop = h(fake, ln)
				} else {
					stop = startServe(t, ln, guard(fake.handler(), testGuard), WithDrain(fake))
				}
				for name, opt := range rpcProtocols {
					client := mcpv1connect.NewMCPClient(hc, "http://memory", opt)
					if _, err := client.Ping(t.Context(), &mcpv1.PingRequest{}); err != nil {
						t.Errorf("%s: Ping: %v", name, err)
					}
					stream, err := client.Listen(t.Context(), &mcpv1.ListenRequest{})
					if err != nil {
						t.Fatal(err)
					}
					received := 0
					for stream.Receive() {
						received++
					}
					if err := stream.Err(); err != nil || received != 4 {
						t.Errorf("%s: Listen: %d messages, %v, want 4", name, received, err)
					}
					_ = stream.Close()
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestGuardLeavesIdleBidiStreamsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln := newMemoryListener()
		hc, transport := ln.client(false)
		defer transport.CloseIdleConnections()
		fake := newFakeMCP()
		stop := startServe(t, ln, guard(fake.handler(), testGuard), WithDrain(fake))
		stream, err := mcpv1connect.NewMCPClient(hc, "http://memory", connect.WithGRPC()).Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := stream.Send(&mcpv1.Envelope{}); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Receive(); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour)
		}
		_ = stream.CloseRequest()
		_, _ = stream.Receive()
		_ = stream.CloseResponse()
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestGuardStopsReadingAtTheWireLimit(t *testing.T) {
	t.Parallel()
	for name, http1 := range map[string]bool{"HTTP/1.1": true, "HTTP/2": false} {
		for _, contentType := range []string{"application/json", "application/grpc-web+proto"} {
			t.Run(name+" "+contentType, func(t *testing.T) {
				t.Parallel()
				const limit = 64 << 10
				cfg := testGuard
				cfg.wireLimit = limit + 5
				ln := newMemoryListener()
				hc, transport := ln.client(http1)
				defer transport.CloseIdleConnections()
				fake := newFakeMCP()
				var read countingReader
				stop := startServe(t, ln, read.count(guard(fake.handler(connect.WithReadMaxBytes(limit)), cfg)), WithDrain(fake))
				// A prefix that promises 2 GiB, and then 8 MiB of it.
				body := io.MultiReader(strings.NewReader("\x00\x7f\xff\xff\xff"), io.LimitReader(zeros{}, 8<<20))
				response, err := hc.Post("http://memory"+mcpv1connect.MCPPingProcedure, contentType, body)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if got := fmt.Sprint(string(text), response.Header, response.Trailer); !strings.Contains(got, "resource_exhausted") && !strings.Contains(strings.ToLower(got), "grpc-status:[8]") && !strings.Contains(strings.ToLower(got), "grpc-status: 8") {
					t.Errorf("got %s, want resource_exhausted", got)
				}
				if err := stop(); err != nil {
					t.Errorf("Serve: %v", err)
				}
				if read.n > cfg.wireLimit+1 {
					t.Errorf("read %d bytes, want at most %d", read.n, cfg.wireLimit+1)
				}
			})
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A countingReader counts what a handler reads of its request.
type countingReader struct {
	io.ReadCloser
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.ReadCloser = r.Body
		r.Body = c
		h.ServeHTTP(w, r)
	})
}

func TestGuardFlushesWhereTheWriterCan(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	for _, test := range []struct {
		name string
		w    http.ResponseWriter
		want bool
	}{
		{"a flusher", recorder, true},
		{"a wrapped flusher", wrapper{noFlush{recorder}, recorder}, true},
		{"no flusher", noFlush{recorder}, false},
	} {
		var got bool
		guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			var flusher http.Flusher
			if flusher, got = w.(http.Flusher); got {
				flusher.Flush()
			}
		}), testGuard).ServeHTTP(test.w, httptest.NewRequest(http.MethodPost, "/", nil))
		if got != test.want {
			t.Errorf("%s: is a flusher: %v, want %v", test.name, got, test.want)
		}
		if recorder.Flushed != test.want && test.want {
			t.Errorf("%s: was not flushed", test.name)
		}
		recorder.Flushed = false
	}
}

type noFlush struct{ http.ResponseWriter }

type wrapper struct {
	http.ResponseWriter
	inner http.ResponseWriter
}

func (w wrapper) Unwrap() http.ResponseWriter { return w.inner }

func TestServeFindsDeadPeers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeMCP()
		left := make(chan time.Time, 1)
		fake.listen = func(ctx context.Context, stream *connect.ServerStream[mcpv1.ListenResponse]) error {
			<-ctx.Done()
			left <- time.Now()
			return ctx.Err()
		}
		ln := newMemoryListener()
		stop := startServe(t, ln, fake.handler(), WithDrain(fake))
		conn, framer := dialHTTP2(t, ln, largeWindow)
		writeRequest(t, framer, mcpv1connect.MCPListenProcedure, "application/connect+proto", make([]byte, 5))
		start := time.Now()
		go func() { _, _ = io.Copy(io.Discard, conn) }() // reads, but never answers
		if took := (<-left).Sub(start); took < pingAfter || took > pingAfter+pingTimeout {
			t.Errorf("call was cancelled after %v, want %v", took, pingAfter+pingTimeout)
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}
