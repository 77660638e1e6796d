// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/authntest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// TestCertificatesEachWay shows certificates that must let nobody in, in each form on each wire with
// TLS. Some end the handshake; the others get to HTTP, and are refused there.
func TestCertificatesEachWay(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const agent = "spiffe://example.org/agent"
	uri := func(texts ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.URIs = authntest.URIs(texts...) }
	}
	also := func(change func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.URIs = authntest.URIs(agent)
			change(c)
		}
	}
	between := l.ca.Intermediate(nil)
	alone := between.Issue(uri(agent))
	alone.Certificate = alone.Certificate[:1]
	elsewhere := l.ca.Intermediate(func(c *x509.Certificate) {
		c.PermittedURIDomains, c.PermittedDNSDomainsCritical = []string{"other.example"}, true
	})
	for _, tt := range []struct {
		name      string
		cert      tls.Certificate
		handshake bool // it is good
	}{
		{"of another CA", authntest.NewCA("clients").Issue(uri(agent)), false},
		{"signed by itself", self(agent), false},
		{"expired", l.ca.Issue(also(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), false},
		{"not valid yet", l.ca.Issue(also(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(10 * time.Minute) })), false},
		{"for servers", l.ca.Issue(also(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), false},
		{"without the CA between", alone, false},
		{"of a CA for other names", elsewhere.Issue(uri(agent)), false},
		{"for nothing in particular", l.ca.Issue(also(func(c *x509.Certificate) { c.ExtKeyUsage = nil })), true},
		{"of a CA itself", l.ca.Issue(also(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })), true},
		{"with two names", l.ca.Issue(uri(agent, "spiffe://example.org/other")), true},
		{"of another trust domain", l.ca.Issue(uri("spiffe://other.example/agent")), true},
		{"of a trust domain that begins alike", l.ca.Issue(uri("spiffe://example.org.evil/agent")), true},
		{"of a stranger", l.ca.Issue(uri("spiffe://example.org/stranger")), true},
		{"with a common name only", l.ca.Issue(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: agent} }), true},
		{"with a zero byte in the common name", l.ca.Issue(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: agent + "\x00.evil"} }), true},
		{"of a host", l.ca.Issue(func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} }), true},
		{"of a host in other letters", l.ca.Issue(func(c *x509.Certificate) { c.DNSNames = []string{"xn--exmple-cua.org"} }), true},
		{"of all hosts", l.ca.Issue(func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} }), true},
		{"of an address", l.ca.Issue(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }), true},
	} {
		for _, w := range wires {
			for _, f := range suiteForms {
				if !w.tls || !w.can(f) {
					continue
				}
				c := l.call(t, w, credential{cert: &tt.cert})
				got := f.call(testContext(t), c, "read", `{}`)
				c.client.CloseIdleConnections()
				if status, _ := c.rec.last(); (status != 0) != tt.handshake || got.code == 0 {
					t.Errorf("a certificate %s, %s, %s: got %v %q, and HTTP status %d", tt.name, w.name, f.name, got.code, got.err, status)
				}
				if tt.handshake {
					l.check(t, attack{"74", "a certificate " + tt.name + ", " + w.name + ", " + f.name, credential{}, invalid}, w, f, c, got)
				}
			}
		}
	}
	if n := l.reached.Load(); n != 0 {
		t.Errorf("tools were reached %d times", n)
	}
	whole := between.Issue(uri(agent))
	if got := invokeTool(testContext(t), l.call(t, wires[0], credential{cert: &whole}), "read", `{}`); got.code != 0 {
		t.Errorf("a certificate with the CA between gave %v %s", got.code, got.err)
	}
}

// self is a certificate that nobody has issued.
func self(uri string) tls.Certificate {
	ca := authntest.NewCA("nobody")
	cert := ca.Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs(uri) })
	cert.Certificate = [][]byte{cert.Certificate[0], ca.Certificate.Raw}
	return cert
}

// oneSession is a cache of TLS sessions that has the last one, whatever server it was of.
type oneSession struct {
	last atomic.Pointer[tls.ClientSessionState]
}

func (c *oneSession) Get(string) (*tls.ClientSessionState, bool) {
	s := c.last.Load()
	return s, s != nil
}

func (c *oneSession) Put(_ string, s *tls.ClientSessionState) { c.last.Store(s) }

// TestResumedSessionsAreVerified against the CAs of now, and of the name that was asked for: a session
// that began under others is no way round them.
func TestResumedSessionsAreVerified(t *testing.T) {
	t.Parallel()
	ours, theirs, servers := authntest.NewCA("ours"), authntest.NewCA("theirs"), authntest.NewCA("servers")
	certificates, err := authn.NewCertificates(authn.CertificateConfig{TrustDomain: "example.org", Grant: authn.Grants{"spiffe://example.org/agent": {}}.Lookup})
	if err != nil {
		t.Fatal(err)
	}
	h := mcpconnect.NewHandler(toolServer(new(atomic.Int64)), mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(certificates), mcpconnect.WithHosts("a.example", "b.example"))
	t.Cleanup(func() { _ = h.Close() })
	cert := servers.Issue(func(c *x509.Certificate) {
		c.ExtKeyUsage, c.DNSNames = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []string{"a.example", "b.example"}
	})
	agent := ours.Issue(func(c *x509.Certificate) { c.URIs = authntest.URIs("spiffe://example.org/agent") })
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var trusted atomic.Pointer[x509.CertPool] // by a.example; b.example trusts others
		trusted.Store(ours.Pool())
		base := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, MaxVersion: version}
		base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c := base.Clone()
			c.GetConfigForClient, c.ClientAuth, c.ClientCAs = nil, tls.VerifyClientCertIfGiven, trusted.Load()
			if hello.ServerName == "b.example" {
				c.ClientCAs = theirs.Pool()
			}
			return c, nil
		}
		addr := start(t, "tcp", "127.0.0.1:0", h, base)
		sessions := new(oneSession)
		call := func(name string) (status int, resumed bool) {
			t.Helper()
			transport := &http.Transport{
				TLSClientConfig: &tls.Config{
					RootCAs: servers.Pool(), ServerName: name, ClientSessionCache: sessions, MinVersion: tls.VersionTLS12,
					GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &agent, nil },
				},
				DisableKeepAlives: true,
			}
			r, err := http.NewRequestWithContext(testContext(t), http.MethodPost, "https://"+addr+"/mcp.v1.MCP/InvokeTool", strings.NewReader(`{"name":"read"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = name
			r.Header.Set("Content-Type", "application/json")
			res, err := transport.RoundTrip(r)
			if err != nil {
				return 0, false // in the handshake
			}
			_ = res.Body.Close()
			return res.StatusCode, res.TLS.DidResume
		}
		if status, _ := call("a.example"); status != http.StatusOK {
			t.Fatalf("%s: the first call gave %d", tls.VersionName(version), status)
		}
		if status, resumed := call("a.example"); status != http.StatusOK || !resumed {
			t.Fatalf("%s: the second call gave %d, resumed: %t", tls.VersionName(version), status, resumed)
		}
		if status, _ := call("b.example"); status == http.StatusOK {
			t.Errorf("%s: a session of another name was resumed", tls.VersionName(version))
		}
		trusted.Store(theirs.Pool())
		if status, _ := call("a.example"); status == http.StatusOK {
			t.Errorf("%s: a session was resumed whose CA is gone", tls.VersionName(version))
		}
	}
}
