// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// An eventID is where a stream has ended.
type eventID struct {
	id    string
	retry time.Duration
}

// read hands on the messages of a response, and tells whether the one that answers was
// among them.
func (l *httpLink) read(res *http.Response, id json.RawMessage) (last eventID, answered bool, err error) {
	defer drain(res)
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if media == "text/event-stream" && res.StatusCode == http.StatusOK {
		return l.events(res.Body, id)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return last, false, l.refused(res)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, int64(l.maxBytes)+1))
	if err != nil {
		return last, false, err
	}
	if len(text) > l.maxBytes {
		return last, false, fmt.Errorf("the response is larger than the limit of %d bytes", l.maxBytes)
	}
	messages, err := parseAll(text)
	if err != nil {
		return last, false, fmt.Errorf("the response, HTTP status %d, is no message", res.StatusCode)
	}
	for _, m := range messages {
		if m.isResponse() && isNull(m.ID) && m.Error != nil && id != nil {
			return last, false, failure(m.Error) // it could not read the call
		}
		l.put(m)
		answered = answered || m.answers(id)
	}
	if !answered && id != nil {
		return last, false, errNoAnswer
	}
	return last, answered, nil
}

// answers tells whether a message is the response to the call with an id.
func (m *message) answers(id json.RawMessage) bool {
	return id != nil && m.isResponse() && string(m.ID) == string(id)
}

func (l *httpLink) events(body io.Reader, id json.RawMessage) (last eventID, answered bool, err error) {
	last.retry = time.Second
	lines := bufio.NewReaderSize(body, 32<<10)
	var data []byte
	var at string // the id of the event, which counts once that has come whole
	for {
		line, err := readLine(lines, l.maxBytes)
		if err != nil {
			if errors.Is(err, errTooLong) {
				return last, false, err
			}
			return last, false, nil // the end of the stream, in whatever way
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if len(data)+len(value) > l.maxBytes {
				return last, false, errTooLong
			}
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, value...)
		case "id":
			at = string(value)
		case "retry":
			var ms int
			if json.Unmarshal(value, &ms) == nil && ms >= 0 && ms <= 60_000 {
				last.retry = time.Duration(ms) * time.Millisecond
			}
		case "":
			if len(line) > 0 {
				continue // a comment
			}
			last.id = cmp.Or(at, last.id)
			messages, err := parseAll(data)
			data = nil
			if err != nil {
				continue // is not for us
			}
			for _, m := range messages {
				l.put(m)
				answered = answered || m.answers(id)
			}
			if answered {
				return last, true, nil
			}
		}
	}
}

var (
	errTooLong = errors.New("the server's message is larger than the limit")
	// errTooLongOpen is that of a line whose end has not been read.
	errTooLongOpen = fmt.Errorf("%w, and goes on", errTooLong)
)

// readLine reads a line without its end.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(long)+len(part) > limit+64 {
			if err != nil {
				return nil, errTooLongOpen
			}
			return nil, errTooLong
		}
		if err == nil && long == nil {
			return bytes.TrimRight(part, "\r\n"), nil
		}
		long = append(long, part...)
		if err == nil {
			return bytes.TrimRight(long, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}
