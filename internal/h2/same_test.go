// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A seen is what a client gets, and what the handler got.
type seen struct {
	Status   int
	Header   map[string][]string
	Length   int64
	Body     string
	Trailer  map[string][]string
	Informed []string
	Err      string
	Request  string
}

// A exchange is a request, and how it is handled.
type exchange struct {
	name    string
	request func(url string) (*http.Request, error)
	handle  http.HandlerFunc
}

func get(path string) func(string) (*http.Request, error) {
	return func(url string) (*http.Request, error) { return http.NewRequest(http.MethodGet, url+path, http.NoBody) }
}

func with(method string, body func() io.Reader, header ...string) func(string) (*http.Request, error) {
	return func(url string) (*http.Request, error) {
		r, err := http.NewRequest(method, url+"/", body())
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		return r, nil
	}
}

func none() io.Reader { return nil }

func ten() io.Reader { return strings.NewReader("0123456789") }

// unknownLength hides how long a body is.
type unknownLength struct{ io.Reader }

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%d bytes, %v, declared %d, trailers %v", len(body), err, r.ContentLength, r.Trailer)
}

var exchanges = []exchange{
	{"nothing", get("/"), func(http.ResponseWriter, *http.Request) {}},
	{"text", get("/a/b%20c?d=e&f"), say("hello")},
	{"HTML", get("/"), say("<html><body>hello")},
	{"4 KiB", get("/"), say(strings.Repeat("x", 4096))},
	{"4 KiB and a byte", get("/"), say(strings.Repeat("x", 4097))},
	{"a megabyte", get("/"), say(strings.Repeat("0123456789abcdef", 1<<16))},
	{"many small writes", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			fmt.Fprintf(w, "%d,", i)
		}
	}},
	{"HEAD", with(http.MethodHead, none), say("hello")},
	{"HEAD with a length", with(http.MethodHead, none), func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "77") }},
	{"no content", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		_, err := io.WriteString(w, "x")
		if !errors.Is(err, http.ErrBodyNotAllowed) {
			panic(err)
		}
	}},
	{"not modified", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusNotModified)
	}},
	{"status and header", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "too late")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "short and stout")
	}},
	{"fields that are none", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X bad"] = []string{"x"}
		w.Header().Set("X-Line", "a\nb")
		w.Header().Set("Transfer-Encoding", "chunked")
		w.Header().Set("X-Good", "y")
	}},
	{"own date", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "x")
	}},
	{"encoded", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "x")
	}},
	{"a length that holds", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	}},
	{"trailers that are announced", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-A, X-B")
		_, _ = io.WriteString(w, "x")
		w.Header().Set("X-A", "a")
		w.Header().Set("X-C", "c")
	}},
	{"trailers with the prefix", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "x")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		w.Header().Set(http.TrailerPrefix+"Content-Length", "0")
	}},
	{"trailers and no body", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "12")
	}},
	{"trailers after a flush", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "1")
	}},
	{"flushes", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
		}
	}},
	{"a body", with(http.MethodPost, ten), echo},
	{"a body of unknown length", with(http.MethodPost, func() io.Reader { return unknownLength{strings.NewReader(strings.Repeat("z", 100_000))} }), echo},
	{"a large body", with(http.MethodPut, func() io.Reader { return bytes.NewReader(make([]byte, 5<<20)) }), echo},
	{"an empty body", with(http.MethodPost, func() io.Reader { return unknownLength{strings.NewReader("")} }), echo},
	{"a body that is not read", with(http.MethodPost, ten), say("no")},
	{"a body that is closed", with(http.MethodPost, ten), func(w http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err != nil)
	}},
	{"trailers of a request", func(url string) (*http.Request, error) {
		r, err := http.NewRequest(http.MethodPost, url, unknownLength{strings.NewReader("x")})
		if err == nil {
			r.Trailer = http.Header{"X-Sum": {"1"}}
		}
		return r, err
	}, echo},
	{"header of a request", with(http.MethodGet, none, "X-A", "1", "X-A", "2", "Cookie", "a=b; c=d", "User-Agent", "me", "Authorization", "Bearer x"), func(w http.ResponseWriter, r *http.Request) {
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprintf(w, "%s=%q ", name, r.Header[name])
		}
	}},
	{"names in other cases", func(url string) (*http.Request, error) {
		r, err := http.NewRequest(http.MethodGet, url, http.NoBody)
		if err == nil {
			r.Header = http.Header{"connection": {"close"}, "HOST": {"elsewhere"}, "content-length": {"7"}, "x-LOWER": {"1"}, "cookie": {"a=b; c=d"}, "user-agent": {"me", "you"}}
		}
		return r, err
	}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host == "elsewhere", r.Header) }},
	{"100 Continue", with(http.MethodPost, ten, "Expect", "100-continue"), echo},
	{"early hints", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "x")
	}},
	{"early hints and fields of an answer", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>")
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Transfer-Encoding", "chunked")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "x")
	}},
	{"not modified, with a length", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusNotModified)
	}},
	{"a panic", get("/"), func(http.ResponseWriter, *http.Request) { panic("at the disco") }},
	{"a panic in the middle", get("/"), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}},
	{"an invalid status", get("/"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(7) }},
	{"redirect", get("/x"), func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/y", http.StatusFound) }},
	{"OPTIONS", with(http.MethodOptions, none), say("")},
}

// TestSameAsNetHTTP has both servers handle the same requests alike.
func TestSameAsNetHTTP(t *testing.T) {
	t.Parallel()
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			want := x.run(t, true, client(t))
			if diff := cmp.Diff(want, x.run(t, false, client(t))); diff != "" {
				t.Errorf("net/http's server (-), ours (+):\n%s", diff)
			}
			if diff := cmp.Diff(want, x.run(t, true, ours(t))); diff != "" {
				t.Errorf("net/http's client (-), ours (+):\n%s", diff)
			}
			if diff := cmp.Diff(want, x.run(t, false, ours(t))); diff != "" {
				t.Errorf("net/http's ends (-), ours (+):\n%s", diff)
			}
		})
	}
}

func (x exchange) run(t *testing.T, standard bool, c *http.Client) (got seen) {
	t.Helper()
	requests := make(chan string, 1)
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- fmt.Sprintf("%s %s %s %q %d %q, TLS %v, address %v", r.Method, r.RequestURI, r.Proto, r.URL, r.ContentLength, r.TransferEncoding, r.TLS != nil, r.Context().Value(http.LocalAddrContextKey) != nil)
		x.handle(w, r)
	}), standard)
	r, err := x.request("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		got.Informed = append(got.Informed, fmt.Sprint(code, header))
		return nil
	}}
	res, err := c.Do(r.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
	if err != nil {
		got.Err = kind(err)
		got.Request = <-requests
		return got
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		got.Err = kind(err)
	}
	if res.Header.Get("Date") != "" && res.Header.Get("Date") != "Thu, 01 Jan 1970 00:00:00 GMT" {
		res.Header.Set("Date", "now")
	}
	got.Status, got.Header, got.Length, got.Body, got.Trailer = res.StatusCode, res.Header, res.ContentLength, string(body), res.Trailer
	got.Request = <-requests
	return got
}

// kind is an error without the numbers of its stream.
func kind(err error) string {
	text := err.Error()
	if i := strings.Index(text, "stream error"); i >= 0 {
		_, text, _ = strings.Cut(text[i:], ";")
	}
	return text
}
