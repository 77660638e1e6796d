// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"time"
)

// clockSkew is how far the clocks of this machine and of whoever issues credentials may
// be apart.
const clockSkew = 60 * time.Second

// ErrCredentialEnded is the cause that a context of [UntilEnd] ends with.
var ErrCredentialEnded = errors.New("the credential has expired or was revoked")

// UntilEnd gives a context that ends no later than the credential of ctx's caller, with
// the cause [ErrCredentialEnded]: a minute after its expiry, or when it is revoked. It is
// for streams, which outlive the check that let them in. cancel frees what the context
// holds and must be called. Without a caller it gives ctx as it is.
func UntilEnd(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	p := FromContext(ctx)
	if p == nil {
		return ctx, func() {}
	}
	ctx, cancelCause := context.WithCancelCause(ctx)
	stops := []func() bool{}
	end := p.endOfAll()
	for ; p != nil; p = p.Connection {
		if p.revoked != nil {
			stops = append(stops, context.AfterFunc(p.revoked, func() { cancelCause(ErrCredentialEnded) }))
		}
	}
	stopClock := func() {}
	if !end.IsZero() {
		ctx, stopClock = context.WithDeadlineCause(ctx, end, ErrCredentialEnded)
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		stopClock()
		cancelCause(context.Canceled)
	}
}

// WithTimeout is [context.WithTimeout] for a single call: the call ends with the
// caller's credential if that ends first, with the cause [ErrCredentialEnded]. It costs no
// more than the timeout alone, and does not see revocation.
func WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	p := FromContext(ctx)
	if p == nil {
		return context.WithTimeout(ctx, timeout)
	}
	deadline := time.Now().Add(timeout)
	if end := p.endOfAll(); !end.IsZero() && end.Before(deadline) {
		return context.WithDeadlineCause(ctx, end, ErrCredentialEnded)
	}
	return context.WithDeadline(ctx, deadline)
}

// endOfAll is the end of the caller's credential or that of its connection, whichever comes
// first. It may be called on nil.
func (p *Principal) endOfAll() time.Time {
	var first time.Time
	for ; p != nil; p = p.Connection {
		if end := p.end(); !end.IsZero() && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// end is when nothing may be done for the caller any more, zero for never.
func (p *Principal) end() time.Time {
	if p.Expires.IsZero() {
		return time.Time{}
	}
	return p.Expires.Add(clockSkew)
}
