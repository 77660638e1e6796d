// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/remote"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// Auth says who is let in: whom one of the ways below knows.
type Auth struct {
	// Anonymous lets everybody in, on any address. Nothing else may be set then.
	Anonymous bool `yaml:"anonymous"`
	// Resource is the URL of this server, which tokens are for.
	Resource string `yaml:"resource"`
	// Scopes are what authorization servers may be asked for; Required is what everybody
	// needs who is let in.
	Scopes   []string `yaml:"scopes"`
	Required []string `yaml:"required_scopes"`
	Issuers  []Issuer `yaml:"issuers"`
	Tokens   []Token  `yaml:"tokens"`
	APIKeys  *APIKeys `yaml:"api_keys"`
	// Certificates, and UnixUsers, say what the holder of a name may do: a SPIFFE ID or a DNS
	// name, and a user as "uid:1000".
	Certificates map[string]Grant `yaml:"certificates"`
	TrustDomain  string           `yaml:"trust_domain"`
	UnixUsers    map[string]Grant `yaml:"unix_users"`
}

// An Issuer is an authorization server; see [authn.Issuer].
type Issuer struct {
	URL         string   `yaml:"url"`
	JWKSURL     string   `yaml:"jwks_url"`
	Audiences   []string `yaml:"audiences"`
	Algorithms  []string `yaml:"algorithms"`
	Types       []string `yaml:"types"`
	Clients     []string `yaml:"clients"`
	ScopeClaim  string   `yaml:"scope_claim"`
	TenantClaim string   `yaml:"tenant_claim"`
}

// A Token is a fixed one, for development on one machine.
type Token struct {
	Token string `yaml:"token"`
	Grant `yaml:",inline"`
}

// APIKeys are in a file of their own, as `mcpconnect` reads it again when it changes.
type APIKeys struct {
	File   string `yaml:"file"`
	Pepper string `yaml:"pepper"`
}

// A Grant is what somebody may do; see [authn.Grant].
type Grant struct {
	Subject string   `yaml:"subject"`
	Tenant  string   `yaml:"tenant"`
	Scopes  []string `yaml:"scopes"`
}

func grants(m map[string]Grant) authn.Grants {
	all := authn.Grants{}
	for name, g := range m {
		all[name] = authn.Grant(g)
	}
	return all
}

// Access is what Auth has made.
type Access struct {
	Options []mcpconnect.HandlerOption
	// Watch follows files that change, until its context ends. It may be nil.
	Watch func(context.Context) error
}

// Access gives the options of the handler that let in whom the configuration names.
func (c *Config) Access(logger *slog.Logger) (*Access, error) {
	a := &Access{Options: []mcpconnect.HandlerOption{}}
	if len(c.Origins) > 0 {
		a.Options = append(a.Options, mcpconnect.WithOrigins(c.Origins...))
	}
	if len(c.Hosts) > 0 {
		a.Options = append(a.Options, mcpconnect.WithHosts(c.Hosts...))
	}
	if c.Auth == nil {
		if !isLocal(c.Listen) {
			return nil, fmt.Errorf("listen %q: others can reach this address: say under auth who is let in, or anonymous: true for everybody", c.Listen)
		}
		return a, nil
	}
	if err := c.checkAuth(); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	authenticators, err := c.Auth.authenticators(logger, a)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	if c.Auth.Anonymous {
		if len(authenticators) > 0 {
			return nil, errors.New("auth: with anonymous: true there is nobody to keep out: remove it, or the rest")
		}
		return a, nil
	}
	a.Options = append(a.Options, mcpconnect.WithAuthn(authenticators...))
	if c.Auth.Resource != "" {
		doc := &oauthex.ProtectedResourceMetadata{Resource: c.Auth.Resource, ScopesSupported: c.Auth.Scopes}
		for _, i := range c.Auth.Issuers {
			doc.AuthorizationServers = append(doc.AuthorizationServers, i.URL)
		}
		if _, err := authn.NewMetadata(*doc); err != nil {
			return nil, fmt.Errorf("auth: resource: %w", err)
		}
		a.Options = append(a.Options, mcpconnect.WithResourceMetadata(doc))
	}
	if len(c.Auth.Required) > 0 {
		policy, err := authn.NewPolicy(authn.PolicyConfig{Baseline: c.Auth.Required, Default: &authn.Rule{}})
		if err != nil {
			return nil, fmt.Errorf("auth: required_scopes: %w", err)
		}
		a.Options = append(a.Options, mcpconnect.WithPolicy(policy))
	}
	return a, nil
}

// checkAuth finds what would mean something else than it says.
func (c *Config) checkAuth() error {
	a, local := c.Auth, isLocal(c.Listen)
	isUnix := strings.HasPrefix(c.Listen, "unix:")
	switch {
	case a.Anonymous && (len(a.Required) > 0 || len(a.Scopes) > 0 || a.Resource != ""):
		return errors.New("with anonymous: true nobody shows a credential: remove it, or required_scopes, scopes and resource")
	case !local && len(a.Tokens) > 0:
		return fmt.Errorf("tokens never end, and stand in files: they are for loopback addresses and Unix sockets, and not for listen %q: use issuers or api_keys", c.Listen)
	case !local && !a.Anonymous && c.TLS == nil && !c.Cleartext:
		return fmt.Errorf("credentials would come in clear to listen %q: configure tls, or say cleartext: true where a proxy or a mesh encrypts", c.Listen)
	case !isUnix && len(a.UnixUsers) > 0:
		return fmt.Errorf("unix_users are for a Unix socket, and listen is %q: write listen: unix:/path", c.Listen)
	case c.TLS != nil && c.TLS.ClientCA == "" && len(a.Certificates) > 0:
		return errors.New("certificates need client_ca under tls: nobody is asked for one otherwise")
	}
	for name := range a.UnixUsers {
		if _, err := strconv.ParseUint(strings.TrimPrefix(name, "uid:"), 10, 32); err != nil || !strings.HasPrefix(name, "uid:") {
			return fmt.Errorf("unix_users: %q is no user: write the number, as in uid:1000", name)
		}
	}
	for i, t := range a.Tokens {
		if j := slices.IndexFunc(a.Tokens, func(other Token) bool { return other.Token == t.Token }); j < i {
			return fmt.Errorf("tokens: %q and %q have the same token: give each one of their own", a.Tokens[j].Subject, t.Subject)
		}
	}
	return nil
}

// SocketMode is who may connect to a Unix socket: who runs the gateway, or everybody, if others are
// named as unix_users. The kernel says who they are then.
func (c *Config) SocketMode() fs.FileMode {
	if c.Auth != nil {
		for name := range c.Auth.UnixUsers {
			if name != fmt.Sprintf("uid:%d", os.Geteuid()) {
				return 0o666
			}
		}
	}
	return 0o600
}

// isLocal tells whether only this machine can reach an address.
func isLocal(listen string) bool {
	if strings.HasPrefix(listen, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *Auth) authenticators(logger *slog.Logger, access *Access) ([]authn.Authenticator, error) {
	var all []authn.Authenticator
	var bearer authn.Bearer
	if len(a.Issuers) > 0 {
		jwt, err := authn.NewJWT(authn.JWTConfig{Resource: a.Resource, Issuers: issuers(a.Issuers)})
		if err != nil {
			return nil, err
		}
		bearer = append(bearer, jwt)
	}
	if len(a.Tokens) > 0 {
		tokens := map[string]authn.Grant{}
		for _, t := range a.Tokens {
			tokens[t.Token] = authn.Grant(t.Grant)
		}
		static, err := authn.NewStatic(tokens)
		if err != nil {
			return nil, err
		}
		bearer = append(bearer, static)
	}
	if bearer != nil {
		all = append(all, bearer)
	}
	if a.APIKeys != nil {
		keys, err := authn.LoadAPIKeys(a.APIKeys.File, []byte(a.APIKeys.Pepper), logger)
		if err != nil {
			return nil, err
		}
		access.Watch = keys.Watch
		all = append(all, keys)
	}
	if len(a.Certificates) > 0 {
		certificates, err := authn.NewCertificates(authn.CertificateConfig{
			TrustDomain: a.TrustDomain, DNSNames: a.TrustDomain == "", Grant: grants(a.Certificates).Lookup,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, certificates)
	}
	if len(a.UnixUsers) > 0 {
		peers, err := authn.NewUnixPeers(grants(a.UnixUsers).Lookup)
		if err != nil {
			return nil, err
		}
		all = append(all, peers)
	}
	if len(all) == 0 && !a.Anonymous {
		return nil, errors.New("nobody is let in: name issuers, tokens, api_keys, certificates or unix_users")
	}
	return all, nil
}

func issuers(own []Issuer) []authn.Issuer {
	all := make([]authn.Issuer, len(own))
	for i, o := range own {
		all[i] = authn.Issuer{
			URL: o.URL, JWKSURL: o.JWKSURL, Audiences: o.Audiences, Algorithms: o.Algorithms, Types: o.Types,
			Clients: o.Clients, ScopeClaim: o.ScopeClaim, TenantClaim: o.TenantClaim,
		}
	}
	return all
}

// ServerTLS is the configuration to serve with, nil for none.
func (c *Config) ServerTLS() (*tls.Config, error) {
	if c.TLS == nil {
		if c.Auth != nil && len(c.Auth.Certificates) > 0 {
			return nil, errors.New("auth: certificates need tls")
		}
		return nil, nil //nolint:nilnil // in clear
	}
	if c.TLS.ClientCA != "" && (c.Auth == nil || len(c.Auth.Certificates) == 0 && len(c.Auth.Issuers) == 0) {
		return nil, errors.New("tls: client_ca checks certificates, and lets nobody in by them: name certificates under auth, or remove it")
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if c.TLS.ClientCA != "" {
		if conf.ClientCAs, err = remote.Pool(c.TLS.ClientCA); err != nil {
			return nil, fmt.Errorf("tls: client_ca: %w", err)
		}
		conf.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return conf, nil
}
