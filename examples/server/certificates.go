// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// The names in the certificates (SPIFFE).
const (
	trustDomain = "example.org"
	clientID    = "spiffe://example.org/client"
)

// certificates gives the server's side of TLS: its own certificate, and the CA of its clients. What
// is not in dir it makes: ca.pem, and server and client with their keys.
func certificates(dir string) (*tls.Config, error) {
	file := func(name string) string { return filepath.Join(dir, name) }
	if _, err := os.Stat(file("ca.pem")); errors.Is(err, fs.ErrNotExist) {
		if err := makeCertificates(dir); err != nil {
			return nil, err
		}
	}
	own, err := tls.LoadX509KeyPair(file("server.pem"), file("server-key.pem"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(file("ca.pem"))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(),
	}
	if !config.ClientCAs.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.pem has no certificate")
	}
	return config, nil
}

func makeCertificates(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	id, err := url.Parse(clientID)
	if err != nil {
		return err
	}
	domain := &url.URL{Scheme: "spiffe", Host: trustDomain}
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: "mcpconnect example CA"}, URIs: []*url.URL{domain},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caKey, err := issue(dir, "ca", ca, ca, nil)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "ca-key.pem")); err != nil { // it signs nothing more
		return err
	}
	_, err = issue(dir, "server", &x509.Certificate{
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	if err != nil {
		return err
	}
	_, err = issue(dir, "client", &x509.Certificate{
		URIs: []*url.URL{id}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, caKey)
	return err
}

// issue writes a certificate and its key. Without the key of the parent it signs itself.
func issue(dir, name string, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if parentKey == nil {
		parentKey = key
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(90*24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(
		write(filepath.Join(dir, name+".pem"), "CERTIFICATE", der),
		write(filepath.Join(dir, name+"-key.pem"), "PRIVATE KEY", keyDER),
	)
}

func write(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
