// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// login gets a token as the server of the resource has asked for it.
func (s *Source) login(ctx context.Context, c challenge) error {
	if s.cfg.Authorize == nil && !s.cfg.Unattended {
		return fmt.Errorf("%w at %s", ErrLoginRequired, s.resource)
	}
	if err := s.mayLogin(); err != nil {
		return err
	}
	m, err := s.resourceMetadata(ctx, c)
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	issuer := m.AuthorizationServers[0]
	as, err := s.serverMetadata(ctx, issuer)
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	known, err := s.known(ctx, issuer)
	if err != nil {
		return err
	}
	client, err := s.register(ctx, as, known)
	if err != nil {
		return fmt.Errorf("oauth: registering at %s: %w", issuer, err)
	}
	scopes := s.scopes(c, m, as, known)
	get := s.authorize
	if s.cfg.Unattended {
		get = s.clientCredentials
	}
	token, err := get(ctx, as, client, m.Resource, scopes)
	refused, ok := errors.AsType[*AuthorizationError](err)
	if c.code == insufficientScope && (err == nil || ok && refused.Code == "access_denied") {
		s.asked, s.steppedUp = union(s.asked, c.scopes), true
	}
	if err != nil {
		return fmt.Errorf("oauth: logging in at %s: %w", issuer, redacted(err))
	}
	if c.code != insufficientScope {
		s.asked, s.steppedUp = nil, false
	}
	granted := scopesOf(token)
	if granted == nil {
		granted = scopes
	}
	return s.save(context.WithoutCancel(ctx), &Credential{
		Resource: m.Resource, Issuer: issuer, Client: client, TokenEndpoint: as.TokenEndpoint, Scopes: granted, Token: token,
	})
}

// known is what issuer has given before, nil for nothing. What another one has given is worth nothing.
func (s *Source) known(ctx context.Context, issuer string) (*Credential, error) {
	if c := s.credential; c != nil && c.Issuer == issuer {
		return c, nil
	}
	return s.cfg.Store.LoadOf(ctx, s.key(), issuer)
}

// scopes are what to ask for: what the challenge names, or else the server's metadata, beside what
// the token had, and the means to refresh it where there are such.
func (s *Source) scopes(c challenge, m *oauthex.ProtectedResourceMetadata, as *oauthex.AuthServerMeta, known *Credential) []string {
	wanted := c.scopes
	if len(wanted) == 0 {
		wanted = m.ScopesSupported
	}
	wanted = union(wanted, s.cfg.Scopes)
	if known != nil && c.code == insufficientScope {
		wanted = union(union(known.Scopes, s.asked), wanted)
	}
	// By itself it means nothing, and some servers refuse it.
	if len(wanted) > 0 && slices.Contains(as.ScopesSupported, "offline_access") && !s.cfg.Unattended {
		wanted = union(wanted, []string{"offline_access"})
	}
	return wanted
}

// register says who we are at an authorization server: as the configuration has it, or as we have
// registered before, or as we do now.
func (s *Source) register(ctx context.Context, as *oauthex.AuthServerMeta, known *Credential) (Registration, error) {
	if id := s.cfg.Client; id != nil {
		if id.Issuer != "" && id.Issuer != as.Issuer { // what the resource names may change
			return Registration{}, fmt.Errorf("the client %q is one of %q", id.ClientID, id.Issuer)
		}
		r := Registration{ID: id.ClientID, Style: oauth2.AuthStyleInParams}
		if id.ClientSecretAuth != nil {
			r.Secret, r.Style = id.ClientSecretAuth.ClientSecret, styleOf(as.TokenEndpointAuthMethodsSupported)
		}
		return r, nil
	}
	if s.cfg.ClientIDMetadataURL != "" && as.ClientIDMetadataDocumentSupported {
		return Registration{ID: s.cfg.ClientIDMetadataURL, Style: oauth2.AuthStyleInParams}, nil
	}
	if known != nil && known.Client.Dynamic && known.Client.RedirectURL == s.cfg.RedirectURL && known.Client.lasts() {
		return known.Client, nil
	}
	if as.RegistrationEndpoint == "" {
		return Registration{}, errors.New("it does not take new clients: register there, and configure the client id")
	}
	res, err := oauthex.RegisterClient(ctx, as.RegistrationEndpoint, s.registration(as), s.http)
	if refused, ok := errors.AsType[*oauthex.ClientRegistrationError](err); ok {
		return Registration{}, fmt.Errorf("it refuses: %.100q %.300q", refused.ErrorCode, refused.ErrorDescription)
	}
	if err != nil { // whose text may have the whole answer in it, with secrets
		return Registration{}, errors.New("it has not answered as it should")
	}
	r := Registration{ID: res.ClientID, Secret: res.ClientSecret, SecretExpires: res.ClientSecretExpiresAt, Dynamic: true, RedirectURL: s.cfg.RedirectURL}
	r.Style = oauth2.AuthStyleInParams
	if method := res.TokenEndpointAuthMethod; r.Secret != "" {
		r.Style = styleOf([]string{method})
		if method == "none" {
			r.Secret, r.Style = "", oauth2.AuthStyleInParams
		}
	}
	return r, nil
}

// registration is what we say of ourselves.
func (s *Source) registration(as *oauthex.AuthServerMeta) *oauthex.ClientRegistrationMetadata {
	if s.cfg.Registration != nil {
		return s.cfg.Registration
	}
	r := &oauthex.ClientRegistrationMetadata{
		ClientName:      "mcpconnect",
		RedirectURIs:    []string{s.cfg.RedirectURL},
		GrantTypes:      []string{"authorization_code", "refresh_token"},
		ResponseTypes:   []string{"code"},
		ApplicationType: "native",
	}
	if u, err := url.Parse(s.cfg.RedirectURL); err == nil && u.Scheme == "https" {
		r.ApplicationType = "web"
	}
	// A public client, wherever there are such: a secret on everybody's machine is none.
	r.TokenEndpointAuthMethod = "none"
	if methods := as.TokenEndpointAuthMethodsSupported; len(methods) > 0 && !slices.Contains(methods, "none") {
		r.TokenEndpointAuthMethod = "client_secret_basic"
		if !slices.Contains(methods, "client_secret_basic") {
			r.TokenEndpointAuthMethod = "client_secret_post"
		}
	}
	return r
}

// styleOf is how to send a secret, of the methods that a server has. RFC 6749 §2.3.1 has the header
// as the rule.
func styleOf(methods []string) oauth2.AuthStyle {
	if slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

func (s *Source) authorize(ctx context.Context, as *oauthex.AuthServerMeta, client Registration, resource string, scopes []string) (*oauth2.Token, error) {
	cfg := &oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: s.cfg.RedirectURL, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: as.AuthorizationEndpoint, TokenURL: as.TokenEndpoint, AuthStyle: client.Style},
	}
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	forResource := oauth2.SetAuthURLParam("resource", resource)
	res, err := s.cfg.Authorize(ctx, &auth.AuthorizationArgs{URL: cfg.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), forResource)})
	if refused, ok := errors.AsType[*AuthorizationError](err); ok {
		res = &auth.AuthorizationResult{State: refused.State, Iss: refused.Iss}
	} else if err != nil {
		return nil, err
	}
	if res.State != state {
		return nil, errors.New("the answer has another state than the question: somebody else may have made it")
	}
	if err := checkIssuer(res.Iss, as); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	// The code is used up with the first try, however soon the call ends that needed the token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	token, err := cfg.Exchange(s.withClient(ctx), res.Code, oauth2.VerifierOption(verifier), forResource)
	return checkToken(token, err)
}

// clientCredentials gets a token for ourselves.
func (s *Source) clientCredentials(ctx context.Context, as *oauthex.AuthServerMeta, client Registration, resource string, scopes []string) (*oauth2.Token, error) {
	cfg := &clientcredentials.Config{
		ClientID: client.ID, ClientSecret: client.Secret, TokenURL: as.TokenEndpoint, AuthStyle: client.Style, Scopes: scopes,
		EndpointParams: url.Values{"resource": {resource}},
	}
	return checkToken(cfg.Token(s.withClient(ctx)))
}

// checkIssuer does what RFC 9207 §2.4 asks for. A server that sends the parameter without saying so
// is believed what it sends.
func checkIssuer(iss string, as *oauthex.AuthServerMeta) error {
	switch {
	case iss == "" && as.AuthorizationResponseIssParameterSupported:
		return errors.New("the answer does not say whose it is, and should")
	case iss != "" && iss != as.Issuer:
		return fmt.Errorf("the answer is of %q", iss)
	}
	return nil
}

func checkToken(t *oauth2.Token, err error) (*oauth2.Token, error) {
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(t.Type(), "bearer") {
		return nil, fmt.Errorf("the token is of the type %q", t.Type())
	}
	if t.ExpiresIn == 0 && !t.Expiry.IsZero() { // not every way through package oauth2 keeps it
		t.ExpiresIn = int64(time.Until(t.Expiry).Round(time.Second) / time.Second)
	}
	return t, nil
}

// exchangeRefresh asks for another token (RFC 6749 §6). Package oauth2 would leave out the resource,
// which RFC 8707 §2.2 wants in every request.
func (s *Source) exchangeRefresh(ctx context.Context, c *Credential) (*oauth2.Token, error) {
	if !isSafe(c.TokenEndpoint) {
		return nil, fmt.Errorf("the token endpoint %q: it is neither https nor on this machine", c.TokenEndpoint)
	}
	cfg := &clientcredentials.Config{
		ClientID: c.Client.ID, ClientSecret: c.Client.Secret, TokenURL: c.TokenEndpoint, AuthStyle: c.Client.Style,
		EndpointParams: url.Values{
			"grant_type":    {"refresh_token"},
			"refresh_token": {c.Token.RefreshToken},
			"resource":      {c.Resource},
		},
	}
	return checkToken(cfg.Token(s.withClient(ctx)))
}

func (s *Source) withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, s.http)
}
