// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// TestACancelledCallLeavesItsIDAlone: another call may have it before the RPC of the first one has
// come to its end.
func TestACancelledCallLeavesItsIDAlone(t *testing.T) {
	t.Parallel()
	id, err := jsonrpc.MakeID("1")
	if err != nil {
		t.Fatal(err)
	}
	c := &sendConn{calls: map[jsonrpc.ID]sentCall{}}
	first, second := &jsonrpc.Request{ID: id}, &jsonrpc.Request{ID: id}
	ctx, cancel := context.WithCancel(t.Context())
	c.calls[id] = sentCall{first, cancel}
	c.abort([]byte(`{"requestId":"1"}`))
	if ctx.Err() == nil {
		t.Error("the call was not cancelled")
	}
	c.calls[id] = sentCall{second, func() {}}
	if c.finish(first) {
		t.Error("the end of the cancelled call ended the other one")
	}
	if !c.finish(second) || c.finish(second) {
		t.Error("the other call does not end once")
	}
}
