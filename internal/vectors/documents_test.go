// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"encoding/json"
	"math"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// documents are what people would think of; random_test.go has what nobody does.
var documents = []struct{ typ, text string }{
	{"mcp.v1.CallToolRequest", `{"name":"add","arguments":{"a":2,"b":40},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","arguments":[1,2]}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","arguments":null,"x":{"y":[]}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","arguments":{"big":9007199254740993,"exact":9007199254740992}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","arguments":{"x":6.837776742648935e+16,"y":1.7976931348623157e308,"z":123456789012345680000}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","arguments":{"a":[{"b":{"c":[true,null,"d",-1.5e-7]}}]}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","inputResponses":{"a":{"action":"accept","content":{"x":1}},"b":{"role":"assistant","model":"m","content":{"type":"text","text":"t"}},"c":{"roots":[{"uri":"file:///"}]},"d":7,"e":{}},"requestState":"s"}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","task":{"ttl":60000}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","_meta":{"progressToken":"t","traceparent":"00-1","vendor":{"x":1}}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","_meta":{"progressToken":9007199254740993,"vendor":9007199254740993}}`},
	{"mcp.v1.CallToolRequest", `{"name":"n","_meta":{"progressToken":1.5}}`},
	{"mcp.v1.CallToolRequest", `{"name":"a","name":"b"}`},
	{"mcp.v1.CallToolRequest", `{"name":"a","n\u0061me":"b"}`},
	{"mcp.v1.CallToolRequest", `[]`},
	{"mcp.v1.CallToolRequest", `{"name":"a"`},
	{"mcp.v1.CallToolRequest", ``},
	{"mcp.v1.CallToolRequest", "{\"name\":\"\xff\"}"},
	{"mcp.v1.CallToolRequest", `{"name":"a"}{}`},
	{"mcp.v1.CallToolResult", `{"content":[],"structuredContent":[9007199254740993,1e400,-0],"isError":null,"vendor":1}`},
	{"mcp.v1.CallToolResult", `{"content":[{"type":"text","text":"x","annotations":{"audience":["user"],"priority":0.5}},{"type":"image","data":"AAE=","mimeType":"image/png"},{"type":"audio","data":"AAE","mimeType":"audio/wav"},{"type":"new","x":1},7,{"type":"resource","resource":{"uri":"u","blob":"AAE="}},{"type":"resource_link","uri":"u","name":"n","size":1e3},{"type":"text","text":1}],"isError":false,"_meta":{}}`},
	{"mcp.v1.CallToolResult", `{"structuredContent":{}}`},
	{"mcp.v1.CallToolResult", `{"content":null}`},
	{"mcp.v1.InvokeToolResponse", `{"content":[],"resultType":"complete"}`},
	{"mcp.v1.InvokeToolResponse", `{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object"}}},"r":{"method":"roots/list"},"s":{"method":"x/y","params":{}}},"requestState":""}`},
	{"mcp.v1.InvokeToolResponse", `{"resultType":"task","taskId":"t","status":"working","createdAt":"c","ttlMs":null}`},
	{"mcp.v1.InvokeToolResponse", `{"task":{"taskId":"t"}}`},
	{"mcp.v1.InvokeToolResponse", `{"task":{"taskId":"t"},"content":[]}`},
	{"mcp.v1.CallToolEvent", `{"content":[],"resultType":"vendor/x"}`},
	{"mcp.v1.CallToolProgress", `{"progressToken":"t","progress":1,"total":3,"message":""}`},
	{"mcp.v1.CallToolProgress", `{"progressToken":1,"progress":7,"total":3}`},
	{"mcp.v1.LogMessage", `{"level":"info","data":"text"}`},
	{"mcp.v1.LogMessage", `{"level":"info","logger":"l","data":{"a":1}}`},
	{"mcp.v1.ListToolsResponse", `{"tools":[{"name":"t","inputSchema":{"type":"object","properties":{"a":{"const":12345678901234567890}}},"annotations":{"readOnlyHint":true},"icons":[]}],"nextCursor":"","ttlMs":0,"cacheScope":"public"}`},
	{"mcp.v1.ListToolsResponse", `{"tools":[{"name":1}]}`},
	{"mcp.v1.ListToolsResponse", `{"tools":[1]}`},
	{"mcp.v1.ReadResourceResponse", `{"contents":[{"uri":"u","text":"t"},{"uri":"u","blob":"AAE=","mimeType":"m"},{"uri":"u"},{"uri":"u","blob":"A"},{"uri":"u","text":null,"blob":"AAE="},{"type":"x","uri":"u","blob":""}]}`},
	{"mcp.v1.ReadResourceResponse", `{"resultType":"input_required","requestState":"s"}`},
	{"mcp.v1.GetPromptResponse", `{"messages":[{"role":"user","content":{"type":"text","text":"t"}},{"role":"user","content":[{}],"x":1}]}`},
	{"mcp.v1.GetPromptResponse", `{"messages":[{"role":"user"}]}`},
	{"mcp.v1.CompleteRequest", `{"ref":{"type":"ref/prompt","name":"p","title":"t","x":1},"argument":{"name":"a","value":"v"},"context":{"arguments":{"b":"c"}}}`},
	{"mcp.v1.CompleteRequest", `{"ref":{"type":"ref/resource","uri":"u"},"argument":{}}`},
	{"mcp.v1.CompleteRequest", `{"ref":{"type":"ref/tool","name":"t"}}`},
	{"mcp.v1.CompleteRequest", `{"ref":{"type":"ref/prompt","uri":"u"},"argument":{"name":1}}`},
	{"mcp.v1.CompleteResponse", `{"completion":{"values":["a"],"total":1,"hasMore":false}}`},
	{"mcp.v1.CompleteResponse", `{"completion":{"values":[],"total":-1}}`},
	{"mcp.v1.CompleteResponse", `{"completion":{"total":1}}`},
	{"mcp.v1.CompleteResponse", `{}`},
	{"mcp.v1.SubscribeResourceRequest", `{"notifications":{"resourceSubscriptions":["u"]}}`},
	{"mcp.v1.SubscribeResourceRequest", `{"notifications":{"resourceSubscriptions":["u"],"toolsListChanged":true}}`},
	{"mcp.v1.ListenRequest", `{"notifications":{"resourceSubscriptions":[],"toolsListChanged":true}}`},
	{"mcp.v1.JsonRpcError", `{"code":-32602,"message":"m","data":[9007199254740993]}`},
	{"mcp.v1.JsonRpcError", `{"code":0,"message":""}`},
	{"mcp.v1.JsonRpcError", `{"message":"m"}`},
	{"mcp.v1.SamplingMessage", `{"role":"user","content":{"type":"text","text":"t"}}`},
	{"mcp.v1.SamplingMessage", `{"role":"user","content":[{"type":"text","text":"t"}]}`},
	{"mcp.v1.SamplingMessage", `{"role":"user","content":[]}`},
	{"mcp.v1.SamplingMessage", `{"role":"user","content":"t"}`},
	{"mcp.v1.SamplingMessage", `{"role":"user"}`},
	{"mcp.v1.InputRequest", `{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1e2,"temperature":0.1,"metadata":{"a":1}}}`},
	{"mcp.v1.InputRequest", `{"method":"elicitation/create"}`},
	{"mcp.v1.InputRequest", `{"method":"roots/list","params":{}}`},
	{"mcp.v1.InputRequest", `{"method":"roots/list","x":1}`},
	{"mcp.v1.GetTaskResponse", `{"taskId":"t","status":"failed","error":{"code":-1,"message":"m"},"result":{"x":9007199254740993}}`},
	{"mcp.v1.ProtectedResourceMetadata", `{"resource":"https://a/","authorization_servers":["https://i"],"vendor":{"x":1}}`},
	{"mcp.v1.ProtectedResourceMetadata", `{"resource":"https://a/","vendor":9007199254740993}`},
	{"mcp.v1.PingRequest", `{"x":1}`},
}

var rpcMessages = []string{
	`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":40}}}`,
	`{"jsonrpc":"2.0","id":"7","method":"ping"}`,
	`{"jsonrpc":"2.0","id":"","method":"ping","params":null}`,
	`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
	`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":1}}`,
	`{"jsonrpc":"2.0","id":9223372036854775807,"result":{}}`,
	`{"jsonrpc":"2.0","id":1,"result":[]}`,
	`{"jsonrpc":"2.0","id":1,"result":null}`,
	`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","data":null}}`,
	`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}`,
	`{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}`,
	`{"jsonrpc":"2.0","id":1.5,"method":"m"}`,
	`{"jsonrpc":"2.0","id":1e2,"method":"m"}`,
	`{"jsonrpc":"2.0","id":9223372036854775808,"method":"m"}`,
	`{"jsonrpc":"2.0","id":null,"method":"m"}`,
	`{"jsonrpc":"2.0","id":1,"method":""}`,
	`{"jsonrpc":"1.0","id":1,"method":"m"}`,
	`{"id":1,"method":"m"}`,
	`{"jsonrpc":"2.0","id":1}`,
	`{"jsonrpc":"2.0","id":1,"method":"m","result":{}}`,
	`{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}`,
	`{"jsonrpc":"2.0","result":{}}`,
	`{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}`,
	`[{"jsonrpc":"2.0","id":1,"method":"m"}]`,
	`{`,
}

// writings are messages whose twin is not read as the same message, or that have none.
func writings() []proto.Message {
	set := proto.String
	object := func(members map[string]any) *structpb.Struct {
		s, err := structpb.NewStruct(members)
		if err != nil {
			panic(err)
		}
		return s
	}
	text := func(s string) *mcpv1.TextContent { return &mcpv1.TextContent{Text: &s} }
	block := &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: text("t")}}
	return []proto.Message{
		&mcpv1.CallToolRequest{Name: set("a"), ExtraJson: []byte(`{"name":"b"}`)},
		&mcpv1.CallToolRequest{ExtraJson: []byte(` {"name" : 7 , "x":1.0} `)},
		&mcpv1.CallToolRequest{ExtraJson: []byte(`{"x":1,"x":2}`)},
		&mcpv1.CallToolRequest{ExtraJson: []byte(`[]`)},
		&mcpv1.CallToolRequest{ExtraJson: []byte(`{`)},
		&mcpv1.CallToolRequest{ArgumentsJson: []byte("\"\xff\"")},
		&mcpv1.CallToolRequest{Arguments: &structpb.Struct{}, ArgumentsJson: []byte(`{}`)},
		&mcpv1.CallToolRequest{Arguments: object(map[string]any{"b": 1.0, "a": []any{nil, true, "x", 1e21, 1e-7, -0.5, math.Copysign(0, -1)}})},
		&mcpv1.CallToolRequest{Arguments: &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNumberValue(math.NaN())}}},
		&mcpv1.CallToolRequest{Arguments: &structpb.Struct{Fields: map[string]*structpb.Value{"a": {}}}},
		&mcpv1.CallToolRequest{Meta: &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES}},
		&mcpv1.CallToolRequest{Meta: &mcpv1.RequestMeta{Extra: object(map[string]any{"a": 1.0}), ExtraJson: []byte(`{"b":1}`)}},
		&mcpv1.CallToolRequest{Meta: &mcpv1.RequestMeta{ProgressToken: &mcpv1.ProgressToken{}}},
		&mcpv1.CallToolResult{},
		&mcpv1.CallToolResult{ExtraJson: []byte(`{"content":null}`)},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{block}, ExtraJson: []byte(`{"content":null}`)},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{}}},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{Role: set("user"), Kind: block.GetKind()}}},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Blob{Blob: &mcpv1.BlobContent{Data: []byte{1}, MimeType: set("audio/x")}}}}},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_Blob{Blob: &mcpv1.BlobContent{}}}}},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_OtherJson{OtherJson: []byte(` 7 `)}}}},
		&mcpv1.CallToolResult{Content: []*mcpv1.Content{{Kind: &mcpv1.Content_OtherJson{}}}},
		&mcpv1.ReadResourceResponse{Contents: []*mcpv1.Content{{Kind: &mcpv1.Content_ResourceLink{ResourceLink: &mcpv1.Resource{}}}}},
		&mcpv1.ReadResourceResponse{InputRequired: &mcpv1.InputRequired{}, CacheScope: set("public")},
		&mcpv1.ReadResourceResponse{InputRequired: &mcpv1.InputRequired{}},
		&mcpv1.GetPromptResponse{Messages: []*mcpv1.Content{{Role: set("user"), Kind: block.GetKind(), MessageExtraJson: []byte(`{"x":1}`)}}},
		&mcpv1.GetPromptResponse{Messages: []*mcpv1.Content{{Role: set("user")}}},
		&mcpv1.InvokeToolResponse{},
		&mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Task{Task: &mcpv1.Task{TaskId: set("t")}}},
		&mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Task{Task: &mcpv1.Task{ResultType: set("complete")}}},
		&mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Log{Log: &mcpv1.LogMessage{}}},
		&mcpv1.CompleteRequest{Ref: set("a://b"), ArgumentName: set("n")},
		&mcpv1.CompleteRequest{Ref: set("p")},
		&mcpv1.CompleteRequest{Ref: set("p"), ExtraJson: []byte(`{"ref":{}}`)},
		&mcpv1.CompleteResponse{},
		&mcpv1.SamplingMessage{Content: []*mcpv1.Content{block, block}},
		&mcpv1.SamplingMessage{Content: []*mcpv1.Content{block}, ContentIsArray: true},
		&mcpv1.SamplingMessage{},
		&mcpv1.InputRequest{},
		&mcpv1.InputRequest{Kind: &mcpv1.InputRequest_Roots{Roots: &mcpv1.ListRootsRequest{NoParams: true, ExtraJson: []byte(`{"x":1}`)}}},
		&mcpv1.InputRequest{Kind: &mcpv1.InputRequest_OtherJson{OtherJson: []byte(`1`)}, ExtraJson: []byte(`{}`)},
		&mcpv1.InputRequired{ExtraJson: []byte(`{"resultType":"other"}`)},
		&mcpv1.Meta{},
		&mcpv1.Meta{ValuesJson: []byte(`[]`)},
		&mcpv1.CapabilitySet{Values: &structpb.Struct{}, ValuesJson: []byte(`{}`)},
		&mcpv1.JsonRpcError{},
		&mcpv1.JsonRpcError{Message: "m", ExtraJson: []byte(`{"code":4294967296}`)},
		&mcpv1.JsonRpcError{Code: -32603, Message: "m", ExtraJson: []byte(`{"code":4294967296}`)},
		&mcpv1.GetTaskResponse{},
		&mcpv1.SubscribeResourceRequest{Uri: set("u"), Meta: &mcpv1.RequestMeta{}},
		&mcpv1.SubscribeResourceRequest{},
		&mcpv1.CallFrame{},
		&mcpv1.ListenResponse{},
		&mcpv1.Envelope{},
		&mcpv1.Envelope{Method: "m", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{}}},
		&mcpv1.Envelope{Method: "m", Kind: &mcpv1.Envelope_Request{Request: &mcpv1.JsonRpcRequest{Id: set("1"), IntId: proto.Int64(1)}}},
		&mcpv1.Envelope{Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{}}},
		&mcpv1.Envelope{Kind: &mcpv1.Envelope_Response{Response: &mcpv1.JsonRpcResponse{Id: set("1")}}},
		&mcpv1.Envelope{Method: "m", Kind: &mcpv1.Envelope_Response{Response: &mcpv1.JsonRpcResponse{Id: set("1"), Outcome: &mcpv1.JsonRpcResponse_ResultJson{ResultJson: []byte(`{}`)}}}},
		&mcpv1.Envelope{Method: "m", Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{Params: &structpb.Struct{}, ParamsJson: []byte(`{}`)}}},
		&mcpv1.Envelope{Method: "m", EventId: "e", Kind: &mcpv1.Envelope_Notification{Notification: &mcpv1.JsonRpcNotification{}}},
	}
}

var failures = []*jsonrpc.Error{
	{Code: -32700, Message: "text"},
	{Code: -32600, Message: "request"},
	{Code: -32601, Message: "method"},
	{Code: -32602, Message: "params"},
	{Code: -32603, Message: "internal"},
	{Code: -32020, Message: "header"},
	{Code: -32021, Message: "capability", Data: json.RawMessage(`{"requiredCapabilities":{"sampling":{}}}`)},
	{Code: -32022, Message: "version", Data: json.RawMessage(`{"supported":["2026-07-28"],"requested":"2027-01-01"}`)},
	{Code: -32002, Message: "resource"},
	{Code: -32042, Message: "url"},
	{Code: 4001, Message: "of the user", Data: json.RawMessage(`[9007199254740993,1e400]`)},
	{Code: 1, Message: "é\n\"", Data: json.RawMessage(`null`)},
	{Code: -2147483648, Message: ""},
}

var requests = []struct{ rpc, typ, method, params, name string }{
	{"ListTools", "mcp.v1.ListToolsRequest", "tools/list", `{"cursor":"c",` + modern + `}`, ""},
	{"InvokeTool", "mcp.v1.CallToolRequest", "tools/call", `{"name":"add","arguments":{"a":2},` + modern + `}`, "add"},
	{"CallTool", "mcp.v1.CallToolRequest", "tools/call", `{"name":"é",` + modern + `}`, "é"},
	{"ReadResource", "mcp.v1.ReadResourceRequest", "resources/read", `{"uri":"file:///a b",` + modern + `}`, "file:///a b"},
	{"SubscribeResource", "mcp.v1.SubscribeResourceRequest", "subscriptions/listen", `{"notifications":{"resourceSubscriptions":["u"]},` + modern + `}`, "u"},
	{"Listen", "mcp.v1.ListenRequest", "subscriptions/listen", `{"notifications":{"toolsListChanged":true},` + modern + `}`, ""},
	{"GetPrompt", "mcp.v1.GetPromptRequest", "prompts/get", `{"name":" p",` + modern + `}`, " p"},
	{"Complete", "mcp.v1.CompleteRequest", "completion/complete", `{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""},` + modern + `}`, ""},
	{"GetTask", "mcp.v1.GetTaskRequest", "tasks/get", `{"taskId":"t",` + modern + `}`, "t"},
	{"Discover", "mcp.v1.DiscoverRequest", "server/discover", `{` + modern + `}`, ""},
}

const modern = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
