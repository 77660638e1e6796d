// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import "sync"

// maxSaid is how much a call may have said that its caller has not taken yet. More is
// dropped: whoever reads from the server must not wait for one caller.
const maxSaid = 1024

// A said is what a server says about a call before its answer, in order, until the caller takes
// it: notifications and requests. Most calls have none, and pay for no room.
type said struct {
	some chan struct{} // has a token while there is something to take

	mu       sync.Mutex
	messages []*message
}

func newSaid() *said { return &said{some: make(chan struct{}, 1)} }

// add tells whether there was room.
func (s *said) add(m *message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) >= maxSaid {
		return false
	}
	s.messages = append(s.messages, m)
	s.signal()
	return true
}

// take gives the next message, nil for none.
func (s *said) take() *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) == 0 {
		return nil
	}
	m := s.messages[0]
	s.messages[0] = nil // what was taken is of no use any more
	s.messages = s.messages[1:]
	if len(s.messages) > 0 {
		s.signal()
	}
	return m
}

func (s *said) signal() {
	select {
	case s.some <- struct{}{}:
	default:
	}
}
