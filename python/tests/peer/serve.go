// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A serving is what the command line of serve says.
type serving struct {
	addr, auth, secret, without string
	files                       tlsFiles
	pageSize                    int
	calls                       int
	grace                       time.Duration
}

// tlsFiles are the names of PEM files; empty ones are not used.
type tlsFiles struct{ cert, key, ca string }

func (f *tlsFiles) flags(s *flag.FlagSet) {
	s.StringVar(&f.cert, "cert", "", "PEM file of our own certificate")
	s.StringVar(&f.key, "key", "", "PEM file of its key")
	s.StringVar(&f.ca, "ca", "", "PEM file of the CA of the other side")
}

// config is nil without files.
func (f *tlsFiles) config() (*tls.Config, error) {
	if f.cert == "" && f.ca == "" {
		return nil, nil //nolint:nilnil // no TLS
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.cert != "" {
		own, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate", f.ca)
		}
		config.ClientCAs = config.RootCAs
	}
	return config, nil
}

// serve serves the everything server until ctx ends. It writes {"event":"serving","url":…}, and
// "blocked" and "unblocked" for calls of the tool block.
func serve(ctx context.Context, args []string, out *lines) error {
	var f serving
	s := flag.NewFlagSet("serve", flag.ContinueOnError)
	s.StringVar(&f.addr, "addr", "127.0.0.1:0", "address to listen on, or unix:PATH")
	s.StringVar(&f.auth, "auth", "none", "whom to let in: none (everybody), bearer, apikey, mtls or unix")
	s.StringVar(&f.secret, "secret", "", "with -auth bearer or apikey: the token or key")
	s.StringVar(&f.without, "without", "", "tools to leave out, separated by commas: the Python SDK refuses lists with some")
	s.IntVar(&f.pageSize, "page-size", 0, "items on a page of a list")
	s.IntVar(&f.calls, "calls", 0, "calls in flight on a Connect stream")
	s.DurationVar(&f.grace, "grace", time.Second, "time for calls in flight once the process is told to end")
	f.files.flags(s)
	if err := s.Parse(args); err != nil {
		return err
	}
	options, err := f.authentication()
	if err != nil {
		return err
	}
	config, err := f.files.config()
	if err != nil {
		return err
	}
	if f.auth == "mtls" && config != nil {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	ln, url, err := f.listen(ctx, config != nil)
	if err != nil {
		return err
	}
	server := everything.New(&everything.Options{PageSize: f.pageSize})
	server.MCP().RemoveTools(strings.Split(f.without, ",")...)
	go tellBlocked(ctx, server, out)
	options = append(options, mcpconnect.WithLimits(mcpconnect.Limits{StreamCalls: f.calls}), mcpconnect.WithUnknownMethods())
	out.write(map[string]string{"event": "serving", "url": url})
	return mcpconnect.Serve(ctx, ln, mcpconnect.NewHandler(server.MCP(), options...),
		mcpconnect.WithTLSConfig(config), mcpconnect.WithGracePeriod(f.grace),
		mcpconnect.WithServeLogger(slog.New(slog.DiscardHandler)))
}

func (f *serving) listen(ctx context.Context, secure bool) (ln net.Listener, url string, err error) {
	if path, ok := strings.CutPrefix(f.addr, "unix:"); ok {
		ln, err = new(net.ListenConfig).Listen(ctx, "unix", path)
		return ln, f.addr, err
	}
	if ln, err = new(net.ListenConfig).Listen(ctx, "tcp", f.addr); err != nil {
		return nil, "", err
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return ln, scheme + ln.Addr().String(), nil
}

func (f *serving) authentication() ([]mcpconnect.HandlerOption, error) {
	in, err := f.authenticator()
	if in == nil || err != nil {
		return nil, err
	}
	return []mcpconnect.HandlerOption{mcpconnect.WithAuthn(in)}, nil
}

func (f *serving) authenticator() (authn.Authenticator, error) {
	switch f.auth {
	case "none":
		return nil, nil //nolint:nilnil // everybody
	case "bearer":
		tokens, err := authn.NewStatic(map[string]authn.Grant{f.secret: {Subject: "developer"}})
		return authn.Bearer{tokens}, err
	case "apikey":
		record, err := authn.RecordAPIKey(f.secret, nil, authn.APIKey{Subject: "key holder"})
		if err != nil {
			return nil, err
		}
		return authn.NewAPIKeys(nil, record)
	case "mtls":
		return authn.NewCertificates(authn.CertificateConfig{
			TrustDomain: "example.org",
			Grant:       authn.Grants{"spiffe://example.org/client": {Subject: "client"}}.Lookup,
		})
	case "unix":
		return authn.NewUnixPeers(authn.Grants{fmt.Sprintf("uid:%d", os.Getuid()): {Subject: "you"}}.Lookup)
	}
	return nil, errors.New("-auth: want none, bearer, apikey, mtls or unix")
}

// tellBlocked says when a call of the tool block has begun, and when it has learnt that it is over.
func tellBlocked(ctx context.Context, server *everything.Server, out *lines) {
	for {
		select {
		case <-server.Blocked():
			out.write(map[string]string{"event": "blocked"})
		case cause := <-server.Unblocked():
			out.write(map[string]string{"event": "unblocked", "cause": fmt.Sprint(cause)})
		case <-ctx.Done():
			return
		}
	}
}
