// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package fetch gets JSON documents from servers that need not be trusted.
package fetch

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// JSON gives the body of a response with status 200 whose type is application/json, or one of types,
// and which has limit bytes at most. Its errors say nothing of the body: who writes it need not be
// who is trusted. Of a response with another status it is a [*StatusError].
func JSON(client *http.Client, r *http.Request, limit int64, types ...string) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	res, err := client.Do(r) //nolint:gosec // who calls has checked the URL, and the client where it leads
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &StatusError{res.StatusCode}
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !slices.Contains(types, kind) {
		return nil, errors.New("the response is not JSON")
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the response has more than %d bytes", limit)
	}
	return body, nil
}

// A StatusError is an answer without the document.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string { return fmt.Sprintf("the response has status %d", e.Status) }

// IsMissing tells whether a server has said that it does not have the document.
func IsMissing(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && e.Status >= 400 && e.Status < 500
}

// MetadataURLs are where the metadata of an issuer may be, in the order of MCP 2026-07-28,
// "Authorization server metadata discovery": none for what is no URL.
func MetadataURLs(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	base, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	all := []string{
		base + "/.well-known/oauth-authorization-server" + path,
		base + "/.well-known/openid-configuration" + path,
	}
	if path != "" {
		all = append(all, base+path+"/.well-known/openid-configuration")
	}
	return all
}
