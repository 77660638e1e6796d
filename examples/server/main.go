// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Command server is an MCP server that lets in who has credentials of one kind:
//
//	go run ./examples/server -auth bearer -bearer-token dev-token
//
// examples/client is who calls it.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// flags are those of the command line.
type flags struct {
	addr, auth, bearerToken, apiKey, certs, issuer, algorithm, resource, scopes string
}

func parse(args []string) (*flags, error) {
	f := new(flags)
	s := flag.NewFlagSet("server", flag.ContinueOnError)
	s.StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to listen on, or unix:PATH; port 0 picks a free one")
	s.StringVar(&f.auth, "auth", "none", "whom to let in: none (everybody), bearer, apikey, mtls, unix or oidc")
	s.StringVar(&f.bearerToken, "bearer-token", "dev-token", "with -auth bearer: the token")
	s.StringVar(&f.apiKey, "api-key", "", "with -auth apikey: the key; if empty, one is drawn and printed")
	s.StringVar(&f.certs, "certs", "certs", "with -auth mtls: folder of the certificates, which are made if they are not there")
	s.StringVar(&f.issuer, "issuer", "", "with -auth oidc: issuer of the tokens")
	s.StringVar(&f.algorithm, "algorithm", "RS256", "with -auth oidc: signature algorithm of the tokens")
	s.StringVar(&f.resource, "resource", "", "with -auth oidc: URL of this server that tokens are for; if empty, that of its address")
	s.StringVar(&f.scopes, "scopes", "", "with -auth oidc: scopes that callers need, separated by spaces")
	if err := s.Parse(args); err != nil {
		return nil, err
	}
	if s.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? there are flags only: see -help", s.Arg(0))
	}
	return f, nil
}

// run serves until ctx ends. It prints where.
func run(ctx context.Context, args []string, out io.Writer) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	ln, url, err := f.listen(ctx)
	if err != nil {
		return err
	}
	options, err := f.authentication(url, out)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	var config *tls.Config
	if f.auth == "mtls" {
		if config, err = certificates(f.certs); err != nil {
			return errors.Join(err, ln.Close())
		}
	}
	options = append(options, mcpconnect.WithReflection(), mcpconnect.WithStreamableHTTP())
	fmt.Fprintln(out, "serving", url)
	return mcpconnect.Serve(ctx, ln, mcpconnect.NewHandler(newServer(), options...), mcpconnect.WithTLSConfig(config))
}

func (f *flags) listen(ctx context.Context) (ln net.Listener, url string, err error) {
	network, addr, scheme := "tcp", f.addr, "http://"
	if path, ok := strings.CutPrefix(f.addr, "unix:"); ok {
		network, addr = "unix", path
	}
	if (f.auth == "unix") != (network == "unix") {
		return nil, "", errors.New("-auth unix and -addr unix:PATH go together")
	}
	if f.auth == "mtls" {
		scheme = "https://"
	}
	if ln, err = new(net.ListenConfig).Listen(ctx, network, addr); err != nil {
		return nil, "", err
	}
	if network == "unix" {
		return ln, f.addr, nil
	}
	return ln, scheme + ln.Addr().String(), nil
}

// newServer has a tool that tells its callers who they are.
func newServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "mcpconnect-example", Version: "v1"}, nil)
	mcpconnect.AddTool(s, &mcp.Tool{Name: "whoami", Description: "Tells who you are."}, whoami)
	return s
}

func whoami(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
	text := "nobody knows"
	if p := authn.FromContext(ctx); p != nil {
		text = fmt.Sprintf("%s, by %s", p.Subject, p.Method)
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
}
