// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

func TestSpecialShapesAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    proto.Message
		json string
		want string // the message in text form, read with Struct fields
	}{
		{"reserved keys of a request's _meta", &mcpv1.RequestMeta{},
			`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},
			  "io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info","progressToken":"p",
			  "traceparent":"t","tracestate":"s","baggage":"b","other":1}`,
			`protocol_version: "2026-07-28" client_info: {name: "c" version: "1"} client_capabilities: {values: {}} log_level: "info"
			 progress_token: {string_value: "p"} traceparent: "t" tracestate: "s" baggage: "b"
			 extra: {fields: {key: "other" value: {number_value: 1}}}`},
		{"bad values of reserved keys", &mcpv1.RequestMeta{}, `{"progressToken":1.5,"baggage":null}`,
			`extra: {fields: {key: "progressToken" value: {number_value: 1.5}} fields: {key: "baggage" value: {null_value: NULL_VALUE}}}`},
		{"extra that a Struct cannot hold", &mcpv1.RequestMeta{}, `{"x":9007199254740993}`, `extra_json: "{\"x\":9007199254740993}"`},
		{"empty _meta of a request", &mcpv1.CallToolRequest{}, `{"_meta":{}}`, `meta: {}`},
		{"_meta of a request with a repeated key", &mcpv1.CallToolRequest{}, `{"_meta":{"a":1,"a":1}}`, `extra_json: "{\"_meta\":{\"a\":1,\"a\":1}}"`},
		{"progress token that is a string of digits", &mcpv1.RequestMeta{}, `{"progressToken":"1"}`, `progress_token: {string_value: "1"}`},
		{"progress token beyond 2^53", &mcpv1.RequestMeta{}, `{"progressToken":9007199254740993}`, `progress_token: {int_value: 9007199254740993}`},
		{"capabilities that are no object", &mcpv1.InitializeRequest{}, `{"capabilities":[]}`, `extra_json: "{\"capabilities\":[]}"`},

		{"text block", &mcpv1.Content{}, `{"type":"text","text":"x"}`, `text: {text: "x"}`},
		{"text block without text", &mcpv1.Content{}, `{"type":"text"}`, `text: {}`},
		{"text block whose text is null", &mcpv1.Content{}, `{"type":"text","text":null}`, `other_json: "{\"type\":\"text\",\"text\":null}"`},
		{"image block", &mcpv1.Content{}, `{"type":"image","data":"AAE=","mimeType":"image/png"}`, `blob: {type: "image" data: "\000\001" mime_type: "image/png"}`},
		{"audio block with no data", &mcpv1.Content{}, `{"type":"audio","data":""}`, `blob: {type: "audio" data: ""}`},
		{"image block with unpadded base64", &mcpv1.Content{}, `{"type":"image","data":"AAE"}`, `other_json: "{\"type\":\"image\",\"data\":\"AAE\"}"`},
		{"image block with stray bits in base64", &mcpv1.Content{}, `{"type":"image","data":"AAF="}`, `other_json: "{\"type\":\"image\",\"data\":\"AAF=\"}"`},
		{"image block with a line break in base64", &mcpv1.Content{}, `{"type":"image","data":"AA\nE="}`, `other_json: "{\"type\":\"image\",\"data\":\"AA\\nE=\"}"`},
		{"image block with base64 for URLs", &mcpv1.Content{}, `{"type":"image","data":"-_8="}`, `other_json: "{\"type\":\"image\",\"data\":\"-_8=\"}"`},
		{"resource link", &mcpv1.Content{}, `{"type":"resource_link","uri":"u","name":"n","size":3}`, `resource_link: {uri: "u" name: "n" size: 3}`},
		{"embedded text", &mcpv1.Content{}, `{"type":"resource","resource":{"uri":"u","text":"x"}}`, `resource: {resource: {text: {uri: "u" text: "x"}}}`},
		{"embedded blob", &mcpv1.Content{}, `{"type":"resource","resource":{"uri":"u","blob":"AA=="}}`, `resource: {resource: {blob: {uri: "u" data: "\000"}}}`},
		{"embedded nonsense", &mcpv1.Content{}, `{"type":"resource","resource":5}`, `resource: {resource: {other_json: "5"}}`},
		{"tool use", &mcpv1.Content{}, `{"type":"tool_use","id":"i","name":"n","input":{}}`, `tool_use: {id: "i" name: "n" input: {}}`},
		{"tool result", &mcpv1.Content{}, `{"type":"tool_result","toolUseId":"i","content":[{"type":"text","text":"x"}]}`,
			`tool_result: {tool_use_id: "i" content: {text: {text: "x"}}}`},
		{"tool result without content", &mcpv1.Content{}, `{"type":"tool_result","toolUseId":"i"}`, `other_json: "{\"type\":\"tool_result\",\"toolUseId\":\"i\"}"`},
		{"block of a later type", &mcpv1.Content{}, `{"type":"video","x":1e400}`, `other_json: "{\"type\":\"video\",\"x\":1e400}"`},
		{"block without type", &mcpv1.Content{}, `{"text":"x"}`, `other_json: "{\"text\":\"x\"}"`},
		{"block with a repeated key", &mcpv1.Content{}, `{"type":"text","text":"x","text":"x"}`, `other_json: "{\"type\":\"text\",\"text\":\"x\",\"text\":\"x\"}"`},
		{"blocks that are no objects", &mcpv1.CallToolResult{}, `{"content":[null,1,"x",{"type":"text","text":"y"}]}`,
			`content: {other_json: "null"} content: {other_json: "1"} content: {other_json: "\"x\""} content: {text: {text: "y"}}`},
		{"resource contents", &mcpv1.ReadResourceResponse{}, `{"contents":[{"uri":"u","mimeType":"m","text":""},{"uri":"v","blob":""},{"uri":"w"}]}`,
			`contents: {text: {uri: "u" mime_type: "m" text: ""}} contents: {blob: {uri: "v" data: ""}} contents: {other_json: "{\"uri\":\"w\"}"}`},
		{"resource contents with text and blob", &mcpv1.ReadResourceResponse{}, `{"contents":[{"text":"x","blob":"AA=="}]}`,
			`contents: {text: {text: "x" extra_json: "{\"blob\":\"AA==\"}"}}`},
		{"resource contents with a type and data", &mcpv1.ReadResourceResponse{}, `{"contents":[{"type":"image","data":"x","blob":"AA=="}]}`,
			`contents: {blob: {type: "image" data: "\000" extra_json: "{\"data\":\"x\"}"}}`},
		{"prompt messages", &mcpv1.GetPromptResponse{}, `{"messages":[{"role":"user","content":{"type":"text","text":"x"},"z":1}]}`,
			`messages: {role: "user" text: {text: "x"} message_extra_json: "{\"z\":1}"}`},
		{"prompt message whose role is null", &mcpv1.GetPromptResponse{}, `{"messages":[{"role":null,"content":{"type":"text","text":"x"}}]}`,
			`messages: {text: {text: "x"} message_extra_json: "{\"role\":null}"}`},
		{"prompt message without content", &mcpv1.GetPromptResponse{}, `{"messages":[{"role":"user"}]}`,
			`extra_json: "{\"messages\":[{\"role\":\"user\"}]}"`},

		{"sampling content that is a block", &mcpv1.SamplingMessage{}, `{"role":"user","content":{"type":"text","text":"x"}}`,
			`role: "user" content: {text: {text: "x"}}`},
		{"sampling content that is an array of one", &mcpv1.SamplingMessage{}, `{"role":"user","content":[{"type":"text","text":"x"}]}`,
			`role: "user" content: {text: {text: "x"}} content_is_array: true`},
		{"sampling content that is an empty array", &mcpv1.SamplingMessage{}, `{"content":[]}`, ``},
		{"sampling content that is an array of two", &mcpv1.CreateMessageResult{}, `{"content":[{"type":"text"},1]}`, `content: {text: {}} content: {other_json: "1"}`},
		{"sampling content that is a string", &mcpv1.SamplingMessage{}, `{"content":"x"}`, `extra_json: "{\"content\":\"x\"}"`},

		{"elicitation", &mcpv1.InputRequest{}, `{"method":"elicitation/create","params":{"message":"m","requestedSchema":{}},"x":1}`,
			`elicitation: {message: "m" requested_schema: {}} extra_json: "{\"x\":1}"`},
		{"elicitation without params", &mcpv1.InputRequest{}, `{"method":"elicitation/create"}`, `other_json: "{\"method\":\"elicitation/create\"}"`},
		{"sampling", &mcpv1.InputRequest{}, `{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}`, `sampling: {max_tokens: 1}`},
		{"roots without params", &mcpv1.InputRequest{}, `{"method":"roots/list"}`, `roots: {no_params: true}`},
		{"roots with params", &mcpv1.InputRequest{}, `{"method":"roots/list","params":{}}`, `roots: {}`},
		{"roots with null params", &mcpv1.InputRequest{}, `{"method":"roots/list","params":null}`, `other_json: "{\"method\":\"roots/list\",\"params\":null}"`},
		{"input request of a later kind", &mcpv1.InputRequest{}, `{"method":"x","params":{}}`, `other_json: "{\"method\":\"x\",\"params\":{}}"`},
		{"input request that is null", &mcpv1.InputRequired{}, `{"resultType":"input_required","inputRequests":{"a":null}}`,
			`input_requests: {key: "a" value: {other_json: "null"}}`},
		{"answer with roots", &mcpv1.InputResponse{}, `{"roots":[],"action":"accept"}`, `roots: {extra_json: "{\"action\":\"accept\"}"}`},
		{"answer with an action", &mcpv1.InputResponse{}, `{"action":"accept","content":{"a":1},"role":"x"}`,
			`elicitation: {action: "accept" content: {fields: {key: "a" value: {number_value: 1}}} extra_json: "{\"role\":\"x\"}"}`},
		{"answer with a role", &mcpv1.InputResponse{}, `{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}`,
			`sampling: {role: "assistant" content: {text: {text: "x"}} model: "m"}`},
		{"answer with a role but no content", &mcpv1.InputResponse{}, `{"role":"assistant"}`, `other_json: "{\"role\":\"assistant\"}"`},
		{"answer with an action that is null", &mcpv1.InputResponse{}, `{"action":null}`, `other_json: "{\"action\":null}"`},
		{"answer of a later kind", &mcpv1.InputResponse{}, `[1]`, `other_json: "[1]"`},
		{"input required, another resultType", &mcpv1.InputRequired{}, `{"resultType":1}`, `extra_json: "{\"resultType\":1}"`},

		{"completion of a prompt", &mcpv1.CompleteRequest{},
			`{"ref":{"type":"ref/prompt","name":"p","title":"t","x":1},"argument":{"name":"a","value":"","y":2},"context":{"arguments":{"b":"c"}},"z":3}`,
			`ref: "p" ref_type: "ref/prompt" ref_title: "t" ref_extra_json: "{\"x\":1}" argument_name: "a" value: "" argument_extra_json: "{\"y\":2}"
			 context: {arguments: {key: "b" value: "c"}} extra_json: "{\"z\":3}"`},
		{"completion of a resource", &mcpv1.CompleteRequest{}, `{"ref":{"type":"ref/resource","uri":"u","name":"n"}}`,
			`ref: "u" ref_type: "ref/resource" ref_extra_json: "{\"name\":\"n\"}"`},
		{"completion of a later kind", &mcpv1.CompleteRequest{}, `{"ref":{"type":"ref/tool","name":"n"}}`,
			`extra_json: "{\"ref\":{\"type\":\"ref/tool\",\"name\":\"n\"}}"`},
		{"completion with empty objects", &mcpv1.CompleteRequest{}, `{"ref":{},"argument":{}}`, `extra_json: "{\"ref\":{},\"argument\":{}}"`},
		{"completion with a null name", &mcpv1.CompleteRequest{}, `{"ref":{"type":"ref/prompt","name":null},"argument":null}`,
			`ref_type: "ref/prompt" ref_extra_json: "{\"name\":null}" extra_json: "{\"argument\":null}"`},
		{"completions", &mcpv1.CompleteResponse{}, `{"completion":{"values":["a"],"total":7,"hasMore":false,"x":1},"_meta":{}}`,
			`values: "a" total: 7 has_more: false completion_extra_json: "{\"x\":1}" meta: {values: {}}`},
		{"no completions", &mcpv1.CompleteResponse{}, `{"completion":{"values":[]}}`, ``},
		{"completions that are bad", &mcpv1.CompleteResponse{}, `{"completion":{"values":[1],"total":-1,"hasMore":null}}`,
			`completion_extra_json: "{\"values\":[1],\"total\":-1,\"hasMore\":null}"`},
		{"completions without values", &mcpv1.CompleteResponse{}, `{"completion":{"total":1}}`, `extra_json: "{\"completion\":{\"total\":1}}"`},
		{"completions that are null", &mcpv1.CompleteResponse{}, `{"completion":null}`, `extra_json: "{\"completion\":null}"`},

		{"outcome of a call: result", &mcpv1.InvokeToolResponse{}, `{"content":[],"resultType":"complete"}`, `result: {result_type: "complete"}`},
		{"outcome of a call: legacy result", &mcpv1.CallToolEvent{}, `{"content":[]}`, `result: {}`},
		{"outcome of a call: input required", &mcpv1.InvokeToolResponse{}, `{"resultType":"input_required","requestState":""}`, `input_required: {request_state: ""}`},
		{"outcome of a call: task", &mcpv1.CallToolEvent{}, `{"resultType":"task","taskId":"t","ttlMs":null}`,
			`task: {result_type: "task" task_id: "t" extra_json: "{\"ttlMs\":null}"}`},
		{"outcome of a call: task of 2025-11-25", &mcpv1.InvokeToolResponse{}, `{"task":{"taskId":"t"}}`, `task: {extra_json: "{\"task\":{\"taskId\":\"t\"}}"}`},
		{"outcome of a call: a later resultType", &mcpv1.InvokeToolResponse{}, `{"content":[],"resultType":"x"}`, `result: {result_type: "x"}`},
		{"prompt that needs input", &mcpv1.GetPromptResponse{}, `{"resultType":"input_required","description":"d"}`,
			`input_required: {extra_json: "{\"description\":\"d\"}"}`},
		{"resource that needs input", &mcpv1.ReadResourceResponse{}, `{"resultType":"input_required"}`, `input_required: {}`},
		{"task that was asked for", &mcpv1.GetTaskResponse{}, `{"taskId":"t","status":"failed","error":{"code":-1,"message":"","data":[1]}}`,
			`task: {task_id: "t" status: "failed" error: {code: -1 data_json: "[1]"}}`},
		{"task whose error has no message", &mcpv1.Task{}, `{"error":{"code":1}}`, `extra_json: "{\"error\":{\"code\":1}}"`},
		{"error whose code is no integer", &mcpv1.JsonRpcError{}, `{"code":"x","message":null}`, `extra_json: "{\"code\":\"x\",\"message\":null}"`},
		{"progress", &mcpv1.CallToolProgress{}, `{"progress":1,"total":3,"progressToken":1}`,
			`percentage: 33 progress: 1 total: 3 progress_token: {int_value: 1}`},
		{"subscription to a resource", &mcpv1.SubscribeResourceRequest{}, `{"notifications":{"resourceSubscriptions":["u"]},"_meta":{}}`, `uri: "u" meta: {}`},
		{"ping", &mcpv1.PingRequest{}, `{"_meta":{"progressToken":1}}`, `meta: {progress_token: {int_value: 1}}`},
		{"pong", &mcpv1.PingResponse{}, `{}`, ``},
		{"protected resource metadata", &mcpv1.ProtectedResourceMetadata{},
			`{"resource":"r","authorization_servers":["a"],"resource_name":"","x":[1],"scopes_supported":[]}`,
			`resource: "r" authorization_servers: "a" resource_name: "" extra: {fields: {key: "x" value: {list_value: {values: {number_value: 1}}}}
			 fields: {key: "scopes_supported" value: {list_value: {}}}}`},
		{"protected resource metadata with an empty resource", &mcpv1.ProtectedResourceMetadata{}, `{"resource":""}`,
			`extra: {fields: {key: "resource" value: {string_value: ""}}}`},
		{"envelope", &mcpv1.Envelope{}, `{"jsonrpc":"2.0","id":1,"method":"m","params":{}}`, `method: "m" request: {int_id: 1 params: {}}`},
		{"bare blob of a resource", &mcpv1.BlobContent{}, `{"uri":"u","blob":"AA=="}`, `uri: "u" data: "\000"`},
		{"bare blob of a block", &mcpv1.BlobContent{}, `{"type":"image","data":"AA=="}`, `type: "image" data: "\000"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			identity(t, tt.json, tt.m)
			want := tt.m.ProtoReflect().New().Interface()
			if err := prototext.Unmarshal([]byte(tt.want), want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tt.m, protocmp.Transform()); diff != "" {
				t.Errorf("message differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessagesOfPeersThatKnowOnlyInheritedFields(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    proto.Message
		text string
		want string
	}{
		{"image told by its media type", &mcpv1.Content{}, `blob: {data: "\000" mime_type: "image/png"}`, `{"type":"image","data":"AA==","mimeType":"image/png"}`},
		{"audio told by its media type", &mcpv1.Content{}, `blob: {mime_type: "audio/wav"}`, `{"type":"audio","mimeType":"audio/wav"}`},
		{"reference to a prompt", &mcpv1.CompleteRequest{}, `ref: "p" argument_name: "a"`, `{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a"}}`},
		{"reference to a resource", &mcpv1.CompleteRequest{}, `ref: "file://x"`, `{"ref":{"type":"ref/resource","uri":"file://x"}}`},
		{"result without content", &mcpv1.CallToolResult{}, ``, `{"content":[]}`},
		{"empty page", &mcpv1.ListToolsResponse{}, ``, `{"tools":[]}`},
		{"prompt message without role", &mcpv1.GetPromptResponse{}, `messages: {text: {text: "x"}}`, `{"messages":[{"content":{"type":"text","text":"x"}}]}`},
		{"error without message", &mcpv1.JsonRpcError{}, `code: -32603`, `{"code":-32603,"message":""}`},
		{"task in answer to a call", &mcpv1.InvokeToolResponse{}, `task: {task_id: "t"}`, `{"resultType":"task","taskId":"t"}`},
		{"json_encoding has no twin", &mcpv1.CallToolRequest{}, `meta: {json_encoding: JSON_ENCODING_BYTES}`, `{"_meta":{}}`},
		{"session_id has no twin", &mcpv1.InitializeResponse{}, `session_id: "s"`, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := prototext.Unmarshal([]byte(tt.text), tt.m); err != nil {
				t.Fatal(err)
			}
			got, err := ToJSON(tt.m)
			if err != nil {
				t.Fatal(err)
			}
			requireSameJSON(t, got, []byte(tt.want))
		})
	}
}

func TestToJSONRefuses(t *testing.T) {
	t.Parallel()
	text := func(s string) *mcpv1.Content {
		return &mcpv1.Content{Kind: &mcpv1.Content_OtherJson{OtherJson: []byte(s)}}
	}
	number := func(f float64) *structpb.Struct {
		return &structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNumberValue(f)}}
	}
	for _, tt := range []struct {
		name string
		m    proto.Message
		is   error
		want string
	}{
		{"both twins", &mcpv1.CallToolRequest{Arguments: &structpb.Struct{}, ArgumentsJson: []byte("{}")}, ErrBothTwins, "set arguments or arguments_json"},
		{"both twins of a Meta", &mcpv1.Tool{Meta: &mcpv1.Meta{Values: &structpb.Struct{}, ValuesJson: []byte("{}")}}, ErrBothTwins, "meta: "},
		{"both twins of a request's extra", &mcpv1.RequestMeta{Extra: &structpb.Struct{}, ExtraJson: []byte("{}")}, ErrBothTwins, "set extra or extra_json"},
		{"text that is not JSON", &mcpv1.CallToolRequest{ArgumentsJson: []byte("{")}, ErrMalformed, "arguments_json: "},
		{"text that is two values", &mcpv1.CallToolRequest{ArgumentsJson: []byte("1 2")}, ErrMalformed, "expected the end"},
		{"extra_json that is no object", &mcpv1.Tool{ExtraJson: []byte("[]")}, ErrMalformed, "extra_json: "},
		{"values_json that is no object", &mcpv1.Meta{ValuesJson: []byte("[]")}, ErrMalformed, "values_json: "},
		{"extra_json with a member that is set", &mcpv1.Tool{Name: new("x"), ExtraJson: []byte(`{"name":"y"}`)}, ErrMalformed, `"name" stands both`},
		{"extra_json with a member twice", &mcpv1.Tool{ExtraJson: []byte(`{"a":1,"a":1}`)}, ErrMalformed, "repeated"},
		{"NaN", &mcpv1.Annotations{Priority: new(math.NaN())}, ErrMalformed, "priority: "},
		{"infinity in a Struct", &mcpv1.Meta{Values: number(math.Inf(1))}, ErrMalformed, `values["a"]: `},
		{"value without kind", &mcpv1.Meta{Values: &structpb.Struct{Fields: map[string]*structpb.Value{"a": {}}}}, ErrMalformed, `values["a"]: `},
		{"string that is not UTF-8", &mcpv1.Tool{Name: new("\xff")}, ErrMalformed, "name: "},
		{"content without kind", &mcpv1.CallToolResult{Content: []*mcpv1.Content{{}}}, ErrMalformed, "content[0]: malformed: no kind"},
		{"block that is not JSON", &mcpv1.CallToolResult{Content: []*mcpv1.Content{text("1"), text("")}}, ErrMalformed, "content[1].other_json: "},
		{"role outside of a prompt", &mcpv1.CallToolResult{Content: []*mcpv1.Content{{Role: new("user")}}}, ErrMalformed, "content[0]: "},
		{"token without kind", &mcpv1.RequestMeta{ProgressToken: &mcpv1.ProgressToken{}}, ErrMalformed, "progress_token: "},
		{"event that is no outcome", &mcpv1.CallToolEvent{Kind: &mcpv1.CallToolEvent_Log{}}, ErrMalformed, "outcome"},
		{"response without outcome", &mcpv1.InvokeToolResponse{}, ErrMalformed, "outcome"},
		{"task of another type", &mcpv1.InvokeToolResponse{Outcome: &mcpv1.InvokeToolResponse_Task{Task: &mcpv1.Task{ResultType: new("x")}}}, ErrMalformed, "result_type"},
		{"task response without task", &mcpv1.GetTaskResponse{}, ErrMalformed, "task"},
		{"input_required beside another field", &mcpv1.GetPromptResponse{Description: new(""), InputRequired: &mcpv1.InputRequired{}}, ErrMalformed, "input_required"},
		{"roots with and without params", &mcpv1.InputRequest{Kind: &mcpv1.InputRequest_Roots{Roots: &mcpv1.ListRootsRequest{NoParams: true, Meta: &mcpv1.Meta{}}}}, ErrMalformed, "no_params"},
		{"request that is not known, with extra", &mcpv1.InputRequest{Kind: &mcpv1.InputRequest_OtherJson{OtherJson: []byte("{}")}, ExtraJson: []byte("{}")}, ErrMalformed, "other_json"},
		{"error in a task, deep in a map", &mcpv1.Task{InputRequests: map[string]*mcpv1.InputRequest{"k": {}}}, ErrMalformed, `input_requests["k"]: `},
		{"message of another package", &structpb.Struct{}, ErrMalformed, "no twin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ToJSON(tt.m)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %s and error %v, want %v with %q", got, err, tt.is, tt.want)
			}
		})
	}
}

func TestDeepMessagesStayText(t *testing.T) {
	t.Parallel()
	deep := `{"type":"text","text":"x"}`
	for range 200 {
		deep = `{"type":"tool_result","toolUseId":"i","content":[` + deep + `]}`
	}
	identity(t, `{"content":[`+deep+`]}`, &mcpv1.CallToolResult{})
	free := strings.Repeat(`{"a":[`, 300) + strings.Repeat(`]}`, 300)
	identity(t, `{"arguments":`+free+`}`, &mcpv1.CallToolRequest{})
}
