// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A callerLimit bounds how often callers may have something done that turns out to be for nothing,
// each by its address, and how often all together may have it done at all: one of them cannot use up
// what is there for the others. It is safe for concurrent use.
type callerLimit struct {
	each float64 // a second, and twice as many at once

	total *rate.Limiter

	mu     sync.Mutex
	byAddr *cache[netip.Addr, *bucket]
}

// A bucket holds what one caller may still have done.
type bucket struct {
	left float64
	at   time.Time
}

const (
	// maxLimitedCallers bounds the addresses that are known. Those that were not seen for longest
	// are forgotten, which gives them a fresh start, within what is there for all.
	maxLimitedCallers = 10_000
	// limitMemory is how long an address is known: its bucket is full again long before.
	limitMemory = time.Minute
)

func newCallerLimit(each, all int) *callerLimit {
	return &callerLimit{
		each:   float64(each),
		total:  rate.NewLimiter(rate.Limit(all), 2*all),
		byAddr: newCache[netip.Addr, *bucket](maxLimitedCallers),
	}
}

// take tells whether the caller of r may have it done, now.
func (l *callerLimit) take(r *http.Request, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(callerAddr(r), now)
	if b.left < 1 || !l.total.AllowN(now, 1) {
		return false
	}
	b.left--
	return true
}

// giveBack is for what was not for nothing.
func (l *callerLimit) giveBack(r *http.Request, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(callerAddr(r), now)
	b.left = min(b.left+1, 2*l.each)
}

func (l *callerLimit) bucket(addr netip.Addr, now time.Time) *bucket {
	b, ok := l.byAddr.get(addr, now)
	if !ok {
		b = &bucket{2 * l.each, now}
	}
	l.byAddr.put(addr, b, now.Add(limitMemory))
	if d := now.Sub(b.at); d > 0 {
		b.left, b.at = min(b.left+d.Seconds()*l.each, 2*l.each), now
	}
	return b
}

// callerAddr is the address that r came from: of IPv6 the network, since who has one address of it
// has all of them. Those without one, on Unix sockets, count as one caller.
func callerAddr(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if addr.Is4() {
		return addr
	}
	network, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return network.Addr()
}
