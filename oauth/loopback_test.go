// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/mcpconnect/mcpconnect/oauth"
)

// TestLoopback takes the answer to its question, and no other.
func TestLoopback(t *testing.T) {
	t.Parallel()
	opened := make(chan string, 1)
	l, err := oauth.NewLoopback(func(_ context.Context, page string) error {
		opened <- page
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	base := &http.Transport{DisableKeepAlives: true}
	answer := func(query string) int {
		t.Helper()
		res, err := (&http.Client{Transport: base}).Get(l.RedirectURL() + "?" + query)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.Header.Get("Content-Security-Policy") != "default-src 'none'" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page has the headers %v", res.Header)
		}
		return res.StatusCode
	}
	if got := answer("code=c&state=s"); got != http.StatusBadRequest {
		t.Errorf("an answer that nobody waits for gave %d", got)
	}
	type outcome struct {
		res *auth.AuthorizationResult
		err error
	}
	ask := func() <-chan outcome {
		done := make(chan outcome, 1)
		go func() {
			res, err := l.Authorize(t.Context(), &auth.AuthorizationArgs{URL: "https://as.example/authorize?state=right"})
			done <- outcome{res, err}
		}()
		<-opened
		return done
	}
	done := ask()
	if _, err := l.Authorize(t.Context(), &auth.AuthorizationArgs{URL: "https://as.example/"}); err == nil {
		t.Error("two log in at a time")
	}
	for _, query := range []string{"code=evil&state=wrong", "code=evil", "state=right", "error=access_denied&state=wrong", ""} {
		if got := answer(query); got != http.StatusBadRequest {
			t.Errorf("%q gave %d", query, got)
		}
	}
	if got := answer("code=good&state=right&iss=" + url.QueryEscape("https://as.example")); got != http.StatusOK {
		t.Errorf("the answer gave %d", got)
	}
	if got := <-done; got.err != nil || *got.res != (auth.AuthorizationResult{Code: "good", State: "right", Iss: "https://as.example"}) {
		t.Errorf("got %v, %v", got.res, got.err)
	}
	done = ask()
	answer("error=access_denied&error_description=no&state=right")
	got := <-done
	if refused, ok := errors.AsType[*oauth.AuthorizationError](got.err); !ok || refused.Code != "access_denied" || refused.Description != "no" {
		t.Errorf("got %v", got.err)
	}
	for _, page := range []string{"javascript:alert(1)", "file:///bin/sh", "-x", "calc.exe"} {
		if _, err := l.Authorize(t.Context(), &auth.AuthorizationArgs{URL: page}); err == nil || !strings.Contains(err.Error(), "no web page") {
			t.Errorf("%s gave %v", page, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Authorize(ctx, &auth.AuthorizationArgs{URL: "https://as.example/"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context got %v", err)
	}
}
