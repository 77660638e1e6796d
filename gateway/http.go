// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/mirror"
)

// A HTTPDoer makes HTTP requests, as [http.Client] does. It must be safe for concurrent use,
// and must not follow redirects to other origins with credentials.
type HTTPDoer interface {
	Do(r *http.Request) (*http.Response, error)
}

// defaultHTTP bounds how long it takes to reach a server. How long that may take to respond is
// the business of each call.
var defaultHTTP = sync.OnceValue(func() HTTPDoer {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // that is what it is
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: t, CheckRedirect: sameOrigin}
})

// sameOrigin follows redirects within one origin only.
func sameOrigin(r *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("too many redirects")
	}
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return fmt.Errorf("the server redirects to another origin: %s", r.URL.Host)
	}
	return nil
}

// A httpLink is a link to a server of Streamable HTTP. The SDK's client has one, too; but
// it can be used by the SDK's own sessions only, which look into all that passes.
type httpLink struct {
	url      string
	http     HTTPDoer
	maxBytes int
	ctx      context.Context
	cancel   context.CancelFunc
	inbox    chan *message
	tools    toolHeaders
	streams  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	session string               // of a server that has sessions
	version string               // that was agreed on; empty before
	calls   map[string]*httpCall // in flight, by id
	gone    error                // the server does not know the session
	err     error                // why the session is over
	failed  chan struct{}
	ended   chan struct{} // closed when close has done all
}

func newHTTPLink(url string, client HTTPDoer, maxBytes int) *httpLink {
	if client == nil {
		client = defaultHTTP()
	}
	l := &httpLink{
		url: url, http: client, maxBytes: maxBytes,
		inbox: make(chan *message), calls: map[string]*httpCall{}, failed: make(chan struct{}), ended: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *httpLink) receive() (*message, error) {
	select {
	case m := <-l.inbox:
		return m, nil
	case <-l.failed:
		return nil, l.err
	case <-l.ctx.Done():
		return nil, errClosed
	}
}

// put hands a message to the reader.
func (l *httpLink) put(m *message) {
	if m.isResponse() {
		l.tools.learn(m)
	}
	select {
	case l.inbox <- m:
	case <-l.ctx.Done():
	}
}

// send posts a message. For a call the response is read in the background.
func (l *httpLink) send(ctx context.Context, m *message) error {
	if m.Method == methodCancelled && l.endCall(m.Params) {
		return nil // of a modern call, that is all there is to tell
	}
	text, err := m.text()
	if err != nil {
		return err
	}
	if !m.isCall() {
		return l.tell(ctx, m, text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.err != nil {
		return errClosed
	}
	ctx, cancel := context.WithCancel(l.ctx) // a call ends with a cancellation, which says so
	c := &httpCall{cancel: cancel}
	l.calls[string(m.ID)] = c
	l.streams.Go(func() {
		defer l.forget(m.ID, c)
		if err := l.callWithHeaders(ctx, m, text); err != nil && ctx.Err() == nil {
			gone := errors.Is(err, errNoSession)
			l.put(&message{ID: m.ID, Error: responseError(err), noSession: gone, unsent: isUnsent(err)})
			if gone {
				l.sessionGone(err)
			}
		}
	})
	return nil
}

// A httpCall is the request of a call.
type httpCall struct {
	cancel context.CancelFunc
	grace  *time.Timer // of a call that was cancelled; nil for others
}

// answerGrace is how long the request of a cancelled call goes on, for an answer that the
// server may have to give. It need not give any (MCP 2025-11-25, "Cancellation").
const answerGrace = 2 * time.Second

// forget ends the request of a call.
func (l *httpLink) forget(id json.RawMessage, c *httpCall) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.cancel()
	if c.grace != nil {
		c.grace.Stop()
	}
	if l.calls[string(id)] == c {
		delete(l.calls, string(id))
	}
	if l.gone != nil && len(l.calls) == 0 {
		l.failNow(l.gone)
	}
}

// sessionGone ends the link when the calls that are in flight have learned by themselves whether the
// server has looked at them.
func (l *httpLink) sessionGone(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.gone != nil:
	case len(l.calls) == 0:
		l.failNow(err)
	default:
		l.gone = err
		time.AfterFunc(lastAnswers, func() { l.fail(err) })
	}
}

// endCall ends the request of a call that was cancelled. It tells whether the server learns of it by that;
// one with sessions does not, and has a while to end the request itself.
func (l *httpLink) endCall(params json.RawMessage) bool {
	p, err := objectOf(params)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.calls[string(p["requestId"])]
	switch {
	case l.session == "":
		if c != nil {
			c.cancel()
		}
		return true
	case c != nil && c.grace == nil:
		c.grace = time.AfterFunc(answerGrace, c.cancel)
	}
	return false
}

func (l *httpLink) tell(ctx context.Context, m *message, text []byte) error {
	res, err := l.post(ctx, m, text)
	if err != nil {
		return err
	}
	defer drain(res)
	if res.StatusCode < http.StatusBadRequest {
		return nil
	}
	err = l.refused(res)
	if errors.Is(err, errNoSession) {
		l.sessionGone(err)
	}
	return err
}

// call posts a call, and hands on what comes until its response.
func (l *httpLink) call(ctx context.Context, m *message, text []byte) error {
	res, err := l.post(ctx, m, text) //nolint:bodyclose // read does
	if err != nil {
		return err
	}
	last, answered, err := l.read(res, m.ID)
	if err != nil || answered {
		return l.learn(m, err)
	}
	// A stream that ends early can be resumed, if its events have ids.
	for tries := 0; last.id != "" && tries < maxResumes; tries++ {
		if !sleep(ctx, last.retry) {
			return ctx.Err()
		}
		before := last.id
		if last, answered, err = l.resume(ctx, last, m.ID); err != nil || answered {
			return l.learn(m, err)
		}
		if last.id != before { // there are servers that have their clients come back again and again
			tries = 0
		}
	}
	return errNoAnswer
}

// maxResumes is how often in a row a stream may give nothing new.
const maxResumes = 10

var errNoAnswer = errors.New("the server's response ended without the answer")

// learn opens the stream for what belongs to no call, once there is a session.
func (l *httpLink) learn(m *message, err error) error {
	if err != nil || m.Method != methodInitialize {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != "" && !l.closed {
		l.streams.Go(l.follow)
	}
	return nil
}

func (l *httpLink) post(ctx context.Context, m *message, text []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	l.setHeader(r)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	l.mirror(r.Header, m)
	res, err := l.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	if id := res.Header.Get("Mcp-Session-Id"); id != "" && m.Method == methodInitialize {
		l.mu.Lock()
		l.session = id
		l.mu.Unlock()
	}
	return res, nil
}

func (l *httpLink) setHeader(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != "" {
		r.Header.Set("Mcp-Session-Id", l.session)
	}
	if l.version != "" {
		r.Header.Set("Mcp-Protocol-Version", l.version)
	}
}

// mirror sets what a modern request has to have in its header (MCP 2026-07-28, Streamable
// HTTP, "Request Headers").
func (l *httpLink) mirror(h http.Header, m *message) {
	// As the SDK reads it, whatever two members of one name make of it.
	var params struct {
		Name   string          `json:"name"`
		URI    string          `json:"uri"`
		TaskID string          `json:"taskId"`
		Meta   object          `json:"_meta"`
		Args   json.RawMessage `json:"arguments"`
	}
	if isNull(m.Params) || mapping.DecodeSDK(m.Params, &params) != nil || params.Meta.str(metaVersion) < firstModern {
		return
	}
	h.Set("Mcp-Protocol-Version", params.Meta.str(metaVersion))
	h.Set("Mcp-Method", m.Method)
	switch m.Method {
	case methodCallTool:
		h.Set("Mcp-Name", mirror.Encode(params.Name))
		l.tools.of(params.Name).SetHeaders(h, params.Args)
	case methodGetPrompt:
		h.Set("Mcp-Name", mirror.Encode(params.Name))
	case methodReadResource:
		h.Set("Mcp-Name", mirror.Encode(params.URI))
	case methodGetTask, methodUpdateTask, methodCancelTask:
		h.Set("Mcp-Name", mirror.Encode(params.TaskID))
	}
}

func (l *httpLink) get(ctx context.Context, last eventID) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	l.setHeader(r)
	r.Header.Set("Accept", "text/event-stream")
	if last.id != "" {
		r.Header.Set("Last-Event-Id", last.id)
	}
	return l.http.Do(r)
}

func (l *httpLink) resume(ctx context.Context, last eventID, id json.RawMessage) (eventID, bool, error) {
	res, err := l.get(ctx, last) //nolint:bodyclose // read does
	if err != nil {
		return last, false, nil //nolint:nilerr // the next try may do
	}
	next, answered, err := l.read(res, id)
	if next.id == "" {
		next.id = last.id
	}
	return next, answered, err
}

// follow reads what the server says outside of calls, as long as the session lasts.
func (l *httpLink) follow() {
	var last eventID
	for pause := time.Second; ; {
		wait := pause
		res, err := l.get(l.ctx, last)
		if err == nil {
			if res.StatusCode == http.StatusMethodNotAllowed {
				drain(res)
				return // it says nothing outside of calls
			}
			var next eventID
			next, _, err = l.read(res, nil)
			if next.id != "" {
				last = next
			}
			if errors.Is(err, errNoSession) {
				l.sessionGone(err)
				return
			}
			wait = max(next.retry, minPause)
		}
		if err == nil { // the stream has ended, as it may
			pause = time.Second
		} else {
			wait, pause = pause, min(2*pause, time.Minute)
		}
		if !sleep(l.ctx, wait) {
			return
		}
	}
}

// errNoSession is the error of a request whose session the server does not know, and which it has
// therefore not looked at.
var errNoSession = errors.New("the server does not know the session")

// A statusError is a response that is no answer.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answered with HTTP status %d: %s", e.status, e.text)
}

// refused gives the error of a response with an error status. If it holds a JSON-RPC error
// that is it.
func (l *httpLink) refused(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, int64(l.maxBytes)))
	status := &statusError{res.StatusCode, http.StatusText(res.StatusCode)}
	l.mu.Lock()
	hadSession := l.session != "" && res.Request != nil && res.Request.Header.Get("Mcp-Session-Id") == l.session
	l.mu.Unlock()
	if res.StatusCode == http.StatusNotFound && hadSession {
		return fmt.Errorf("%w: %w", errNoSession, status)
	}
	if m, err := parse(text); err == nil && m.Error != nil {
		if wire, ok := errors.AsType[*jsonrpc.Error](failure(m.Error)); ok {
			return wire
		}
	}
	return status
}

func (l *httpLink) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failNow(err)
}

// failNow is fail for who has mu.
func (l *httpLink) failNow(err error) {
	if l.err == nil {
		l.err = err
		close(l.failed)
	}
}

func (l *httpLink) agree(version string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version = version
}

// close ends the session, if there is one.
func (l *httpLink) close() {
	l.mu.Lock()
	was := l.closed
	l.closed = true
	session := l.session
	l.mu.Unlock()
	if was {
		return
	}
	defer close(l.ended)
	l.cancel()
	l.streams.Wait()
	if session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, l.url, http.NoBody)
	if err != nil {
		return
	}
	l.setHeader(r)
	if res, err := l.http.Do(r); err == nil {
		drain(res) // a server may keep its sessions as long as it likes
	}
}

func (l *httpLink) wait() { <-l.ended }

// drain leaves the connection for the next request, if there is not much left.
func drain(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	_ = res.Body.Close()
}

// sleep waits, and tells whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
