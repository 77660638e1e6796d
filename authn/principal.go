// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"strings"
	"time"

	connectauthn "connectrpc.com/authn"
	"github.com/modelcontextprotocol/go-sdk/auth"
)

// A Method says how a caller was authenticated.
type Method string

// Methods of this package. An [Authenticator] of another kind may have another.
const (
	MethodJWT           Method = "jwt"
	MethodIntrospection Method = "introspection"
	MethodStaticToken   Method = "static-token"
	MethodAPIKey        Method = "api-key"
	MethodCertificate   Method = "certificate"
	MethodUnixPeer      Method = "unix-peer"
)

// A Principal is who calls. It is made by an [Authenticator] and must not be changed after
// that: requests share it. It holds no credential.
type Principal struct {
	// Subject is the caller's name. It is unique within Issuer and Tenant, or within
	// Method and Tenant where there is no issuer. It is never empty.
	Subject string
	// Issuer is the authorization server that vouches for the caller. It is empty for
	// callers that are known without one.
	Issuer string
	// Tenant is the organisation that the caller belongs to. It is empty for none.
	Tenant string
	// ClientID is the OAuth client that acts for the caller. It is empty if unknown.
	ClientID string
	// Scopes are what the caller may do, as the credential says.
	Scopes []string
	// Method is how the caller was authenticated.
	Method Method
	// CredentialID names the credential in logs: a token's jti, a key's id. It is no
	// secret, and empty if the credential has none.
	CredentialID string
	// Expires is when the credential ends. Zero is never.
	Expires time.Time
	// Claims are the verified claims of a token. They are nil for other credentials.
	Claims map[string]any
	// Connection is who holds the connection, by certificate or Unix socket, where a
	// token or API key says who calls. It is nil if that is nobody, or the caller itself.
	Connection *Principal

	// revoked ends when the credential is withdrawn before it expires. It is nil where
	// that cannot be noticed.
	revoked context.Context
	// info is what TokenInfo gives, made once. It is nil for principals that others made.
	info *auth.TokenInfo
}

// FromContext gives the caller of the request that ctx belongs to, nil if it was not
// authenticated by this package. It reads one value of ctx.
func FromContext(ctx context.Context) *Principal {
	p, _ := connectauthn.GetInfo(ctx).(*Principal)
	return p
}

// NewContext gives a context in which p calls, as [Middleware.Wrap] does. The SDK's
// [auth.TokenInfoFromContext] finds p too, as [Principal.TokenInfo] gives it.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return connectauthn.SetInfo(context.WithValue(ctx, sdkTokenKey, p.TokenInfo()), p)
}

// ID names the caller among all others, for state that belongs to it: issuer or method,
// then the tenant if there is one, and the subject, with bars between. Two callers share it
// only where Subject is not what it has to be, or an issuer is called like a method. It does not
// tell which client acts for the caller.
func (p *Principal) ID() string {
	parts := []string{idEscaper.Replace(p.Issuer), idEscaper.Replace(p.Subject)}
	if p.Issuer == "" {
		parts[0] = string(p.Method)
	}
	if p.Tenant != "" {
		parts = []string{parts[0], idEscaper.Replace(p.Tenant), parts[1]}
	}
	return strings.Join(parts, "|")
}

// idEscaper keeps the parts of an ID apart.
var idEscaper = strings.NewReplacer("%", "%25", "|", "%7C")

// TokenInfo gives the caller as the SDK shows callers to tools: UserID is [Principal.ID]
// and Extra holds, where they are known, "issuer", "subject", "tenant", "client_id",
// "method" and "claims". It never holds a credential (MCP 2026-07-28, "Token passthrough").
// It must not be changed.
func (p *Principal) TokenInfo() *auth.TokenInfo {
	if p.info != nil {
		return p.info
	}
	extra := map[string]any{"subject": p.Subject, "method": string(p.Method)}
	for name, value := range map[string]string{"issuer": p.Issuer, "tenant": p.Tenant, "client_id": p.ClientID} {
		if value != "" {
			extra[name] = value
		}
	}
	if p.Claims != nil {
		extra["claims"] = p.Claims
	}
	return &auth.TokenInfo{Scopes: p.Scopes, Expiration: p.Expires, UserID: p.ID(), Extra: extra}
}

// sealed gives p as it is shared by requests from now on.
func sealed(p Principal) *Principal {
	p.info = p.TokenInfo()
	return &p
}

// over gives the caller p on a connection whose holder is known too. Both must be let in,
// and both are to be seen.
func (p *Principal) over(holder *Principal) *Principal {
	if holder == nil {
		return p
	}
	q := *p
	q.Connection = holder
	return &q
}

// ofConnection tells whether the credential is the connection's, not the request's.
func (p *Principal) ofConnection() bool {
	return p.Method == MethodCertificate || p.Method == MethodUnixPeer
}

// sdkTokenKey is the key by which the SDK keeps the caller in a context. The SDK exports
// only what reads it, and [auth.RequireBearerToken], which knows no other credential than
// a token in a header.
var sdkTokenKey = learnTokenKey()

func learnTokenKey() any {
	spy := &keySpy{Context: context.Background()}
	auth.TokenInfoFromContext(spy)
	return spy.key
}

// A keySpy is a context that notes which value it was asked for.
type keySpy struct {
	context.Context

	key any
}

func (s *keySpy) Value(key any) any {
	s.key = key
	return nil
}
