// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"sync/atomic"
)

// A lazy value is made by the first who needs it. Others wait for that, each no longer
// than its own context; if it fails the next one tries.
type lazy[T any] struct {
	made  atomic.Pointer[T]
	maker chan struct{} // has a token while somebody makes the value
}

func newLazy[T any]() lazy[T] { return lazy[T]{maker: make(chan struct{}, 1)} }

func (l *lazy[T]) get(ctx context.Context, build func(context.Context) (*T, error)) (*T, error) {
	if v := l.made.Load(); v != nil {
		return v, nil
	}
	select {
	case l.maker <- struct{}{}:
	case <-ctx.Done():
		return nil, newCallError(contextError(ctx.Err()))
	}
	defer func() { <-l.maker }()
	if v := l.made.Load(); v != nil {
		return v, nil
	}
	v, err := build(ctx)
	if err == nil {
		l.made.Store(v)
	}
	return v, err
}

// peek gives the value, nil if there is none.
func (l *lazy[T]) peek() *T { return l.made.Load() }

// drop forgets v, so that it is made anew; unless somebody has done so already.
func (l *lazy[T]) drop(v *T) { l.made.CompareAndSwap(v, nil) }
