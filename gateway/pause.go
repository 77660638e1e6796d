// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"time"
)

const (
	// minPause and maxPause are how long an upstream that failed is left alone: longer with each
	// time in a row.
	minPause = 100 * time.Millisecond
	maxPause = 30 * time.Second
	// patientTries is how often in a row it may fail until calls do not wait for it any more.
	patientTries = 5
	// steady is how long it must have lived for a failure to be the first again.
	steady = 10 * time.Second
)

// A pause is how long an upstream is left alone.
type pause struct {
	failures int       // in a row
	until    time.Time // when to try again
}

// pauses are those of an upstream by user: one whose child crashes harms nobody else. All users
// are "" if they share connections. They are not safe for concurrent use.
type pauses map[string]pause

// left is what is left of a pause. Its error is for calls that should not wait for it.
func (p pauses) left(user string) (time.Duration, error) {
	now := p[user]
	left := time.Until(now.until)
	if left > 0 && now.failures > patientTries {
		return 0, fmt.Errorf("it has failed %d times in a row; the next try is in %v", now.failures, left.Round(time.Second))
	}
	return left, nil
}

// failed adds a failure, after a time in which all was well.
func (p pauses) failed(user string, lived time.Duration) (failures int, next time.Duration) {
	for other, old := range p { // each user has to fail to be here
		if time.Since(old.until) > maxPause {
			delete(p, other)
		}
	}
	now := p[user]
	if lived > steady {
		now.failures = 0
	}
	next = min(minPause<<min(now.failures, 16), maxPause)
	p[user] = pause{now.failures + 1, time.Now().Add(next)}
	return now.failures + 1, next
}
