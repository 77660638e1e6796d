// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package coalesce

import (
	"crypto/tls"
	"net"
)

// A Listener accepts [Conn]s, for [net/http.Server.Serve] and, with [Negotiated],
// ServeTLS.
type Listener struct{ net.Listener }

// Accept waits for a connection. What it returns is a *Conn that begins to coalesce, in both
// directions, when it has read the preface of HTTP/2.
func (l Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return server(conn), nil
}

// Negotiated begins to coalesce the writes of a TLS connection that was accepted through a
// [Listener] and has agreed on HTTP/2. It does nothing for others, may be called any number of
// times, and costs little. The hook ConnState of [net/http.Server] is the place: the server
// calls it when an HTTP/2 connection begins.
//
// What is joined are TLS records. It would be better to join frames before they are
// encrypted, but net/http wants to see a *tls.Conn. TLS reads through a buffer itself.
func Negotiated(conn net.Conn) {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	c, ok := secure.NetConn().(*Conn)
	if !ok || c.out.on.Load() {
		return
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		c.out.begin()
	}
}
