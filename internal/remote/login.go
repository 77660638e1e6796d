// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcpconnect/mcpconnect/internal/loopback"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// CredentialsVariable names the folder of the credentials in the place of the user's own one.
const CredentialsVariable = "MCPCONNECT_CREDENTIALS" //nolint:gosec // a name

// PrivateVariable names what, if it is not empty, lets servers name authorization servers with addresses that are
// not public.
const PrivateVariable = "MCPCONNECT_ALLOW_PRIVATE"

// Credentials is where `mcpconnect login` keeps what it gets.
func Credentials() (oauth.FileStore, error) {
	if dir := os.Getenv(CredentialsVariable); dir != "" {
		return oauth.FileStore{Dir: dir}, nil
	}
	dir, err := os.UserConfigDir()
	return oauth.FileStore{Dir: filepath.Join(dir, "mcpconnect", "credentials")}, err
}

// resource is the URL that tokens are for.
func (s *Server) resource() string {
	text := strings.TrimSuffix(s.URL, "/")
	if s.protocol() == "http" {
		text = s.Endpoint()
	}
	if u, err := url.Parse(text); err == nil {
		u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
		return u.String()
	}
	return text
}

// OAuth is what tokens for the server take, without anybody who could log in.
func (s *Server) OAuth() (oauth.Config, error) {
	store, err := Credentials()
	cfg := oauth.Config{Resource: s.resource(), Store: store, AllowPrivate: os.Getenv(PrivateVariable) != ""}
	if s.TLS != nil {
		cfg.RootCAs = s.TLS.RootCAs // not the client certificate: that is for the server
	}
	if s.protocol() != "http" {
		bare := *s
		bare.Header, bare.Authorization = nil, nil
		cfg.Metadata = mcpconnect.Metadata(s.URL, bare.Options()...)
	}
	return cfg, err
}

// UseLogin has requests carry the tokens of `mcpconnect login`, if somebody has logged in and no
// header may be a credential.
func (s *Server) UseLogin(ctx context.Context) error {
	u, err := url.Parse(s.URL)
	if err != nil || s.hasCredentials() || u.Scheme != "https" && !loopback.IsHost(u.Hostname()) {
		return nil //nolint:nilerr // Check says so
	}
	cfg, err := s.OAuth()
	if err != nil {
		return nil //nolint:nilerr // without a home there are no credentials
	}
	if c, err := cfg.Store.Load(ctx, cfg.Resource); err != nil || c == nil {
		return err
	}
	source, err := oauth.New(cfg)
	if err == nil {
		s.Authorization = source
	}
	return err
}
