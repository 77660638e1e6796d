// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package h2

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// smallAnswer is how much of an answer is kept until its handler flushes or returns, so that an
// answer that is small has a length, and goes out at once.
const smallAnswer = 4 << 10

// sniffed is how much of a body tells what it is.
const sniffed = 512

// A response is the [http.ResponseWriter] of an exchange, guarded by the connection's mu.
type response struct {
	x        *exchange
	header   http.Header // the handler's
	status   int         // 0 until it is known
	fields   []hpack.HeaderField
	trailers []string // announced
	sent     bool     // the fields
	buf      []byte
	written  int64
	declared int64 // the length, -1 if it is not
	head     bool  // the answer to HEAD has no body
	typed    bool  // the fields have a Content-Type
	encoded  bool  // or a Content-Encoding
	dated    bool
}

// Header implements [http.ResponseWriter].
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *response) WriteHeader(status int) {
	w.x.c.mu.Lock()
	defer w.x.c.mu.Unlock()
	w.writeHeader(status)
}

func (w *response) writeHeader(status int) {
	if status < 100 || status > 999 {
		panic("h2: invalid status " + strconv.Itoa(status)) //nolint:forbidigo // as net/http does
	}
	switch {
	case w.status != 0:
		return
	case status < 200:
		w.inform(status)
		return
	}
	w.status = status
	w.x.expects = false // it need not send the body
	w.fields = make([]hpack.HeaderField, 0, len(w.header)+3)
	for name, values := range w.header {
		w.take(name, values)
	}
	slices.SortStableFunc(w.fields, func(a, b hpack.HeaderField) int { return strings.Compare(a.Name, b.Name) })
}

// take notes a field of the header as it is now.
func (w *response) take(name string, values []string) {
	if isOfConnection(name) {
		if name == "Connection" && slices.Contains(values, "close") {
			w.x.server.leave()
		}
		return
	}
	switch name {
	case "Trailer":
		w.announce(values)
	case "Content-Type":
		w.typed = true
	case "Content-Encoding":
		w.encoded = len(values) > 0 && values[0] != ""
	case "Date":
		w.dated = true
	case "Content-Length":
		n, ok := contentLength(values)
		if !ok || n < 0 {
			return
		}
		w.declared = n
	}
	if !strings.HasPrefix(name, http.TrailerPrefix) {
		w.fields = appendFields(w.fields, name, values)
	}
}

func (w *response) announce(values []string) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if httpguts.ValidTrailerHeader(name) && !slices.Contains(w.trailers, name) {
				w.trailers = append(w.trailers, name)
			}
		}
	}
}

// appendFields leaves out what is no valid field, as net/http does.
func appendFields(fields []hpack.HeaderField, name string, values []string) []hpack.HeaderField {
	if !httpguts.ValidHeaderFieldName(name) {
		return fields
	}
	name = lower(name)
	for _, v := range values {
		if httpguts.ValidHeaderFieldValue(v) {
			fields = append(fields, hpack.HeaderField{Name: name, Value: v})
		}
	}
	return fields
}

// inform sends an answer before the answer (RFC 9110 §15.2).
func (w *response) inform(status int) {
	if status == http.StatusSwitchingProtocols || w.sent || w.x.localDone {
		return
	}
	w.x.c.encode(":status", strconv.Itoa(status))
	if status != http.StatusContinue {
		for name, values := range w.header {
			if isOfConnection(name) || name == "Content-Length" || strings.HasPrefix(name, http.TrailerPrefix) {
				continue // they are about the answer, or have no place in HTTP/2
			}
			for _, f := range appendFields(nil, name, values) {
				w.x.c.encode(f.Name, f.Value)
			}
		}
	}
	w.x.c.appendHeaders(w.x.id, false)
	w.x.c.flush()
}

// bodyAllowed tells whether an answer of a status may have a body (RFC 9110 §6.4.1).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// Write implements [http.ResponseWriter].
func (w *response) Write(p []byte) (int, error) {
	c := w.x.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	if !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if w.declared >= 0 && w.written+int64(len(p)) > w.declared {
		return 0, http.ErrContentLength
	}
	if err := w.x.writable(); err != nil {
		return 0, err
	}
	w.written += int64(len(p))
	if len(w.buf)+len(p) <= smallAnswer {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.sendBody(p); err != nil {
		return 0, err
	}
	c.flush()
	return len(p), nil
}

// sendBody appends what was kept, and p.
func (w *response) sendBody(p []byte) error {
	w.sendHeader(false, p)
	var err error
	if !w.head && len(w.buf)+len(p) > 0 {
		err = w.x.send(w.buf, p, false)
	}
	w.buf = w.buf[:0]
	return err
}

// WriteString implements [io.StringWriter].
func (w *response) WriteString(text string) (int, error) { return w.Write([]byte(text)) }

// Flush implements [http.Flusher].
func (w *response) Flush() { _ = w.FlushError() } // the next write tells

// FlushError sends what there is.
func (w *response) FlushError() error {
	c := w.x.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	if err := w.x.writable(); err != nil {
		return err
	}
	err := w.sendBody(nil)
	c.flush()
	return err
}

// sendHeader appends the header, if that is still to be done. more is the rest of the body as far
// as it is known.
func (w *response) sendHeader(end bool, more []byte) {
	if w.sent {
		return
	}
	w.sent = true
	c := w.x.c
	c.encode(":status", statusText(w.status))
	for _, f := range w.fields {
		c.encode(f.Name, f.Value)
	}
	if len(w.buf)+len(more) > 0 && !w.typed && !w.encoded {
		sample := slices.Concat(w.buf, more[:min(len(more), sniffed)])
		c.encode("content-type", http.DetectContentType(sample))
	}
	if !w.dated {
		c.encode("date", date())
	}
	c.appendHeaders(w.x.id, end)
	w.fields = nil
}

func statusText(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}

// finish ends the answer of a handler that has returned. It is called with mu, and does not flush.
func (w *response) finish() {
	s := w.x
	if s.localDone {
		return
	}
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	if s.awaitBuffer() != nil {
		w.abandon()
		return
	}
	trailers := w.trailerFields()
	last := len(trailers) == 0
	if !w.sent {
		if w.declared < 0 && bodyAllowed(w.status) && (len(w.buf) > 0 || !w.head) {
			w.fields = append(w.fields, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(w.buf))})
		}
		end := last && (w.head || len(w.buf) == 0) && !w.short()
		w.sendHeader(end, nil)
		if end {
			s.localDone = true
			s.forget()
			return
		}
	}
	if w.head {
		w.buf = nil
	}
	if w.short() {
		s.c.reset(s.id, http2.ErrCodeInternal) // the client must not take it for the whole
		return
	}
	if len(w.buf) > 0 || last {
		if s.send(w.buf, nil, last) != nil {
			w.abandon()
			return
		}
	}
	if !last {
		for _, f := range trailers {
			s.c.encode(f.Name, f.Value)
		}
		s.c.appendHeaders(s.id, true)
	}
	s.localDone = true
	s.forget()
}

// abandon ends an answer that cannot be sent.
func (w *response) abandon() {
	if w.x.err == nil { // the write deadline has passed
		w.x.c.reset(w.x.id, http2.ErrCodeInternal)
	}
}

// short tells whether less was written than the header says.
func (w *response) short() bool {
	return w.declared > w.written && !w.head && bodyAllowed(w.status)
}

// trailerFields gives what was announced, and what has the prefix.
func (w *response) trailerFields() (fields []hpack.HeaderField) {
	for _, name := range w.trailers {
		fields = appendFields(fields, name, w.header[name])
	}
	for key, values := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok && httpguts.ValidTrailerHeader(http.CanonicalHeaderKey(name)) {
			fields = appendFields(fields, name, values)
		}
	}
	return fields
}

// SetReadDeadline is for [http.ResponseController].
func (w *response) SetReadDeadline(t time.Time) error {
	w.x.c.mu.Lock()
	defer w.x.c.mu.Unlock()
	w.x.readEnd.set(t, &w.x.arrived)
	return nil
}

// SetWriteDeadline is for [http.ResponseController].
func (w *response) SetWriteDeadline(t time.Time) error {
	w.x.c.mu.Lock()
	defer w.x.c.mu.Unlock()
	w.x.writeEnd.set(t, &w.x.room)
	return nil
}

// EnableFullDuplex is for [http.ResponseController]: HTTP/2 is.
func (w *response) EnableFullDuplex() error { return nil }
