// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// authentication are the options for whom to let in.
func (f *flags) authentication(url string, out io.Writer) ([]mcpconnect.HandlerOption, error) {
	switch f.auth {
	case "none":
		return nil, nil
	case "bearer":
		tokens, err := authn.NewStatic(map[string]authn.Grant{f.bearerToken: {Subject: "developer"}})
		if err != nil {
			return nil, err
		}
		return let(authn.Bearer{tokens}), nil
	case "apikey":
		return f.apiKeys(out)
	case "mtls":
		known, err := authn.NewCertificates(authn.CertificateConfig{
			TrustDomain: trustDomain,
			Grant:       authn.Grants{clientID: {Subject: "client"}}.Lookup,
		})
		if err != nil {
			return nil, err
		}
		return let(known), nil
	case "unix":
		// Whoever runs this server.
		peers, err := authn.NewUnixPeers(authn.Grants{fmt.Sprintf("uid:%d", os.Getuid()): {Subject: "you"}}.Lookup)
		if err != nil {
			return nil, err
		}
		return let(peers), nil
	case "oidc":
		return f.oidc(url)
	}
	return nil, fmt.Errorf("-auth %s: want none, bearer, apikey, mtls, unix or oidc", f.auth)
}

func let(in authn.Authenticator) []mcpconnect.HandlerOption {
	return []mcpconnect.HandlerOption{mcpconnect.WithAuthn(in)}
}

// apiKeys knows one key, of which the server keeps a hash.
func (f *flags) apiKeys(out io.Writer) ([]mcpconnect.HandlerOption, error) {
	record, err := authn.RecordAPIKey(f.apiKey, nil, authn.APIKey{Subject: "key holder"})
	if f.apiKey == "" {
		var key string
		if key, record, err = authn.NewAPIKey("dev", nil, authn.APIKey{Subject: "key holder"}); err == nil {
			fmt.Fprintln(out, "API key:", key)
		}
	}
	if err != nil {
		return nil, err
	}
	keys, err := authn.NewAPIKeys(nil, record)
	if err != nil {
		return nil, err
	}
	return let(keys), nil
}

// oidc takes access tokens of an OpenID provider, and says who gives them.
func (f *flags) oidc(url string) ([]mcpconnect.HandlerOption, error) {
	if f.issuer == "" {
		return nil, errors.New("-auth oidc needs -issuer")
	}
	if f.resource == "" {
		f.resource = url
	}
	tokens, err := authn.NewJWT(authn.JWTConfig{
		Resource: f.resource,
		Issuers:  []authn.Issuer{{URL: f.issuer, Algorithms: []string{f.algorithm}}},
	})
	if err != nil {
		return nil, err
	}
	scopes := strings.Fields(f.scopes)
	policy, err := authn.NewPolicy(authn.PolicyConfig{Baseline: scopes, Default: &authn.Rule{}})
	if err != nil {
		return nil, err
	}
	return append(let(authn.Bearer{tokens}), mcpconnect.WithPolicy(policy), mcpconnect.WithResourceMetadata(&oauthex.ProtectedResourceMetadata{
		Resource: f.resource, AuthorizationServers: []string{f.issuer}, ScopesSupported: scopes,
	})), nil
}
