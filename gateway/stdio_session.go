// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
)

// A session is what a bridge has to say again when it takes the session of a client of a
// legacy version to a new connection.
type session struct {
	mu            sync.Mutex
	hello         *message // initialize
	ready         *message // notifications/initialized
	level         *message // logging/setLevel
	subscriptions map[string]*message
	version       string // that was agreed on; empty before
	capabilities  object
	gone          error
}

// open tells whether there is a session to go on with.
func (s *session) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version != ""
}

// broken is why the session cannot go on, nil for nothing.
func (s *session) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// note remembers what a client says that belongs to its session.
func (s *session) note(m *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Method {
	case methodInitialize:
		s.hello, s.ready, s.level, s.version = m, nil, nil, ""
		s.subscriptions = map[string]*message{}
	case methodInitialized:
		s.ready = m
	case methodSetLevel:
		s.level = m
	case methodSubscribe, methodUnsubscribe:
		params, err := objectOf(m.Params)
		if err != nil || s.hello == nil {
			return
		}
		if m.Method == methodSubscribe {
			s.subscriptions[params.str("uri")] = m
		} else {
			delete(s.subscriptions, params.str("uri"))
		}
	}
}

// opened notes the answer to initialize.
func (s *session) opened(l link, m *message) {
	var res initialized
	if m.Error != nil || json.Unmarshal(m.Result, &res) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = res.Version
	s.capabilities, _ = objectOf(res.Capabilities) // without, there is less to tell
	if h, ok := l.(*httpLink); ok {
		h.agree(res.Version)
	}
}

// resume opens the session on a new connection, as far as the server can tell a new one.
func (s *session) resume(ctx context.Context, c *attached) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer context.AfterFunc(ctx, c.link.close)()
	params, err := objectOf(s.hello.Params)
	if err != nil {
		return err
	}
	again := c.again(s.hello)
	again.Params = params.with("protocolVersion", quote(s.version)).text()
	answer, err := c.exchange(ctx, again)
	if err != nil {
		return fmt.Errorf("opening the session again: %w", err)
	}
	var res initialized
	if err := json.Unmarshal(answer, &res); err != nil {
		return fmt.Errorf("the server's answer to initialize: %w", err)
	}
	if res.Version != s.version {
		s.gone = fmt.Errorf("the server now speaks version %q of MCP, and the client's session has version %q: start the client again", res.Version, s.version)
		return s.gone
	}
	if h, ok := c.link.(*httpLink); ok {
		h.agree(res.Version)
	}
	messages := make([]*message, 0, len(s.subscriptions)+2)
	if s.ready != nil {
		messages = append(messages, s.ready)
	}
	if s.level != nil {
		messages = append(messages, c.again(s.level))
	}
	for _, m := range s.subscriptions {
		messages = append(messages, c.again(m))
	}
	for _, m := range messages {
		if err := c.link.send(ctx, m); err != nil {
			return fmt.Errorf("opening the session again: %w", err)
		}
	}
	return nil
}

// again is a call of the client under an id of ours, whose answer the client does not get.
func (c *attached) again(m *message) *message {
	c.repeated++
	return &message{ID: quote(fmt.Sprintf("mcpconnect-%d-again-%d", c.number, c.repeated)), Method: m.Method, Params: m.Params}
}

// exchange makes a call before there is anybody else on the connection.
func (c *attached) exchange(ctx context.Context, m *message) (json.RawMessage, error) {
	if err := c.link.send(ctx, m); err != nil {
		return nil, err
	}
	for {
		answer, err := c.link.receive()
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, err
		}
		if answer.isResponse() && string(answer.ID) == string(m.ID) {
			return outcome(answer)
		}
	}
}

// tellChanges tells the client that what it knows may be no more.
func (s *session) tellChanges(write func(*message)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range []struct{ capability, method string }{
		{"tools", methodToolsChanged}, {"prompts", methodPromptsChanged}, {"resources", methodResourcesChanged},
	} {
		can, err := objectOf(s.capabilities[list.capability])
		if err == nil && string(can["listChanged"]) == "true" {
			write(&message{Method: list.method})
		}
	}
}
