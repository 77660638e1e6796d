// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// encodings notes what requests accept.
type encodings struct {
	next http.Handler
	mu   sync.Mutex
	seen []string
}

func (e *encodings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	for key, values := range r.Header {
		if strings.HasSuffix(key, "Accept-Encoding") {
			e.seen = append(e.seen, values...)
		}
	}
	e.mu.Unlock()
	e.next.ServeHTTP(w, r)
}

func TestAnswersAreCompressedOnlyOnDemand(t *testing.T) {
	t.Parallel()
	eachWire(t, func(t *testing.T, w wire) {
		for _, test := range []struct {
			name string
			opts []mcpconnect.ClientOption
			want bool
		}{
			{"by default", nil, false},
			{"on demand", []mcpconnect.ClientOption{mcpconnect.WithCompression()}, true},
		} {
			h := mcpconnect.NewHandler(everything.NewServer(), mcpconnect.WithLogger(quiet))
			t.Cleanup(func() { _ = h.Close() })
			seen := &encodings{next: h}
			c := newClient(t, serve(t, seen), w, test.opts...)
			if _, err := c.ListTools(t.Context(), nil); err != nil {
				t.Error(err)
			}
			seen.mu.Lock()
			if got := strings.Contains(fmt.Sprint(seen.seen), "gzip"); got != test.want {
				t.Errorf("%s: the client accepts %q", test.name, seen.seen)
			}
			seen.mu.Unlock()
		}
	})
}
