// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpconnect/mcpconnect/internal/remote"
)

// target are the flags that say how to reach a server.
type target struct {
	protocol, token, apiKey, ca, certificate, key string
	headers                                       []string
	http1                                         bool
}

func (t *target) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.protocol, "protocol", remote.Protocols[0], "how to speak to it: "+strings.Join(remote.Protocols, ", "))
	f.BoolVar(&t.http1, "http1", false, "speak HTTP/1.1, where there is no HTTP/2; not with grpc")
	f.StringArrayVar(&t.headers, "header", nil, `header for every request, as "Name: value"; may be repeated`)
	f.StringVar(&t.token, "token", "", "bearer token; if empty, that of $MCPCONNECT_TOKEN, which other users of the machine cannot see")
	f.StringVar(&t.apiKey, "api-key", "", "API key; if empty, that of $MCPCONNECT_API_KEY")
	f.StringVar(&t.ca, "ca", "", "file with the CA of the server's certificate, in PEM; if empty, the system's CAs")
	f.StringVar(&t.certificate, "cert", "", "file with a client certificate, in PEM")
	f.StringVar(&t.key, "key", "", "file with the key of the client certificate, in PEM")
	_ = cmd.RegisterFlagCompletionFunc("protocol", cobra.FixedCompletions(remote.Protocols, cobra.ShellCompDirectiveNoFileComp))
}

// server describes the server at url.
func (t *target) server(url string) (*remote.Server, error) {
	s := &remote.Server{URL: url, Protocol: t.protocol, HTTP1: t.http1, Header: http.Header{}}
	for _, h := range t.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usage(fmt.Errorf(`--header %q: want "Name: value"`, strings.TrimSpace(name)))
		}
		s.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if token := orEnv(t.token, "MCPCONNECT_TOKEN"); token != "" {
		s.Header.Set("Authorization", "Bearer "+token)
	}
	if key := orEnv(t.apiKey, "MCPCONNECT_API_KEY"); key != "" {
		s.Header.Set("X-Mcp-Api-Key", key)
	}
	var err error
	if s.TLS, err = remote.TLS(t.ca, t.certificate, t.key); err != nil {
		return nil, usage(err)
	}
	if err := s.Check(); err != nil {
		return nil, usage(err)
	}
	return s, usage(s.UseLogin(context.Background()))
}

func orEnv(value, name string) string {
	if value != "" {
		return value
	}
	return os.Getenv(name)
}
