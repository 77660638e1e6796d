// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/gateway"
	"github.com/mcpconnect/mcpconnect/internal/rpctest"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A reply writes what a server of Streamable HTTP says to a call: first to its POST, then to each
// GET that comes back for more, with the id of the last event that the client has.
type reply func(w http.ResponseWriter, last string, id json.RawMessage)

// replying is a server with sessions that has one reply to every call of a tool.
func replying(t *testing.T, answer reply) gateway.Upstream {
	t.Helper()
	ids := make(chan json.RawMessage, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.RawMessage
			Method string
		}
		text, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(text, &m)
		last := r.Header.Get("Last-Event-Id")
		switch {
		case r.Method == http.MethodGet && last == "":
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.Method == http.MethodGet:
			id := <-ids
			ids <- id
			answer(w, last, id)
		case m.Method == "initialize":
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Mcp-Session-Id", "s1")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"u","version":"1"}}}`, m.ID)
		case m.Method == "server/discover": // of versions to come
			plainJSON(w, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"supportedVersions":["2099-01-01"],"capabilities":{"tools":{}}}}`, m.ID))
		case m.Method == "tools/call" && r.Header.Get("Mcp-Session-Id") == "":
			w.WriteHeader(http.StatusBadRequest)
		case m.Method == "tools/call":
			ids <- m.ID
			answer(w, "", m.ID)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(up.Close)
	return gateway.Upstream{Name: "up", URL: up.URL, Version: "2025-11-25"}
}

func events(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

func plainJSON(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// TestRepliesOfStreamableHTTP as servers and networks make them: each call gets its answer, or learns
// soon why it does not.
func TestRepliesOfStreamableHTTP(t *testing.T) {
	t.Parallel()
	result := func(id json.RawMessage) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, id)
	}
	for _, tt := range []struct {
		name  string
		reply reply
		want  string // part of the outcome
	}{
		{"an event that is cut off comes again", func(w http.ResponseWriter, last string, id json.RawMessage) {
			switch last {
			case "":
				events(w, "id: 1\nretry: 1\ndata:\n\nid: 2\ndata: "+result(id)[:10])
				panic(http.ErrAbortHandler)
			case "1":
				events(w, "id: 2\ndata: "+result(id)+"\n\n")
			}
		}, `"content": []`},
		{"a comment inside of an event", func(w http.ResponseWriter, _ string, id json.RawMessage) {
			first, second, _ := strings.Cut(result(id), `,`)
			events(w, ": hello\n\ndata: "+first+",\n: still here\ndata: "+second+"\n\n")
		}, `"content": []`},
		{"a server that has its client come back often", func(w http.ResponseWriter, last string, id json.RawMessage) {
			n, _ := strconv.Atoi(last)
			if n == 30 {
				events(w, "data: "+result(id)+"\n\n")
				return
			}
			events(w, fmt.Sprintf("id: %d\nretry: 1\ndata:\n\n", n+1))
		}, `"content": []`},
		{"a server that has nothing for a client that comes back", func(w http.ResponseWriter, last string, _ json.RawMessage) {
			if last == "" {
				events(w, "id: 1\nretry: 1\ndata:\n\n")
				return
			}
			events(w, "retry: 1\n\n")
		}, "ended without the answer"},
		{"an error without id", func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			plainJSON(w, http.StatusOK, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not understood"}}`)
		}, "error -32600 not understood"},
		{"an answer to another call", func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			plainJSON(w, http.StatusOK, `{"jsonrpc":"2.0","id":"another","result":{}}`)
		}, "without the answer"},
		{"no answer", func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			plainJSON(w, http.StatusOK, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`)
		}, "without the answer"},
		{"an error with much data", func(w http.ResponseWriter, _ string, id json.RawMessage) {
			plainJSON(w, http.StatusBadRequest, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"m","data":"%s"}}`, id, strings.Repeat("x", 50_000)))
		}, "error -32000 m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := open(t, gateway.Config{Upstreams: []gateway.Upstream{replying(t, tt.reply)}})
			c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, `{}`)
			o := c.Call(rpctest.Context(t), "tools/call", relayed{params: `{"_meta":{META},"name":"x","arguments":{}}`}.paramsFor(rpctest.ModernVersion))
			if got := o.String(); !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s, want %s", got, tt.want)
			}
		})
	}
}

// TestVersionsToComeAreNotSpoken, but one that both sides know.
func TestVersionsToComeAreNotSpoken(t *testing.T) {
	t.Parallel()
	up := replying(t, func(w http.ResponseWriter, _ string, id json.RawMessage) {
		plainJSON(w, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, id))
	})
	up.Version = ""
	g := open(t, gateway.Config{Upstreams: []gateway.Upstream{up}})
	c := rpctest.Dial(t, mcpconnect.NewTransport(serve(t, g.Handler(mcpconnect.WithLogger(quiet)))), rpctest.ModernVersion, `{}`)
	if o := c.Call(rpctest.Context(t), "tools/call", relayed{params: `{"_meta":{META},"name":"x","arguments":{}}`}.paramsFor(rpctest.ModernVersion)); o.Err != nil {
		t.Errorf("got %v", o)
	}
}
