// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"testing"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// handshake opens a legacy session on a Connect stream, of a client that can be asked
// everything.
func handshake(t testing.TB, stream *connectStream) {
	t.Helper()
	mustSend(t, stream, envelope(1, "initialize", initializeDeclaring(legacyVersion, roundTripsDeclared)))
	if o, err := read(stream); err != nil || o.err != nil {
		t.Fatalf("initialize gave %v, %v", o, err)
	}
	mustSend(t, stream, initialized())
}

// dialSession opens a Connect stream with a legacy session on it.
func dialSession(t testing.TB, url string) *connectStream {
	t.Helper()
	stream := dial(t, wires[0], url, "")
	handshake(t, stream)
	return stream
}

func mustSend(t testing.TB, stream *connectStream, e *mcpv1.Envelope) {
	t.Helper()
	if err := stream.Send(e); err != nil {
		t.Fatal(err)
	}
}

// mustReceive takes the next message, which must have the method.
func mustReceive(t testing.TB, stream envelopeStream, method string) *mcpv1.Envelope {
	t.Helper()
	e, err := stream.Receive()
	if err != nil {
		t.Fatalf("waiting for %s: %v", method, err)
	}
	if e.Method != method {
		t.Fatalf("got %v, want %s", e, method)
	}
	return e
}
