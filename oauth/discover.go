// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/fetch"
)

// resourceMetadata finds the server's metadata (RFC 9728): where the challenge says, by
// Config.Metadata, and at the well-known paths. A document that is for another server ends the
// search: somebody may want our tokens for it.
func (s *Source) resourceMetadata(ctx context.Context, c challenge) (*oauthex.ProtectedResourceMetadata, error) {
	if c.metadata != "" {
		return s.fetchMetadata(ctx, c.metadata)
	}
	if s.cfg.Metadata != nil {
		switch m, err := s.cfg.Metadata(ctx); {
		case err == nil:
			return m, s.checkMetadata(m)
		case !errors.Is(err, ErrNoMetadata):
			return nil, fmt.Errorf("the server's metadata: %w", err)
		}
	}
	for _, at := range wellKnown(s.resource) {
		m, err := s.fetchMetadata(ctx, at)
		if !fetch.IsMissing(err) {
			return m, err
		}
	}
	return nil, fmt.Errorf("%s says at no well-known path who gives tokens for it: %w", s.resource, ErrNoMetadata)
}

// ask asks the server for its challenge. Without an answer there is none.
func (s *Source) ask(ctx context.Context) challenge {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.resource.String(), http.NoBody)
	if err != nil {
		return challenge{}
	}
	r.Header.Set("Accept", "text/event-stream") // as for the stream of a session
	res, err := s.http.Do(r)
	if err != nil {
		return challenge{}
	}
	_ = res.Body.Close()
	if c := challengeOf(res.Header); res.StatusCode == http.StatusUnauthorized {
		return c
	}
	return challenge{}
}

// wellKnown are the paths of RFC 9728 §3.1, that of the resource first.
func wellKnown(resource *url.URL) []string {
	const at = "/.well-known/oauth-protected-resource"
	root := url.URL{Scheme: resource.Scheme, Host: resource.Host, Path: at}
	all := []string{root.String()}
	if p := strings.TrimSuffix(resource.Path, "/"); p != "" {
		root.Path += p
		all = append([]string{root.String()}, all...)
	}
	return all
}

func (s *Source) fetchMetadata(ctx context.Context, at string) (*oauthex.ProtectedResourceMetadata, error) {
	m, err := document[oauthex.ProtectedResourceMetadata](ctx, s.http, at)
	if err == nil {
		err = s.checkMetadata(m)
	}
	if err != nil {
		return nil, fmt.Errorf("the server's metadata at %s: %w", at, err)
	}
	return m, nil
}

func (s *Source) checkMetadata(m *oauthex.ProtectedResourceMetadata) error {
	if !covers(m.Resource, s.resource) {
		return fmt.Errorf("it is for %q, and not for %q", m.Resource, s.resource)
	}
	if len(m.AuthorizationServers) == 0 {
		return errors.New("it names no authorization server")
	}
	return nil
}

// covers tells whether a resource is, or is above, a URL.
func covers(resource string, u *url.URL) bool {
	r, err := url.Parse(resource)
	return err == nil && r.Fragment == "" && r.RawQuery == "" && r.User == nil && isBelow(u, r)
}

// isBelow tells whether u is base, or below it.
func isBelow(u, base *url.URL) bool {
	if !strings.EqualFold(base.Scheme, u.Scheme) || !strings.EqualFold(base.Host, u.Host) {
		return false
	}
	path, of := strings.TrimSuffix(base.Path, "/"), strings.TrimSuffix(u.Path, "/")
	return path == of || strings.HasPrefix(of, path+"/")
}

// serverMetadata finds the metadata of an authorization server, in the order that MCP asks for
// (basic/authorization, "Authorization Server Metadata Discovery").
func (s *Source) serverMetadata(ctx context.Context, issuer string) (*oauthex.AuthServerMeta, error) {
	u, err := url.Parse(issuer)
	if err != nil || !isSafe(issuer) || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the authorization server %q: it is neither https nor on this machine", issuer)
	}
	for _, at := range fetch.MetadataURLs(issuer) {
		m, err := document[oauthex.AuthServerMeta](ctx, s.http, at)
		if fetch.IsMissing(err) {
			continue
		}
		if err == nil {
			err = s.checkServer(m, issuer)
		}
		if err != nil {
			return nil, fmt.Errorf("the authorization server's metadata at %s: %w", at, err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("the authorization server %s has no metadata at any well-known path", issuer)
}

func (s *Source) checkServer(m *oauthex.AuthServerMeta, issuer string) error {
	if m.Issuer != issuer {
		return fmt.Errorf("it is of the issuer %q, and not of %q", m.Issuer, issuer)
	}
	if !s.cfg.Unattended && !slices.Contains(m.CodeChallengeMethodsSupported, "S256") {
		return errors.New("it does not have PKCE with S256")
	}
	for _, endpoint := range []struct {
		name, url string
		optional  bool
	}{
		{"authorization_endpoint", m.AuthorizationEndpoint, s.cfg.Unattended},
		{"token_endpoint", m.TokenEndpoint, false},
		{"registration_endpoint", m.RegistrationEndpoint, true},
	} {
		if !isSafe(endpoint.url) && (endpoint.url != "" || !endpoint.optional) {
			return fmt.Errorf("%s is %q: it is neither https nor on this machine", endpoint.name, endpoint.url)
		}
	}
	return nil
}
