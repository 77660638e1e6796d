// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads the configuration of `mcpconnect gateway`: YAML, or the JSON that desktop
// clients keep their servers in, which is YAML too.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Config is what a gateway serves, to whom, and where.
type Config struct {
	// Listen is where: host:port, or unix:/path. If empty, DefaultListen.
	Listen string `yaml:"listen"`
	// Admin is the address of /livez, /readyz and /metrics. If empty, there are none.
	Admin string `yaml:"admin"`
	// TLS is what to serve with. If nil, in clear.
	TLS *TLS `yaml:"tls"`
	// Cleartext lets credentials in clear in from other machines: where something else encrypts, a
	// proxy or a mesh.
	Cleartext bool `yaml:"cleartext"`
	// Hosts and Origins are names of the server, and pages that may call it.
	Hosts   []string `yaml:"hosts"`
	Origins []string `yaml:"origins"`
	// Reflection lets grpcurl and its like list the services.
	Reflection bool `yaml:"reflection"`
	// Auth says who is let in. If nil, everybody, on loopback addresses.
	Auth *Auth `yaml:"auth"`
	// DrainDelay is how long health is bad before the server stops; GracePeriod how long
	// calls in flight may take then.
	DrainDelay  Duration `yaml:"drain_delay"`
	GracePeriod Duration `yaml:"grace_period"`
	// Servers are the upstreams, in their order. Desktop clients call them mcpServers.
	Servers    Servers `yaml:"servers"`
	MCPServers Servers `yaml:"mcpServers"`
}

// DefaultListen is the address of a gateway that is told none.
const DefaultListen = "127.0.0.1:8080"

// TLS names files in PEM.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCA is whose client certificates are accepted. Whether callers need one says Auth.
	ClientCA string `yaml:"client_ca"`
}

// A Duration is written as Go does: "1m30s".
type Duration time.Duration

// UnmarshalYAML implements [yaml.Unmarshaler].
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return at(n, "%q is no duration: write 30s, or 1m30s", n.Value)
	}
	*d = Duration(v)
	return nil
}

// Load reads the file at path. References such as ${TOKEN} are replaced by what lookup gives.
// Errors name the file and the line.
func Load(path string, lookup func(string) (string, bool)) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := parse(text, lookup)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parse(text []byte, lookup func(string) (string, bool)) (*Config, error) {
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty: name at least one server")
		}
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is a second document in the file")
	}
	if err := expand(&doc, lookup); err != nil {
		return nil, err
	}
	c := &Config{}
	if err := decode(doc.Content[0], c); err != nil {
		return nil, err
	}
	return c, c.check(doc.Content[0])
}

func (c *Config) check(n *yaml.Node) error {
	if len(c.Servers) > 0 && len(c.MCPServers) > 0 {
		return at(n, "there are servers and mcpServers: put them under one name")
	}
	c.Servers = append(c.Servers, c.MCPServers...)
	if len(c.Servers) == 0 {
		return at(n, "no servers: name at least one under servers")
	}
	prefixes := map[string]string{}
	for _, s := range c.Servers {
		prefix := s.prefix(len(c.Servers) == 1)
		if other, taken := prefixes[prefix]; taken {
			return at(&yaml.Node{Line: s.Line}, "servers %q and %q have one prefix, %q: set another, or nobody could tell their tools apart", other, s.Name, prefix)
		}
		prefixes[prefix] = s.Name
	}
	if c.TLS != nil && (c.TLS.Certificate == "" || c.TLS.Key == "") {
		return at(n, "tls: needs certificate and key")
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	return nil
}
