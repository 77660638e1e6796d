// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// FuzzEvents: a stream of events gives the same messages however it arrives, none beyond the
// limit, and ends where its answer is.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n",
		": hello\nid: 7\nretry: 10\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"x\"}\n\ndata:{\"id\":1,\"error\":{}}\r\n\r\n",
		"data: {\ndata\n\ndata: []\n\nid\n\n", "retry: 1e9\nretry: -1\n:\n\n\n", "data: {\"method\":\"cut",
		"data: " + string(bytes.Repeat([]byte("x"), 300)) + "\n\n", "data:\x00\xff\n\n", "\xef\xbb\xbfdata: {\"method\":\"x\"}\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		const limit = 256
		read := func(r io.Reader) (texts []string, last eventID, answered bool, failed bool) {
			l := newHTTPLink("", nil, limit)
			defer l.close()
			l.inbox = make(chan *message, len(body)+1) // a message has more than a byte
			last, answered, err := l.events(r, number(1))
			close(l.inbox)
			for m := range l.inbox {
				text, err := m.text()
				if err != nil {
					t.Fatalf("a message cannot be written: %v", err)
				}
				texts = append(texts, string(text))
			}
			return texts, last, answered, err != nil
		}
		whole, last, answered, failed := read(bytes.NewReader(body))
		parts, last2, answered2, failed2 := read(iotest.OneByteReader(bytes.NewReader(body)))
		if !slices.Equal(whole, parts) || last != last2 || answered != answered2 || failed != failed2 {
			t.Errorf("%q gave %q, %v, %t, %t, and in parts %q, %v, %t, %t", body, whole, last, answered, failed, parts, last2, answered2, failed2)
		}
		for i, text := range whole {
			if m, err := parse([]byte(text)); err != nil || m.isResponse() && string(m.ID) == "1" && i < len(whole)-1 {
				t.Errorf("%q gave %q as message %d, %v", body, text, i, err)
			}
		}
	})
}

// FuzzCursor: a cursor that is taken is one that could have been given.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", (cursor{Upstream: 1, Cursor: "next"}).text(), "eyJ1Ijo5OX0", "eyJ1IjotMX0", "bnVsbA", "e30", "nonsense", "=?", "eyJ1IjoxZTB9"} {
		f.Add(seed)
	}
	g := &Gateway{upstreams: make([]*upstream, 3)}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := (&request{g: g, params: object{"cursor": quote(text)}}).cursor()
		if err != nil {
			return
		}
		if c.Upstream < 0 || c.Upstream >= len(g.upstreams) {
			t.Fatalf("%q is taken for one of upstream %d", text, c.Upstream)
		}
		again, err := (&request{g: g, params: object{"cursor": quote(c.text())}}).cursor()
		if err != nil || again != c {
			t.Errorf("%q gave %+v, and that %+v, %v", text, c, again, err)
		}
	})
}
