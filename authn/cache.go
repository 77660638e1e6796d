// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"container/list"
	"sync"
	"time"
)

// A cache holds values for a time, and at most max of them: then the one that was not
// used for longest goes. Attackers choose the keys of most. It is safe for concurrent use.
type cache[K comparable, V any] struct {
	max int

	mu    sync.Mutex
	byKey map[K]*list.Element
	order list.List // of *cached[K, V], lately used first
}

type cached[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{max: limit, byKey: map[K]*list.Element{}}
}

// get gives the value of key, false if there is none any more.
func (c *cache[K, V]) get(key K, now time.Time) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return value, false
	}
	entry := e.Value.(*cached[K, V]) //nolint:errcheck // put makes them
	if !now.Before(entry.until) {
		c.remove(e)
		return value, false
	}
	c.order.MoveToFront(e)
	return entry.value, true
}

// put keeps a value until a time.
func (c *cache[K, V]) put(key K, value V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil {
		c.remove(e)
	}
	c.byKey[key] = c.order.PushFront(&cached[K, V]{key, value, until})
	if c.order.Len() > c.max {
		c.remove(c.order.Back())
	}
}

func (c *cache[K, V]) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byKey)
}

func (c *cache[K, V]) remove(e *list.Element) {
	entry := c.order.Remove(e).(*cached[K, V]) //nolint:errcheck // put makes them
	delete(c.byKey, entry.key)
}
