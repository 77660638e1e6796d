// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package authn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestUnixPeers(t *testing.T) {
	t.Parallel()
	me := fmt.Sprintf("uid:%d", os.Getuid())
	for _, test := range []struct {
		name    string
		network string
		grants  Grants
		subject string
		err     error
	}{
		{"the same user", "unix", Grants{me: {Scopes: []string{"read"}}}, me, nil},
		{"the same user by another name", "unix", Grants{me: {Subject: "agent"}}, "agent", nil},
		{"a stranger", "unix", Grants{"uid:4294967294": {}}, "", ErrInvalidCredential},
		{"over TCP", "tcp", Grants{me: {}}, "", nil},
	} {
		address := "127.0.0.1:0"
		if test.network == "unix" {
			address = filepath.Join(t.TempDir(), "s")
		}
		ln, err := net.Listen(test.network, address)
		if err != nil {
			t.Fatal(err)
		}
		peers, err := NewUnixPeers(test.grants.Lookup)
		if err != nil {
			t.Fatal(err)
		}
		var p *Principal
		server := &httptest.Server{Listener: ln, Config: &http.Server{
			ConnContext: ConnContext,
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				// What the request says does not count.
				p, err = peers.Authenticate(r.Context(), r)
			}),
		}}
		server.Start()
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, test.network, ln.Addr().String())
		}}
		r, reqErr := http.NewRequest(http.MethodGet, "http://localhost/", nil)
		if reqErr != nil {
			t.Fatal(reqErr)
		}
		r.Header.Set("X-Peer-Uid", "0")
		res, getErr := transport.RoundTrip(r)
		if getErr != nil {
			t.Fatal(getErr)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		server.Close()
		if !errors.Is(err, test.err) || (p != nil) != (test.subject != "") || (p != nil && p.Subject != test.subject) {
			t.Errorf("%s: got %+v, %v, want %q, %v", test.name, p, err, test.subject, test.err)
		}
	}
}

func TestUnixPeersUnknown(t *testing.T) {
	t.Parallel()
	peers, err := NewUnixPeers(func(string) (Grant, bool) { return Grant{}, true }) // everybody
	if err != nil {
		t.Fatal(err)
	}
	for name, peer := range map[string]unixPeer{
		"a user of another namespace": {uid: overflowUID},
		"the kernel does not tell":    {err: errors.ErrUnsupported},
	} {
		ctx := context.WithValue(t.Context(), peerKey{}, peer)
		if p, err := peers.Authenticate(ctx, nil); p != nil || !errors.Is(err, ErrInvalidCredential) {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
	if _, err := NewUnixPeers(nil); err == nil {
		t.Error("nil was accepted")
	}
}
