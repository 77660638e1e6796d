// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package authn says who calls, and what they may do. It works in front of any
// [net/http.Handler]; package mcpconnect puts it in front of its own.
//
// # Who calls
//
// An [Authenticator] recognises one kind of credential. A [Middleware] asks all that it
// has, puts the [Principal] into the request's context, and refuses everybody else before
// the body of the request is read:
//
//	request ─▶ Middleware ─▶ Bearer ───────▶ JWT, Introspection, Static
//	                      ├▶ APIKeys
//	                      ├▶ Certificates   (of the connection)
//	                      └▶ UnixPeers      (of the connection)
//
// A wrong credential is refused even if another one on the same request is good, and two
// credentials of the request are refused always: what a request may do must not depend on
// the order in which they are read. A client certificate or Unix peer may come with a
// token: then the token says who calls, and [Principal.Connection] by whom.
//
// # What a refused caller sees
//
// The error is in the protocol that the caller speaks, with a challenge in the header
// WWW-Authenticate that says where tokens are to be had (RFC 6750, RFC 9728). Nothing in it
// comes from the request. The reason is for the log. When nobody can say whether a
// credential is good, as when an issuer's keys cannot be fetched, the error is unavailable:
// clients keep their credentials and try again.
//
// Credentials are never logged, and handlers never see them: they must not be passed on
// (MCP, "Token passthrough").
package authn
