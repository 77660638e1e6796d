// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A callID is a JSON-RPC id: a string or an integer, never mixed up.
type callID struct {
	text   string
	number int64
	isText bool
}

func stringID(s string) callID { return callID{text: s, isText: true} }

func (id callID) String() string {
	if id.isText {
		return strconv.Quote(id.text)
	}
	return strconv.FormatInt(id.number, 10)
}

var errBothIDs = invalidRequest("id and int_id are both set")

// requestID reads the id of a request or response; false for none.
func requestID(text *string, number *int64) (callID, bool, error) {
	switch {
	case text != nil && number != nil:
		return callID{}, false, errBothIDs
	case text != nil:
		return stringID(*text), true, nil
	case number != nil:
		return callID{number: *number}, true, nil
	}
	return callID{}, false, nil
}

// setOn writes the id to a response.
func (id callID) setOn(r *mcpv1.JsonRpcResponse) {
	if id.isText {
		r.Id = &id.text
	} else {
		r.IntId = &id.number
	}
}

// cancelledID reads the id that a notifications/cancelled names.
func cancelledID(params json.RawMessage) (callID, bool) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(params, &p) != nil {
		return callID{}, false
	}
	var id callID
	if json.Unmarshal(p.RequestID, &id.text) == nil {
		id.isText = true
		return id, true
	}
	return id, json.Unmarshal(p.RequestID, &id.number) == nil
}

// inflight are the requests that wait for their response, by id. The zero value is
// ready.
type inflight struct {
	mu    sync.Mutex
	calls map[callID]*inflightCall
}

type inflightCall struct {
	id        callID
	cancel    context.CancelFunc
	cancelled bool
}

// begin notes a request; it fails if its id is in flight already.
func (f *inflight) begin(id callID, cancel context.CancelFunc) (*inflightCall, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[callID]*inflightCall{}
	}
	if f.calls[id] != nil {
		return nil, invalidRequest("request id %s is in flight already", id)
	}
	c := &inflightCall{id: id, cancel: cancel}
	f.calls[id] = c
	return c, nil
}

// end forgets a request and tells whether the client cancelled it: then nothing more
// is sent for it.
func (f *inflight) end(c *inflightCall) (cancelled bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[c.id] == c {
		delete(f.calls, c.id)
	}
	return c.cancelled
}

// abort cancels a request, whose id is free from then on, however long its handler takes. An unknown
// id is ignored: the answer may have crossed.
func (f *inflight) abort(id callID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.calls[id]; c != nil {
		delete(f.calls, id)
		c.cancelled = true
		c.cancel()
	}
}
