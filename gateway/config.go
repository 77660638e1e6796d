// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Config says what a [Gateway] is a gateway to.
type Config struct {
	// Upstreams are the servers. At least one is needed.
	Upstreams []Upstream
	// Implementation is what the gateway calls itself. If nil, the name of the one
	// upstream, or mcpconnect if there are several.
	Implementation *mcp.Implementation
	// Logger is told what becomes of upstreams, and what children write to standard error. If
	// nil, [slog.Default]. Arguments and results are never logged.
	Logger *slog.Logger
	// TellCause lets clients see why an upstream is not there, which may name addresses and
	// programs: for gateways whose clients own them. If false, only the log has it.
	TellCause bool
	// StartTimeout is how long an upstream may take to begin, until it has answered
	// the first request. If zero, 30 seconds.
	StartTimeout time.Duration
	// CallTimeout is how long an upstream may be silent about a call before the call fails;
	// progress counts. If zero, 10 minutes.
	CallTimeout time.Duration
	// AnswerTimeout is how long a call of a server with sessions waits for the client that
	// is to answer its question with another request. If zero, 5 minutes.
	AnswerTimeout time.Duration
	// IdleTimeout is how long the connection, or child, of one user or session stays without
	// calls. If zero, 15 minutes.
	IdleTimeout time.Duration
	// MaxPeers is how many connections, or children, an upstream may have at a time for users
	// and sessions. If zero, 1000; for children, 32.
	MaxPeers int
	// MaxMessageBytes is the size of a message of a child or an HTTP server. If zero, 4 MiB.
	MaxMessageBytes int
}

// An Upstream is a server. One of Command, URL and Transport must be set.
type Upstream struct {
	// Name is what the upstream is called in logs and errors, and, with several upstreams, the
	// prefix of its tools and prompts. It must not be empty, and be unique.
	Name string
	// Prefix is set before the names of tools and prompts. If nil, Name and "_", or nothing
	// if it is the only upstream. No two upstreams may have the same; of two that begin alike a
	// name belongs to the one that lists it, and to the longer one if both do.
	Prefix *string

	// Command is a program and its arguments, that speaks MCP on standard input and output.
	Command []string
	// Env is the child's environment, beside PATH, HOME and what else is needed to run
	// programs: "NAME=value". The gateway's own environment, which may hold secrets, does not reach it.
	Env []string
	// Dir is the child's working directory. If empty, the gateway's.
	Dir string

	// URL is that of a server of Streamable HTTP.
	URL string
	// HTTP makes the requests for URL: it may add credentials. If nil, a client that bounds how
	// long it takes to reach the server, and follows redirects within its origin only.
	HTTP HTTPDoer

	// Transport reaches a server in any other way; mcpconnect.NewTransport, for
	// example. It must give a new connection each time.
	Transport mcp.Transport

	// PerUser gives each caller connections, or a child, of its own. Who a caller is says
	// package authn; those who are nobody share one.
	PerUser bool
	// Version is the protocol version to speak, if the server is known to have trouble with
	// being asked. If empty, the newest that both sides have.
	Version string
}

func (u *Upstream) isChild() bool { return len(u.Command) > 0 }

// prefix gives what stands before the names of tools and prompts, of an upstream that is alone or not.
func (u *Upstream) prefix(alone bool) string {
	switch {
	case u.Prefix != nil:
		return *u.Prefix
	case alone:
		return ""
	}
	return u.Name + "_"
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	orDefault(&c.StartTimeout, 30*time.Second)
	orDefault(&c.CallTimeout, 10*time.Minute)
	orDefault(&c.AnswerTimeout, 5*time.Minute)
	orDefault(&c.IdleTimeout, 15*time.Minute)
	orDefault(&c.MaxMessageBytes, 4<<20)
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

func (c *Config) check() error {
	if len(c.Upstreams) == 0 {
		return errors.New("gateway: no upstreams: name at least one")
	}
	names, prefixes := map[string]bool{}, map[string]string{}
	for i, u := range c.Upstreams {
		prefix := u.prefix(len(c.Upstreams) == 1)
		other, taken := prefixes[prefix]
		prefixes[prefix] = u.Name
		ways := 0
		for _, set := range []bool{u.isChild(), u.URL != "", u.Transport != nil} {
			if set {
				ways++
			}
		}
		switch {
		case u.Name == "":
			return fmt.Errorf("gateway: upstream %d has no name", i)
		case names[u.Name]:
			return fmt.Errorf("gateway: two upstreams are called %q", u.Name)
		case taken:
			return fmt.Errorf("gateway: upstreams %q and %q have one prefix, %q: nobody could tell their tools apart", other, u.Name, prefix)
		case ways != 1:
			return fmt.Errorf("gateway: upstream %q: set one of Command, URL and Transport, not %d", u.Name, ways)
		case u.URL == "" && u.HTTP != nil:
			return fmt.Errorf("gateway: upstream %q: HTTP is for a URL", u.Name)
		case !u.isChild() && (u.Env != nil || u.Dir != ""):
			return fmt.Errorf("gateway: upstream %q: Env and Dir are for a Command", u.Name)
		}
		names[u.Name] = true
	}
	for _, d := range []struct {
		name  string
		value int64
	}{
		{"StartTimeout", int64(c.StartTimeout)}, {"CallTimeout", int64(c.CallTimeout)}, {"AnswerTimeout", int64(c.AnswerTimeout)},
		{"IdleTimeout", int64(c.IdleTimeout)}, {"MaxPeers", int64(c.MaxPeers)}, {"MaxMessageBytes", int64(c.MaxMessageBytes)},
	} {
		if d.value < 0 {
			return fmt.Errorf("gateway: %s must not be negative", d.name)
		}
	}
	return nil
}
