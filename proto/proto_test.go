// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package proto_test checks what buf's lint and breaking rules cannot say about mcp.v1.
package proto_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1" // Registers what is checked here.
)

const pkg = protoreflect.FullName("mcp.v1")

// TestIdempotentRPCs pins the RPCs that a Connect client may call by HTTP GET. Any other has
// arguments or URIs, which belong neither into URLs nor into access logs.
func TestIdempotentRPCs(t *testing.T) {
	t.Parallel()
	want := []string{
		"AuthDiscovery.GetMetadata",
		"MCP.Discover",
		"MCP.ListPrompts",
		"MCP.ListResourceTemplates",
		"MCP.ListResources",
		"MCP.ListTools",
	}
	var got []string
	for method := range methods() {
		options, ok := method.Options().(*descriptorpb.MethodOptions)
		if !ok {
			t.Fatalf("%s has options of type %T", method.FullName(), method.Options())
		}
		if options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
			got = append(got, local(method.FullName()))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RPCs with NO_SIDE_EFFECTS (-want +got):\n%s", diff)
	}
}

// TestInheritedRPCs holds names and shapes of the inherited RPCs. buf compares the protos with
// each other; this and the next test compare them with a table that no tool wrote.
func TestInheritedRPCs(t *testing.T) {
	t.Parallel()
	want := []string{
		"AuthDiscovery.GetMetadata(GetMetadataRequest) ProtectedResourceMetadata",
		"MCP.CallTool(CallToolRequest) stream CallToolEvent",
		"MCP.Complete(CompleteRequest) CompleteResponse",
		"MCP.Connect(stream Envelope) stream Envelope",
		"MCP.GetPrompt(GetPromptRequest) GetPromptResponse",
		"MCP.Initialize(InitializeRequest) InitializeResponse",
		"MCP.ListPrompts(ListPromptsRequest) ListPromptsResponse",
		"MCP.ListResources(ListResourcesRequest) ListResourcesResponse",
		"MCP.ListTools(ListToolsRequest) ListToolsResponse",
		"MCP.Ping(PingRequest) PingResponse",
		"MCP.ReadResource(ReadResourceRequest) ReadResourceResponse",
		"MCP.Shutdown(ShutdownRequest) ShutdownResponse",
		"MCP.SubscribeResource(SubscribeResourceRequest) stream ResourceEvent",
	}
	got := make(map[string]bool)
	for method := range methods() {
		got[fmt.Sprintf("%s(%s%s) %s%s", local(method.FullName()),
			stream(method.IsStreamingClient()), local(method.Input().FullName()),
			stream(method.IsStreamingServer()), local(method.Output().FullName()))] = true
	}
	for _, signature := range want {
		if !got[signature] {
			t.Errorf("inherited RPC %s is missing or changed", signature)
		}
	}
}

// TestInheritedFields holds number, name, type and oneof of the inherited fields.
func TestInheritedFields(t *testing.T) {
	t.Parallel()
	const (
		object    = "google.protobuf.Struct"
		timestamp = "google.protobuf.Timestamp"
	)
	want := map[protoreflect.Name][]string{
		"InitializeRequest":         {"1 protocol_version string", "2 capabilities CapabilitySet", "3 client_info ClientInfo"},
		"InitializeResponse":        {"1 protocol_version string", "2 capabilities CapabilitySet", "3 server_info ServerInfo", "4 instructions string", "5 session_id string"},
		"CapabilitySet":             {"1 values " + object},
		"ClientInfo":                {"1 name string", "2 title string", "3 version string"},
		"ServerInfo":                {"1 name string", "2 title string", "3 version string"},
		"JsonRpcError":              {"1 code int32", "2 message string", "3 data " + object},
		"JsonRpcRequest":            {"1 id string", "2 params " + object},
		"JsonRpcResponse":           {"1 id string", "2 result " + object + " of outcome", "3 error JsonRpcError of outcome"},
		"JsonRpcNotification":       {"1 params " + object},
		"Envelope":                  {"1 method string", "2 event_id string", "3 request JsonRpcRequest of kind", "4 response JsonRpcResponse of kind", "5 notification JsonRpcNotification of kind"},
		"Tool":                      {"1 name string", "2 description string", "3 input_schema " + object},
		"Resource":                  {"1 uri string", "2 name string", "3 description string", "4 mime_type string"},
		"Prompt":                    {"1 name string", "2 description string", "3 arguments repeated PromptArgument"},
		"PromptArgument":            {"1 name string", "2 description string", "3 required bool"},
		"Content":                   {"1 text TextContent of kind", "2 blob BlobContent of kind"},
		"TextContent":               {"1 text string", "2 mime_type string"},
		"BlobContent":               {"1 data bytes", "2 mime_type string"},
		"ListToolsRequest":          {},
		"ListToolsResponse":         {"1 tools repeated Tool"},
		"CallToolRequest":           {"1 name string", "2 arguments " + object},
		"CallToolProgress":          {"1 percentage uint32", "2 message string"},
		"CallToolResult":            {"1 content repeated Content", "2 is_error bool", "3 structured_content " + object},
		"CallToolEvent":             {"1 progress CallToolProgress of kind", "2 result CallToolResult of kind", "3 error JsonRpcError of kind"},
		"ListResourcesRequest":      {},
		"ListResourcesResponse":     {"1 resources repeated Resource"},
		"ReadResourceRequest":       {"1 uri string"},
		"ReadResourceResponse":      {"1 contents repeated Content"},
		"SubscribeResourceRequest":  {"1 uri string"},
		"ResourceEvent":             {"1 uri string", "2 at " + timestamp, "3 update ReadResourceResponse of kind", "4 error JsonRpcError of kind"},
		"ListPromptsRequest":        {},
		"ListPromptsResponse":       {"1 prompts repeated Prompt"},
		"GetPromptRequest":          {"1 name string", "2 arguments " + object},
		"GetPromptResponse":         {"1 description string", "2 messages repeated Content"},
		"CompleteRequest":           {"1 ref string", "2 argument_name string", "3 value string"},
		"CompleteResponse":          {"1 values repeated string", "2 total uint32", "3 has_more bool"},
		"PingRequest":               {},
		"PingResponse":              {"1 server_time " + timestamp},
		"ShutdownRequest":           {},
		"ShutdownResponse":          {"1 accepted bool"},
		"GetMetadataRequest":        {},
		"ProtectedResourceMetadata": {"1 resource string", "2 authorization_servers repeated string", "3 scopes_supported repeated string", "4 jwks_uri string", "5 bearer_methods_supported repeated string"},
	}
	got := make(map[protoreflect.Name]map[string]bool)
	for message := range messages() {
		fields := make(map[string]bool)
		for i := range message.Fields().Len() {
			fields[describe(message.Fields().Get(i))] = true
		}
		got[message.Name()] = fields
	}
	for name, fields := range want {
		if got[name] == nil {
			t.Errorf("inherited message %s is missing", name)
		}
		for _, field := range fields {
			if !got[name][field] {
				t.Errorf("inherited field %s: %s is missing or changed", name, field)
			}
		}
	}
}

// TestStructTwins checks that whatever a Struct cannot hold exactly has a place beside it.
func TestStructTwins(t *testing.T) {
	t.Parallel()
	// Its twin is a document of RFC 9728, whose members are strings, booleans and arrays.
	alone := []string{"ProtectedResourceMetadata.extra"}
	var twinless []string
	structs := 0
	for message := range messages() {
		for i := range message.Fields().Len() {
			field := message.Fields().Get(i)
			if field.Message() == nil || field.Message().FullName() != "google.protobuf.Struct" {
				continue
			}
			structs++
			twin := message.Fields().ByName(field.Name() + "_json")
			if twin == nil || twin.Kind() != protoreflect.BytesKind || twin.IsList() || twin.ContainingOneof() != field.ContainingOneof() {
				twinless = append(twinless, local(field.FullName()))
			}
		}
	}
	if structs == 0 {
		t.Fatal("found no Struct field at all")
	}
	if diff := cmp.Diff(alone, twinless); diff != "" {
		t.Errorf("Struct fields without a bytes twin (-want +got):\n%s", diff)
	}
}

// describe gives a field as the table of TestInheritedFields writes it. Whether a field is
// `optional` is left out: it changes no byte that an inherited client sends or reads.
func describe(field protoreflect.FieldDescriptor) string {
	kind := field.Kind().String()
	if field.Message() != nil {
		kind = local(field.Message().FullName())
	}
	if field.IsList() {
		kind = "repeated " + kind
	}
	text := fmt.Sprintf("%d %s %s", field.Number(), field.Name(), kind)
	if oneof := field.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
		text += " of " + string(oneof.Name())
	}
	return text
}

// local gives a name without the package, if it is ours.
func local(name protoreflect.FullName) string {
	if len(name) > len(pkg) && name[:len(pkg)+1] == pkg+"." {
		return string(name[len(pkg)+1:])
	}
	return string(name)
}

func stream(is bool) string {
	if is {
		return "stream "
	}
	return ""
}

// messages gives every message of the package; it has no nested ones but map entries.
func messages() iter.Seq[protoreflect.MessageDescriptor] {
	return func(yield func(protoreflect.MessageDescriptor) bool) {
		protoregistry.GlobalFiles.RangeFilesByPackage(pkg, func(file protoreflect.FileDescriptor) bool {
			for i := range file.Messages().Len() {
				if !yield(file.Messages().Get(i)) {
					return false
				}
			}
			return true
		})
	}
}

// methods gives every RPC of every service of the package.
func methods() iter.Seq[protoreflect.MethodDescriptor] {
	return func(yield func(protoreflect.MethodDescriptor) bool) {
		protoregistry.GlobalFiles.RangeFilesByPackage(pkg, func(file protoreflect.FileDescriptor) bool {
			for i := range file.Services().Len() {
				service := file.Services().Get(i)
				for j := range service.Methods().Len() {
					if !yield(service.Methods().Get(j)) {
						return false
					}
				}
			}
			return true
		})
	}
}
