// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
)

// A Loopback receives the answers of authorization servers on a port of this machine (RFC 8252
// §7.3), for programs that people run.
type Loopback struct {
	listener net.Listener
	open     func(ctx context.Context, url string) error
	server   *http.Server
	serving  sync.WaitGroup

	mu     sync.Mutex
	answer chan url.Values // nil if nobody waits
	state  string          // of the answer that is waited for
}

// NewLoopback listens on a free port of 127.0.0.1, until Close. open shows a URL to the person who
// is to log in: it starts a browser, or prints the URL. The URL is http or https.
func NewLoopback(open func(ctx context.Context, url string) error) (*Loopback, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	l := &Loopback{listener: ln, open: open}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", l.callback)
	l.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 32 << 10}
	l.serving.Go(func() { _ = l.server.Serve(ln) }) // until Close
	return l, nil
}

// RedirectURL is where the answers come to.
func (l *Loopback) RedirectURL() string { return "http://" + l.listener.Addr().String() + "/callback" }

// Close stops listening.
func (l *Loopback) Close() error {
	err := l.server.Close()
	l.serving.Wait()
	return err
}

// Authorize is an [auth.AuthorizationCodeFetcher]: it opens the URL, and waits for the answer as long
// as ctx lasts. An answer without a code is an [*AuthorizationError].
func (l *Loopback) Authorize(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	u, err := url.Parse(args.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("oauth: the authorization server's URL is no web page")
	}
	answer := make(chan url.Values, 1)
	l.mu.Lock()
	busy := l.answer != nil
	if !busy {
		l.answer, l.state = answer, u.Query().Get("state")
	}
	l.mu.Unlock()
	if busy {
		return nil, errors.New("oauth: somebody is logging in already")
	}
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answer = nil
	}()
	if err := l.open(ctx, u.String()); err != nil {
		return nil, err
	}
	select {
	case q := <-answer:
		if code := q.Get("error"); code != "" {
			return nil, &AuthorizationError{Code: code, Description: q.Get("error_description"), State: q.Get("state"), Iss: q.Get("iss")}
		}
		return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("oauth: waiting for the login: %w", ctx.Err())
	}
}

// callback takes the first answer to the question that was asked. What it shows has nothing of the request in it but the error.
func (l *Loopback) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	l.mu.Lock()
	waiting, state := l.answer, l.state
	l.mu.Unlock()
	if waiting == nil || q.Get("state") != state || q.Get("code") == "" && q.Get("error") == "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<!doctype html><title>mcpconnect</title><p>Nobody waits for this.")
		return
	}
	select {
	case waiting <- q:
	default: // there was an answer before
	}
	if code := q.Get("error"); code != "" {
		fmt.Fprintf(w, "<!doctype html><title>mcpconnect</title><p>The login has failed: %s. You can close this page.", html.EscapeString(code))
		return
	}
	fmt.Fprint(w, "<!doctype html><title>mcpconnect</title><p>You are logged in. You can close this page.")
}
