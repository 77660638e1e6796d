// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A script is a connection on which a peer says what it says, and is gone.
type script struct{ *bytes.Reader }

func (script) Write(p []byte) (int, error)      { return len(p), nil }
func (script) Close() error                     { return nil }
func (script) LocalAddr() net.Addr              { return nil }
func (script) RemoteAddr() net.Addr             { return nil }
func (script) SetDeadline(time.Time) error      { return nil }
func (script) SetReadDeadline(time.Time) error  { return nil }
func (script) SetWriteDeadline(time.Time) error { return nil }

// FuzzServer has clients say anything after the preface.
func FuzzServer(f *testing.F) {
	for _, seed := range seeds(func(e *hpack.Encoder) {
		for _, field := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}, {"content-length", "5"}} {
			_ = e.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
	}) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &server{hs: &http.Server{ErrorLog: log.New(io.Discard, "", 0)}, conns: map[*serverConn]struct{}{}}
		handled := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
			w.Header().Set(http.TrailerPrefix+"X", "y")
		})
		s.serve(script{bytes.NewReader(data)}, handled, true)
		s.workers.Close()
	})
}

// FuzzClient has servers answer anything.
func FuzzClient(f *testing.F) {
	for _, seed := range seeds(func(e *hpack.Encoder) {
		_ = e.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		_ = e.WriteField(hpack.HeaderField{Name: "content-length", Value: "5"})
	}) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
		tr.Protocols.SetUnencryptedHTTP2(true)
		dialed := false
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
			if dialed {
				return nil, net.ErrClosed // it does not try for ever
			}
			dialed = true
			return script{bytes.NewReader(data)}, nil
		}
		closeIdle := ConfigureTransport(tr)
		defer closeIdle()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/", bytes.NewReader(make([]byte, 100)))
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(req)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	})
}

// seeds are frames as they usually are, with the headers that encode writes.
func seeds(encode func(*hpack.Encoder)) [][]byte {
	var block, all, out bytes.Buffer
	encode(hpack.NewEncoder(&block))
	fr := http2.NewFramer(&out, nil)
	_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = fr.WriteSettingsAck()
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = fr.WriteData(1, false, []byte("hel"))
	_ = fr.WriteDataPadded(1, true, []byte("lo"), make([]byte, 3))
	all.Write(out.Bytes())
	seeds := [][]byte{bytes.Clone(all.Bytes())}
	for _, more := range []func(){
		func() { _ = fr.WritePing(false, [8]byte{1}) },
		func() { _ = fr.WriteWindowUpdate(0, 1<<20) },
		func() { _ = fr.WriteRSTStream(1, http2.ErrCodeCancel) },
		func() { _ = fr.WriteGoAway(1, http2.ErrCodeNo, nil) },
		func() {
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block.Bytes()[:1]})
			_ = fr.WriteContinuation(3, true, block.Bytes()[1:])
			_ = fr.WriteRawFrame(http2.FrameData, http2.FlagDataEndStream, 3, []byte("hello"))
		},
	} {
		out.Reset()
		more()
		seeds = append(seeds, append(bytes.Clone(all.Bytes()), out.Bytes()...))
	}
	return seeds
}
