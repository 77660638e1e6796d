// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/mirror"
)

// A modern server of Streamable HTTP wants some arguments in headers, too, and says in a tool's
// schema which (MCP 2026-07-28, `x-mcp-header`). Clients of other transports do not know.

const (
	// maxKnownTools bounds the tools whose headers a link remembers.
	maxKnownTools = 20_000
	// maxToolPages ends the search on a server whose pages never do.
	maxToolPages = 1000
	// codeHeaderMismatch answers a request whose headers contradict its body, or are missing.
	codeHeaderMismatch = -32020
)

// toolHeaders are the headers of tools, as the lists of the server that have passed say. The
// zero value is ready.
type toolHeaders struct {
	mu     sync.Mutex
	known  map[string]*mirror.Schema
	lists  map[string]*string // requests for a list in flight, by id: where the next page begins
	lookup int
}

func (t *toolHeaders) of(tool string) *mirror.Schema {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[tool]
}

// expect says that a list of tools will be the answer to id.
func (t *toolHeaders) expect(id json.RawMessage) (next *string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists == nil {
		t.lists = map[string]*string{}
	}
	next = new(string)
	t.lists[string(id)] = next
	return next
}

// learn looks into the answer to id, if that is a list of tools.
func (t *toolHeaders) learn(m *message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.lists[string(m.ID)]
	if next == nil {
		return
	}
	delete(t.lists, string(m.ID))
	var list struct {
		Tools []struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"inputSchema"`
		} `json:"tools"`
		NextCursor string `json:"nextCursor"`
	}
	if m.Error != nil || mapping.DecodeSDK(m.Result, &list) != nil {
		return
	}
	*next = list.NextCursor
	if t.known == nil || len(t.known) > maxKnownTools {
		t.known = map[string]*mirror.Schema{}
	}
	for _, tool := range list.Tools {
		if s := mirror.SchemaOf(tool.Schema); s != nil {
			t.known[tool.Name] = s
		} else {
			delete(t.known, tool.Name)
		}
	}
}

// forget ends the wait for the answer to id.
func (t *toolHeaders) forget(id json.RawMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.lists, string(id))
}

// callWithHeaders makes a call, and makes it again if the server has refused it for headers that
// were not known.
func (l *httpLink) callWithHeaders(ctx context.Context, m *message, text []byte) error {
	if m.Method == methodListTools {
		l.tools.expect(m.ID)
		defer l.tools.forget(m.ID)
	}
	err := l.call(ctx, m, text)
	if e, ok := errors.AsType[*jsonrpc.Error](err); !ok || e.Code != codeHeaderMismatch || m.Method != methodCallTool {
		return err
	}
	params, bad := objectOf(m.Params)
	if bad != nil {
		return err
	}
	before := l.tools.of(params.str("name"))
	if l.lookUp(ctx, params) != nil || l.tools.of(params.str("name")) == before {
		return err
	}
	return l.call(ctx, m, text)
}

// lookUp lists the tools of the server, for the caller of a tool, until it has found that.
func (l *httpLink) lookUp(ctx context.Context, call object) error {
	cursor := ""
	for range maxToolPages {
		l.tools.mu.Lock()
		l.tools.lookup++
		id := quote(fmt.Sprintf("mcpconnect-tools-%d", l.tools.lookup))
		l.tools.mu.Unlock()
		params := object{"_meta": call["_meta"]}
		if cursor != "" {
			params["cursor"] = quote(cursor)
		}
		m := &message{ID: id, Method: methodListTools, Params: params.text()}
		text, err := m.text()
		if err != nil {
			return err
		}
		next := l.tools.expect(id)
		err = l.call(ctx, m, text)
		l.tools.forget(id)
		if err != nil || *next == "" || l.tools.of(call.str("name")) != nil {
			return err
		}
		cursor = *next
	}
	return nil
}
