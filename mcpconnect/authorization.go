// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/mcpconnect/mcpconnect/internal/loopback"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/oauth"
)

// WithAuthorization has handler see to tokens: an [oauth.Source], or a handler of the SDK's packages
// auth and extauth, for client credentials for example. Each RPC has the token of its moment. One
// that the server refuses is made again, once, when handler has another token, which may take as
// long as a person takes to log in; on streams the next call has it.
//
// Tokens go to https:// URLs, and to loopback addresses, only: the first use fails otherwise. By
// default there are no tokens but those of [WithHeader].
func WithAuthorization(handler auth.OAuthHandler) ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.authorization = handler })
}

// WithInsecureCredentials lets [WithHeader] send credentials in clear to other machines: where
// something else encrypts, the sidecar of a mesh for example. By default the first use fails.
func WithInsecureCredentials() ClientOption {
	return clientOptionFunc(func(c *clientConfig) { c.insecure = true })
}

// credentials are the headers that hold some.
var credentials = []string{"Authorization", "X-Mcp-Api-Key", "Cookie", "Proxy-Authorization"}

// checkCredentials tells whether credentials would go in clear.
func (c *clientConfig) checkCredentials(u *url.URL) error {
	if u.Scheme == "https" || loopback.IsHost(u.Hostname()) {
		return nil
	}
	if c.authorization != nil {
		return fmt.Errorf("mcpconnect: WithAuthorization needs TLS: write %q", "https://"+u.Host+u.Path)
	}
	i := slices.IndexFunc(credentials, func(name string) bool { return c.header.Get(name) != "" })
	if i >= 0 && !c.insecure {
		return fmt.Errorf("mcpconnect: WithHeader(%q, …) would go in clear to %s: write https://, or add WithInsecureCredentials where something else encrypts",
			credentials[i], u.Host)
	}
	return nil
}

// authorized gives a client like client that has the tokens, and takes no header to another origin:
// net/http leaves out those that it knows for credentials only.
func (c *clientConfig) authorized(base *url.URL, client *http.Client) (*http.Client, error) {
	own := *client
	own.CheckRedirect = withinOrigin(client.CheckRedirect)
	if c.authorization == nil {
		return &own, nil
	}
	transport, err := oauth.NewTransport(base.String(), c.authorization, client.Transport)
	if err != nil {
		return nil, err
	}
	own.Transport = transport
	// Tokens must not follow a redirect, and the service has none.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own, nil
}

// maxRedirects is as in net/http, for clients that have no rule of their own.
const maxRedirects = 10

// withinOrigin follows redirects as next says, nil for as net/http does, if they stay in the origin.
func withinOrigin(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if next != nil {
			if err := next(r, via); err != nil {
				return err
			}
		} else if len(via) >= maxRedirects {
			return errors.New("mcpconnect: too many redirects")
		}
		if from := via[0].URL; r.URL.Scheme != from.Scheme || !strings.EqualFold(r.URL.Host, from.Host) {
			return fmt.Errorf("mcpconnect: the server redirects to another origin, %s://%s: use that URL if it is right", r.URL.Scheme, r.URL.Host)
		}
		return nil
	}
}

// Metadata asks the server at rawURL where its callers get tokens, by AuthDiscovery/GetMetadata, for
// [oauth.Config]. It sends no credentials. Its error is [oauth.ErrNoMetadata] for servers that have
// none, or do not know the RPC.
func Metadata(rawURL string, opts ...ClientOption) func(context.Context) (*oauthex.ProtectedResourceMetadata, error) {
	return func(ctx context.Context) (*oauthex.ProtectedResourceMetadata, error) {
		c := newClientConfig(opts)
		c.authorization, c.header = nil, http.Header{}
		l, err := c.dial(rawURL)
		if err != nil {
			return nil, err
		}
		defer l.close()
		m, err := l.discovery.GetMetadata(ctx, &mcpv1.GetMetadataRequest{})
		switch code := connect.CodeOf(err); {
		case err == nil:
			return metadataOf(m)
		case code == connect.CodeNotFound, code == connect.CodeUnimplemented:
			return nil, fmt.Errorf("%w: %w", oauth.ErrNoMetadata, err)
		}
		return nil, err
	}
}

// metadataOf goes by way of JSON: the members of the document are the names of the message's fields.
func metadataOf(m *mcpv1.ProtectedResourceMetadata) (*oauthex.ProtectedResourceMetadata, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	doc := new(oauthex.ProtectedResourceMetadata)
	return doc, json.Unmarshal(text, doc)
}

// errMoreScope says that a call on a stream needs scopes that the stream's token does not have. The
// call is to be made as an RPC of its own, for which a token with them can be got.
var errMoreScope = errors.New("the call needs more scopes than the stream's token has")

// needsMoreScope reads what SPEC.md §14.4 says of a refusal.
func needsMoreScope(err error) bool {
	rpc, ok := errors.AsType[*connect.Error](err)
	if !ok || rpc.Code() != connect.CodePermissionDenied {
		return false
	}
	e := detailOf(rpc)
	var data struct {
		Reason string `json:"reason"`
	}
	return e != nil && len(e.Data) > 0 && json.Unmarshal(e.Data, &data) == nil && data.Reason == "insufficient_scope"
}
