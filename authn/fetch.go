// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"net/http"
	"time"

	"github.com/mcpconnect/mcpconnect/internal/fetch"
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

// do gives the body of a response with status 200 that is JSON.
func (f fetcher) do(r *http.Request) ([]byte, error) {
	return fetch.JSON(f.client, r, maxFetchBytes, "application/jwk-set+json")
}
