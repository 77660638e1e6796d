// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"TOKEN": "s3cret", "EMPTY": "", "NUMBER": "7", "TRICKY": "a: [b\n# c", "HOSTNAME": "mcp.example.com",
	}[name]
	return value, ok
}

func TestServersOfAFile(t *testing.T) {
	t.Parallel()
	files := "files"
	for _, tt := range []struct {
		name, text string
		want       Servers
	}{
		{"a command", "servers:\n  a: {command: x, args: [1, two, '3'], env: {N: 7, T: true}, cwd: /srv}", Servers{
			{Name: "a", Line: 2, Command: "x", Args: []string{"1", "two", "3"}, Env: StringMap{"N": "7", "T": "true"}, Dir: "/srv"},
		}},
		{"in the order of the file", "servers:\n  b: {command: b}\n  a: {command: a}\n  c: {command: c, prefix: files, per_user: true}", Servers{
			{Name: "b", Line: 2, Command: "b"}, {Name: "a", Line: 3, Command: "a"}, {Name: "c", Line: 4, Command: "c", Prefix: &files, PerUser: true},
		}},
		{"the file of a desktop client", `{
  "mcpServers": {
    "files": {"command": "npx", "args": ["-y", "server"], "env": {"KEY": "${TOKEN}"}, "autoApprove": ["read"], "disabled": false},
    "off": {"command": "x", "disabled": true},
    "remote": {"type": "http", "url": "https://${HOSTNAME}/mcp", "headers": {"Authorization": "Bearer ${env:TOKEN}"}}
  }
}`, Servers{
			{Name: "files", Line: 3, Command: "npx", Args: []string{"-y", "server"}, Env: StringMap{"KEY": "s3cret"}},
			{Name: "remote", Line: 5, Type: "http", URL: "https://mcp.example.com/mcp", Headers: StringMap{"Authorization": "Bearer s3cret"}},
		}},
		{"references", "servers:\n  a: {command: '${MISSING:-x y}', args: ['$${TOKEN}', '${EMPTY:-d}', '$HOME', '${MISSING:-}', '${TRICKY}']}", Servers{
			{Name: "a", Line: 2, Command: "x y", Args: []string{"${TOKEN}", "", "$HOME", "", "a: [b\n# c"}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parse([]byte(tt.text), environment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.Servers); diff != "" {
				t.Errorf("got other servers (-want +got):\n%s", diff)
			}
			for _, s := range c.Servers {
				if _, err := s.Upstream(); err != nil {
					t.Errorf("server %q: %v", s.Name, err)
				}
			}
		})
	}
}

// TestMistakesNameTheLine, and what to write instead.
func TestMistakesNameTheLine(t *testing.T) {
	t.Parallel()
	const ok = "servers:\n  a: {command: x}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "the file is empty"},
		{"a comment", "# nothing", "the file is empty"},
		{"no mapping", "- a", "line 1: want a mapping"},
		{"YAML that is none", "servers: [", "line 1"},
		{"no servers", "listen: 127.0.0.1:1", "no servers"},
		{"an unknown member", ok + "lisen: x", `line 3: "lisen" is unknown here`},
		{"an unknown member deep down", ok + "auth:\n  issuers:\n    - url: https://a.example\n      audience: x", `line 6: "audience" is unknown here`},
		{"an unknown member of a server", "servers:\n  a:\n    comand: x", `line 3: "comand" is unknown here`},
		{"two servers of a name", "servers:\n  a: {command: x}\n  a: {command: y}", `line 3: two servers are called "a"`},
		{"two servers of a prefix", "servers:\n  a: {command: x}\n  b: {command: y, prefix: a_}", `line 3: servers "a" and "b" have one prefix, "a_"`},
		{"neither command nor url", "servers:\n  a: {args: [x]}", `line 2: server "a": needs a command or a url`},
		{"command and url", "servers:\n  a: {command: x, url: 'http://localhost'}", "which one is it"},
		{"an old transport", "servers:\n  a: {type: sse, url: 'http://localhost/sse'}", "2024-11-05"},
		{"the wrong type", "servers:\n  a: {type: stdio, url: 'http://localhost'}", "does not go with a url"},
		{"headers of a command", "servers:\n  a: {command: x, headers: {A: b}}", "are for a url"},
		{"arguments of a url", "servers:\n  a: {url: 'http://localhost', args: [x]}", "are for a command"},
		{"a URL that is none", "servers:\n  a: {url: 'localhost:8080'}", "want http:// or https://"},
		{"credentials in a URL", "servers:\n  a: {url: 'https://u:hidden@example.com'}", "do not belong into URLs"},
		{"credentials in clear", "servers:\n  a: {url: 'http://example.com', headers: {Authorization: x}}", "use https://"},
		{"a protocol that is none", "servers:\n  a: {url: 'http://localhost', protocol: soap}", "want one of grpc, grpcweb, connect, http"},
		{"a variable that is not set", ok + "\nlisten: ${MISSING}", "line 4: the environment variable MISSING is not set"},
		{"a reference that is none", ok + "listen: ${A B}", "line 3: ${A B} is no reference"},
		{"a duration that is none", ok + "drain_delay: 5", `line 3: "5" is no duration`},
		{"a duration below zero", ok + "drain_delay: -5s", "is no duration"},
		{"a certificate without key", ok + "tls: {certificate: x}", "needs certificate and key"},
		{"servers twice", ok + "mcpServers: {b: {command: y}}", "under one name"},
		{"two documents", ok + "---\n" + ok, "second document"},
		{"an alias", "servers: &s\n  a: {command: x}\nmcpServers: *s", "line 3: aliases are not supported"},
		{"a list where there is a mapping", "servers: [x]", "line 1: want a mapping"},
		{"a mapping where there is text", "servers:\n  a: {command: x, env: {A: [1]}}", "line 2: the value of A must be text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse([]byte(tt.text), environment)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	const servers = "servers: {a: {command: x}}\n"
	for _, tt := range []struct{ name, text, problem string }{
		{"loopback", "listen: 127.0.0.1:0", ""},
		{"localhost", "listen: localhost:0", ""},
		{"a Unix socket", "listen: unix:/tmp/s", ""},
		{"everywhere", "listen: 0.0.0.0:0", "say under auth who is let in"},
		{"no host", "listen: ':0'", "say under auth who is let in"},
		{"everywhere, for everybody", "listen: 0.0.0.0:0\nauth: {anonymous: true}", ""},
		{"everybody and somebody", "auth: {anonymous: true, tokens: [{token: t, subject: s}]}", "nobody to keep out"},
		{"nobody", "auth: {}", "nobody is let in"},
		{"a token", "auth: {tokens: [{token: '${TOKEN}', subject: dev, scopes: [a]}]}", ""},
		{"a token of nobody", "auth: {tokens: [{token: t}]}", "ubject"},
		{"an issuer", "auth: {resource: 'https://mcp.example.com', issuers: [{url: 'https://login.example.com'}]}", ""},
		{"an issuer in clear", "auth: {resource: 'https://mcp.example.com', issuers: [{url: 'http://login.example.com'}]}", "https"},
		{"an issuer without a resource", "auth: {issuers: [{url: 'https://login.example.com'}]}", "udience"},
		{"a resource that is none", "auth: {resource: 'https://mcp.example.com/?x', issuers: [{url: 'https://login.example.com', audiences: [a]}]}", "resource"},
		{"a file with keys that is not there", "auth: {api_keys: {file: /nobody/has/this}}", "no such file"},
		{"Unix users", "listen: unix:/tmp/s\nauth: {unix_users: {'uid:1000': {scopes: [a]}}}", ""},
		{"Unix users on TCP", "auth: {unix_users: {'uid:1000': {}}}", "unix_users are for a Unix socket"},
		{"a Unix user that is none", "listen: unix:/tmp/s\nauth: {unix_users: {root: {}}}", "as in uid:1000"},
		{"everybody, with scopes", "listen: 0.0.0.0:0\nauth: {anonymous: true, required_scopes: [admin]}", "nobody shows a credential"},
		{"everybody, with a resource", "auth: {anonymous: true, resource: 'https://mcp.example.com'}", "nobody shows a credential"},
		{"a token twice", "auth: {tokens: [{token: t, subject: a, scopes: [admin]}, {token: t, subject: b}]}", `"a" and "b" have the same token`},
		{"a token from everywhere", "listen: 0.0.0.0:0\ntls: {certificate: c, key: k}\nauth: {tokens: [{token: t, subject: s}]}", "tokens never end"},
		{"a token in clear from everywhere", "listen: ':0'\ncleartext: true\nauth: {tokens: [{token: t, subject: s}]}", "tokens never end"},
		{"credentials in clear", "listen: 0.0.0.0:0\nauth: {resource: 'https://mcp.example.com', issuers: [{url: 'https://login.example.com'}]}", "say cleartext: true where a proxy"},
		{"credentials that something else encrypts", "listen: 0.0.0.0:0\ncleartext: true\nauth: {resource: 'https://mcp.example.com', issuers: [{url: 'https://login.example.com'}]}", ""},
		{"credentials over TLS", "listen: 0.0.0.0:0\ntls: {certificate: c, key: k}\nauth: {resource: 'https://mcp.example.com', issuers: [{url: 'https://login.example.com'}]}", ""},
		{"certificates that nobody is asked for", "tls: {certificate: c, key: k}\nauth: {certificates: {a.example: {}}}", "certificates need client_ca"},
		{"required scopes", "auth: {tokens: [{token: t, subject: s}], required_scopes: [mcp]}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parse([]byte(servers+tt.text), environment)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Access(slog.New(slog.DiscardHandler))
			switch {
			case tt.problem == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("got %v, want an error with %q", err, tt.problem)
			}
		})
	}
}

// TestTLSMistakes: a CA of clients, whose certificates nobody looks at.
func TestTLSMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"auth: {certificates: {a.example: {}}}":                                                  "certificates need tls",
		"tls: {certificate: c, key: k, client_ca: ca}":                                           "lets nobody in by them",
		"tls: {certificate: c, key: k, client_ca: ca}\nauth: {tokens: [{token: t, subject: s}]}": "lets nobody in by them",
		"tls: {certificate: /nobody/has/this, key: k}":                                           "no such file",
	} {
		c, err := parse([]byte("servers: {a: {command: x}}\n"+text), environment)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ServerTLS(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(path, []byte("servers:\n  a: {command: x}\ngrace_period: 1m30s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, environment)
	if err != nil || time.Duration(c.GracePeriod) != 90*time.Second || c.Listen != DefaultListen {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, environment); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want the name of the file", err)
	}
}

// FuzzParse: what is no configuration is an error, and never a panic; and what is one lets in whom it
// names.
func FuzzParse(f *testing.F) {
	f.Add("servers:\n  a: {command: x, args: [1], env: {A: b}}\nauth: {tokens: [{token: ${TOKEN}, subject: s}]}\n")
	f.Add(`{"mcpServers":{"a":{"url":"https://example.com","headers":{"A":"${A:-b}"}}}}`)
	f.Add("a: &a [*a]")
	f.Add("? [x]\n: y")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse([]byte(text), environment)
		if err != nil {
			return
		}
		if len(c.Servers) == 0 || c.Listen == "" {
			t.Errorf("got %+v", c)
		}
		if c.Auth == nil || c.checkAuth() != nil {
			return
		}
		if local := isLocal(c.Listen); !local && len(c.Auth.Tokens) > 0 || c.Auth.Anonymous && len(c.Auth.Required) > 0 || !local && c.TLS == nil && !c.Cleartext && !c.Auth.Anonymous {
			t.Errorf("at %q got %+v", c.Listen, c.Auth)
		}
	})
}
