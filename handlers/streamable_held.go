// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"net/http"
	"sync"
	"time"
)

// heldFor is how long the beginning of a stream waits for what its call says. A call that is denied
// by its tool is so at once, or has said something before.
const heldFor = 500 * time.Millisecond

// A held is the beginning of a stream that the SDK has begun before the call has said anything. As
// long as it is held, the response can still become a refusal.
type held struct {
	to http.ResponseWriter

	mu    sync.Mutex
	open  bool   // it is not held, or no more
	text  []byte // events without data
	timer *time.Timer
}

// hold begins.
func hold(to http.ResponseWriter) *held {
	h := &held{to: to}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(heldFor, h.release)
	return h
}

// release lets out what was held.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releaseLocked()
}

func (h *held) releaseLocked() {
	if h.open {
		return
	}
	h.open = true
	h.timer.Stop()
	h.to.WriteHeader(http.StatusOK)
	_, _ = h.to.Write(h.text)                    // the client is gone
	_ = http.NewResponseController(h.to).Flush() // as above
	h.text = nil
}

// drop forgets what was held, and tells whether nothing of it was let out.
func (h *held) drop() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open {
		return false
	}
	h.open = true
	h.timer.Stop()
	return true
}

// Write holds events without data, and lets out all else.
func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.open && !hasData(p) {
		h.text = append(h.text, p...)
		return len(p), nil
	}
	h.releaseLocked()
	return h.to.Write(p)
}

// flush flushes what is not held.
func (h *held) flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.open {
		return nil
	}
	return http.NewResponseController(h.to).Flush()
}

// hasData tells whether events have data.
func hasData(events []byte) bool {
	for line := range bytes.Lines(events) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok && len(bytes.TrimSpace(data)) > 0 {
			return true
		}
	}
	return false
}
