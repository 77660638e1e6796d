// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accepted remembers what its listener gives.
type accepted struct {
	net.Listener
	conns chan *Conn
}

func (a accepted) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if c, ok := conn.(*Conn); ok {
		select {
		case a.conns <- c:
		default: // one is enough
		}
	}
	return conn, err
}

// serve serves h over a Listener.
func serve(t *testing.T, h http.HandlerFunc, secure bool) (*httptest.Server, <-chan *Conn) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	conns := make(chan *Conn, 1)
	s.Listener = accepted{Listener{s.Listener}, conns}
	s.Config.ConnState = func(c net.Conn, _ http.ConnState) { Negotiated(c) }
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetHTTP2(true)
	s.Config.Protocols.SetUnencryptedHTTP2(!secure)
	if secure {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, conns
}

// client gives a client whose connections coalesce.
func client(t *testing.T, s *httptest.Server, http2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	protocols.SetUnencryptedHTTP2(http2)
	transport := &http.Transport{
		Protocols:       protocols,
		MaxConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return Client(conn), nil
		},
	}
	if secure, ok := s.Client().Transport.(*http.Transport); ok && s.TLS != nil {
		transport.TLSClientConfig = secure.TLSClientConfig.Clone()
		transport.TLSClientConfig.NextProtos = nil
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Proto", r.Proto)
	all, _ := io.ReadAll(r.Body) // HTTP/1.1 wants all of it before an answer begins
	_, _ = w.Write(all)
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		secure, http2 bool
	}{
		{"HTTP/2 in clear", false, true},
		{"HTTP/2 over TLS", true, true},
		{"HTTP/1.1 in clear", false, false},
		{"HTTP/1.1 over TLS", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, conns := serve(t, echo, tt.secure)
			c := client(t, s, tt.http2)
			first, err := c.Get(s.URL) // so that nobody dials a connection that is not used
			if err != nil {
				t.Fatal(err)
			}
			_ = first.Body.Close()
			var calls sync.WaitGroup
			for i := range 50 {
				calls.Go(func() {
					for j := range 10 {
						body := strings.Repeat(fmt.Sprint(i, j, " "), 1+i*j*30)
						resp, err := c.Post(s.URL, "text/plain", strings.NewReader(body))
						if err != nil {
							t.Error(err)
							return
						}
						got, err := io.ReadAll(resp.Body)
						_ = resp.Body.Close()
						if err != nil || string(got) != body {
							t.Errorf("got %d bytes, %v, want %d", len(got), err, len(body))
						}
						if http2 := resp.Header.Get("Proto") == "HTTP/2.0"; http2 != tt.http2 {
							t.Errorf("got %s", resp.Header.Get("Proto"))
						}
					}
				})
			}
			calls.Wait()
			if got := (<-conns).out.on.Load(); got != tt.http2 {
				t.Errorf("coalescing: got %v, want %v", got, tt.http2)
			}
		})
	}
}

func TestHijack(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, err := rw.ReadString('\n')
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(conn, "got "+line)
	}, false)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wantWrite(t, conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	wantWrite(t, conn, preface+"\n") // is nothing special here
	all, err := io.ReadAll(r)
	if err != nil || string(all) != "got PRI * HTTP/2.0\r\n" {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestFilesOverHTTP1(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	want := strings.Repeat("file ", 100_000)
	if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }, false)
	for _, http2 := range []bool{false, true} {
		resp, err := client(t, s, http2).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(got) != want {
			t.Errorf("HTTP/2 %v: got %d bytes, %v, want %d", http2, len(got), err, len(want))
		}
	}
}
