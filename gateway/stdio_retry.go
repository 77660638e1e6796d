// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/wire"
)

// A retry is a call that has not left, since nobody was there to take it, or that the server has
// left undone.
type retry struct {
	*message

	next time.Time
}

// isUnsent tells whether an error says that a message has certainly not left.
func isUnsent(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

// isDrained tells whether a connection ended when the server had answered all that it has taken.
func isDrained(err error) bool {
	e, ok := errors.AsType[*jsonrpc.Error](err)
	return ok && wire.IsDrained(e.Data)
}

// isClosed tells whether a link did not take a message since it is over.
func isClosed(err error) bool {
	return errors.Is(err, mcp.ErrConnectionClosed) || errors.Is(err, errClosed)
}

// later keeps a call that has not left, to try again. It does not if the server has been away for
// longer than calls wait.
func (b *bridge) later(id json.RawMessage) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	call := b.calls[string(id)]
	if call == nil {
		return false
	}
	now := time.Now()
	if b.refused.IsZero() {
		b.refused = now
	}
	if now.Sub(b.refused) > b.cfg.Patience {
		return false
	}
	call.sent = false
	call.pause = min(max(2*call.pause, minPause), maxPause)
	b.retries = append(b.retries, retry{call.message, now.Add(call.pause)})
	b.wake()
	return true
}

// reached notes that the server is there.
func (b *bridge) reached() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = time.Time{}
}

// due is when there is a call to try again; nil for never.
func (b *bridge) due() <-chan time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.retries) == 0 {
		return nil
	}
	first := slices.MinFunc(b.retries, func(x, y retry) int { return x.next.Compare(y.next) })
	return time.After(time.Until(first.next))
}

// tryAgain sends the calls whose time has come.
func (b *bridge) tryAgain(ctx context.Context) {
	now := time.Now()
	b.mu.Lock()
	var due []*message
	b.retries = slices.DeleteFunc(b.retries, func(r retry) bool {
		if r.next.After(now) {
			return false
		}
		due = append(due, r.message)
		return true
	})
	b.mu.Unlock()
	for _, m := range due {
		b.send(ctx, m)
	}
}

// cancelCall forgets a call that the client has cancelled: there is no answer, and it is not sent again.
// It tells whether the server has to learn of that.
func (b *bridge) cancelCall(cancelled *message) bool {
	p, err := objectOf(cancelled.Params)
	if err != nil {
		return true
	}
	id := string(p["requestId"])
	b.mu.Lock()
	defer b.mu.Unlock()
	call := b.calls[id]
	if call == nil || call.Method == methodInitialize { // which cannot be cancelled
		return true
	}
	delete(b.calls, id)
	b.retries = slices.DeleteFunc(b.retries, func(r retry) bool { return string(r.ID) == id })
	if len(b.retries) == 0 {
		b.refused = time.Time{}
	}
	b.wake()
	return call.sent
}

// waits tells whether the client still waits for the answer to a call.
func (b *bridge) waits(m *message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	call := b.calls[string(m.ID)]
	return call != nil && call.message == m
}

// wake makes the sender look around.
func (b *bridge) wake() {
	select {
	case b.settled <- struct{}{}:
	default:
	}
}
