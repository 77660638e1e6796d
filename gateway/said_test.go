// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import "testing"

// TestSaid: what is said comes in its order, and there is a token as long as there is some of it.
func TestSaid(t *testing.T) {
	t.Parallel()
	s := newSaid()
	messages := make([]*message, maxSaid+1)
	for i := range messages {
		messages[i] = &message{}
		if got, want := s.add(messages[i]), i < maxSaid; got != want {
			t.Fatalf("there was room for message %d: %v, want %v", i, got, want)
		}
	}
	for i := range maxSaid {
		<-s.some
		if got := s.take(); got != messages[i] {
			t.Fatalf("message %d is another one", i)
		}
	}
	select {
	case <-s.some:
		t.Error("there is a token for nothing")
	default:
	}
	if s.take() != nil || !s.add(messages[0]) || s.take() != messages[0] {
		t.Error("it does not go on")
	}
}
