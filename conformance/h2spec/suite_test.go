// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2spec

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// obsolete are cases of RFC 7540 that RFC 9113 has taken back: there are no priorities any more
// (§5.3), and who depends on itself depends on nobody.
var obsolete = []string{"http2/5.3.1 1", "http2/5.3.1 2"}

// inClear fails only where HTTP/1.1 is spoken on the same port: what does not begin as HTTP/2
// does is HTTP/1.1's to refuse, which it does with an answer.
var inClear = []string{"http2/3.5 2"}

// TestServe runs all cases, the strict ones too, with and without TLS.
func TestServe(t *testing.T) { // not in parallel: the suite's output has one indentation
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			port := serve(t, secure)
			c := &config.Config{Host: "127.0.0.1", Port: port, Path: "/", Timeout: 5 * time.Second, MaxHeaderLen: 4000, TLS: secure, Insecure: true, Strict: true}
			passed, failed := 0, map[string]bool{}
			for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
				group.Test(c)
				passed += group.PassedCount
				collect(group, failed)
			}
			want := slices.Clone(obsolete)
			if !secure {
				want = append(want, inClear...)
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(failed)); !slices.Equal(got, want) {
				t.Errorf("failed: %q, want %q", got, want)
			}
			if passed < 140 {
				t.Errorf("only %d cases passed", passed)
			}
			t.Logf("%d cases passed", passed)
		})
	}
}

func collect(g *spec.TestGroup, failed map[string]bool) {
	for i, c := range append(g.Tests, g.StrictTests...) {
		if c.Result != nil && c.Result.Failed {
			failed[fmt.Sprint(g.ID(), " ", i+1)] = true
		}
	}
	for _, sub := range g.Groups {
		collect(sub, failed)
	}
}

// serve serves until the test ends, and gives the port.
func serve(t *testing.T, secure bool) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts := []mcpconnect.ServeOption{mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler)), mcpconnect.WithGracePeriod(0)}
	if secure {
		opts = append(opts, mcpconnect.WithTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate()}, MinVersion: tls.VersionTLS12}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- mcpconnect.Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "hello")
		}), opts...)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().(*net.TCPAddr).Port
}

// certificate is one that a test server has.
func certificate() tls.Certificate {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS.Certificates[0]
}
