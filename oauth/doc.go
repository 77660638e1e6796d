// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package oauth gets access tokens for MCP servers: it is the client's side of MCP's
// authorization, for every transport.
//
// A [Source] knows one server. It finds the server's authorization server (RFC 9728, RFC 8414,
// OpenID Connect discovery), registers there if it has to (client ID metadata documents, RFC 7591),
// has a person log in (authorization code with PKCE S256, RFC 9207), keeps what it gets in a
// [Store], and refreshes it. Tokens are for the one server (RFC 8707). A [Source] is an
// OAuthHandler of the Go SDK's package auth, so that the SDK's own HTTP transport takes it as
// mcpconnect.WithAuthorization does.
//
// A server that asks for more scopes than the token has makes the Source ask for them, beside those
// it had (step-up), but not again and again.
package oauth
