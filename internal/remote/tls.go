// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS reads a private CA, and a client certificate with its key, from files in PEM. It gives nil
// if none of them is named.
func TLS(ca, certificate, key string) (*tls.Config, error) {
	if ca == "" && certificate == "" && key == "" {
		return nil, nil //nolint:nilnil // the default needs no configuration
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := Pool(ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if (certificate == "") != (key == "") {
		return nil, errors.New("a client certificate needs its key, and a key its certificate")
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s: %w", certificate, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Pool reads the certificates of CAs from a file in PEM.
func Pool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return pool, nil
}
