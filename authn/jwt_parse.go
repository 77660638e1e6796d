// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4/json"
)

// errNotJWT says that a token is of another kind.
var errNotJWT = errors.New("the token is no JWT")

// A parsedJWT is what a token claims before anybody has looked at its signature.
type parsedJWT struct {
	alg, kid, typ string
	claims        map[string]any
}

// parseJWT reads a JWT in the one form that all readers read alike: compact, base64url to
// the letter, and each member once. go-oidc would accept more, and pick of two members the
// last.
func parseJWT(token string) (*parsedJWT, error) {
	if strings.Count(token, ".") != 2 {
		return nil, errNotJWT
	}
	head, rest, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(rest, ".")
	header, err := decodeSegment(head)
	if err != nil {
		return nil, errNotJWT // opaque tokens may have dots
	}
	if signature == "" {
		return nil, invalid("the token is not signed")
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(signature); err != nil {
		return nil, invalid("the signature is not base64url")
	}
	t := &parsedJWT{}
	if t.claims, err = decodeSegment(body); err != nil {
		return nil, invalid("claims: %v", err)
	}
	if err := refuseVariants(t.claims, readClaims); err != nil {
		return nil, err
	}
	return t, t.readHeader(header)
}

// decodeSegment reads a JSON object.
func decodeSegment(segment string) (map[string]any, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, errors.New("no JSON object with each member once")
	}
	return members, nil
}

// dangerousHeaders name keys that the token brings itself, or change how it is read.
var dangerousHeaders = []string{"jwk", "jku", "x5u", "x5c", "crit", "zip", "b64", "cty"}

func (t *parsedJWT) readHeader(header map[string]any) error {
	if err := refuseVariants(header, append([]string{"alg", "kid", "typ"}, dangerousHeaders...)); err != nil {
		return err
	}
	for _, name := range dangerousHeaders {
		if _, ok := header[name]; ok {
			return invalid("the header has %q", name)
		}
	}
	for name, field := range map[string]*string{"alg": &t.alg, "kid": &t.kid, "typ": &t.typ} {
		value, ok := header[name]
		if !ok {
			continue
		}
		text, ok := value.(string)
		if !ok || (name == "kid" && (text == "" || len(text) > 128)) {
			return invalid("the header has a wrong %q", name)
		}
		*field = text
	}
	// RFC 7515 §4.1.9: a media type, mostly without "application/".
	t.typ = strings.TrimPrefix(strings.ToLower(t.typ), "application/")
	return nil
}

// readClaims are the claims that something here depends on.
var readClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "scope", "scp", "cnf", "nonce", "at_hash", "c_hash", "events"}

// refuseVariants refuses members that some readers take for one of names: they fold cases.
func refuseVariants(members map[string]any, names []string) error {
	for member := range members {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return invalid("%q looks like %q", member, name)
			}
		}
	}
	return nil
}

// text gives a claim that is a string, empty if there is none.
func (t *parsedJWT) text(name string) (string, error) {
	value, ok := t.claims[name]
	if !ok {
		return "", nil
	}
	text, ok := value.(string)
	if !ok || !isPlain(text) {
		return "", invalid("claim %q is not a plain string", name)
	}
	return text, nil
}

// isPlain tells whether text can stand in logs and comparisons: not long, and without
// control characters.
func isPlain(text string) bool {
	return len(text) <= 1024 && strings.IndexFunc(text, unicode.IsControl) < 0
}

// texts gives a claim that is a string or an array of strings.
func (t *parsedJWT) texts(name string) ([]string, error) {
	switch value := t.claims[name].(type) {
	case nil:
		return nil, nil
	case string:
		return []string{value}, nil
	case []any:
		var all []string
		for _, v := range value {
			s, ok := v.(string)
			if !ok {
				return nil, invalid("claim %q has an item that is no string", name)
			}
			all = append(all, s)
		}
		return all, nil
	default:
		return nil, invalid("claim %q is neither a string nor an array", name)
	}
}

// instant gives a claim that is a NumericDate (RFC 7519 §2), zero if there is none.
func (t *parsedJWT) instant(name string) (time.Time, error) {
	value, ok := t.claims[name]
	if !ok {
		return time.Time{}, nil
	}
	seconds, ok := value.(float64)
	if !ok || seconds < 1 || seconds > maxNumericDate {
		return time.Time{}, invalid("claim %q is no time in seconds", name)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// maxNumericDate is in the year 9999: seconds, not milliseconds.
const maxNumericDate = 253402300799

// scopes reads what the token allows: a string as RFC 6749 §3.3 has it, or an array of
// such strings, as some servers write it.
func (t *parsedJWT) scopes(name string) ([]string, error) {
	values, err := t.texts(name)
	if err != nil {
		return nil, err
	}
	var scopes []string
	for _, value := range values {
		some, err := parseScopes(value)
		if err != nil {
			return nil, fmt.Errorf("%w: claim %q: %w", ErrInvalidCredential, name, err)
		}
		scopes = append(scopes, some...)
	}
	return scopes, nil
}

// bound gives the certificate that the token is bound to (RFC 8705 §3.1), empty for none.
// A binding of another kind cannot be checked, and must not be ignored.
func (t *parsedJWT) bound() (string, error) {
	value, ok := t.claims["cnf"]
	if !ok {
		return "", nil
	}
	members, _ := value.(map[string]any)
	thumbprint, _ := members["x5t#S256"].(string)
	if thumbprint == "" || len(members) != 1 {
		return "", invalid("the token is bound to its holder in a way that is not supported")
	}
	return thumbprint, nil
}

// hasAny tells whether one of the claims is there.
func (t *parsedJWT) hasAny(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, ok := t.claims[name]; return ok })
}
