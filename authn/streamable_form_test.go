// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mirror"
)

// streamable calls a tool by Streamable HTTP, as clients without sessions do.
func streamable(ctx context.Context, c *caller, tool, arguments string) reply {
	const meta = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	r, _ := post(ctx, c, http.Header{
		"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {mirror.Encode(tool)},
	}, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":%s,"name":%q,"arguments":%s}}`, meta, tool, arguments))
	return r
}

// streamableSession does so in a session, which it opens and ends.
func streamableSession(ctx context.Context, c *caller, tool, arguments string) reply {
	r, header := post(ctx, c, nil, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	session := header.Get("Mcp-Session-Id")
	if session == "" {
		return r
	}
	inSession := http.Header{"Mcp-Protocol-Version": {"2025-11-25"}, "Mcp-Session-Id": {session}}
	post(ctx, c, inSession, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	r, _ = post(ctx, c, inSession, fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments))
	return r
}

// post sends a message, and reads the answer to it, of whichever form that is.
func post(ctx context.Context, c *caller, header http.Header, message string) (reply, http.Header) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/mcp", strings.NewReader(message))
	if err != nil {
		return reply{err: err.Error()}, nil
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	res, err := c.client.Do(req)
	if err != nil {
		return reply{err: err.Error(), code: connect.CodeUnknown}, nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{err: err.Error(), code: connect.CodeUnknown}, nil
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		body = lastEvent(body)
	}
	r := readAnswer(body)
	r.rpc = res.StatusCode >= http.StatusBadRequest
	if r.code != 0 {
		r.code = codeOfStatus[res.StatusCode]
	}
	return r, res.Header
}

// codeOfStatus is what a refusal is called elsewhere.
var codeOfStatus = map[int]connect.Code{
	http.StatusUnauthorized:       connect.CodeUnauthenticated,
	http.StatusForbidden:          connect.CodePermissionDenied,
	http.StatusBadRequest:         connect.CodeInvalidArgument,
	http.StatusServiceUnavailable: connect.CodeUnavailable,
}

// lastEvent is the data of the last event that has some.
func lastEvent(stream []byte) (data []byte) {
	for lines := bufio.NewScanner(bytes.NewReader(stream)); lines.Scan(); {
		if rest, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok && len(bytes.TrimSpace(rest)) > 0 {
			data = bytes.Clone(rest)
		}
	}
	return data
}

// readAnswer reads a JSON-RPC response, or what the middleware answers to everybody.
func readAnswer(body []byte) reply {
	var m struct {
		Result *struct{ Content []struct{ Text string } }
		Error  *struct {
			Code    int
			Message string
			Data    json.RawMessage
		}
		Code, Message string
		Details       []struct{ Type, Value string }
	}
	_ = json.Unmarshal(body, &m) // or it is a plain text
	switch {
	case m.Error != nil:
		return reply{code: connect.CodeUnknown, err: m.Error.Message, data: string(m.Error.Data)}
	case m.Result != nil && len(m.Result.Content) > 0:
		return reply{text: m.Result.Content[0].Text}
	case m.Result != nil:
		return reply{}
	}
	r := reply{code: connect.CodeUnknown, err: m.Code + ": " + m.Message}
	for _, d := range m.Details {
		value, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(d.Value, "="))
		info := new(errdetails.ErrorInfo)
		if err == nil && d.Type == "google.rpc.ErrorInfo" && proto.Unmarshal(value, info) == nil {
			r.info = info
		}
	}
	return r
}
