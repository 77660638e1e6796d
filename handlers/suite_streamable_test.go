// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// mirroredName gives what Mcp-Name says of params.
func mirroredName(params json.RawMessage) string {
	var p struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
	}
	if mapping.DecodeSDK(params, &p) != nil {
		return ""
	}
	return p.Name + p.URI
}

// mirroredParams are the headers for the arguments that the suite has for a tool.
var mirroredParams = map[string]map[string]string{
	"test_x_mcp_header":  {"Mcp-Param-Region": "eu"},
	"x_mcp_header_types": {"Mcp-Param-Tenant": "t", "Mcp-Param-Shard": "7", "Mcp-Param-Dry-Run": "true", "Mcp-Param-Zone": "z"},
}

// fitsStreamable tells whether a case looks the same over Streamable HTTP: what has no name to
// mirror is refused for that; and before 2025-11-25 clients have no event to come back to.
func (c suiteCase) fitsStreamable(version string) bool {
	if strings.Contains(c.params, "test_reconnection") {
		return version == "2025-11-25" // in 2026-07-28 streams are not closed
	}
	return version < modernVersion || !namedMethods[c.method] || mirroredName(json.RawMessage(strings.ReplaceAll(c.params, "%META%", ""))) != ""
}

// namedMethods are the methods whose name must be mirrored.
var namedMethods = map[string]bool{"tools/call": true, "prompts/get": true, "resources/read": true}

// A poster is a client of Streamable HTTP that shows all that is on the wire.
type poster struct {
	http    *http.Client
	url     string
	version string // in mcp-protocol-version, once there is a session or the client is modern
	answer  answerer
	header  http.Header // of every request, besides those of MCP

	mu      sync.Mutex
	session string
	id      int64
}

func openStreamable(t *testing.T, p peer) client {
	t.Helper()
	return newPoster(t, p).call
}

func newPoster(t testing.TB, p peer) *poster {
	t.Helper()
	s := &poster{http: httpClient(t, p.wire.http1), url: p.url + "/mcp", answer: p.answer}
	if p.modern() {
		s.version = p.version
		return s
	}
	ctx := testContext(t)
	if o := s.call(ctx, "initialize", initializeDeclaring(p.version, p.capabilities)); o.err != nil || s.session == "" {
		t.Fatalf("initialize gave %v and session %q", o, s.session)
	}
	s.version = p.version
	if err := s.tell(ctx, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); err != nil {
		t.Fatal(err)
	}
	return s
}

// send posts a message.
func (s *poster) send(ctx context.Context, method string, params json.RawMessage, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, s.header)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	s.mu.Lock()
	if s.session != "" {
		r.Header.Set("Mcp-Session-Id", s.session)
	}
	s.mu.Unlock()
	if s.version != "" {
		r.Header.Set("Mcp-Protocol-Version", s.version)
	}
	if s.version >= modernVersion {
		r.Header.Set("Mcp-Method", method)
		if name := mirroredName(params); name != "" && namedMethods[method] {
			r.Header.Set("Mcp-Name", name)
		}
		for name, value := range mirroredParams[mirroredName(params)] {
			r.Header.Set(name, value)
		}
	}
	return s.http.Do(r)
}

// tell posts what has no response.
func (s *poster) tell(ctx context.Context, body string) error {
	res, err := s.send(ctx, "", nil, body)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusAccepted || len(text) > 0 {
		err = errors.Join(err, fmt.Errorf("got HTTP status %d and %q, want 202 and nothing", res.StatusCode, text))
	}
	return errors.Join(err, res.Body.Close())
}

func (s *poster) call(ctx context.Context, method string, params json.RawMessage) outcome {
	s.mu.Lock()
	s.id++
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q}`, s.id, method)
	if len(params) > 0 {
		body = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, s.id, method, params)
	}
	s.mu.Unlock()
	res, err := s.send(ctx, method, params, body)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	if id := res.Header.Get("Mcp-Session-Id"); id != "" {
		s.mu.Lock()
		s.session = id
		s.mu.Unlock()
	}
	var o outcome
	last, err := s.follow(ctx, res, &o)
	for err == nil && last != "" && o.result == nil && o.err == nil {
		last, err = s.resume(ctx, last, &o)
	}
	if err != nil {
		return failed(err)
	}
	return o
}

// resume goes on with a stream that ended without a response, after the event last.
func (s *poster) resume(ctx context.Context, last string, o *outcome) (string, error) {
	res, err := s.get(ctx, last)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	return s.follow(ctx, res, o)
}

// stream gives the events of the session's own stream, until ctx ends.
func (s *poster) stream(ctx context.Context, t testing.TB) iter.Seq2[event, error] {
	t.Helper()
	res, err := s.get(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return eventsOf(res)
}

// get opens a stream of the session: the one of the event last, if that is not empty.
func (s *poster) get(ctx context.Context, last string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, s.header)
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	r.Header.Set("Mcp-Protocol-Version", s.version)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Header.Set("Mcp-Session-Id", s.session)
	return s.http.Do(r)
}

// follow adds the messages of a response to o, until the one that answers the call. last is
// the id of the last event.
func (s *poster) follow(ctx context.Context, res *http.Response, o *outcome) (last string, err error) {
	for e, err := range eventsOf(res) {
		if err != nil {
			return "", err
		}
		if e.id != "" {
			last = e.id
		}
		if len(e.data) == 0 {
			continue
		}
		if err := s.take(ctx, e.data, o); err != nil || o.result != nil || o.err != nil {
			return "", err
		}
	}
	return last, nil
}

// take adds a message of the server to o, and answers it if it is a request.
func (s *poster) take(ctx context.Context, message json.RawMessage, o *outcome) error {
	m, err := jsonrpc.DecodeMessage(message)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *jsonrpc.Response:
		o.result = m.Result
		if m.Error != nil {
			o.err, _ = errors.AsType[*jsonrpc.Error](m.Error)
		}
	case *jsonrpc.Request:
		if !m.IsCall() {
			o.notes = append(o.notes, m.Method+" "+canonical(m.Params))
			return nil
		}
		o.asked = append(o.asked, m.Method+" "+canonical(m.Params))
		id, err := json.Marshal(m.ID.Raw())
		if err != nil {
			return err
		}
		return s.tell(ctx, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, s.answer(m.Method, m.Params)))
	}
	return nil
}

// An event is a message of a response, with the id that a client may come back with.
type event struct {
	id   string
	data json.RawMessage
}

// eventsOf gives the messages of a response, whichever way they come.
func eventsOf(res *http.Response) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			text, err := io.ReadAll(res.Body)
			if err == nil && !json.Valid(text) {
				err = fmt.Errorf("HTTP status %d and no JSON: %q", res.StatusCode, text)
			}
			yield(event{data: text}, err)
			return
		}
		var e event
		for lines := bufio.NewReader(res.Body); ; {
			line, err := lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			line = strings.TrimSuffix(line, "\n")
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				e.id = id
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = json.RawMessage(data)
			}
			if err != nil || line == "" {
				if !yield(e, err) || err != nil {
					return
				}
				e = event{}
			}
		}
	}
}
