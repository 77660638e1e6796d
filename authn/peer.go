// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

type peerKey struct{}

// A unixPeer is the process at the other end of a Unix socket, as the kernel knows it.
type unixPeer struct {
	uid uint32
	err error // why it is not known
}

// overflowUID is what the kernel shows for users of another namespace that have no id in
// this one: it may be anybody.
const overflowUID = 65534

// ConnContext is for [http.Server.ConnContext]: it asks the kernel who is at the other end
// of a Unix socket, when the connection is made. [UnixPeers] needs it; the server of package
// mcpconnect has it. Connections of another kind are left alone.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	for {
		switch c := conn.(type) {
		case *net.UnixConn:
			uid, err := peerUID(c)
			return context.WithValue(ctx, peerKey{}, unixPeer{uid, err})
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return ctx
		}
	}
}

// UnixPeers is the [Authenticator] for processes that connect through a Unix socket. They
// are known by their user id as "uid:1000": process ids are used again, and a name may be
// another user's in another container. It works on Linux; elsewhere such callers are
// refused. It is safe for concurrent use.
type UnixPeers struct {
	grant func(name string) (Grant, bool)
}

var _ Authenticator = (*UnixPeers)(nil)

// NewUnixPeers makes a UnixPeers. grant says what the user may do, false for strangers; it
// may be [Grants.Lookup], and must be safe for concurrent use. It fails if grant is nil.
func NewUnixPeers(grant func(name string) (Grant, bool)) (*UnixPeers, error) {
	if grant == nil {
		return nil, errors.New("unix peers: grant is nil: say who is known, for example by Grants.Lookup")
	}
	return &UnixPeers{grant}, nil
}

// Scheme implements [Authenticator]: HTTP cannot ask for it.
func (*UnixPeers) Scheme() string { return "" }

// Authenticate implements [Authenticator].
func (u *UnixPeers) Authenticate(ctx context.Context, _ *http.Request) (*Principal, error) {
	peer, ok := ctx.Value(peerKey{}).(unixPeer)
	switch {
	case !ok:
		return nil, nil
	case peer.err != nil:
		return nil, invalid("the peer of the Unix socket is not known: %v", peer.err)
	case peer.uid == overflowUID:
		return nil, invalid("the peer of the Unix socket is a user of another namespace")
	}
	name := fmt.Sprintf("uid:%d", peer.uid)
	grant, ok := u.grant(name)
	if !ok {
		return nil, invalid("nobody is known as %s", name)
	}
	return sealed(grant.principal(MethodUnixPeer, name)), nil
}
