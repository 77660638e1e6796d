// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/remote"
)

// Servers are upstreams in the order of the file.
type Servers []Server

// A Server is an upstream: a program, or a URL.
type Server struct {
	Name string `yaml:"-"`
	Line int    `yaml:"-"`

	// Type is "stdio", or "http"; desktop clients write it. It follows from the rest.
	Type string `yaml:"type"`

	Command string    `yaml:"command"`
	Args    []string  `yaml:"args"`
	Env     StringMap `yaml:"env"`
	Dir     string    `yaml:"cwd"`
	PerUser bool      `yaml:"per_user"`
	Prefix  *string   `yaml:"prefix"`
	URL     string    `yaml:"url"`
	Headers StringMap `yaml:"headers"`
	CA      string    `yaml:"ca"`
	Cert    string    `yaml:"certificate"`
	Key     string    `yaml:"key"`
	// Protocol is how to speak to the URL: http, grpc, grpcweb or connect. If empty, http.
	Protocol string `yaml:"protocol"`
	// Version is the version of MCP to speak, if the server has trouble with being asked.
	Version string `yaml:"mcp_version"`

	// Disabled servers are left out, as desktop clients do.
	Disabled bool `yaml:"disabled"`
}

// A StringMap has values that are text, whatever they look like.
type StringMap map[string]string

// UnmarshalYAML implements [yaml.Unmarshaler].
func (m *StringMap) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "want a mapping of names to values")
	}
	*m = StringMap{}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i+1].Kind != yaml.ScalarNode {
			return at(n.Content[i+1], "the value of %s must be text", n.Content[i].Value)
		}
		(*m)[n.Content[i].Value] = n.Content[i+1].Value
	}
	return nil
}

// foreign are members that other programs keep in their lists of servers, and that mean nothing
// to a gateway.
var foreign = []string{"alwaysAllow", "autoApprove", "description", "disabledTools", "envFile", "gallery", "timeout", "trust", "dev"}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (s *Servers) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "want a mapping of names to servers")
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		one := Server{Name: key.Value, Line: key.Line}
		if slices.ContainsFunc(*s, func(other Server) bool { return other.Name == one.Name }) {
			return at(key, "two servers are called %q", one.Name)
		}
		if value.Kind == yaml.MappingNode {
			value = without(value, foreign)
		}
		if err := decode(value, &one); err != nil {
			return fmt.Errorf("server %q: %w", one.Name, err)
		}
		if err := one.check(); err != nil {
			return at(key, "server %q: %w", one.Name, err)
		}
		if !one.Disabled {
			*s = append(*s, one)
		}
	}
	return nil
}

func without(n *yaml.Node, names []string) *yaml.Node {
	c := *n
	c.Content = nil
	for i := 0; i < len(n.Content); i += 2 {
		if !slices.Contains(names, n.Content[i].Value) {
			c.Content = append(c.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &c
}

// prefix is what package gateway sets before the names of a server's tools.
func (s *Server) prefix(alone bool) string {
	switch {
	case s.Prefix != nil:
		return *s.Prefix
	case alone:
		return ""
	}
	return s.Name + "_"
}

func (s *Server) check() error {
	switch {
	case s.Command == "" && s.URL == "":
		return fmt.Errorf("needs a command or a url")
	case s.Command != "" && s.URL != "":
		return fmt.Errorf("has a command and a url: which one is it")
	case s.Type == "sse":
		return fmt.Errorf("type sse is the HTTP transport of MCP 2024-11-05, which is not supported: most such servers speak http, too")
	case s.Type != "" && (s.Type == "stdio") != (s.Command != ""):
		return fmt.Errorf("type %q does not go with a %s", s.Type, map[bool]string{true: "command", false: "url"}[s.Command != ""])
	case s.Command != "" && (s.Protocol != "" || s.Headers != nil || s.CA != "" || s.Cert != ""):
		return fmt.Errorf("protocol, headers, ca and certificate are for a url")
	case s.URL != "" && (s.Args != nil || s.Env != nil || s.Dir != ""):
		return fmt.Errorf("args, env and cwd are for a command")
	case s.URL != "":
		_, err := s.remote()
		return err
	}
	return nil
}

func (s *Server) remote() (*remote.Server, error) {
	r := &remote.Server{URL: s.URL, Protocol: s.Protocol, Header: http.Header{}}
	if r.Protocol == "" {
		r.Protocol = "http"
	}
	for name, value := range s.Headers {
		r.Header.Set(name, value)
	}
	var err error
	if r.TLS, err = remote.TLS(s.CA, s.Cert, s.Key); err != nil {
		return nil, err
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return r, r.UseLogin(context.Background())
}

// Upstream is the server as a gateway has it.
func (s *Server) Upstream() (gateway.Upstream, error) {
	u := gateway.Upstream{Name: s.Name}
	if s.Command != "" {
		u.Command, u.Dir = append([]string{s.Command}, s.Args...), s.Dir
		for name, value := range s.Env {
			u.Env = append(u.Env, name+"="+value)
		}
		slices.SortFunc(u.Env, strings.Compare)
	} else {
		r, err := s.remote()
		if err != nil {
			return u, err
		}
		if u, err = r.Upstream(s.Name); err != nil {
			return u, err
		}
	}
	u.PerUser, u.Prefix, u.Version = s.PerUser, s.Prefix, s.Version
	return u, nil
}
