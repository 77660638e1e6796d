// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A user is one of the callers of a gateway, who calls the tools of a fast child.
type user struct {
	t     *testing.T
	calls *rpctest.Client
	meta  string
}

// users serves a gateway whose child is one for each user, and gives what lets a user in, in
// each era.
func users(t *testing.T, cfg gateway.Config) func(name, version string) *user {
	t.Helper()
	up := child(t, "up", "fast")
	up.PerUser = true
	cfg.Upstreams = []gateway.Upstream{up}
	g := open(t, cfg)
	grants := map[string]authn.Grant{}
	for _, name := range []string{"ann", "bob", "cid"} {
		grants["token-of-"+name] = authn.Grant{Subject: name}
	}
	tokens, err := authn.NewStatic(grants)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(authn.Bearer{tokens}), mcpconnect.WithStreamableHTTP()))
	return func(name, version string) *user {
		transport := mcp.Transport(mcpconnect.NewTransport(url, mcpconnect.WithHeader("authorization", "Bearer token-of-"+name)))
		u := &user{t: t}
		if version >= rpctest.ModernVersion {
			u.meta = modernMeta
		} else {
			transport = &mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: bearer("token-of-" + name)}, DisableStandaloneSSE: true}
		}
		u.calls = rpctest.Dial(t, transport, version, `{}`)
		return u
	}
}

// A bearer adds a token to each request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func (u *user) call(tool string) rpctest.Outcome {
	return u.calls.Call(rpctest.Context(u.t), "tools/call", `{"_meta":{`+u.meta+`},"name":"`+tool+`","arguments":{}}`)
}

// pid is the process id of the user's child.
func (u *user) pid() string {
	u.t.Helper()
	o := u.call("pid")
	var res mcp.CallToolResult
	if o.Err != nil || json.Unmarshal(o.Result, &res) != nil || len(res.Content) != 1 {
		u.t.Fatalf("got %v", o)
	}
	text, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		u.t.Fatalf("got %v", o)
	}
	return text.Text
}

// TestPerUser: a user's child is the same for all connections of that user, and nobody else's.
func TestPerUser(t *testing.T) {
	t.Parallel()
	for _, version := range []string{rpctest.ModernVersion, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dial := users(t, gateway.Config{})
			ann, again, bob := dial("ann", version), dial("ann", version), dial("bob", version)
			first := ann.pid()
			if ann.pid() != first || again.pid() != first {
				t.Error("the second call went to another child")
			}
			if bob.pid() == first {
				t.Error("two users have one child")
			}
		})
	}
}

// named lets in whoever says a name and a client, with a bar between.
type named struct{}

func (named) Authenticate(_ context.Context, r *http.Request) (*authn.Principal, error) {
	subject, client, ok := strings.Cut(r.Header.Get("X-Named"), "|")
	if !ok {
		return nil, nil
	}
	return &authn.Principal{Subject: subject, ClientID: client, Method: "named"}, nil
}

func (named) Scheme() string { return "" }

// TestUsersAndTheirClientsHaveBlanks, and are told apart nevertheless.
func TestUsersAndTheirClientsHaveBlanks(t *testing.T) {
	t.Parallel()
	up := child(t, "up", "fast")
	up.PerUser = true
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
	url := serve(t, g.Handler(mcpconnect.WithLogger(quiet), mcpconnect.WithAuthn(named{})))
	pids := map[string]string{}
	for _, name := range []string{"ann|web app", "ann web|app", "ann|web", `ann" "web|`} {
		calls := rpctest.Dial(t, mcpconnect.NewTransport(url, mcpconnect.WithHeader("X-Named", name)), rpctest.ModernVersion, `{}`)
		pid := (&user{t, calls, modernMeta}).pid()
		if other, ok := pids[pid]; ok {
			t.Errorf("%q and %q have one child", name, other)
		}
		pids[pid] = name
	}
}

// TestAUserWhoseChildCrashes harms nobody else.
func TestAUserWhoseChildCrashes(t *testing.T) {
	t.Parallel()
	dial := users(t, gateway.Config{TellCause: true})
	ann, bob := dial("ann", rpctest.ModernVersion), dial("bob", rpctest.ModernVersion)
	bobs := bob.pid()
	left := false
	for range 20 { // until it is left alone
		o := ann.call("crash")
		if o.Err == nil {
			t.Fatalf("the call that ends the process gave %v", o)
		}
		if left = strings.Contains(o.Err.Message, "times in a row"); left {
			break
		}
	}
	if !left {
		t.Error("a child that crashes is started again and again")
	}
	if bob.pid() != bobs {
		t.Error("another user's child has been restarted")
	}
	began := time.Now()
	dial("cid", rpctest.ModernVersion).pid()
	if took := time.Since(began); took > patience/3 {
		t.Errorf("a new user waited for %v", took)
	}
}

// TestUsersAreBounded: there are as many children as the configuration says, and those that
// nobody uses end.
func TestUsersAreBounded(t *testing.T) {
	t.Parallel()
	dial := users(t, gateway.Config{MaxPeers: 2, IdleTimeout: 500 * time.Millisecond, TellCause: true})
	ann, bob, cid := dial("ann", rpctest.ModernVersion), dial("bob", rpctest.ModernVersion), dial("cid", rpctest.ModernVersion)
	anns := ann.pid()
	bob.pid()
	if o := cid.call("pid"); o.Err == nil || !strings.Contains(o.Err.Message, "as many users and sessions as it may, which is 2") {
		t.Errorf("the third user got %v", o)
	}
	eventually(t, "an idle child makes room", func() bool { return cid.call("pid").Err == nil })
	eventually(t, "the idle child is gone", func() bool {
		stat, err := os.ReadFile("/proc/" + anns + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}
