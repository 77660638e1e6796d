// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A rawRequest is a request over Streamable HTTP as it stands on the wire.
type rawRequest struct {
	method string // of HTTP; POST if empty
	body   string
	header []string // names and values, in pairs; they replace those of a good request
}

// do sends the request in the session, if it has an id.
func (r rawRequest) do(t testing.TB, client *http.Client, url, session string) (status int, header http.Header, body string) {
	t.Helper()
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(testContext(t), method, url+"/mcp", strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json, text/event-stream")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if session != "" {
		req.Header.Set("Mcp-Session-Id", session)
	}
	for i := 0; i < len(r.header); i += 2 {
		req.Header.Del(r.header[i])
		for value := range strings.SplitSeq(r.header[i+1], "\n") {
			if value != "" {
				req.Header.Add(r.header[i], value)
			}
		}
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// modernRequest is a good request, whose header the pairs then change.
func modernRequest(id, method, params, name string, header ...string) rawRequest {
	params = strings.ReplaceAll(params, "META", modernMeta)
	return rawRequest{
		body:   fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`, id, method, params),
		header: append([]string{"Mcp-Protocol-Version", modernVersion, "Mcp-Method", method, "Mcp-Name", name}, header...),
	}
}

func listOfTools(header ...string) rawRequest {
	return modernRequest("1", "tools/list", `{"_meta":{META}}`, "", header...)
}

func callOf(tool, arguments string, header ...string) rawRequest {
	return modernRequest("1", "tools/call", fmt.Sprintf(`{"_meta":{META},"name":%q,"arguments":%s}`, tool, arguments), tool, header...)
}

// TestStreamableHTTPRefuses what the specification does not allow, each with its status and
// its error.
func TestStreamableHTTPRefuses(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer(), mcpconnect.WithLimits(mcpconnect.Limits{MessageBytes: 10_000, JSONDepth: 5, JSONNodes: 50}))
	legacy := newPoster(t, peer{wire: wires[4], url: url, version: "2025-11-25", capabilities: noneDeclared})
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, tt := range []struct {
		name    string
		session string
		request rawRequest
		status  int
		code    int64  // of JSON-RPC
		says    string // part of the text
	}{
		{"another media type", "", listOfTools("Content-Type", "text/plain"), 415, -32600, "application/json"},
		{"no media type", "", listOfTools("Content-Type", ""), 415, -32600, "application/json"},
		{"a client that reads no events", "", listOfTools("Accept", "application/json"), 406, -32600, "text/event-stream"},
		{"a client that reads nothing else", "", listOfTools("Accept", "text/event-stream"), 406, -32600, "application/json"},
		{"a body over the limit", "", callOf("structured_echo", `{"x":"`+strings.Repeat("x", 10_000)+`"}`), 413, -32600, "10000 bytes"},
		{"no body", "", rawRequest{}, 400, -32700, ""},
		{"no JSON", "", rawRequest{body: `{"jsonrpc":`}, 400, -32700, ""},
		{"no UTF-8", "", rawRequest{body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"}, 400, -32700, ""},
		{"JSON that nests too deep", "", callOf("structured_echo", `{"a":[[[[[]]]]]}`), 400, -32600, "deep"},
		{"JSON with too much in it", "", callOf("structured_echo", `{"a":[`+strings.Repeat("[],", 60)+`1]}`), 400, -32600, "too many"},
		{"no object", "", rawRequest{body: `7`}, 400, -32600, "JSON-RPC 2.0"},
		{"another JSON-RPC", "", rawRequest{body: `{"jsonrpc":"1.0","id":1,"method":"ping"}`}, 400, -32600, "JSON-RPC 2.0"},
		{"a member of the message twice", "", rawRequest{body: strings.Replace(listOfTools().body, `"method"`, `"method":"ping","method"`, 1), header: listOfTools().header}, 400, -32600, `"method"`},
		{"a member of one message of a list twice", legacy.session, rawRequest{body: `[` + ping + `,{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}]`}, 400, -32600, `"id"`},
		{"a member of the params twice", "", modernRequest("1", "tools/list", `{"_meta":{META},"cursor":"a","cursor":"b"}`, ""), 400, -32602, `"cursor"`},
		{"a member of the params twice, in a session", legacy.session, rawRequest{body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","name":"greet"}}`}, 400, -32602, `"name"`},
		{"a member of the params twice, in a list", legacy.session, rawRequest{body: `[` + ping + `,{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_simple_text","name":"greet"}}]`}, 400, -32602, `"name"`},
		{"a member of _meta twice, in a session", legacy.session, rawRequest{body: `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"x":1,"x":2}}}`}, 400, -32602, `"x"`},
		{"an empty list", "", rawRequest{body: `[]`}, 400, -32600, "empty"},

		{"a list of modern requests", "", rawRequest{body: "[" + listOfTools().body + "]", header: listOfTools().header}, 400, -32600, "one by one"},
		{"a response of a modern client", "", rawRequest{body: `{"jsonrpc":"2.0","id":1,"result":{}}`, header: listOfTools().header}, 400, -32600, "neither"},
		{"an id of null", "", modernRequest("null", "tools/list", `{"_meta":{META}}`, ""), 400, -32600, "id"},
		{"an id that is a fraction", "", modernRequest("1.5", "tools/list", `{"_meta":{META}}`, ""), 400, -32600, "id"},
		{"an id that is a list", "", modernRequest("[1]", "tools/list", `{"_meta":{META}}`, ""), 400, -32600, "id"},
		{"an id of more than 64 bits", "", modernRequest("18446744073709551616", "tools/list", `{"_meta":{META}}`, ""), 400, -32600, "id"},
		{"no header with the version", "", listOfTools("Mcp-Protocol-Version", ""), 400, -32020, "Mcp-Protocol-Version"},
		{"another version in the header", "", listOfTools("Mcp-Protocol-Version", "2026-12-31"), 400, -32020, "Mcp-Protocol-Version"},
		{"two versions in the header", "", listOfTools("Mcp-Protocol-Version", modernVersion+"\n"+modernVersion), 400, -32020, "Mcp-Protocol-Version"},
		{"no header with the method", "", listOfTools("Mcp-Method", ""), 400, -32020, "Mcp-Method"},
		{"another method in the header", "", listOfTools("Mcp-Method", "tools/call"), 400, -32020, "Mcp-Method"},
		{"no header with the name", "", callOf("greet", `{"name":"x"}`, "Mcp-Name", ""), 400, -32020, "Mcp-Name"},
		{"another name in the header", "", callOf("greet", `{"name":"x"}`, "Mcp-Name", "panic"), 400, -32020, "Mcp-Name"},
		{"a name in another case", "", callOf("greet", `{"name":"x"}`, "Mcp-Name", "Greet"), 400, -32020, "Mcp-Name"},
		{"no header for an argument", "", callOf("test_x_mcp_header", `{"region":"eu"}`), 400, -32020, "Mcp-Param-Region"},
		{"another argument in the header", "", callOf("test_x_mcp_header", `{"region":"eu"}`, "Mcp-Param-Region", "us"), 400, -32020, "Mcp-Param-Region"},
		{"a header for no argument", "", callOf("test_x_mcp_header", `{}`, "Mcp-Param-Region", "us"), 400, -32020, "Mcp-Param-Region"},
		{"no _meta", "", modernRequest("1", "tools/list", `{}`, ""), 400, -32602, "protocolVersion"},
		{"no params", "", modernRequest("1", "tools/list", `null`, ""), 400, -32602, "protocolVersion"},
		{"params that are a list", "", modernRequest("1", "tools/list", `[]`, ""), 400, -32602, "object"},
		{"no capabilities", "", modernRequest("1", "tools/list", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}`, ""), 400, -32602, "clientCapabilities"},
		{"a version to come", "", rawRequest{
			body:   strings.ReplaceAll(listOfTools().body, modernVersion, "2099-01-01"),
			header: append(listOfTools().header, "Mcp-Protocol-Version", "2099-01-01"),
		}, 400, -32022, "2099-01-01"},
		{"an unknown method", "", modernRequest("1", "tools/destroy", `{"_meta":{META}}`, ""), 404, -32601, "tools/destroy"},
		{"a method of the other era", "", modernRequest("1", "logging/setLevel", `{"_meta":{META},"level":"info"}`, ""), 404, -32601, "logging/setLevel"},
		{"an unknown tool", "", callOf("nobody", `{}`), 400, -32602, "nobody"},
		{"a discovery without a version", "", rawRequest{body: `{"jsonrpc":"2.0","id":1,"method":"server/discover"}`}, 400, -32020, "Mcp-Protocol-Version"},

		{"no session", "", rawRequest{body: `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`}, 400, -32600, "initialize"},
		{"a notification without a session", "", rawRequest{body: `{"jsonrpc":"2.0","method":"notifications/initialized"}`}, 400, -32600, "initialize"},
		{"an unknown session", "nobody's", rawRequest{body: ping}, 404, -32600, "session"},
		{"a stream without a session", "", rawRequest{method: http.MethodGet}, 400, -32600, "Mcp-Session-Id"},
		{"a stream of an unknown session", "nobody's", rawRequest{method: http.MethodGet}, 404, -32600, "session"},
		{"the end of no session", "", rawRequest{method: http.MethodDelete}, 400, -32600, "Mcp-Session-Id"},
		{"the end of an unknown session", "nobody's", rawRequest{method: http.MethodDelete}, 404, -32600, "session"},
		{"another method of HTTP", legacy.session, rawRequest{method: http.MethodPut, body: ping}, 405, -32600, "Not Allowed"},
		{"an unknown method in a session", legacy.session, rawRequest{body: `{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}`}, 200, -32601, "tools/destroy"},
		{"a version that never was", legacy.session, rawRequest{body: ping, header: []string{"Mcp-Protocol-Version", "2025-01-01"}}, 400, -32600, "version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, w := range []wire{wires[3], wires[4]} {
				status, header, body := tt.request.do(t, httpClient(t, w.http1), url, tt.session)
				var got struct {
					ID    json.RawMessage
					Error struct {
						Code    int64
						Message string
					}
				}
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Fatalf("%s: HTTP status %d, %v and no JSON: %q", w.name, status, header, body)
				}
				if status != tt.status || got.Error.Code != tt.code || !strings.Contains(got.Error.Message, tt.says) {
					t.Errorf("%s: got HTTP status %d and error %d %q, want %d and %d with %q", w.name, status, got.Error.Code, got.Error.Message, tt.status, tt.code, tt.says)
				}
			}
		})
	}
}

// TestStreamableHTTPTakes what is unusual, and allowed.
func TestStreamableHTTPTakes(t *testing.T) {
	t.Parallel()
	url := serve(t, everything.NewServer())
	for _, tt := range []struct {
		name    string
		request rawRequest
		status  int
		want    string // part of the body
	}{
		{"an id that is text", modernRequest(`"a\"b"`, "tools/list", `{"_meta":{META}}`, ""), 200, `"id":"a\"b"`},
		{"an empty id", modernRequest(`""`, "tools/list", `{"_meta":{META}}`, ""), 200, `"id":""`},
		{"an id that no float64 holds", modernRequest("9007199254740993", "tools/list", `{"_meta":{META}}`, ""), 200, `"id":9007199254740993`},
		{"numbers that no float64 holds", callOf("structured_echo", `{"n":[9007199254740993,1e400,-0]}`), 200, `"structuredContent":{"n":[9007199254740993,1e400,-0]}`},
		{"a name in base64", callOf("greet", `{"name":"x"}`, "Mcp-Name", "=?base64?Z3JlZXQ=?="), 200, `Hi x`},
		{"a media type with parameters", listOfTools("Content-Type", `Application/JSON; charset="utf-8"`), 200, `"tools"`},
		{"a client that reads anything", listOfTools("Accept", "*/*"), 200, `"tools"`},
		{"kinds of media", listOfTools("Accept", "text/*;q=0.5\napplication/*"), 200, `"tools"`},
		{"a session, which modern requests have not", listOfTools("Mcp-Session-Id", "nobody's"), 200, `"tools"`},
		{"an event to come back to, which they have not either", listOfTools("Last-Event-Id", "7_7"), 200, `"tools"`},
		{"a notification", rawRequest{
			body:   `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`,
			header: []string{"Mcp-Protocol-Version", modernVersion, "Mcp-Method", "notifications/cancelled"},
		}, 202, ""},
		{"a member of the message that JSON-RPC does not have", rawRequest{body: strings.Replace(listOfTools().body, `{`, `{"vendor":{"id":2},"Method":"ping",`, 1), header: listOfTools().header}, 200, `"tools"`},
		{"a message of a client without a session that has one", rawRequest{body: `{"vendor":{"id":2},"jsonrpc":"2.0","id":1,"method":"ping"}`}, 200, `"result":{}`},
		{"an argument that is not there has no header", callOf("test_x_mcp_header", `{"level":3}`), 200, `"result"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, _, body := tt.request.do(t, httpClient(t, false), url, "")
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("got HTTP status %d and %s, want %d and %s", status, body, tt.status, tt.want)
			}
		})
	}
}
