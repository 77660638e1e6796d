// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/internal/loopback"
)

// A Config says for which server a [Source] gets tokens, and how.
type Config struct {
	// Resource is the URL of the server, as one dials it. It must be https, or http to a loopback
	// host. The server's metadata must name it, or a URL that it is below.
	Resource string

	// Metadata asks the server for its metadata in another way than HTTP: AuthDiscovery/GetMetadata,
	// for example. It is asked before the well-known paths. Its error is one of the login, except
	// for [ErrNoMetadata]. It may be nil.
	Metadata func(ctx context.Context) (*oauthex.ProtectedResourceMetadata, error)

	// Client is who we are at the authorization server, if that is known. Its Issuer is the one that
	// the resource has to name. With a secret it must be set: the resource would say otherwise who
	// gets the secret.
	Client *oauthex.ClientCredentials
	// ClientIDMetadataURL is where our metadata is, if Client is nil: an https URL with a path, which
	// is the client id at authorization servers that support such documents.
	ClientIDMetadataURL string
	// Registration is how we register at other authorization servers (RFC 7591). If nil, with the
	// name "mcpconnect" and RedirectURL, as a public client.
	Registration *oauthex.ClientRegistrationMetadata

	// Unattended gets tokens for Client itself, which must have a secret, by client credentials
	// (RFC 6749 §4.4): nobody logs in.
	Unattended bool
	// Authorize has a person open a URL, and gives what comes to RedirectURL: [Loopback] does. If nil
	// there is nobody: what the [Store] has has to do.
	Authorize auth.AuthorizationCodeFetcher
	// RedirectURL is where Authorize listens.
	RedirectURL string

	// Scopes are asked for beside those that the server names.
	Scopes []string
	// Store keeps credentials. If nil, memory does.
	Store Store
	// HTTPClient makes the requests to authorization servers and for metadata. It must not follow
	// redirects to where no token may go. If nil, one with timeouts that follows no redirects, and
	// reaches public addresses only, unless Resource has another one for its host, or AllowPrivate
	// is set. A proxy of the environment is used, and may be anywhere.
	HTTPClient *http.Client
	// RootCAs are those of authorization servers. If nil, the system's. It is not for HTTPClient.
	RootCAs *x509.CertPool
	// AllowPrivate lets the server name authorization servers whose addresses are not public: in a
	// company's network, for example.
	AllowPrivate bool
}

func (c *Config) check() (*url.URL, error) {
	u, err := url.Parse(c.Resource)
	switch {
	case err != nil:
		return nil, fmt.Errorf("oauth: Resource: %w", err)
	case u.Host == "" || u.Fragment != "" || u.RawQuery != "" || u.User != nil:
		return nil, fmt.Errorf("oauth: Resource is %q: write scheme, host and path of the server", u.Redacted())
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback.IsHost(u.Hostname())):
		return nil, fmt.Errorf("oauth: Resource is %q: tokens need https, or a loopback host", c.Resource)
	case c.Unattended && (c.Client == nil || c.Client.ClientSecretAuth == nil):
		return nil, errors.New("oauth: Unattended needs a Client with a secret")
	case c.Unattended && c.Authorize != nil:
		return nil, errors.New("oauth: Unattended and Authorize: one of them gets the tokens")
	case c.Authorize != nil && c.RedirectURL == "":
		return nil, errors.New("oauth: Authorize needs a RedirectURL")
	}
	if c.ClientIDMetadataURL != "" {
		if id, err := url.Parse(c.ClientIDMetadataURL); err != nil || id.Scheme != "https" || strings.Trim(id.Path, "/") == "" {
			return nil, fmt.Errorf("oauth: ClientIDMetadataURL is %q: it must be https, with a path", c.ClientIDMetadataURL)
		}
	}
	if c.Client != nil {
		if err := c.Client.Validate(); err != nil {
			return nil, fmt.Errorf("oauth: Client: %w", err)
		}
		switch issuer := c.Client.Issuer; {
		case issuer == "" && c.Client.ClientSecretAuth != nil:
			return nil, fmt.Errorf("oauth: Client %q has a secret, whose Issuer is not set: write the URL of the authorization server that has given the secret", c.Client.ClientID)
		case issuer != "" && !isSafe(issuer):
			return nil, fmt.Errorf("oauth: Client: Issuer is %q: it is neither https nor on this machine", issuer)
		}
	}
	if r := c.Registration; r != nil && c.RedirectURL != "" && !slices.Contains(r.RedirectURIs, c.RedirectURL) {
		return nil, fmt.Errorf("oauth: Registration does not have the RedirectURL %q", c.RedirectURL)
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return u, nil
}

// isSafe tells whether tokens and codes may go to a URL.
func isSafe(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback.IsHost(u.Hostname()))
}
