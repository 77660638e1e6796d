// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"errors"
	"strconv"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/authn"
)

// errCredentialEnded ends what goes on longer than the credential that let it in.
var errCredentialEnded = newError(connect.CodeUnauthenticated, jsonrpc.CodeInvalidRequest, "the credentials have expired or were revoked")

// userOf names who a session belongs to: the caller, and the client that acts for it. Both are
// quoted, since both may have blanks.
func userOf(ctx context.Context) string {
	if p := authn.FromContext(ctx); p != nil {
		return strconv.Quote(p.ID()) + strconv.Quote(p.ClientID)
	}
	if info := auth.TokenInfoFromContext(ctx); info != nil {
		return info.UserID
	}
	return ""
}

// credentialEnded tells whether that is why ctx, of [authn.UntilEnd] or below one, has ended.
func credentialEnded(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), authn.ErrCredentialEnded)
}
