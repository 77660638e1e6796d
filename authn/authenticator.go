// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Headers that hold credentials.
const (
	headerAuthorization = "Authorization"
	headerAPIKey        = "X-Mcp-Api-Key" //nolint:gosec // no credential: the header's name
)

// An Authenticator recognises one kind of credential: [Bearer], [APIKeys],
// [Certificates] and [UnixPeers] are those of this package.
//
// Implementations must be safe for concurrent use.
type Authenticator interface {
	// Authenticate says who sent r. It returns nil and no error if r has no credential of
	// its kind; another Authenticator may then know the caller. Errors wrap one of
	// [ErrInvalidCredential], [ErrMalformedCredential] and [ErrUnavailable], and end the
	// request: a wrong credential is never ignored in favour of another one. It must not
	// read the body of r, nor keep r.
	Authenticate(ctx context.Context, r *http.Request) (*Principal, error)

	// Scheme is the authentication scheme that a caller without credentials is asked for
	// (RFC 9110 §11.3), "Bearer" for example. It is empty if HTTP cannot ask for it.
	Scheme() string
}

// authenticate asks all authenticators. The credentials of the request say who calls; the
// connection's count where the request has none.
func authenticate(ctx context.Context, r *http.Request, all []Authenticator) (*Principal, error) {
	if err := checkPresentation(r); err != nil {
		return nil, err
	}
	var caller, holder *Principal
	for _, a := range all {
		p, err := a.Authenticate(ctx, r)
		switch {
		case err != nil:
			return nil, err
		case p == nil:
			continue
		case p.end().Before(time.Now()) && !p.Expires.IsZero():
			return nil, invalid("it has expired")
		}
		known := &caller
		if p.ofConnection() {
			known = &holder
		}
		if *known != nil {
			return nil, malformed("there are two credentials")
		}
		*known = p
	}
	switch {
	case caller != nil:
		return caller.over(holder), nil
	case holder != nil:
		return holder, nil
	}
	return nil, errAbsent
}

// checkPresentation refuses requests that show credentials where nobody may look for them,
// or more than one: each reader might take another one (RFC 6750 §2).
func checkPresentation(r *http.Request) error {
	h := r.Header
	authorizations, keys := len(h[headerAuthorization]), len(h[headerAPIKey])
	switch {
	case authorizations > 1 || keys > 1:
		return malformed("a credential header is given twice")
	case authorizations > 0 && keys > 0:
		return malformed("there are a token and an API key")
	case len(h["Authorization-Bin"]) > 0 || len(h["X-Mcp-Api-Key-Bin"]) > 0:
		return malformed("a credential is in a binary header")
	case r.URL.RawQuery != "" && queryHasCredential(r.URL.RawQuery):
		return malformed("a credential is in the query")
	}
	return nil
}

// queryHasCredential looks for names under which credentials travel in URLs. It reads
// what a lax parser would, too: names between semicolons, and escapes that are none.
func queryHasCredential(query string) bool {
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "access_token", "token", "id_token", "authorization", "bearer", "api_key", "apikey", "key", "x-mcp-api-key":
			return true
		}
	}
	return false
}

// A TokenVerifier checks one kind of bearer token: [Static], [JWT] and [Introspection] are
// those of this package.
//
// Implementations must be safe for concurrent use.
type TokenVerifier interface {
	// VerifyToken says whose token it is. It returns nil and no error if the token is not
	// of its kind; another TokenVerifier may then know it. Errors are those of
	// [Authenticator]. token has the form of RFC 6750 §2.1 and at most 8 KiB. r is there
	// for what binds the token to its connection.
	VerifyToken(ctx context.Context, token string, r *http.Request) (*Principal, error)
}

// Bearer is the [Authenticator] for tokens in the header Authorization (RFC 6750). The
// verifiers are asked in their order, until one knows the token.
type Bearer []TokenVerifier

var _ Authenticator = Bearer(nil)

// Authenticate implements [Authenticator].
func (b Bearer) Authenticate(ctx context.Context, r *http.Request) (*Principal, error) {
	token, err := bearerToken(r.Header)
	if err != nil || token == "" {
		return nil, err
	}
	for _, v := range b {
		if p, err := v.VerifyToken(ctx, token, r); p != nil || err != nil {
			return p, err
		}
	}
	return nil, invalid("no issuer is known for the token")
}

// Scheme implements [Authenticator].
func (Bearer) Scheme() string { return "Bearer" }

// maxTokenBytes bounds what is parsed and hashed for somebody unknown.
const maxTokenBytes = 8 << 10

// bearerToken gives the token of a request, empty if it shows none. It takes the header as
// RFC 6750 §2.1 has it, to the letter: HTTP/2 keeps spaces around a value, and lists of
// tokens read differently to different readers.
func bearerToken(h http.Header) (string, error) {
	values := h[headerAuthorization]
	if len(values) == 0 {
		return "", nil
	}
	const scheme = "bearer"
	value := values[0]
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", nil // another scheme: like no credential at all
	}
	switch rest := value[len(scheme):]; {
	case rest == "":
		return "", malformed("there is no token")
	case rest[0] != ' ':
		if isToken68(rest[:1]) {
			return "", nil // a scheme with a longer name
		}
		return "", malformed("the header is not of the form of RFC 6750")
	case len(rest)-1 > maxTokenBytes:
		return "", invalid("the token has more than %d bytes", maxTokenBytes)
	case !isToken68(rest[1:]):
		return "", malformed("the token has characters that no token has")
	default:
		return rest[1:], nil
	}
}

// isToken68 tells whether s is the b64token of RFC 6750 §2.1.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// errNoAuthenticators is the mistake of a server that could let nobody in.
var errNoAuthenticators = errors.New("there is no authenticator: nobody could get in")
