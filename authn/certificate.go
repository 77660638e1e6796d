// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// CertificateConfig says whose client certificates are accepted. TLS itself has to ask for
// them, and to check them: [crypto/tls.RequireAndVerifyClientCert], or
// [crypto/tls.VerifyClientCertIfGiven] where other credentials are accepted too. No other
// mode checks who has issued a certificate.
type CertificateConfig struct {
	// TrustDomain accepts SPIFFE IDs of one trust domain, "example.org" for instance. The
	// CAs that TLS trusts must all be that domain's: each of them can issue any ID.
	TrustDomain string
	// Bundles accepts SPIFFE IDs of several trust domains, each by the CAs of its own. The
	// certificates are checked against them here, so that TLS may leave that out.
	Bundles x509bundle.Source
	// DNSNames accepts certificates with one DNS name, and no URI, from any CA that TLS
	// trusts.
	DNSNames bool
	// Grant says what the holder of a name may do, false for strangers: a SPIFFE ID as
	// "spiffe://example.org/agent", or a DNS name in lower case. It is needed; it may be
	// [Grants.Lookup], and must be safe for concurrent use.
	Grant func(name string) (Grant, bool)
}

// Certificates is the [Authenticator] for TLS client certificates. A certificate must name
// one holder, must be one for clients, and not that of a CA. What its subject's common name
// says does not count. It is safe for concurrent use.
type Certificates struct {
	cfg    CertificateConfig
	domain spiffeid.TrustDomain
	svids  *cache[[sha256.Size]byte, spiffeid.ID] // verified lately
}

var _ Authenticator = (*Certificates)(nil)

const (
	// svidTime is how long a certificate is not verified against its bundle again.
	svidTime       = time.Minute
	maxCachedSVIDs = 1024
)

// NewCertificates makes a Certificates. It fails if no kind of name is accepted, or nobody
// is.
func NewCertificates(cfg CertificateConfig) (*Certificates, error) {
	c := &Certificates{cfg: cfg, svids: newCache[[sha256.Size]byte, spiffeid.ID](maxCachedSVIDs)}
	switch {
	case cfg.Grant == nil:
		return nil, errors.New("certificates: Grant is nil: say who is known, for example by Grants.Lookup")
	case cfg.TrustDomain != "" && cfg.Bundles != nil:
		return nil, errors.New("certificates: TrustDomain and Bundles are both set: write one of them")
	case cfg.TrustDomain == "" && cfg.Bundles == nil && !cfg.DNSNames:
		return nil, errors.New("certificates: no kind of name is accepted: set TrustDomain, Bundles or DNSNames")
	}
	if cfg.TrustDomain != "" {
		var err error
		if c.domain, err = spiffeid.TrustDomainFromString(cfg.TrustDomain); err != nil {
			return nil, fmt.Errorf("certificates: TrustDomain %q: %w", cfg.TrustDomain, err)
		}
	}
	return c, nil
}

// Scheme implements [Authenticator]: TLS asks for certificates, not HTTP.
func (*Certificates) Scheme() string { return "" }

// Authenticate implements [Authenticator].
func (c *Certificates) Authenticate(_ context.Context, r *http.Request) (*Principal, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, nil
	}
	now := time.Now()
	leaf, name, err := c.holder(r.TLS.VerifiedChains, r.TLS.PeerCertificates, now)
	if err != nil {
		return nil, err
	}
	grant, ok := c.cfg.Grant(name)
	if !ok {
		return nil, invalid("nobody is known as %.200q", name)
	}
	p := grant.principal(MethodCertificate, name)
	p.CredentialID, p.Expires = leaf.SerialNumber.Text(16), leaf.NotAfter
	return sealed(p), nil
}

// holder gives the certificate of the peer and the name in it. The connection may have been
// opened, or resumed, when the certificate was still good.
func (c *Certificates) holder(verified [][]*x509.Certificate, presented []*x509.Certificate, now time.Time) (*x509.Certificate, string, error) {
	leaf := presented[0]
	byBundle := c.cfg.Bundles != nil && len(leaf.URIs) > 0
	if !byBundle {
		if len(verified) == 0 || len(verified[0]) == 0 {
			return nil, "", invalid("the certificate was not verified: set ClientAuth of the TLS configuration to VerifyClientCertIfGiven or RequireAndVerifyClientCert")
		}
		leaf = verified[0][0]
	}
	if err := checkLeaf(leaf, now); err != nil {
		return nil, "", err
	}
	var name string
	var err error
	switch {
	case byBundle:
		name, err = c.verifySVID(presented, now)
	case len(leaf.URIs) > 0:
		name, err = c.spiffeID(leaf)
	default:
		name, err = c.dnsName(leaf)
	}
	return leaf, name, err
}

// checkLeaf refuses certificates that are not a client's.
func checkLeaf(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(leaf.NotBefore.Add(-clockSkew)) || now.After(leaf.NotAfter):
		return invalid("the certificate is valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	case leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return invalid("the certificate is that of a CA")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return invalid("the certificate is not one for clients")
	}
	return nil
}

// spiffeID gives the name of a certificate that TLS has verified.
func (c *Certificates) spiffeID(leaf *x509.Certificate) (string, error) {
	id, err := x509svid.IDFromCert(leaf) // exactly one URI
	if err != nil {
		return "", invalid("%v", err)
	}
	if c.domain.IsZero() || id.TrustDomain() != c.domain {
		return "", invalid("trust domain %.200q is not accepted", id.TrustDomain().Name())
	}
	return id.String(), nil
}

// verifySVID gives the name of a certificate that the CAs of its trust domain have issued.
func (c *Certificates) verifySVID(chain []*x509.Certificate, now time.Time) (string, error) {
	hash := sha256.New()
	for _, cert := range chain {
		hash.Write(cert.Raw)
	}
	sum := [sha256.Size]byte(hash.Sum(nil))
	if id, ok := c.svids.get(sum, now); ok {
		return id.String(), nil
	}
	id, _, err := x509svid.Verify(chain, c.cfg.Bundles)
	if err != nil {
		return "", invalid("%v", err)
	}
	c.svids.put(sum, id, now.Add(svidTime))
	return id.String(), nil
}

// dnsName gives the one DNS name of a certificate: of several, each reader might take
// another one for the holder's.
func (c *Certificates) dnsName(leaf *x509.Certificate) (string, error) {
	switch {
	case !c.cfg.DNSNames:
		return "", invalid("the certificate has no SPIFFE ID")
	case len(leaf.DNSNames) != 1 || len(leaf.IPAddresses) > 0 || len(leaf.EmailAddresses) > 0:
		return "", invalid("the certificate does not have exactly one name")
	}
	name := strings.ToLower(leaf.DNSNames[0])
	if !isHostName(name) {
		return "", invalid("%.200q is not the name of one host", name)
	}
	return name, nil
}

// isHostName tells whether a name in lower case is that of a host: no wildcard, nothing
// that looks like something else.
func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
