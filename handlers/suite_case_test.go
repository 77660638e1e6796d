// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers_test

import (
	"slices"
	"strings"
)

// cases are requests that any client can make, in any order.
var cases = slices.Concat(listCases, contentCases, structuredCases, errorCases, notifyingCases, resourceCases, promptCases, completionCases, otherCases, roundTripCases)

var listCases = []suiteCase{
	request("list of tools", "tools/list", `{"_meta":{%META%}}`),
	request("list of resources", "resources/list", `{"_meta":{%META%}}`),
	request("list of resource templates", "resources/templates/list", `{"_meta":{%META%}}`),
	request("list of prompts", "prompts/list", `{"_meta":{%META%}}`),
	request("list without params", "tools/list", ``).in("legacy"),
	request("list with empty params", "prompts/list", `{}`).in("legacy"),
	request("list at an empty cursor", "tools/list", `{"_meta":{%META%},"cursor":""}`),
	request("list at a wrong cursor", "tools/list", `{"_meta":{%META%},"cursor":"nonsense"}`),
	request("list of resources at a wrong cursor", "resources/list", `{"_meta":{%META%},"cursor":"nonsense"}`),
	request("list of templates at a wrong cursor", "resources/templates/list", `{"_meta":{%META%},"cursor":"nonsense"}`),
	request("list of prompts at a wrong cursor", "prompts/list", `{"_meta":{%META%},"cursor":"nonsense"}`),
	request("list at a cursor of the wrong type", "tools/list", `{"_meta":{%META%},"cursor":7}`),
	request("list with unknown members", "tools/list", `{"_meta":{%META%,"com.example/x":{"y":[null]}},"later":9007199254740993}`),
}

var contentCases = []suiteCase{
	tool("test_simple_text", `{}`),
	tool("test_image_content", `{}`),
	tool("test_audio_content", `{}`),
	tool("test_embedded_resource", `{}`),
	tool("test_multiple_content_types", `{}`),
	tool("content_all", `{}`),
	tool("content_none", `{}`),
	tool("content_empty_values", `{}`),
	tool("greet", `{"name":"you"}`),
	tool("greet", `{"name":"grüß dich, 世界 <&> \u2028 \u0000"}`),
	tool("greet", `{"name":7}`),
	tool("greet", `{"name":null}`),
	tool("greet", `{"name":"you","more":1}`),
	tool("greet", `{}`),
	tool("greet", `null`),
	tool("greet", `[]`),
	tool("greet (structured)", `{"name":"you"}`),
	tool("greet (with Icons)", `{"name":"you"}`),
	tool("greet (content with ResourceLink)", `{"name":"you"}`),
	tool("json_schema_2020_12_tool", `{"name":"n","contactMethod":"email","email":"a@example.com"}`),
	tool("json_schema_2020_12_tool", `{"contactMethod":"phone","email":"a@example.com"}`),
	tool("json_schema_2020_12_tool", `{"email":"a@example.com","other":1}`),
	tool("test_x_mcp_header", `{"region":"eu","level":3}`),
	tool("x_mcp_header_types", `{"tenant":"t","shard":7,"dry_run":true,"place":{"zone":"z"},"note":"n"}`),
	request("tool without arguments", "tools/call", `{"_meta":{%META%},"name":"greet"}`),
	request("tool with a name of the wrong type", "tools/call", `{"_meta":{%META%},"name":7}`),
	request("tool without name", "tools/call", `{"_meta":{%META%}}`),
	request("tool with unknown members", "tools/call", `{"_meta":{%META%,"x":[1]},"name":"test_simple_text","arguments":{},"later":{"a":1}}`),
}

var structuredCases = slices.Concat([]suiteCase{
	tool("structured_object", `{}`),
	tool("structured_array", `{}`),
	tool("structured_number", `{}`),
	tool("structured_big_numbers", `{}`),
	request("echo without arguments", "tools/call", `{"_meta":{%META%},"name":"structured_echo"}`),
	request("inspection without more", "tools/call", `{"_meta":{%META%},"name":"inspect_request"}`),
	request("inspection with metadata", "tools/call", `{"_meta":{%META%,"com.example/a":{"b":[1,null,"c"],"d":{}},"com.example/empty":"",`+
		`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=b","baggage":"c=d"},"name":"inspect_request","arguments":{}}`),
	request("inspection with a progress token", "tools/call", `{"_meta":{%META%,"progressToken":"p"},"name":"inspect_request","arguments":{}}`),
	request("inspection with an integer as progress token", "tools/call", `{"_meta":{%META%,"progressToken":7},"name":"inspect_request","arguments":{}}`),
	request("inspection with a log level", "tools/call", `{"_meta":{%META%,"io.modelcontextprotocol/logLevel":"info"},"name":"inspect_request","arguments":{}}`).in("modern"),
}, echoes(
	`{}`, `null`, `[]`, `"text"`, `7`, // only objects are arguments; the rest is the SDK's to judge
	`{"n":9007199254740993}`,
	`{"n":[1e400,-1e400,1e-400]}`,
	`{"n":[-0,0,-0.0,0.10,1E2,1.50]}`,
	`{"n":3.14159265358979323846264338327950288}`,
	`{"n":18446744073709551615,"m":-9223372036854775809}`,
	`{"s":"\u0000","\u0000":"\ud83d\ude00","":""}`,
	`{"s":"<>&\u2028\u2029\/\\\""}`,
	`{"a":[[[[[[[[[[[[]]]]]]]]]]]],"b":[{},[],null,{"c":[{}]}]}`,
	`{"a":null,"b":false,"c":[true,null]}`,
	`{"__proto__":1,"constructor":2,"toString":3,"extraJson":4,"_meta":5,"meta":6}`,
	`{"long":"`+strings.Repeat("grüß dich ", 500)+`"}`,
))

func echoes(args ...string) []suiteCase {
	all := make([]suiteCase, len(args))
	for i, a := range args {
		all[i] = tool("structured_echo", a)
	}
	return all
}

var errorCases = []suiteCase{
	tool("test_error_handling", `{}`),
	tool("error_result", `{}`),
	tool("error_jsonrpc", `{}`),
	tool("error_jsonrpc", `{"code":-32000,"message":"m","data":{"n":9007199254740993,"m":[1e400,-0]}}`),
	tool("error_jsonrpc", `{"code":7,"message":"","data":null}`),
	tool("error_jsonrpc", `{"code":-32042,"message":"sign in","data":[1,{"a":"b"}]}`),
	tool("error_jsonrpc", `{"code":2147483647,"message":"grüß dich","data":"text"}`),
	tool("error_plain", `{}`),
	tool("error_wrapped", `{}`),
	tool("require_url_elicitation", `{}`),
	tool("test_missing_capability", `{}`),
	tool("no such tool", `{}`),
	tool("", `{}`),
}

var notifyingCases = []suiteCase{
	tool("test_tool_with_logging", `{}`),
	tool("test_logging_tool", `{}`),
	tool("log_levels", `{}`),
	tool("log", `{}`),
	tool("test_tool_with_progress", `{}`),
	tool("flood_progress", `{"count":3}`),
	tool("test_streaming_elicitation", `{}`),
	tool("test_reconnection", `{}`),
	tool("elicit (form)", `{}`), // nobody declared that it can be asked
	tool("elicit (url)", `{}`),
	tool("test_elicitation", `{"message":"m"}`),
	request("tool with progress", "tools/call", `{"_meta":{%META%,"progressToken":"p"},"name":"test_tool_with_progress","arguments":{}}`),
	request("tool with progress under an empty token", "tools/call", `{"_meta":{%META%,"progressToken":""},"name":"test_tool_with_progress","arguments":{}}`),
	request("tool with progress under an integer", "tools/call", `{"_meta":{%META%,"progressToken":7},"name":"test_tool_with_progress","arguments":{}}`),
	request("tool with progress under 0", "tools/call", `{"_meta":{%META%,"progressToken":0},"name":"test_tool_with_progress","arguments":{}}`),
	request("tool with much progress", "tools/call", `{"_meta":{%META%,"progressToken":"p"},"name":"flood_progress","arguments":{"count":200}}`),
}

var resourceCases = []suiteCase{
	resource("test://static-text"),
	resource("test://static-binary"),
	resource("test://watched-resource"),
	resource("test://template/7/data"),
	resource("test://template/a%20b/data"),
	resource("embedded:info"),
	resource("http://example.com/~x/"),
	resource("everything://mixed"),
	resource("everything://empty"),
	resource("everything://no-contents"),
	resource("everything://cached"),
	resource("everything://text/grüß dich"),
	resource("everything://gone"),
	resource("everything://broken"),
	resource("everything://question"),
	resource("test://nowhere"),
	resource("no uri at all"),
	resource(""),
	request("resource with a URI of the wrong type", "resources/read", `{"_meta":{%META%},"uri":7}`),
	request("resource without URI", "resources/read", `{"_meta":{%META%}}`),
}

var promptCases = []suiteCase{
	prompt("greet", `{"name":"you"}`),
	prompt("greet (with Icons)", `{"name":"you"}`),
	prompt("prompt_all", `{"needed":"a","optional":"b"}`),
	prompt("prompt_all", `{}`),
	prompt("prompt_all", `{"needed":7}`),
	prompt("test_simple_prompt", `{}`),
	prompt("test_simple_prompt", `null`),
	prompt("test_prompt_with_arguments", `{"arg1":"x","arg2":"y"}`),
	prompt("test_prompt_with_arguments", `{"arg1":"\u0000","arg2":"","more":"z"}`),
	prompt("test_prompt_with_embedded_resource", `{"resourceUri":"a://b"}`),
	prompt("test_prompt_with_image", `{}`),
	prompt("grüß dich", `{}`),
	prompt("prompt_broken", `{}`),
	prompt("no such prompt", `{}`),
	request("prompt without arguments", "prompts/get", `{"_meta":{%META%},"name":"test_simple_prompt"}`),
	request("prompt without name", "prompts/get", `{"_meta":{%META%}}`),
}

var completionCases = []suiteCase{
	request("completion of a prompt", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"par"}}`),
	request("completion without a match", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"none"}}`),
	request("completion with context", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg2","value":""},"context":{"arguments":{"arg1":"paris"}}}`),
	request("completion with more than fits", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"prompt_all"},"argument":{"name":"needed","value":""}}`),
	request("completion of a resource", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/resource","uri":"test://template/{id}/data"},"argument":{"name":"id","value":""},"context":{"arguments":{"a":"b"}}}`),
	request("completion of another type", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/other","name":"x"},"argument":{"name":"id","value":""}}`),
	request("completion without ref", "completion/complete", `{"_meta":{%META%},"argument":{"name":"arg1","value":""}}`),
	request("completion without argument", "completion/complete", `{"_meta":{%META%},"ref":{"type":"ref/prompt","name":"greet"}}`),
}

var otherCases = []suiteCase{
	request("discovery", "server/discover", `{"_meta":{%META%}}`),
	request("ping", "ping", `{"_meta":{%META%}}`),
	request("initialize of the other era", "initialize", `{"_meta":{%META%},"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`).in("modern"),
	request("log level of the other era", "logging/setLevel", `{"_meta":{%META%},"level":"info"}`).in("modern"),
	request("subscription of the other era", "resources/subscribe", `{"_meta":{%META%},"uri":"test://watched-resource"}`).in("modern"),
	request("unsubscription of the other era", "resources/unsubscribe", `{"_meta":{%META%},"uri":"test://watched-resource"}`).in("modern"),
	request("subscription", "resources/subscribe", `{"uri":"test://watched-resource"}`).in("legacy"),
	request("refused subscription", "resources/subscribe", `{"uri":"everything://gone"}`).in("legacy"),
	request("unsubscription", "resources/unsubscribe", `{"uri":"test://watched-resource"}`).in("legacy"),
	request("unknown method", "no/such/method", `{"_meta":{%META%}}`),
	request("unknown task", "tasks/get", `{"_meta":{%META%},"taskId":"none"}`),
	request("update of an unknown task", "tasks/update", `{"_meta":{%META%},"taskId":"none","inputResponses":{}}`),
	request("cancellation of an unknown task", "tasks/cancel", `{"_meta":{%META%},"taskId":"none"}`),
	request("custom method", "com.example/echo", `{"_meta":{%META%},"value":{"n":[9007199254740993,1e400,-0,null]}}`),
	request("custom method with null", "com.example/echo", `{"_meta":{%META%},"value":null}`),
	request("custom method without value", "com.example/echo", `{"_meta":{%META%}}`),
	request("custom method that fails", "com.example/fail", `{"_meta":{%META%},"value":[9007199254740993,{"a":"b"}]}`),
}

// roundTripCases ask for input of a client that declared nothing: a modern server asks
// all the same if its tool does, a legacy one fails where the SDK knows better.
var roundTripCases = []suiteCase{
	tool("test_input_required_result_elicitation", `{}`),
	tool("test_input_required_result_sampling", `{}`).in("modern"),
	tool("test_input_required_result_list_roots", `{}`).in("modern"),
	tool("test_input_required_result_request_state", `{}`),
	tool("test_input_required_result_multiple_inputs", `{}`).in("modern"),
	tool("test_input_required_result_multi_round", `{}`),
	tool("test_input_required_result_tampered_state", `{}`),
	tool("test_input_required_result_capabilities", `{}`),
	tool("roundtrip_url", `{}`),
	tool("roundtrip_sampling_tools", `{}`).in("modern"),
	tool("roundtrip_busy", `{}`),
	tool("roundtrip_both", `{}`),
	prompt("test_input_required_result_prompt", `{}`),
}
