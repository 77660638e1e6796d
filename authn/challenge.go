// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"slices"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// Errors of RFC 6750 §3.1, as they stand in a challenge.
const (
	oauthInvalidRequest = "invalid_request"
	oauthInvalidToken   = "invalid_token"
)

// Challenge gives the value of WWW-Authenticate that tells a caller what token to get
// (RFC 6750 §3, RFC 9728 §5.1): oauthError is a code of RFC 6750 or empty, scopes are all
// that the operation needs. Every challenge for a token comes from here. It may be called
// on a nil Metadata: then the challenge does not say where tokens are to be had.
func (m *Metadata) Challenge(oauthError string, scopes []string) string {
	var params []string
	if oauthError != "" {
		params = append(params, quoted("error", oauthError))
	}
	if scopes := challengeScopes(scopes); scopes != "" {
		params = append(params, quoted("scope", scopes))
	}
	if m != nil {
		params = append(params, quoted("resource_metadata", m.url))
	}
	if len(params) == 0 {
		return "Bearer"
	}
	return "Bearer " + strings.Join(params, ", ")
}

// quoted gives an auth-param (RFC 9110 §11.2). Values have no quotes and backslashes:
// scopes and URLs are checked when they are configured.
func quoted(name, value string) string { return name + `="` + value + `"` }

// challengeScopes joins scopes as RFC 6749 §3.3 says. offline_access is between client and
// authorization server (MCP 2026-07-28, SEP-2207), and what is no scope would break the
// header.
func challengeScopes(scopes []string) string {
	var all []string
	for _, s := range scopes {
		if s != "offline_access" && isScope(s) && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}

// InfoDomain is the domain of the google.rpc.ErrorInfo that refusals carry.
const InfoDomain = "mcpconnect"

// addInfo repeats a challenge as a detail of an RPC's error, for clients that do not see
// headers: reason is the code of RFC 6750 in capitals, or CREDENTIALS_MISSING, and metadata
// has "scope" and "resource_metadata".
func (m *Metadata) addInfo(err *connect.Error, oauthError string, scopes []string) {
	info := &errdetails.ErrorInfo{Reason: "CREDENTIALS_MISSING", Domain: InfoDomain, Metadata: map[string]string{}}
	if oauthError != "" {
		info.Reason = strings.ToUpper(oauthError)
	}
	if scopes := challengeScopes(scopes); scopes != "" {
		info.Metadata["scope"] = scopes
	}
	if m != nil {
		info.Metadata["resource_metadata"] = m.url
	}
	if detail, detailErr := connect.NewErrorDetail(info); detailErr == nil {
		err.AddDetail(detail)
	}
}
