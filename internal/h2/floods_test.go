// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
)

// TestDeadStreamsWakeNobody: a stream that waited for its turn and was given up does not take it from
// those that come after.
func TestDeadStreamsWakeNobody(t *testing.T) {
	t.Parallel()
	const others = 20
	p := dial(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := 10
		if r.Header.Get("Large") != "" {
			size = 100_000
		}
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	}), false))
	p.begin(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	p.open(1, true, "large", "yes")
	for left := 65535; left > 0; {
		f, err := p.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			left -= len(d.Data())
		}
	}
	var want []string
	for i := range uint32(others) {
		p.open(3+2*i, true)
		want = append(want, fmt.Sprintf("headers %d 200", 3+2*i))
	}
	p.untilAll(want...)
	_ = p.framer.WriteRSTStream(1, http2.ErrCodeCancel)
	_ = p.framer.WritePing(false, [8]byte{'r', 'e', 's', 'e', 't'})
	p.until("ping true reset")
	_ = p.framer.WriteWindowUpdate(0, 10*others)
	want = want[:0]
	for i := range uint32(others) {
		want = append(want, fmt.Sprintf("data %d 10", 3+2*i))
	}
	p.untilAll(want...)
}

// TestBodiesOfRequestsThatNeverRanAreCredited, or the connection would take no more bodies.
func TestBodiesOfRequestsThatNeverRanAreCredited(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	p := dial(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Wait") != "" {
			<-release
		}
	}), false, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1} }))
	p.begin().open(1, true, "wait", "yes")
	_ = p.framer.WriteRSTStream(1, http2.ErrCodeCancel) // its handler goes on
	for id := uint32(3); id < 9; id += 2 {
		p.open(id, false)
		for range 20 {
			_ = p.framer.WriteData(id, false, make([]byte, 16<<10))
		}
		_ = p.framer.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	_ = p.framer.WritePing(false, [8]byte{'s', 'e', 'n', 't'})
	p.until("ping true sent")
	close(release)
	p.until("window 0")
}
