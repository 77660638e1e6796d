// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/mcpconnect/mcpconnect/internal/authntest"
)

const agentID = "spiffe://example.org/agent"

// handshake connects with a certificate, and gives what Authenticate says on the server.
func handshake(t *testing.T, c *Certificates, mode tls.ClientAuthType, roots *x509.CertPool, cert *tls.Certificate) (connected bool, p *Principal, err error) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p, err = c.Authenticate(r.Context(), r)
	}))
	server.TLS = &tls.Config{ClientAuth: mode, ClientCAs: roots}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	transport := server.Client().Transport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	if cert != nil {
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	res, getErr := (&http.Client{Transport: transport}).Get(server.URL)
	if getErr != nil {
		return false, nil, nil
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return true, p, err
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ca, other := authntest.NewCA("ours"), authntest.NewCA("another")
	bundles := x509bundle.NewSet(
		x509bundle.FromX509Authorities(spiffeid.RequireTrustDomainFromString("example.org"), []*x509.Certificate{ca.Certificate}),
		x509bundle.FromX509Authorities(spiffeid.RequireTrustDomainFromString("other.example"), []*x509.Certificate{other.Certificate}),
	)
	spiffe := CertificateConfig{TrustDomain: "example.org"}
	bundled := CertificateConfig{Bundles: bundles}
	dns := CertificateConfig{DNSNames: true}
	uri := func(texts ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.URIs = authntest.URIs(texts...) }
	}
	name := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = names }
	}
	also := func(fs ...func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			for _, f := range fs {
				f(c)
			}
		}
	}
	const (
		ifGiven = tls.VerifyClientCertIfGiven
		require = tls.RequireAndVerifyClientCert
	)
	for _, test := range []struct {
		name    string
		cfg     CertificateConfig
		mode    tls.ClientAuthType
		issuer  *authntest.CA // nil: no certificate
		cert    func(*x509.Certificate)
		subject string // empty: refused, in the handshake or after it
	}{
		{"a SPIFFE ID", spiffe, require, ca, uri(agentID), agentID},
		{"a SPIFFE ID where certificates are optional", spiffe, ifGiven, ca, uri(agentID), agentID},
		{"a DNS name", dns, require, ca, name("agent.example.org"), "agent.example.org"},
		{"a DNS name in capitals", dns, require, ca, name("AGENT.Example.org"), "agent.example.org"},
		{"a SPIFFE ID by its bundle", bundled, tls.RequireAnyClientCert, ca, uri(agentID), agentID},
		{"a SPIFFE ID by the bundle of another domain", bundled, tls.RequireAnyClientCert, other, uri(agentID), ""},
		{"a SPIFFE ID that nobody checks", spiffe, tls.RequireAnyClientCert, ca, uri(agentID), ""},
		{"a SPIFFE ID that is asked for only", spiffe, tls.RequestClientCert, ca, uri(agentID), ""},
		{"another CA", spiffe, require, other, uri(agentID), ""},
		{"another CA where nobody checks", spiffe, tls.RequestClientCert, other, uri(agentID), ""},
		{"another trust domain", spiffe, require, ca, uri("spiffe://other.example/agent"), ""},
		{"a trust domain that begins alike", spiffe, require, ca, uri("spiffe://example.org.evil/agent"), ""},
		{"a stranger of the domain", spiffe, require, ca, uri("spiffe://example.org/stranger"), ""},
		{"a name in another case", spiffe, require, ca, uri("spiffe://example.org/AGENT"), ""},
		{"two SPIFFE IDs", spiffe, require, ca, uri(agentID, "spiffe://example.org/other"), ""},
		{"two SPIFFE IDs by bundle", bundled, tls.RequireAnyClientCert, ca, uri(agentID, "spiffe://example.org/other"), ""},
		{"a URI that is no SPIFFE ID", spiffe, require, ca, uri("https://example.org/agent"), ""},
		{"a SPIFFE ID where names are hosts", dns, require, ca, also(uri(agentID), name("agent.example.org")), ""},
		{"a host where names are SPIFFE IDs", spiffe, require, ca, name("agent.example.org"), ""},
		{"expired", spiffe, require, ca, also(uri(agentID), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), ""},
		{"expired, by bundle", bundled, tls.RequireAnyClientCert, ca, also(uri(agentID), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), ""},
		{"for servers", spiffe, require, ca, also(uri(agentID), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), ""},
		{"for servers, by bundle", bundled, tls.RequireAnyClientCert, ca, also(uri(agentID), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), ""},
		{"for nothing in particular", spiffe, require, ca, also(uri(agentID), func(c *x509.Certificate) { c.ExtKeyUsage = nil }), ""},
		{"of a CA", spiffe, require, ca, also(uri(agentID), func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }), ""},
		{"a common name only", dns, require, ca, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "agent.example.org"} }, ""},
		{"two DNS names", dns, require, ca, name("agent.example.org", "other.example.org"), ""},
		{"a DNS name and an address", dns, require, ca, also(name("agent.example.org"), func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }), ""},
		{"a wildcard", dns, require, ca, name("*.example.org"), ""},
		{"no certificate", spiffe, ifGiven, nil, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := test.cfg
			cfg.Grant = Grants{agentID: {Scopes: []string{"read"}}, "agent.example.org": {Scopes: []string{"read"}}, "*.example.org": {}}.Lookup
			c, err := NewCertificates(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var cert *tls.Certificate
			if test.issuer != nil {
				issued := test.issuer.Issue(test.cert)
				cert = &issued
			}
			connected, p, err := handshake(t, c, test.mode, ca.Pool(), cert)
			switch {
			case test.subject == "":
				if p != nil || (connected && cert != nil && !errors.Is(err, ErrInvalidCredential)) || (cert == nil && err != nil) {
					t.Errorf("got %+v, %v", p, err)
				}
			case err != nil || p == nil || p.Subject != test.subject || p.Method != MethodCertificate || !p.Expires.Equal(cert.Leaf.NotAfter):
				t.Errorf("got %+v, %v, want %q", p, err, test.subject)
			}
		})
	}
}

// TestCertificateExpiresOnItsConnection pins that a connection is no better than its
// certificate.
func TestCertificateExpiresOnItsConnection(t *testing.T) {
	t.Parallel()
	c, err := NewCertificates(CertificateConfig{TrustDomain: "example.org", Grant: Grants{agentID: {}}.Lookup})
	if err != nil {
		t.Fatal(err)
	}
	cert := authntest.NewCA("ours").Issue(func(c *x509.Certificate) {
		c.URIs, c.NotAfter = authntest.URIs(agentID), time.Now().Add(-time.Second)
	})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert.Leaf}, VerifiedChains: [][]*x509.Certificate{{cert.Leaf}}}
	if p, err := c.Authenticate(t.Context(), r); p != nil || !errors.Is(err, ErrInvalidCredential) {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestBoundTokens(t *testing.T) {
	t.Parallel()
	ca := authntest.NewCA("ours")
	cert, other := ca.Issue(nil), ca.Issue(nil)
	sum := sha256.Sum256(cert.Certificate[0])
	as, v := newIssuer(t, nil)
	token := as.Token(claims{"cnf": claims{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}})
	for _, test := range []struct {
		name string
		cert *x509.Certificate
		good bool
	}{
		{"its certificate", cert.Leaf, true},
		{"another one", other.Leaf, false},
		{"none", nil, false},
		{"its certificate again", cert.Leaf, true},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.TLS = &tls.ConnectionState{}
		if test.cert != nil {
			r.TLS.PeerCertificates = []*x509.Certificate{test.cert}
		}
		if p, err := v.VerifyToken(t.Context(), token, r); (p != nil) != test.good || errors.Is(err, ErrInvalidCredential) == test.good {
			t.Errorf("%s: got %v, %v", test.name, p, err)
		}
	}
	if _, err := v.VerifyToken(t.Context(), token, httptest.NewRequest(http.MethodPost, "http://a/", nil)); !errors.Is(err, ErrInvalidCredential) {
		t.Errorf("in clear: got %v", err)
	}
}

func TestCertificateMistakes(t *testing.T) {
	t.Parallel()
	grant := Grants{}.Lookup
	for _, test := range []struct {
		name string
		cfg  CertificateConfig
		want string
	}{
		{"no grant", CertificateConfig{DNSNames: true}, "Grant"},
		{"no kind of name", CertificateConfig{Grant: grant}, "TrustDomain"},
		{"two kinds of trust", CertificateConfig{TrustDomain: "a", Bundles: x509bundle.NewSet(), Grant: grant}, "one of them"},
		{"a trust domain that is none", CertificateConfig{TrustDomain: "Example.org", Grant: grant}, "Example.org"},
	} {
		if _, err := NewCertificates(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something about %q", test.name, err, test.want)
		}
	}
}

func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"a.example.org", "*.example.org", "a..b", "ä.example", "a\x00.example.org", ""} {
		f.Add(seed)
	}
	c := &Certificates{cfg: CertificateConfig{DNSNames: true}}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := c.dnsName(&x509.Certificate{DNSNames: []string{name}})
		if err == nil && (strings.ContainsAny(got, "* \x00@/:%") || got != strings.ToLower(got) || fmt.Sprintf("%+q", got) != fmt.Sprintf("%q", got)) {
			t.Errorf("got %q of %q", got, name)
		}
	})
}

// FuzzCertificate reads certificates as TLS hands them on: who it says that the holder is has one name,
// of the kind that is accepted.
func FuzzCertificate(f *testing.F) {
	ca := authntest.NewCA("ours")
	for _, change := range []func(*x509.Certificate){
		func(c *x509.Certificate) { c.URIs = authntest.URIs(agentID) },
		func(c *x509.Certificate) { c.URIs = authntest.URIs(agentID, "spiffe://example.org/other") },
		func(c *x509.Certificate) { c.DNSNames = []string{"agent.example.org"} },
		func(c *x509.Certificate) { c.DNSNames, c.IsCA = []string{"*.example.org"}, true },
	} {
		f.Add(ca.Issue(change).Certificate[0])
	}
	domain := spiffeid.RequireTrustDomainFromString("example.org")
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		all := []*x509.Certificate{cert}
		for _, c := range []*Certificates{{domain: domain}, {cfg: CertificateConfig{DNSNames: true}}} {
			leaf, name, err := c.holder([][]*x509.Certificate{all}, all, cert.NotBefore)
			if err != nil {
				continue
			}
			isURI, isDNS := len(cert.URIs) == 1 && strings.HasPrefix(name, "spiffe://example.org"), len(cert.URIs) == 0 && len(cert.DNSNames) == 1 && isHostName(name)
			if leaf.IsCA || c.cfg.DNSNames != isDNS || c.cfg.DNSNames == isURI {
				t.Errorf("the holder of %x is %q", der, name)
			}
			if _, _, err := c.holder(nil, all, cert.NotBefore); err == nil {
				t.Errorf("a certificate that nobody has verified names %q", name)
			}
		}
	})
}
