// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/everything"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// named gives the `_meta` of a request that names a version, and no capabilities.
func named(version string) *mcpv1.RequestMeta { return &mcpv1.RequestMeta{ProtocolVersion: &version} }

func modernRequestMeta() *mcpv1.RequestMeta {
	m := named("2026-07-28")
	m.ClientCapabilities = &mcpv1.CapabilitySet{Values: &structpb.Struct{}}
	return m
}

const (
	modernMembers = `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	versionHeader = "Mcp-Protocol-Version"
)

func modernParams(members string) []byte { return []byte(modernMembers + members + "}") }

func versionParams(version string) string {
	return fmt.Sprintf(`{"_meta":{"io.modelcontextprotocol/protocolVersion":%q}}`, version)
}

func inSessionRow(row badInput) badInput {
	row.legacy = true
	return row
}

func withHeader(row badInput, header ...string) badInput {
	row.header = header
	return row
}

func TestTheWrongEraIsRefused(t *testing.T) {
	const invalid, unimplemented, precondition = connect.CodeInvalidArgument, connect.CodeUnimplemented, connect.CodeFailedPrecondition
	list := mcpv1connect.MCPClient.ListTools
	unsupported := func(version string) string {
		data, err := json.Marshal(mcp.UnsupportedProtocolVersionData{Supported: mcp.SupportedProtocolVersions(), Requested: version})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var rows []badInput
	for _, version := range []string{"1999-01-01", "2099-12-31", "nonsense", "2025-11-25x"} {
		row := both("version "+version, rpcOf(list, &mcpv1.ListToolsRequest{Meta: named(version)}), precondition, "tools/list", versionParams(version), -32022)
		row.wantTyped, row.wantSend, row.wantStream = row.wantTyped.with(unsupported(version)), row.wantSend.with(unsupported(version)), row.wantStream.with(unsupported(version))
		inHeader := withHeader(both("version "+version+" in metadata", rpcOf(list, &mcpv1.ListToolsRequest{}), precondition, "tools/list", `{}`, -32022), versionHeader, version)
		inHeader.mute = true
		rows = append(rows, row, inHeader)
	}
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		rows = append(rows, both("version "+version+" without session", rpcOf(list, &mcpv1.ListToolsRequest{Meta: named(version)}), precondition, "tools/list", versionParams(version), -32600))
	}
	for _, method := range []string{"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"} {
		rows = append(rows, enveloped("modern "+method, envelope(1, method, modernParams(`,"level":"info","uri":"test://watched","protocolVersion":"2025-11-25"`)), answers(-32601), answers(-32601)))
	}
	for _, method := range []string{"notifications/initialized", "notifications/roots/list_changed"} {
		rows = append(rows, enveloped("modern "+method, clientNote(method, string(modernParams(""))), dropped, dropped))
	}
	rows = append(rows,
		badInput{name: "Initialize with a modern _meta", typed: rpcOf(mcpv1connect.MCPClient.Initialize, &mcpv1.InitializeRequest{ProtocolVersion: new("2025-11-25"), Meta: modernRequestMeta()}), wantTyped: fails(unimplemented, -32601)},
		withHeader(badInput{
			name:  "initialize under modern metadata",
			typed: rpcOf(mcpv1connect.MCPClient.Initialize, &mcpv1.InitializeRequest{ProtocolVersion: new("2025-11-25")}), wantTyped: fails(unimplemented, -32601),
			message: envelope(1, "initialize", initializeDeclaring("2025-11-25", `{}`)), wantSend: answers(-32601), wantStream: answers(-32601),
		}, versionHeader, "2026-07-28"),
		inSessionRow(both("listen in a session", listening(&mcpv1.ListenRequest{}), unimplemented, "subscriptions/listen", `{"notifications":{}}`, -32601)),
		inSessionRow(both("discover in a session", rpcOf(mcpv1connect.MCPClient.Discover, &mcpv1.DiscoverRequest{}), unimplemented, "server/discover", `{}`, -32601)),
		inSessionRow(both("another version than the session's", rpcOf(list, &mcpv1.ListToolsRequest{Meta: named("2025-06-18")}), invalid, "tools/list", versionParams("2025-06-18"), -32020)),
		both("a modern _meta without capabilities", rpcOf(list, &mcpv1.ListToolsRequest{Meta: named("2026-07-28")}), invalid, "tools/list", versionParams("2026-07-28"), -32602),
		both("a version that is a number", rpcOf(list, &mcpv1.ListToolsRequest{Meta: &mcpv1.RequestMeta{ExtraJson: []byte(`{"io.modelcontextprotocol/protocolVersion":7}`)}}), invalid,
			"tools/list", `{"_meta":{"io.modelcontextprotocol/protocolVersion":7}}`, -32602),
		both("capabilities that are a list", rpcOf(list, &mcpv1.ListToolsRequest{Meta: &mcpv1.RequestMeta{ProtocolVersion: new("2026-07-28"), ExtraJson: []byte(`{"io.modelcontextprotocol/clientCapabilities":[]}`)}}), invalid,
			"tools/list", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}}`, -32602),
		both("client info of the wrong shape", rpcOf(list, &mcpv1.ListToolsRequest{Meta: &mcpv1.RequestMeta{ClientInfo: &mcpv1.ClientInfo{ExtraJson: []byte(`{"name":[]}`)}}}), invalid,
			"tools/list", `{"_meta":{"io.modelcontextprotocol/clientInfo":{"name":[]}}}`, -32602),
	)
	runBadInput(t, rows)
}

func TestMetadataThatContradictsTheBodyIsRefused(t *testing.T) {
	const mismatch = -32020
	simple := badCall("test_simple_text", `{}`)
	call := func(name string, header ...string) badInput {
		row := withHeader(both(name, calling(simple), connect.CodeInvalidArgument, "tools/call", `{"name":"test_simple_text","arguments":{}}`, mismatch), header...)
		row.wantStream = verdict{} // a stream ignores it, as TestConnectIgnoresWhatMirrorsOneMessage says
		return row
	}
	list := func(name string, header ...string) badInput {
		row := withHeader(both(name, rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{}), connect.CodeInvalidArgument, "tools/list", `{}`, mismatch), header...)
		row.wantStream = verdict{}
		return row
	}
	mirrored := func(name, args string, header ...string) badInput {
		row := call(name, header...)
		row.typed = calling(badCall("x_mcp_header_types", args))
		row.message = envelope(1, "tools/call", []byte(`{"name":"x_mcp_header_types","arguments":`+args+`}`))
		return row
	}
	version := both("another version than the body", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{Meta: modernRequestMeta()}), connect.CodeInvalidArgument, "tools/list", string(modernParams("")), mismatch)
	version.mute = true
	note := func(name string, header ...string) badInput {
		return withHeader(badInput{name: name, message: clientNote("notifications/initialized", `{}`), wantSend: fails(connect.CodeInvalidArgument, mismatch)}, header...)
	}
	twice := both("two versions", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{}), connect.CodeInvalidArgument, "tools/list", `{}`, mismatch)
	twice.mute = true
	sessions := both("two sessions", rpcOf(mcpv1connect.MCPClient.ListTools, &mcpv1.ListToolsRequest{}), connect.CodeInvalidArgument, "tools/list", `{}`, mismatch)
	sessions.wantStream = fails(connect.CodeInvalidArgument, mismatch)
	runBadInput(t, []badInput{
		call("another method", "Mcp-Method", "tools/list"),
		call("a method in another case", "Mcp-Method", "Tools/Call"),
		call("an empty method", "Mcp-Method", ""),
		call("two methods", "Mcp-Method", "tools/call", "Mcp-Method", "tools/call"),
		call("another name", "Mcp-Name", "greet"),
		call("another name in base64", "Mcp-Name", "=?base64?Z3JlZXQ=?="),
		call("a name in base64 that is none", "Mcp-Name", "=?base64?!!!?="),
		call("a name in base64 without padding", "Mcp-Name", "=?base64?Z3JlZXQ?="),
		call("a name in base64 without end", "Mcp-Name", "=?base64?dGVzdF9zaW1wbGVfdGV4dA=="),
		call("two names", "Mcp-Name", "test_simple_text", "Mcp-Name", "greet"),
		list("a name on a request without one", "Mcp-Name", "greet"),
		list("another method on a list", "Mcp-Method", "tools/call"),
		withHeader(withoutStream(both("another URI", rpcOf(mcpv1connect.MCPClient.ReadResource, &mcpv1.ReadResourceRequest{Uri: new("test://static-text")}), connect.CodeInvalidArgument, "resources/read", `{"uri":"test://static-text"}`, mismatch)), "Mcp-Name", "test://static-binary"),
		withHeader(withoutStream(both("another prompt", rpcOf(mcpv1connect.MCPClient.GetPrompt, &mcpv1.GetPromptRequest{Name: new("test_simple_prompt")}), connect.CodeInvalidArgument, "prompts/get", `{"name":"test_simple_prompt"}`, mismatch)), "Mcp-Name", "prompt_all"),
		withHeader(withoutStream(both("another task", rpcOf(mcpv1connect.MCPClient.GetTask, &mcpv1.GetTaskRequest{TaskId: new("a")}), connect.CodeInvalidArgument, "tasks/get", `{"taskId":"a"}`, mismatch)), "Mcp-Name", "b"),
		withHeader(badInput{name: "another method than initialize", typed: rpcOf(mcpv1connect.MCPClient.Initialize, &mcpv1.InitializeRequest{}), wantTyped: fails(connect.CodeInvalidArgument, mismatch),
			message: envelope(1, "initialize", initializeDeclaring("2025-11-25", `{}`)), wantSend: answers(mismatch)}, "Mcp-Method", "tools/call"),
		withHeader(badInput{name: "another method than ping", typed: rpcOf(mcpv1connect.MCPClient.Ping, &mcpv1.PingRequest{}), wantTyped: fails(connect.CodeInvalidArgument, mismatch)}, "Mcp-Method", "tools/call"),
		note("another method than the notification's", "Mcp-Method", "notifications/cancelled"),
		note("a name on a notification", "Mcp-Name", "x"),
		mirrored("another argument", `{"tenant":"a"}`, "Mcp-Param-Tenant", "b"),
		mirrored("no argument", `{}`, "Mcp-Param-Tenant", "b"),
		mirrored("another integer", `{"shard":7}`, "Mcp-Param-Shard", "8"),
		mirrored("an integer that is text", `{"shard":7}`, "Mcp-Param-Shard", "seven"),
		mirrored("another boolean", `{"dry_run":true}`, "Mcp-Param-Dry-Run", "false"),
		mirrored("a boolean in another case", `{"dry_run":true}`, "Mcp-Param-Dry-Run", "True"),
		mirrored("another nested argument", `{"place":{"zone":"a"}}`, "Mcp-Param-Zone", "b"),
		mirrored("base64 that is none", `{"tenant":"a"}`, "Mcp-Param-Tenant", "=?base64?!?="),
		mirrored("two values", `{"tenant":"a"}`, "Mcp-Param-Tenant", "a", "Mcp-Param-Tenant", "a"),
		withHeader(version, versionHeader, "2025-11-25"),
		withHeader(twice, versionHeader, "2026-07-28", versionHeader, "2026-07-28"),
		withHeader(sessions, "Mcp-Session-Id", "a", "Mcp-Session-Id", "b"),
	})
}

func withoutStream(row badInput) badInput {
	row.wantStream = verdict{}
	return row
}

func listening(req *mcpv1.ListenRequest) typedBad {
	return func(ctx context.Context, c mcpv1connect.MCPClient) error {
		stream, err := c.Listen(ctx, req)
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }()
		for stream.Receive() {
		}
		return stream.Err()
	}
}

// A Connect stream carries many requests; metadata about one means nothing on it.
func TestConnectIgnoresWhatMirrorsOneMessage(t *testing.T) {
	t.Parallel()
	url := badServer(t, everything.NewServer())
	header := []string{"Mcp-Method", "ping", "Mcp-Name", "x", "Mcp-Param-Tenant", "b"}
	call := badCall("x_mcp_header_types", `{"tenant":"a"}`)
	for _, w := range wires {
		if !w.bidi() {
			continue
		}
		b := newBadClient(t, w, url)
		stream, err := b.rpc.Connect(withMetadata(testContext(t), "", header))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []*mcpv1.Envelope{
			hello(true),
			envelope(1, "tools/call", []byte(`{"name":"x_mcp_header_types","arguments":{"tenant":"a"}}`)),
			aFrame(&mcpv1.CallFrame{CallId: 1, Request: &mcpv1.CallFrame_CallTool{CallTool: call}}),
		} {
			if err := stream.Send(e); err != nil {
				t.Fatal(err)
			}
		}
		_ = stream.CloseRequest()
		got, err := drain(stream)
		if err != nil || len(got) != 3 {
			t.Fatalf("%s: got %v, %v", w.name, got, err)
		}
		for _, e := range got {
			if e.GetResponse().GetError() != nil || e.GetReply().GetError() != nil {
				t.Errorf("%s: a call was refused: %v", w.name, e)
			}
		}
	}
}
