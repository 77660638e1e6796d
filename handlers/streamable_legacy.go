// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/authn"
)

// The SDK runs a legacy session's messages on contexts of its own. What the HTTP request
// knows, our receiving middleware finds again by the header, which the SDK hands over as it is.

// streamableKey is the key by which contexts of the SDK's handler, and of the sessions that it opens,
// have our own.
type streamableKey struct{}

// A post is one HTTP request with messages, while it is served.
type post struct {
	caller context.Context // of the request: who calls
	header http.Header
	id     json.RawMessage // of its call, if there is just one
	params json.RawMessage // of it

	mu     sync.Mutex
	denied *jsonrpc.Error // that the call was refused with, if it was
}

func (p *post) deny(e *jsonrpc.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.denied = e
}

// denial is why the one call was refused. Of several calls each has its own answer.
func (p *post) denial() *jsonrpc.Error {
	if p.id == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.denied
}

// errSessionNeeded answers what no session was opened for (MCP 2025-11-25, Streamable HTTP,
// "Session Management").
var errSessionNeeded = newError(connect.CodeFailedPrecondition, jsonrpc.CodeInvalidRequest,
	"initialize first, then send mcp-session-id; or name version "+firstModern+" in mcp-protocol-version and `_meta`")

// serveLegacy serves a POST of the versions with sessions.
func (h *streamable) serveLegacy(w http.ResponseWriter, r *http.Request, body []byte, messages []message) {
	h.srv.beOutermost()
	r = withKey(r, streamableKey{}, h)
	p := &post{caller: r.Context(), header: r.Header}
	if len(messages) == 1 && messages[0].isCall() {
		p.id, p.params = messages[0].ID, messages[0].Params
	}
	if r.Header.Get(headerSession) == "" && !opensSession(messages) {
		refuse(w, http.StatusBadRequest, p.id, errSessionNeeded.wire)
		return
	}
	release, ok := h.inSession(w, r)
	if !ok {
		return
	}
	defer release()
	for i := range messages {
		if err := messages[i].checkParams(); err != nil {
			wire := h.srv.toRPCError(r.Context(), messages[i].Method, err).wire
			refuse(w, statusOf(wire.Code), p.id, wire)
			return
		}
	}
	if denied := h.denial(r.Context(), messages); denied != nil {
		h.forbid(w, p.id, denied)
		return
	}
	key := headerAddress(r.Header)
	h.posts.Store(key, p)
	defer h.posts.Delete(key)
	r.Body = io.NopCloser(bytes.NewReader(body))
	reply := &legacyReply{ResponseWriter: w, streamable: h, post: p}
	defer reply.abandon()
	h.legacy.ServeHTTP(reply, r)
	reply.end()
}

// opensSession tells whether messages may come without a session.
func opensSession(messages []message) bool {
	return len(messages) == 1 && (messages[0].Method == methodInitialize || messages[0].Method == methodPing)
}

// serveLegacyStream serves what has no messages: GET, for a stream of the session, and
// DELETE.
func (h *streamable) serveLegacyStream(w http.ResponseWriter, r *http.Request) {
	release, ok := h.inSession(w, r)
	if !ok {
		return
	}
	defer release()
	// The stream ends with the credential that opened it, and when the server goes.
	ctx, cancel := authn.UntilEnd(r.Context())
	defer cancel()
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(h.srv.drain, end)()
	reply := &legacyReply{ResponseWriter: w, streamable: h, post: &post{}}
	h.legacy.ServeHTTP(reply, withKey(r.WithContext(ctx), streamableKey{}, h))
	reply.end()
}

// inSession keeps the session of a request from expiring until release is called. It
// refuses requests in sessions that are not there, or are somebody else's: that they exist
// is not for the caller.
func (h *streamable) inSession(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	id := r.Header.Get(headerSession)
	if id == "" {
		return func() {}, true // the SDK says what is missing
	}
	release, ok = h.srv.sessions.useHTTP(id, userOf(r.Context()), h.srv.cfg.SessionIdle)
	if !ok {
		refuse(w, http.StatusNotFound, nil, errNoSession.wire)
	}
	return release, ok
}

// denial gives the error for the first of messages that the caller may not send. The
// middleware has the last word, on what the SDK made of them; but it comes too late for the
// HTTP status of a response that has begun.
func (h *streamable) denial(ctx context.Context, messages []message) *jsonrpc.Error {
	if h.srv.cfg.Policy == nil {
		return nil
	}
	for _, m := range messages {
		if m.Method == "" || isNotification(m.Method) {
			continue
		}
		if err := h.srv.allowMessage(ctx, m.Method, m.Params); err != nil {
			if e := h.srv.toRPCError(ctx, m.Method, err); e.code == connect.CodePermissionDenied {
				return e.wire
			}
		}
	}
	return nil
}

// A legacyReply is a response of the SDK's handler. If the call is denied before anything was
// said it becomes a 403: clients look for the challenge there (MCP, "Scope Challenge
// Handling"). What the SDK refuses with a plain text becomes a JSON-RPC error.
type legacyReply struct {
	http.ResponseWriter

	streamable *streamable
	post       *post
	begun      bool
	held       *held  // a stream that has begun; nil for none
	replaced   bool   // by a response of ours
	status     int    // of a plain text, zero for none
	text       []byte // of it
}

// Unwrap is how http.ResponseController finds the connection.
func (w *legacyReply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *legacyReply) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	media, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	denied := w.post.denial()
	switch {
	case denied != nil:
		w.replaced = true
		w.streamable.forbid(w.ResponseWriter, w.post.id, denied)
	case status == http.StatusOK && media == "text/event-stream" && w.post.id != nil:
		w.held = hold(w.ResponseWriter)
	case status >= http.StatusBadRequest && media == "text/plain":
		w.replaced, w.status = true, status
	default:
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *legacyReply) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if denied := w.post.denial(); denied != nil && w.held != nil && w.held.drop() {
		w.replaced, w.held = true, nil
		w.streamable.forbid(w.ResponseWriter, w.post.id, denied)
	}
	switch {
	case w.held != nil:
		return w.held.Write(p)
	case !w.replaced:
		return w.ResponseWriter.Write(p)
	}
	if len(w.text)+len(p) <= maxPlainText {
		w.text = append(w.text, p...)
	}
	return len(p), nil
}

const maxPlainText = 1 << 10

// FlushError is what http.ResponseController calls.
func (w *legacyReply) FlushError() error {
	switch {
	case w.held != nil:
		return w.held.flush()
	case w.replaced:
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// abandon lets nothing out later, if the SDK's handler has not come to its end.
func (w *legacyReply) abandon() {
	if w.held != nil {
		w.held.drop()
	}
}

// end writes what took the place of a plain text.
func (w *legacyReply) end() {
	if w.held != nil {
		w.held.release()
	}
	if w.status == 0 {
		return
	}
	w.Header().Del("X-Content-Type-Options") // of http.Error
	text := strings.TrimSpace(string(w.text))
	if unknown, ok := strings.CutPrefix(text, sdkNotHandled); ok {
		// A request, as good as any other, whose answer is an error, but for gateways.
		result, err := w.streamable.unknown(unquoted(unknown), w.post)
		if err != nil {
			refuse(w.ResponseWriter, http.StatusOK, w.post.id, err)
			return
		}
		writeJSON(w.ResponseWriter, http.StatusOK, responseText(w.post.id, "result", result))
		return
	}
	refuse(w.ResponseWriter, w.status, w.post.id, invalidRequest("%s", text).wire)
}

// sdkNotHandled is how the SDK's plain text begins for a method that it does not know.
// TestSDKUnknownMethodText pins it.
const sdkNotHandled = "JSON RPC not handled: "

// unquoted gives the method that the SDK names as unsupported.
func unquoted(unknown string) string {
	method, err := strconv.Unquote(strings.TrimSuffix(unknown, " unsupported"))
	if err != nil {
		return unknown
	}
	return method
}
