// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// serveModern serves a POST of version 2026-07-28 or later: one request and its answer, or a
// notification.
func (h *streamable) serveModern(w http.ResponseWriter, r *http.Request, messages []message) {
	m := &messages[0]
	switch {
	case m.batched:
		refuse(w, http.StatusBadRequest, nil, invalidRequest("a list of messages is not allowed: post them one by one").wire)
		return
	case m.Method == "":
		refuse(w, http.StatusBadRequest, nil, invalidRequest("neither request nor notification: the server asks nothing of a client of this version").wire)
		return
	case !m.isCall():
		if err := checkMirror(r.Header, m.Method, ""); err != nil {
			h.fail(w, r.Context(), m, err)
			return
		}
		w.WriteHeader(http.StatusAccepted) // and has nothing to say: its POST ends a request
		return
	}
	e, err := m.envelope()
	if err == nil {
		err = requireMirror(r.Header, e)
	}
	if err == nil {
		err = requireMeta(m.Params)
	}
	if err != nil {
		h.fail(w, r.Context(), m, err)
		return
	}
	h.exchange(w, r, m, e)
}

func (h *streamable) fail(w http.ResponseWriter, ctx context.Context, m *message, err error) { //nolint:revive // as http.Error
	wire := h.srv.toRPCError(ctx, m.Method, err).wire
	refuse(w, statusOf(wire.Code), m.ID, wire)
}

// exchange runs a request.
func (h *streamable) exchange(w http.ResponseWriter, r *http.Request, m *message, e *mcpv1.Envelope) {
	ctx, cancel := authn.UntilEnd(context.WithValue(r.Context(), headerKey{}, r.Header))
	defer cancel()
	x := &exchange{srv: h.srv, single: true, strict: true, header: r.Header, out: newQueue[*mcpv1.Envelope]()}
	x.bytes.Store(true)
	reply := &httpReply{streamable: h, w: w, id: m.ID}
	if m.Method == methodListen {
		defer reply.keepAlive(ctx)()
	}
	err := pump(ctx, x.out, func(ctx context.Context) error {
		defer x.hush() // the stream ends
		return x.request(ctx, e)
	}, reply.write)
	if err != nil && !reply.begun && r.Context().Err() == nil {
		h.fail(w, ctx, m, err)
	}
}

// envelope gives the request as the dispatcher takes it.
func (m *message) envelope() (*mcpv1.Envelope, error) {
	r := &mcpv1.JsonRpcRequest{ParamsJson: m.Params}
	var text string
	if number, err := strconv.ParseInt(string(m.ID), 10, 64); err == nil {
		r.IntId = &number
	} else if json.Unmarshal(m.ID, &text) == nil {
		r.Id = &text
	} else {
		return nil, invalidRequest("id must be a string, or an integer of 64 bits")
	}
	return &mcpv1.Envelope{Method: m.Method, Kind: &mcpv1.Envelope_Request{Request: r}}, nil
}

// requireMirror refuses a request without the headers that Streamable HTTP requires of it, or
// with others than its body says (MCP 2026-07-28, Streamable HTTP, "Request Headers").
func requireMirror(header http.Header, e *mcpv1.Envelope) error {
	required := []string{headerVersion, headerMethod}
	switch e.Method {
	case methodCallTool, methodGetPrompt, methodReadResource:
		required = append(required, headerName)
	}
	for _, name := range required {
		if header.Get(name) == "" {
			return headerMismatch("the header %s is missing", name)
		}
	}
	return checkMirror(header, e.Method, nameOf(e))
}

// requireMeta refuses a request whose body does not say by itself what the server must know.
func requireMeta(params json.RawMessage) error {
	meta, err := metaOf(params)
	if err != nil {
		return err
	}
	if meta.GetProtocolVersion() == "" {
		return invalidParams("_meta: %q is missing", mcp.MetaKeyProtocolVersion)
	}
	return nil
}

// statusOf gives the HTTP status of an error (MCP 2026-07-28, Streamable HTTP).
func statusOf(code int64) int {
	switch code {
	case jsonrpc.CodeMethodNotFound:
		return http.StatusNotFound
	case jsonrpc.CodeParseError, jsonrpc.CodeInvalidRequest, jsonrpc.CodeInvalidParams, mcp.CodeHeaderMismatch,
		mcp.CodeMissingRequiredClientCapabilities, mcp.CodeUnsupportedProtocolVersion:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// A httpReply is the response to a request: one JSON text if that is all, else a stream of
// events that ends with it.
type httpReply struct {
	streamable *streamable
	id         json.RawMessage

	mu    sync.Mutex // one writes at a time
	w     http.ResponseWriter
	begun bool // as a stream, or for good
}

func (a *httpReply) write(messages []*mcpv1.Envelope) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range messages {
		if r := e.GetResponse(); r != nil && !a.begun {
			a.begun = true
			return a.whole(r)
		}
		text, err := a.text(e)
		if err != nil {
			return err
		}
		if err := a.event(text); err != nil {
			return err
		}
	}
	return http.NewResponseController(a.w).Flush()
}

// whole writes a response before which nothing was said.
func (a *httpReply) whole(r *mcpv1.JsonRpcResponse) error {
	failure := r.GetError()
	if failure == nil {
		a.w.Header().Set("Cache-Control", "no-store")
		writeJSON(a.w, http.StatusOK, responseText(a.id, "result", r.GetResultJson()))
		return nil
	}
	text, err := mapping.ToJSON(failure)
	if err != nil {
		return err
	}
	wire := &jsonrpc.Error{Code: int64(failure.Code), Message: failure.Message, Data: failure.DataJson}
	if authn.IsDenial(wire) {
		a.streamable.forbid(a.w, a.id, wire)
		return nil
	}
	a.w.Header().Set("Cache-Control", "no-store")
	writeJSON(a.w, statusOf(wire.Code), responseText(a.id, "error", text))
	return nil
}

// text writes a message in one line.
func (a *httpReply) text(e *mcpv1.Envelope) ([]byte, error) {
	if r := e.GetResponse(); r.GetError() != nil {
		failure, err := mapping.ToJSON(r.GetError())
		return responseText(a.id, "error", failure), err
	} else if r != nil {
		return responseText(a.id, "result", r.GetResultJson()), nil
	}
	return json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params,omitempty"`
	}{"2.0", e.GetMethod(), e.GetNotification().GetParamsJson()})
}

// event writes an event of a stream. A line end in it would end it.
func (a *httpReply) event(text []byte) error {
	if !a.begun {
		a.begun = true
		h := a.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache, no-transform")
		h.Set("X-Accel-Buffering", "no") // of nginx, which would keep events back
		a.w.WriteHeader(http.StatusOK)
	}
	var line bytes.Buffer
	line.Grow(len(text) + 32)
	line.WriteString("event: message\ndata: ")
	if bytes.ContainsAny(text, "\r\n") {
		if err := json.Compact(&line, text); err != nil {
			return err
		}
	} else {
		line.Write(text)
	}
	line.WriteString("\n\n")
	_, err := a.w.Write(line.Bytes())
	return err
}

// keepAliveInterval is how often a stream that is silent says so: less than the minute after
// which many proxies take a connection for dead.
const keepAliveInterval = 25 * time.Second

// keepAlive writes comments into a stream, until stop is called.
func (a *httpReply) keepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(keepAliveInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				a.comment()
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (a *httpReply) comment() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun {
		_, _ = a.w.Write([]byte(":\n\n"))           // a client that is gone
		_ = http.NewResponseController(a.w).Flush() // ends the request
	}
}
