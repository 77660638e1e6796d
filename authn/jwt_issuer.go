// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Issuer is an authorization server whose access tokens are accepted, and what they
// look like. The zero value of each field is what RFC 9068 says.
type Issuer struct {
	// URL is the issuer identifier, byte for byte as the tokens have it in "iss".
	URL string
	// JWKSURL is where its keys are. If empty it is taken from the server's metadata
	// (RFC 8414, OpenID Connect Discovery), when the first token comes in.
	JWKSURL string
	// JWKS is the key set itself, for servers that reach no network. Nothing is fetched
	// then.
	JWKS []byte
	// Audiences are the values of "aud" that mean this server. One of them must be in the
	// token. If empty it is the resource of the [JWTConfig].
	Audiences []string
	// Algorithms are the signature algorithms that the server uses, all of one family:
	// RS256, RS384, RS512; PS256, PS384, PS512; ES256, ES384, ES512; or EdDSA. If empty,
	// RS256.
	Algorithms []string
	// Types are the accepted values of the header "typ", without "application/". If empty,
	// "at+jwt". Servers that do not say what a token is need "JWT" here, or "" for a
	// missing header; then a token must name its client and must not look like an ID
	// token, since these are signed with the same key.
	Types []string
	// Clients are the OAuth clients whose tokens are accepted, by "client_id" or "azp". If
	// empty, all.
	Clients []string
	// ScopeClaim is the claim with the scopes. If empty, "scope".
	ScopeClaim string
	// TenantClaim is the claim with the caller's tenant. If empty, callers have none; else
	// tokens without it are refused.
	TenantClaim string
	// MaxLifetime is how far ahead a token may end. If zero, 24 hours.
	MaxLifetime time.Duration
	// InsecureIDTokens accepts ID tokens in place of access tokens, for servers that give
	// nothing else. A token that a client got to learn who its user is then opens this
	// server, so Clients is needed: those for whom that is right. GroupScopes is where
	// the scopes come from.
	InsecureIDTokens bool
	// GroupScopes gives the scopes of the values of the claim "groups". It adds to those
	// of ScopeClaim.
	GroupScopes map[string][]string
}

// families are the algorithms that may stand together: a key works for one family only.
var families = [][]string{
	{"RS256", "RS384", "RS512"},
	{"PS256", "PS384", "PS512"},
	{"ES256", "ES384", "ES512"},
	{"EdDSA"},
}

// complete checks an issuer and sets its defaults.
func (i *Issuer) complete(resource string) error {
	if err := checkIssuerURL(i.URL); err != nil {
		return err
	}
	if i.JWKSURL != "" {
		if _, err := secureURL(strings.SplitN(i.JWKSURL, "?", 2)[0]); err != nil {
			return fmt.Errorf("JWKSURL %q: %w", i.JWKSURL, err)
		}
	}
	if i.JWKSURL != "" && i.JWKS != nil {
		return errors.New("JWKSURL and JWKS are both set: write one of them")
	}
	if len(i.Audiences) == 0 && resource != "" {
		i.Audiences = []string{resource}
	}
	if len(i.Audiences) == 0 || slices.Contains(i.Audiences, "") {
		return errors.New("there is no audience, so tokens for any server would be accepted: set Resource or Audiences")
	}
	if i.Algorithms == nil {
		i.Algorithms = []string{"RS256"}
	}
	if err := checkAlgorithms(i.Algorithms); err != nil {
		return err
	}
	if i.Types == nil {
		i.Types = []string{"at+jwt"}
		if i.InsecureIDTokens {
			i.Types = []string{"jwt", ""}
		}
	}
	i.Types = slices.Clone(i.Types)
	for n, typ := range i.Types {
		i.Types[n] = strings.TrimPrefix(strings.ToLower(typ), "application/")
	}
	if i.InsecureIDTokens && len(i.Clients) == 0 {
		return errors.New("InsecureIDTokens needs Clients: name the clients whose ID tokens may be used here")
	}
	for group, scopes := range i.GroupScopes {
		if err := checkScopes(scopes); err != nil {
			return fmt.Errorf("GroupScopes[%q]: %w", group, err)
		}
	}
	if i.ScopeClaim == "" {
		i.ScopeClaim = "scope"
	}
	if i.MaxLifetime < 0 {
		return fmt.Errorf("MaxLifetime is %v: write a positive value, or 0 for 24 hours", i.MaxLifetime)
	}
	if i.MaxLifetime == 0 {
		i.MaxLifetime = 24 * time.Hour
	}
	return nil
}

func checkAlgorithms(algorithms []string) error {
	for _, family := range families {
		if !slices.ContainsFunc(algorithms, func(a string) bool { return !slices.Contains(family, a) }) && len(algorithms) > 0 {
			return nil
		}
	}
	return fmt.Errorf("algorithms %q: write some of one family: %q; \"none\" and HS256 would let anybody sign", algorithms, families)
}

// check judges what a token claims. It costs nothing but time: keys are fetched only for
// tokens that have passed.
func (i *Issuer) check(t *parsedJWT, now time.Time) (Principal, error) {
	p := Principal{Issuer: i.URL, Method: MethodJWT, Claims: t.claims}
	if !slices.Contains(i.Algorithms, t.alg) {
		return p, invalid("the algorithm %.20q is not one of the issuer's", t.alg)
	}
	if !slices.Contains(i.Types, t.typ) {
		return p, invalid("the type %.40q is not one of the issuer's access tokens", t.typ)
	}
	audience, err := t.texts("aud")
	if err != nil {
		return p, err
	}
	if !matchesAny(audience, i.Audiences) {
		return p, invalid("the token is for %.200q", audience)
	}
	if p.Expires, err = i.checkTimes(t, now); err != nil {
		return p, err
	}
	if p.Subject, err = t.text("sub"); err != nil {
		return p, err
	}
	if p.Subject == "" {
		return p, invalid("claim \"sub\" is missing")
	}
	if p.ClientID, err = i.checkClient(t); err != nil {
		return p, err
	}
	if i.TenantClaim != "" {
		if p.Tenant, err = t.text(i.TenantClaim); err != nil {
			return p, err
		}
		if p.Tenant == "" {
			return p, invalid("claim %q is missing", i.TenantClaim)
		}
	}
	if p.Scopes, err = i.scopes(t); err != nil {
		return p, err
	}
	p.CredentialID, err = t.text("jti")
	return p, err
}

// checkTimes gives the end of a token.
func (i *Issuer) checkTimes(t *parsedJWT, now time.Time) (time.Time, error) {
	expires, err := t.instant("exp")
	if err != nil {
		return expires, err
	}
	begins, err := t.instant("nbf")
	if err != nil {
		return expires, err
	}
	issued, err := t.instant("iat")
	if err != nil {
		return expires, err
	}
	switch {
	case expires.IsZero():
		return expires, invalid("claim \"exp\" is missing")
	case !now.Before(expires.Add(clockSkew)):
		return expires, invalid("it has expired at %v", expires.UTC())
	case expires.Sub(now) > i.MaxLifetime+clockSkew:
		return expires, invalid("it would live longer than %v", i.MaxLifetime)
	case begins.After(now.Add(clockSkew)):
		return expires, invalid("it is not valid before %v", begins.UTC())
	case issued.After(now.Add(clockSkew)):
		return expires, invalid("it was issued in the future, at %v", issued.UTC())
	}
	return expires, nil
}

// checkClient gives the client that a token was made for, and refuses tokens that were
// made for the client's own eyes.
func (i *Issuer) checkClient(t *parsedJWT) (string, error) {
	client, err := t.text("client_id")
	if err != nil {
		return "", err
	}
	if client == "" {
		if client, err = t.text("azp"); err != nil {
			return "", err
		}
	}
	if len(i.Clients) > 0 && !slices.Contains(i.Clients, client) {
		return "", invalid("client %q is not one of the issuer's", client)
	}
	if t.typ == "at+jwt" || i.InsecureIDTokens {
		return client, nil
	}
	if client == "" {
		return "", invalid("the token does not name its client")
	}
	if t.hasAny("nonce", "at_hash", "c_hash", "events") {
		return "", invalid("this is an ID token or a logout token")
	}
	return client, nil
}

func (i *Issuer) scopes(t *parsedJWT) ([]string, error) {
	scopes, err := t.scopes(i.ScopeClaim)
	if err != nil || len(i.GroupScopes) == 0 {
		return scopes, err
	}
	groups, err := t.texts("groups")
	for _, group := range groups {
		scopes = append(scopes, i.GroupScopes[group]...)
	}
	return scopes, err
}

// matchesAny tells whether one of the audiences is one of ours. They are compared byte for
// byte, except that a URL without path may end in a slash (RFC 3986 §6.2.3).
func matchesAny(audience, ours []string) bool {
	for _, a := range audience {
		for _, o := range ours {
			if a == o || (withoutRootSlash(a) == withoutRootSlash(o)) {
				return true
			}
		}
	}
	return false
}

func withoutRootSlash(url string) string {
	if scheme, host, ok := strings.Cut(strings.TrimSuffix(url, "/"), "://"); ok && scheme != "" && host != "" && !strings.ContainsAny(host, "/?#") {
		return scheme + "://" + host
	}
	return url
}
