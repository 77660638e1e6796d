// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

const (
	fetchTimeout  = 5 * time.Second
	maxFetchBytes = 512 << 10 // of a key set, a metadata document or an introspection
)

// A fetcher talks to authorization servers: in bounded time, for a bounded answer, and
// only to the URL that was configured.
type fetcher struct{ client *http.Client }

func newFetcher(transport http.RoundTripper) fetcher {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return fetcher{&http.Client{
		Transport: transport,
		Timeout:   fetchTimeout,
		// A redirect would lead to where nobody has allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// get fetches a JSON document.
func (f fetcher) get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return f.do(r)
}

// do gives the body of a response with status 200 that is JSON. Its errors say nothing of
// the body: who writes it need not be who is trusted.
func (f fetcher) do(r *http.Request) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	res, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &statusError{res.StatusCode}
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil ||
		(kind != "application/json" && kind != "application/jwk-set+json") {
		return nil, errors.New("the response is not JSON")
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFetchBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxFetchBytes {
		return nil, fmt.Errorf("the response has more than %d bytes", maxFetchBytes)
	}
	return body, nil
}

// A statusError is an answer without the document.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("the response has status %d", e.status) }
