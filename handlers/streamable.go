// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// Streamable HTTP has two halves at one URL, since its two eras have little in common
// (SPEC.md §17):
//
//	POST, 2026-07-28 ──┐                         ┌─ modern: the exchange of a Send ──────┐
//	                   ├─ limits, era, session ──┤                                       ├─ *mcp.Server
//	the rest ──────────┘                         └─ legacy: the SDK's handler, receiving ┘
//
// What is modern has neither sessions nor streams that can be resumed, and is served by our own
// dispatcher: the SDK makes a server session for each request, compares Mcp-Name undecoded, and
// refuses numbers that are no float64. What is legacy has all of that, and the SDK's handler for it.

// A streamable serves Streamable HTTP.
type streamable struct {
	srv      *Server
	maxBytes int64
	legacy   http.Handler
	// posts are the legacy ones being served, by the address of their header. Each has a
	// header of its own, that lives as long as it stands here.
	posts sync.Map // uintptr -> *post
}

// StreamableHTTP gives a handler that serves the server over MCP's Streamable HTTP, both
// eras at one URL, with the limits, policy, errors and number of sessions of s. A message of
// more than maxBytes is refused. It must be called once at most, before s serves.
func (s *Server) StreamableHTTP(maxBytes int64) http.Handler {
	h := &streamable{srv: s, maxBytes: maxBytes}
	h.legacy = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s.server }, &mcp.StreamableHTTPOptions{
		EventStore:                 mcp.NewMemoryEventStore(nil), // of 10 MiB
		MaxRequestBodyBytes:        -1,                           // the body was read
		DisableLocalhostProtection: true,                         // the gate has a better one
	})
	s.streamable = h
	return h
}

func (h *streamable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		h.serveLegacyStream(w, r)
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, nil, invalidRequest("Content-Type must be application/json").wire)
		return
	}
	if !acceptsBoth(r.Header.Values("Accept")) {
		refuse(w, http.StatusNotAcceptable, nil, invalidRequest("Accept must have application/json and text/event-stream").wire)
		return
	}
	body, ok := h.read(w, r)
	if !ok {
		return
	}
	messages, err := h.messagesIn(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, nil, err.wire)
		return
	}
	if isModern(r.Header, messages) {
		h.serveModern(w, r, messages)
		return
	}
	h.serveLegacy(w, r, body, messages)
}

// acceptsBoth tells whether a client takes both kinds of response, as it must (MCP,
// Streamable HTTP, "Sending Messages to the Server").
func acceptsBoth(values []string) bool {
	var plain, events bool
	for _, value := range values {
		for media := range strings.SplitSeq(value, ",") {
			media, _, _ = strings.Cut(media, ";")
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "application/json", "application/*":
				plain = true
			case "text/event-stream", "text/*":
				events = true
			case "*/*":
				plain, events = true, true
			}
		}
	}
	return plain && events
}

// read gives the body of a request, within the limits.
func (h *streamable) read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBytes))
	if err == nil {
		return body, true
	}
	status, failure := http.StatusBadRequest, invalidRequest("the request did not arrive whole")
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status, failure = http.StatusRequestEntityTooLarge, exhausted("message is larger than the limit of %d bytes", h.maxBytes)
	} else if errors.Is(err, os.ErrDeadlineExceeded) || connect.CodeOf(err) == connect.CodeDeadlineExceeded {
		status, failure = http.StatusRequestTimeout, invalidRequest("the request did not arrive in time")
	}
	refuse(w, status, nil, failure.wire)
	return nil, false
}

// A message is a JSON-RPC message of a client.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
	batched bool
}

func (m *message) isCall() bool { return m.Method != "" && len(m.ID) > 0 }

// checkParams refuses params of which two readers might see two different things.
func (m *message) checkParams() error {
	if !m.isCall() {
		return nil
	}
	if err := mapping.CheckMembers(m.Params); err != nil {
		return malformed("params", err)
	}
	_, err := metaOf(m.Params)
	return err
}

// messagesIn takes a body apart: it is one message, or a list of them.
func (h *streamable) messagesIn(body []byte) ([]message, *rpcError) {
	limits, batch := h.srv.limits, bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("["))
	around := 1 // params are the free-form JSON of a request
	if batch {
		around = 2
	}
	if limits.MaxDepth > 0 {
		limits.MaxDepth += around
	}
	if limits.MaxNodes > 0 {
		limits.MaxNodes += around
	}
	if err := mapping.CheckJSON(body, limits); err != nil {
		return nil, jsonError(err)
	}
	texts := []json.RawMessage{body}
	if batch {
		if err := mapping.DecodeSDK(body, &texts); err != nil {
			return nil, invalidRequest("the list cannot be read")
		}
	}
	messages := make([]message, len(texts))
	for i, text := range texts {
		m := &messages[i]
		if err := mapping.CheckMembers(text); err != nil {
			return nil, invalidRequest("%v", err)
		}
		switch err := mapping.DecodeSDK(text, m); {
		case err != nil || m.Version != "2.0":
			return nil, invalidRequest("a message must be an object of JSON-RPC 2.0")
		case m.Method != "" && string(m.ID) == "null":
			return nil, invalidRequest("id must not be null")
		}
		messages[i].batched = batch
	}
	if len(messages) == 0 {
		return nil, invalidRequest("the list is empty")
	}
	return messages, nil
}

// isModern decides the era of a POST. Whoever names a modern version anywhere is modern, so
// that it is told what is missing.
func isModern(header http.Header, messages []message) bool {
	if header.Get(headerVersion) >= firstModern {
		return true
	}
	for _, m := range messages {
		if (m.Method == methodDiscover || m.Method == methodListen) && header.Get(headerSession) == "" {
			return true
		}
		if meta, err := metaOf(m.Params); err == nil && meta.GetProtocolVersion() >= firstModern {
			return true
		}
	}
	return false
}

// forbid refuses what the caller may not do, with the challenge that says what it lacks.
func (h *streamable) forbid(w http.ResponseWriter, id json.RawMessage, denied *jsonrpc.Error) {
	h.srv.cfg.Metadata.StepUp(denied, w.Header(), connect.NewError(connect.CodePermissionDenied, nil))
	refuse(w, http.StatusForbidden, id, denied)
}

// refuse answers a request with an error. id is that of the request, nil if it has none that
// can be read.
func refuse(w http.ResponseWriter, status int, id json.RawMessage, e *jsonrpc.Error) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, responseText(id, "error", errorText(e)))
}

func writeJSON(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client is gone
}

func errorText(e *jsonrpc.Error) json.RawMessage {
	text, err := json.Marshal(e)
	if err != nil { // its data is no JSON
		return json.RawMessage(`{"code":-32603,"message":"internal error"}`)
	}
	return text
}

// responseText writes a response, in one line.
func responseText(id json.RawMessage, outcome string, value json.RawMessage) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	text := make([]byte, 0, len(`{"jsonrpc":"2.0","id":,"":}`)+len(id)+len(outcome)+len(value))
	text = append(append(text, `{"jsonrpc":"2.0","id":`...), id...)
	text = append(append(text, `,"`...), outcome...)
	text = append(append(text, `":`...), value...)
	return append(text, '}')
}

// withKey gives r a context value, and a header of its own.
func withKey(r *http.Request, key, value any) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), key, value))
	r.Header = maps.Clone(r.Header)
	return r
}
