// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/json"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// A denial is the data of a JSON-RPC error that says why something is not allowed.
type denial struct {
	Reason   string `json:"reason"`
	Scope    string `json:"scope,omitempty"`
	Metadata string `json:"resource_metadata,omitempty"`
}

const (
	reasonScope  = "insufficient_scope"
	reasonDenied = "access_denied"
)

// InsufficientScope is the error of a tool, or of an [Authorizer], that needs scopes which
// the caller's token does not have. Name all that the operation needs at once (MCP
// 2026-07-28, "Runtime insufficient scope errors"). The caller gets permission_denied
// (HTTP 403), with a challenge to get a token that has them. A tool must return it as it
// is, not wrapped: the SDK makes a failed result of other errors.
func InsufficientScope(scopes ...string) *jsonrpc.Error {
	return denial{Reason: reasonScope, Scope: challengeScopes(scopes)}.wire("the token lacks a scope: " + challengeScopes(scopes))
}

// Denied is the error of a tool, or of an [Authorizer], for what the caller may not do,
// whatever its token says. The caller gets permission_denied (HTTP 403).
func Denied() *jsonrpc.Error { return denial{Reason: reasonDenied}.wire("not allowed") }

// wire gives the error that goes to the caller. Its code is the one that SPEC.md has for
// requests that are refused: JSON-RPC knows no other.
func (d denial) wire(text string) *jsonrpc.Error {
	data, err := json.Marshal(d)
	if err != nil {
		data = nil // of strings: cannot fail
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: text, Data: data}
}

// readDenial reads an error of InsufficientScope or Denied; false for any other.
func readDenial(e *jsonrpc.Error) (d denial, ok bool) {
	if e == nil || e.Code != jsonrpc.CodeInvalidRequest || len(e.Data) == 0 {
		return d, false
	}
	err := json.Unmarshal(e.Data, &d)
	return d, err == nil && (d.Reason == reasonScope || d.Reason == reasonDenied)
}

// IsDenial tells whether an error is one of [InsufficientScope] or [Denied], also after it
// has travelled as JSON.
func IsDenial(e *jsonrpc.Error) bool {
	_, ok := readDenial(e)
	return ok
}

// Explain gives an error of [InsufficientScope] with where such a token is to be had, as
// far as that helps the caller p: other credentials cannot get scopes. Other errors are
// given as they are. It may be called on a nil Metadata.
func (m *Metadata) Explain(p *Principal, e *jsonrpc.Error) *jsonrpc.Error {
	d, ok := readDenial(e)
	switch {
	case !ok || d.Reason != reasonScope:
		return e
	case p != nil && !p.byToken():
		return Denied()
	case m != nil:
		d.Metadata = m.url
	}
	return d.wire(e.Message)
}

// StepUp puts the challenge of an error of [InsufficientScope] into the header of the
// response and the details of the RPC's error. header may be nil, where the response has
// begun. Other errors change nothing. It may be called on a nil Metadata.
func (m *Metadata) StepUp(e *jsonrpc.Error, header http.Header, err *connect.Error) {
	d, ok := readDenial(e)
	if !ok || d.Reason != reasonScope {
		return
	}
	scopes := strings.Fields(d.Scope)
	if header != nil {
		header.Set("Www-Authenticate", m.Challenge(reasonScope, scopes))
	}
	m.addInfo(err, reasonScope, scopes)
}

// byToken tells whether another token, with more scopes, could help the caller.
func (p *Principal) byToken() bool {
	return p.Method == MethodJWT || p.Method == MethodIntrospection
}
