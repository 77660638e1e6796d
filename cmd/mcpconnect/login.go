// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/oauth"
)

const loginTimeout = 5 * time.Minute

type loginFlags struct {
	target

	scopes                     []string
	clientID, metadata, secret string
	issuer                     string
	noBrowser                  bool
	timeout                    time.Duration
}

func newLoginCommand() *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Log in to a server, for the other commands",
		Long: `Log in to a server with a browser, by OAuth 2.1 as MCP has it. The token is kept in a file
that only its user can read, and the other commands use and refresh it for the same URL, unless
a flag or a variable gives them another credential. Streamable HTTP (--protocol http) has a token
of its own.`,
		Example: "  mcpconnect login http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.flags(cmd)
	fs := cmd.Flags()
	fs.StringArrayVar(&f.scopes, "scope", nil, "scope to ask for beside those that the server names; may be repeated")
	fs.StringVar(&f.clientID, "client-id", "", "client id that the authorization server knows; if empty, one is registered")
	fs.StringVar(&f.secret, "client-secret-file", "", "file with the secret of --client-id, if it has one")
	fs.StringVar(&f.issuer, "issuer", "", "URL of the authorization server that knows --client-id; needed with --client-secret-file: the secret goes to no other one")
	fs.StringVar(&f.metadata, "client-metadata", "", "https URL of a client ID metadata document, where the authorization server takes such")
	fs.BoolVar(&f.noBrowser, "no-browser", false, "print the page's URL only")
	fs.DurationVar(&f.timeout, "timeout", loginTimeout, "how long the login may take")
	return cmd
}

func newLogoutCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:     "logout URL",
		Short:   "Forget the login to a server",
		Long:    "Forget the token that `mcpconnect login` has got. The authorization server is not told.",
		Example: "  mcpconnect logout http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := t.server(args[0])
			if err != nil {
				return err
			}
			cfg, err := s.OAuth()
			if err != nil {
				return err
			}
			if err := cfg.Store.Save(cmd.Context(), cfg.Resource, nil); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "logged out of", args[0])
			return err
		},
	}
	t.flags(cmd)
	return cmd
}

func (f *loginFlags) run(cmd *cobra.Command, url string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	s, err := f.server(url)
	if err != nil {
		return err
	}
	if s.Header.Get("Authorization") != "" || s.Header.Get("X-Mcp-Api-Key") != "" {
		return usage(errors.New("there is a token or an API key already, in a flag or a variable: without it, log in"))
	}
	cfg, err := s.OAuth()
	if err != nil {
		return err
	}
	loopback, err := oauth.NewLoopback(func(ctx context.Context, page string) error {
		fmt.Fprintf(cmd.ErrOrStderr(), "Log in at\n  %s\n", page)
		if !f.noBrowser {
			browse(ctx, page)
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer loopback.Close()
	cfg.Authorize, cfg.RedirectURL = loopback.Authorize, loopback.RedirectURL()
	cfg.Scopes, cfg.ClientIDMetadataURL = f.scopes, f.metadata
	if cfg.Client, err = f.client(); err != nil {
		return usage(err)
	}
	source, err := oauth.New(cfg)
	if err != nil {
		return usage(err)
	}
	if err := source.Login(ctx); err != nil {
		return &exitError{exitNotLetIn, err}
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "logged in to", url)
	return err
}

// client is who the flags say that we are, nil for nobody yet.
func (f *loginFlags) client() (*oauthex.ClientCredentials, error) {
	switch {
	case f.clientID == "" && (f.secret != "" || f.issuer != ""):
		return nil, errors.New("--client-secret-file and --issuer need --client-id")
	case f.clientID == "":
		return nil, nil //nolint:nilnil // there is none
	case f.secret != "" && f.issuer == "":
		return nil, errors.New("--client-secret-file needs --issuer, the URL of the authorization server that has given the secret: the server that you log in to would say otherwise who gets it")
	}
	c := &oauthex.ClientCredentials{ClientID: f.clientID, Issuer: f.issuer}
	if f.secret != "" {
		text, err := os.ReadFile(f.secret)
		if err != nil {
			return nil, err
		}
		c.ClientSecretAuth = &oauthex.ClientSecretAuth{ClientSecret: strings.TrimSpace(string(text))}
	}
	return c, nil
}

// browse opens a page, if there is something that does: the URL was printed in any case. It has been
// checked to be http or https, and no shell sees it.
func browse(ctx context.Context, page string) {
	var name string
	var args []string
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler"}
	default:
		name = "xdg-open"
	}
	cmd := exec.CommandContext(ctx, name, append(args, page)...)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // ends with ctx
	}
}
