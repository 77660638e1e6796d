// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// schemaTwin says which message is the twin of a definition of the MCP schema.
type schemaTwin struct {
	message proto.Message
	// wrap puts the definition where the message has it: a format with one %s.
	wrap string
}

func twin(m proto.Message) schemaTwin { return schemaTwin{message: m} }

var (
	contentTwin  = schemaTwin{&mcpv1.CallToolResult{}, `{"content":[%s]}`}
	contentsTwin = schemaTwin{&mcpv1.ReadResourceResponse{}, `{"contents":[%s]}`}
	refTwin      = schemaTwin{&mcpv1.CompleteRequest{}, `{"ref":%s}`}
)

// schemaTwins has the definitions that are objects of their own.
var schemaTwins = map[string]schemaTwin{
	"Annotations":                 twin(&mcpv1.Annotations{}),
	"AudioContent":                contentTwin,
	"BlobResourceContents":        contentsTwin,
	"CallToolResult":              twin(&mcpv1.InvokeToolResponse{}),
	"CancelTaskResult":            twin(&mcpv1.Task{}),
	"ClientCapabilities":          twin(&mcpv1.CapabilitySet{}),
	"CompleteResult":              twin(&mcpv1.CompleteResponse{}),
	"ContentBlock":                contentTwin,
	"CreateMessageResult":         twin(&mcpv1.InputResponse{}),
	"DiscoverResult":              twin(&mcpv1.DiscoverResponse{}),
	"ElicitResult":                twin(&mcpv1.InputResponse{}),
	"EmbeddedResource":            contentTwin,
	"Error":                       twin(&mcpv1.JsonRpcError{}),
	"GetPromptResult":             twin(&mcpv1.GetPromptResponse{}),
	"GetTaskResult":               twin(&mcpv1.GetTaskResponse{}),
	"Icon":                        twin(&mcpv1.Icon{}),
	"ImageContent":                contentTwin,
	"InitializeResult":            twin(&mcpv1.InitializeResponse{}),
	"InputRequest":                twin(&mcpv1.InputRequest{}),
	"InputRequests":               {&mcpv1.InputRequired{}, `{"resultType":"input_required","inputRequests":%s}`},
	"InputRequiredResult":         twin(&mcpv1.ReadResourceResponse{}),
	"InputResponse":               twin(&mcpv1.InputResponse{}),
	"InputResponses":              {&mcpv1.CallToolRequest{}, `{"inputResponses":%s}`},
	"ListPromptsResult":           twin(&mcpv1.ListPromptsResponse{}),
	"ListResourceTemplatesResult": twin(&mcpv1.ListResourceTemplatesResponse{}),
	"ListResourcesResult":         twin(&mcpv1.ListResourcesResponse{}),
	"ListRootsResult":             twin(&mcpv1.InputResponse{}),
	"ListToolsResult":             twin(&mcpv1.ListToolsResponse{}),
	"MetaObject":                  twin(&mcpv1.Meta{}),
	"ModelHint":                   twin(&mcpv1.ModelHint{}),
	"ModelPreferences":            twin(&mcpv1.ModelPreferences{}),
	"NotificationMetaObject":      twin(&mcpv1.Meta{}),
	"Prompt":                      twin(&mcpv1.Prompt{}),
	"PromptArgument":              twin(&mcpv1.PromptArgument{}),
	"PromptMessage":               {&mcpv1.GetPromptResponse{}, `{"messages":[%s]}`},
	"PromptReference":             refTwin,
	"ReadResourceResult":          twin(&mcpv1.ReadResourceResponse{}),
	"RequestMetaObject":           twin(&mcpv1.RequestMeta{}),
	"Resource":                    twin(&mcpv1.Resource{}),
	"ResourceLink":                contentTwin,
	"ResourceTemplate":            twin(&mcpv1.ResourceTemplate{}),
	"ResourceTemplateReference":   refTwin,
	"ResultMetaObject":            twin(&mcpv1.Meta{}),
	"Root":                        twin(&mcpv1.Root{}),
	"SamplingMessage":             twin(&mcpv1.SamplingMessage{}),
	"SamplingMessageContentBlock": contentTwin,
	"ServerCapabilities":          twin(&mcpv1.CapabilitySet{}),
	"SubscriptionFilter":          twin(&mcpv1.SubscriptionFilter{}),
	"SubscriptionsListenResult":   twin(&mcpv1.ListenCompleted{}),
	"Task":                        twin(&mcpv1.Task{}),
	"TaskMetadata":                twin(&mcpv1.TaskMetadata{}),
	"TextContent":                 contentTwin,
	"TextResourceContents":        contentsTwin,
	"Tool":                        twin(&mcpv1.Tool{}),
	"ToolAnnotations":             twin(&mcpv1.ToolAnnotations{}),
	"ToolChoice":                  twin(&mcpv1.ToolChoice{}),
	"ToolExecution":               twin(&mcpv1.ToolExecution{}),
	"ToolResultContent":           contentTwin,
	"ToolUseContent":              contentTwin,

	"SubscriptionsListenResultMetaObject": twin(&mcpv1.Meta{}),
}

// paramsTwins has the messages that are params, by the definition of their request or
// notification. In 2025-06-18 params have no definition of their own.
var paramsTwins = map[string]proto.Message{
	"CallToolRequest":                       &mcpv1.CallToolRequest{},
	"CancelTaskRequest":                     &mcpv1.CancelTaskRequest{},
	"CompleteRequest":                       &mcpv1.CompleteRequest{},
	"CreateMessageRequest":                  &mcpv1.CreateMessageRequest{},
	"DiscoverRequest":                       &mcpv1.DiscoverRequest{},
	"ElicitRequest":                         &mcpv1.ElicitRequest{},
	"GetPromptRequest":                      &mcpv1.GetPromptRequest{},
	"GetTaskRequest":                        &mcpv1.GetTaskRequest{},
	"InitializeRequest":                     &mcpv1.InitializeRequest{},
	"ListPromptsRequest":                    &mcpv1.ListPromptsRequest{},
	"ListResourceTemplatesRequest":          &mcpv1.ListResourceTemplatesRequest{},
	"ListResourcesRequest":                  &mcpv1.ListResourcesRequest{},
	"ListRootsRequest":                      &mcpv1.ListRootsRequest{},
	"ListToolsRequest":                      &mcpv1.ListToolsRequest{},
	"LoggingMessageNotification":            &mcpv1.LogMessage{},
	"PingRequest":                           &mcpv1.PingRequest{},
	"ProgressNotification":                  &mcpv1.CallToolProgress{},
	"PromptListChangedNotification":         &mcpv1.ListChanged{},
	"ReadResourceRequest":                   &mcpv1.ReadResourceRequest{},
	"ResourceListChangedNotification":       &mcpv1.ListChanged{},
	"ResourceUpdatedNotification":           &mcpv1.ResourceUpdated{},
	"SubscriptionsAcknowledgedNotification": &mcpv1.SubscriptionAcknowledged{},
	"SubscriptionsListenRequest":            &mcpv1.ListenRequest{},
	"TaskStatusNotification":                &mcpv1.Task{},
	"ToolListChangedNotification":           &mcpv1.ListChanged{},
}

// envelopeOnly are the messages that have no typed twin: only an envelope carries them.
var envelopeOnly = map[string]string{
	"CancelledNotification":                "the end of an RPC, or a CancelFrame",
	"ElicitationCompleteNotification":      "of 2025-11-25 only",
	"GetTaskPayloadRequest":                "of 2025-11-25 only, whose tasks have no RPC",
	"HeaderMismatchError":                  "an error response",
	"InitializedNotification":              "implied by Initialize",
	"JSONRPCError":                         "an error response",
	"JSONRPCErrorResponse":                 "an error response",
	"JSONRPCNotification":                  "any notification",
	"JSONRPCRequest":                       "any request",
	"JSONRPCResponse":                      "any response",
	"JSONRPCResultResponse":                "any response",
	"ListTasksRequest":                     "of 2025-11-25 only, whose tasks have no RPC",
	"MissingRequiredClientCapabilityError": "an error response",
	"RootsListChangedNotification":         "of legacy sessions",
	"SetLevelRequest":                      "of legacy sessions",
	"SubscribeRequest":                     "of legacy sessions",
	"URLElicitationRequiredError":          "an error response",
	"UnsubscribeRequest":                   "of legacy sessions",
	"UnsupportedProtocolVersionError":      "an error response",
	"ClientNotification":                   "a notification",
	"CallToolResultResponse":               "a response",
	"CompleteResultResponse":               "a response",
	"DiscoverResultResponse":               "a response",
	"GetPromptResultResponse":              "a response",
	"ListPromptsResultResponse":            "a response",
	"ListResourceTemplatesResultResponse":  "a response",
	"ListResourcesResultResponse":          "a response",
	"ListToolsResultResponse":              "a response",
	"ReadResourceResultResponse":           "a response",
	"SubscriptionsListenResultResponse":    "a response",
}

// noMessage are the definitions that no message corresponds to, and why.
var noMessage = map[string]string{
	"BaseMetadata":               "part of others",
	"BooleanSchema":              "free-form, in requestedSchema",
	"CacheableResult":            "part of others",
	"ClientResult":               "any result",
	"CreateTaskResult":           "of 2025-11-25 only, whose tasks have no RPC; kept by toolOutcome",
	"GetTaskPayloadResult":       "of 2025-11-25 only, the result of whatever the task was",
	"Icons":                      "part of others",
	"Implementation":             "tested below: ClientInfo and ServerInfo",
	"InputResponseRequestParams": "part of others",
	"InternalError":              "an Error",
	"InvalidParamsError":         "an Error",
	"InvalidRequestError":        "an Error",
	"JSONObject":                 "free-form",
	"LegacyTitledEnumSchema":     "free-form, in requestedSchema",
	"ListTasksResult":            "of 2025-11-25 only, whose tasks have no RPC",
	"MethodNotFoundError":        "an Error",
	"Notification":               "part of others",
	"NotificationParams":         "part of others",
	"NumberSchema":               "free-form, in requestedSchema",
	"PaginatedRequest":           "part of others",
	"PaginatedRequestParams":     "part of others",
	"PaginatedResult":            "part of others",
	"ParseError":                 "an Error",
	"EnumSchema":                 "free-form, in requestedSchema",
	"RelatedTaskMetadata":        "free-form, in _meta",
	"Request":                    "part of others",
	"RequestParams":              "part of others",
	"ResourceContents":           "part of others",
	"ResourceRequestParams":      "part of others",
	"Result":                     "part of others",
	"StringSchema":               "free-form, in requestedSchema",
	"TaskAugmentedRequestParams": "part of others",

	"TitledMultiSelectEnumSchema":    "free-form, in requestedSchema",
	"TitledSingleSelectEnumSchema":   "free-form, in requestedSchema",
	"UntitledMultiSelectEnumSchema":  "free-form, in requestedSchema",
	"UntitledSingleSelectEnumSchema": "free-form, in requestedSchema",
}

// schema is one version of MCP's JSON Schema.
type schema map[string]map[string]any

func loadSchemas(tb testing.TB) map[string]schema {
	tb.Helper()
	files, err := filepath.Glob("testdata/mcp-schema-*.json")
	if err != nil || len(files) != 3 {
		tb.Fatalf("got schemas %v, %v; want 3", files, err)
	}
	schemas := map[string]schema{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var doc struct {
			Defs        schema `json:"$defs"`
			Definitions schema `json:"definitions"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			tb.Fatal(err)
		}
		version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "mcp-schema-"), ".json")
		if schemas[version] = doc.Defs; doc.Defs == nil {
			schemas[version] = doc.Definitions
		}
	}
	return schemas
}

// example gives a document with every member that the schema node defines. Where the
// schema has alternatives, variant picks one; arrays and maps have all of them.
func (s schema) example(node map[string]any, variant int) any {
	if ref, ok := node["$ref"].(string); ok {
		switch path.Base(ref) {
		case "JSONArray": // it and the next two are defined by each other
			return []any{1, "x", nil}
		case "JSONObject", "JSONValue":
			return map[string]any{"any": []any{1, "x", nil}}
		}
		return s.example(s[path.Base(ref)], variant)
	}
	if c, ok := node["const"]; ok {
		return c
	}
	if enum, ok := node["enum"].([]any); ok {
		return enum[variant%len(enum)]
	}
	if all, ok := node["allOf"].([]any); ok {
		out := map[string]any{}
		for _, part := range all {
			maps.Copy(out, s.example(part.(map[string]any), variant).(map[string]any))
		}
		return out
	}
	if alternatives := s.alternatives(node); len(alternatives) > 0 {
		return s.example(alternatives[variant%len(alternatives)], variant)
	}
	switch s.typeOf(node, variant) {
	case "string":
		if node["format"] == "byte" {
			return "AAEC"
		}
		return "text " + fmt.Sprint(variant)
	case "integer":
		return 7 + variant
	case "number":
		return 0.5
	case "boolean":
		return variant%2 == 0
	case "null":
		return nil
	case "array":
		items, _ := node["items"].(map[string]any)
		return s.each(items, variant)
	case "object":
		return s.exampleObject(node, variant)
	}
	return map[string]any{"any": []any{1, "x", nil}}
}

func (s schema) exampleObject(node map[string]any, variant int) map[string]any {
	out := map[string]any{}
	properties, _ := node["properties"].(map[string]any)
	for name, p := range properties {
		out[name] = s.example(p.(map[string]any), variant)
		if name == "resultType" {
			out[name] = "complete"
		}
	}
	if more, ok := node["additionalProperties"].(map[string]any); ok && len(properties) == 0 {
		for i, v := range s.each(more, variant) {
			out[fmt.Sprint("key", i)] = v
		}
	}
	return out
}

// each gives an example of each alternative of node.
func (s schema) each(node map[string]any, variant int) []any {
	if ref, ok := node["$ref"].(string); ok && !strings.Contains(ref, "/JSON") {
		node = s[path.Base(ref)]
	}
	alternatives := s.alternatives(node)
	if len(alternatives) == 0 {
		return []any{s.example(node, variant)}
	}
	var out []any
	for _, a := range alternatives {
		out = append(out, s.example(a, variant))
	}
	return out
}

func (s schema) alternatives(node map[string]any) (out []map[string]any) {
	for _, key := range []string{"anyOf", "oneOf"} {
		list, _ := node[key].([]any)
		for _, a := range list {
			out = append(out, a.(map[string]any))
		}
	}
	return out
}

func (s schema) typeOf(node map[string]any, variant int) string {
	switch t := node["type"].(type) {
	case string:
		return t
	case []any:
		return t[variant%len(t)].(string)
	}
	return ""
}

// isObject says that the definition is one, or a choice of objects.
func (s schema) isObject(node map[string]any) bool {
	if ref, ok := node["$ref"].(string); ok {
		return s.isObject(s[path.Base(ref)])
	}
	_, all := node["allOf"]
	return node["type"] == "object" || all
}

func TestEverySchemaDefinitionIsKept(t *testing.T) {
	t.Parallel()
	for version, s := range loadSchemas(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for _, name := range slices.Sorted(maps.Keys(s)) {
				s.testDefinition(t, name)
			}
		})
	}
}

func (s schema) testDefinition(t *testing.T, name string) {
	t.Helper()
	def := s[name]
	tw, ok := schemaTwins[name]
	params := paramsTwins[strings.TrimSuffix(name, "Params")]
	switch {
	case ok:
		s.testTwin(t, name, def, tw)
	case params != nil && strings.HasSuffix(name, "Params"):
		s.testTwin(t, name, def, twin(params))
	case params != nil:
		p, _ := def["properties"].(map[string]any)["params"].(map[string]any)
		s.testTwin(t, name+".params", p, twin(params))
		s.testEnvelope(t, name, def)
	case envelopeOnly[name] != "":
		s.testEnvelope(t, name, def)
	case noMessage[name] != "" || !s.isObject(def):
	case envelopeOnly[strings.TrimSuffix(name, "Params")] != "":
	case strings.HasPrefix(name, "ElicitRequest"): // ...FormParams and ...URLParams
		s.testTwin(t, name, def, twin(&mcpv1.ElicitRequest{}))
	case name == "EmptyResult":
		s.testTwin(t, name, def, twin(&mcpv1.UpdateTaskResponse{}))
	default:
		t.Errorf("definition %s has no twin, and no reason to have none", name)
	}
}

const variants = 6

func (s schema) testTwin(t *testing.T, name string, def map[string]any, tw schemaTwin) {
	t.Helper()
	for variant := range variants {
		example := s.example(def, variant)
		if name == "InputRequiredResult" {
			example.(map[string]any)["resultType"] = resultInputRequired
		}
		data, err := json.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if tw.wrap != "" {
			data = fmt.Appendf(nil, tw.wrap, data)
		}
		m := proto.Clone(tw.message)
		identity(t, string(data), m)
		for _, p := range leftovers(m.ProtoReflect()) {
			if strings.HasSuffix(p, "extra_json:null") { // null has no field, by design
				continue
			}
			t.Errorf("%s: a member that the schema defines has no field: %s", name, p)
		}
	}
}

func (s schema) testEnvelope(t *testing.T, name string, def map[string]any) {
	t.Helper()
	for variant := range variants {
		doc := s.example(def, variant).(map[string]any)
		doc["jsonrpc"] = "2.0"
		if _, isResponse := doc["method"]; doc["id"] == nil && (!isResponse || strings.HasSuffix(name, "Request")) {
			doc["id"] = variant
		}
		if e, ok := doc["error"].(map[string]any); ok {
			e["message"] = "m"
			if _, ok := e["code"]; !ok {
				e["code"] = -1
			}
		}
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		identity(t, string(data), &mcpv1.Envelope{})
	}
}

// leftovers lists what m and all in it keep as text because they have no field for it.
// The extra of RequestMeta is as it should be: keys of a request's _meta are free.
func leftovers(m protoreflect.Message) (out []string) {
	for fd, v := range m.Range {
		name := string(fd.Name())
		switch {
		case strings.HasSuffix(name, "extra_json"), name == "other_json":
			if m.Descriptor().Name() != "RequestMeta" {
				out = append(out, describeLeftover(m.Descriptor(), name, v.Bytes()))
			}
		case fd.IsMap():
			for _, v := range v.Map().Range {
				if fd.MapValue().Message() != nil {
					out = append(out, leftovers(v.Message())...)
				}
			}
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				out = append(out, leftovers(v.List().Get(i).Message())...)
			}
		case fd.Message() != nil && !fd.IsList() && fd.Message().ParentFile().Package() == "mcp.v1":
			out = append(out, leftovers(v.Message())...)
		}
	}
	return out
}

func describeLeftover(d protoreflect.MessageDescriptor, name string, text []byte) string {
	var values map[string]any
	if json.Unmarshal(text, &values) == nil {
		maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
		if len(values) == 0 {
			text = []byte("null")
		}
	}
	return fmt.Sprintf("%s.%s:%s", d.Name(), name, text)
}

func TestImplementationIsKept(t *testing.T) {
	t.Parallel()
	for _, s := range loadSchemas(t) {
		s.testTwin(t, "Implementation", s["Implementation"], twin(&mcpv1.ClientInfo{}))
		s.testTwin(t, "Implementation", s["Implementation"], twin(&mcpv1.ServerInfo{}))
	}
}

func TestSchemaTablesNameOnlyDefinitions(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range loadSchemas(t) {
		for name := range s {
			known[name] = true
		}
	}
	var names []string
	names = slices.AppendSeq(names, maps.Keys(schemaTwins))
	names = slices.AppendSeq(names, maps.Keys(paramsTwins))
	names = slices.AppendSeq(names, maps.Keys(envelopeOnly))
	names = slices.AppendSeq(names, maps.Keys(noMessage))
	slices.Sort(names)
	for i, name := range names {
		if !known[name] {
			t.Errorf("%s is no definition of any version", name)
		}
		if i > 0 && names[i-1] == name {
			t.Errorf("%s stands in two tables", name)
		}
	}
}
