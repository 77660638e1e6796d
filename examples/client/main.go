// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command client asks examples/server who it is, with credentials of one kind:
//
//	go run ./examples/client -auth bearer -bearer-token dev-token http://127.0.0.1:8080
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
	"github.com/mcpconnect/mcpconnect/oauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

type flags struct {
	url, auth, bearerToken, apiKey, certs string
}

func parse(args []string) (*flags, error) {
	f := new(flags)
	s := flag.NewFlagSet("client", flag.ContinueOnError)
	s.StringVar(&f.auth, "auth", "none", "what to show: none, bearer, apikey, mtls, unix or oidc")
	s.StringVar(&f.bearerToken, "bearer-token", "dev-token", "with -auth bearer: the token")
	s.StringVar(&f.apiKey, "api-key", "", "with -auth apikey: the key")
	s.StringVar(&f.certs, "certs", "certs", "with -auth mtls: folder of the certificates that the server has made")
	if err := s.Parse(args); err != nil {
		return nil, err
	}
	if f.url = s.Arg(0); s.NArg() != 1 {
		return nil, errors.New("name the server's URL, after the flags: see -help")
	}
	return f, nil
}

// run prints who the server says that we are.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	options, done, err := f.credentials(log)
	if err != nil {
		return err
	}
	defer done()
	url := f.url
	if strings.HasPrefix(url, "unix:") {
		url = "http://localhost"
	}
	c := mcpconnect.NewClient(url, options...)
	defer c.Close()
	res, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "whoami"})
	if err != nil {
		return err
	}
	for _, content := range res.Content {
		if text, ok := content.(*mcp.TextContent); ok {
			fmt.Fprintln(out, text.Text)
		}
	}
	return nil
}

// credentials are what we show. done frees what that takes.
func (f *flags) credentials(log io.Writer) (options []mcpconnect.ClientOption, done func(), err error) {
	done = func() {}
	switch f.auth {
	case "none":
	case "bearer":
		options = append(options, mcpconnect.WithHeader("Authorization", "Bearer "+f.bearerToken))
	case "apikey":
		options = append(options, mcpconnect.WithHeader("X-Mcp-Api-Key", f.apiKey))
	case "mtls":
		config, err := f.tls()
		if err != nil {
			return nil, nil, err
		}
		options = append(options, mcpconnect.WithTLSClientConfig(config))
	case "unix":
		options = append(options, mcpconnect.WithHTTPClient(unixClient(strings.TrimPrefix(f.url, "unix:"))))
	case "oidc":
		return f.oidc(log)
	default:
		return nil, nil, fmt.Errorf("-auth %s: want none, bearer, apikey, mtls, unix or oidc", f.auth)
	}
	return options, done, nil
}

// tls shows our certificate to a server that has one of the same CA.
func (f *flags) tls() (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(filepath.Join(f.certs, "client.pem"), filepath.Join(f.certs, "client-key.pem"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(f.certs, "ca.pem")) //nolint:gosec // the folder is the user's
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.pem has no certificate")
	}
	return config, nil
}

// unixClient speaks HTTP/2 over a Unix socket, where the kernel says who we are.
func unixClient(path string) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
}

// oidc logs in with a browser, at the authorization server that the server names.
func (f *flags) oidc(log io.Writer) ([]mcpconnect.ClientOption, func(), error) {
	loopback, err := oauth.NewLoopback(func(_ context.Context, page string) error {
		fmt.Fprintf(log, "log in at\n  %s\n", page)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	source, err := oauth.New(oauth.Config{
		Resource: f.url, Metadata: mcpconnect.Metadata(f.url), Authorize: loopback.Authorize, RedirectURL: loopback.RedirectURL(),
	})
	if err != nil {
		return nil, nil, errors.Join(err, loopback.Close())
	}
	return []mcpconnect.ClientOption{mcpconnect.WithAuthorization(source)}, func() { _ = loopback.Close() }, nil
}
