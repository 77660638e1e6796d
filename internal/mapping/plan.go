// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// field is a field of a message, or a pair x and x_json, that is one member of its twin.
type field struct {
	fd protoreflect.FieldDescriptor
	// text is the _json half of a pair, else nil.
	text protoreflect.FieldDescriptor
	// member is the name in JSON.
	member string
	// required says that MCP has no object without this member: an empty field is
	// written, and an object without the member cannot be read.
	required bool
	// shape is that of a Content.
	shape contentShape
}

// plan says how the fields of one message type map to members.
type plan struct {
	fields []field
	byName map[string]*field
	// What holds all other members: extraText alone in most messages, both as a pair in
	// RequestMeta, extraStruct alone in ProtectedResourceMetadata, none in PingRequest.
	extraStruct, extraText protoreflect.FieldDescriptor
}

// contentShape is which of its three shapes in JSON a Content has.
type contentShape int

const (
	shapeBlock         contentShape = iota // {"type":…}
	shapeContents                          // resource contents: {"uri":…,"text" or "blob":…}
	shapePromptMessage                     // {"role":…,"content":block}
)

var contentShapes = map[protoreflect.FullName]contentShape{
	"mcp.v1.ReadResourceResponse.contents": shapeContents,
	"mcp.v1.EmbeddedResource.resource":     shapeContents,
	"mcp.v1.GetPromptResponse.messages":    shapePromptMessage,
}

// memberNames are the names in JSON that do not follow from the field's name.
var memberNames = map[protoreflect.FullName]string{
	"mcp.v1.RequestMeta.protocol_version":    "io.modelcontextprotocol/protocolVersion",
	"mcp.v1.RequestMeta.client_info":         "io.modelcontextprotocol/clientInfo",
	"mcp.v1.RequestMeta.client_capabilities": "io.modelcontextprotocol/clientCapabilities",
	"mcp.v1.RequestMeta.log_level":           "io.modelcontextprotocol/logLevel",
}

// required are the fields that MCP requires and that cannot tell absent from empty.
var required = map[protoreflect.FullName]bool{
	"mcp.v1.CallToolResult.content":                           true,
	"mcp.v1.CreateMessageRequest.messages":                    true,
	"mcp.v1.DiscoverResponse.supported_versions":              true,
	"mcp.v1.GetPromptResponse.messages":                       true,
	"mcp.v1.JsonRpcError.code":                                true,
	"mcp.v1.JsonRpcError.message":                             true,
	"mcp.v1.ListPromptsResponse.prompts":                      true,
	"mcp.v1.ListResourceTemplatesResponse.resource_templates": true,
	"mcp.v1.ListResourcesResponse.resources":                  true,
	"mcp.v1.ListRootsResult.roots":                            true,
	"mcp.v1.ListToolsResponse.tools":                          true,
	"mcp.v1.ReadResourceResponse.contents":                    true,
	"mcp.v1.ToolResultContent.content":                        true,
}

// unmapped are the fields that have no member of their own: because they have no twin at
// all, or because the code for the shape of their message looks after them.
var unmapped = map[protoreflect.FullName]bool{
	"mcp.v1.BlobContent.data":                       true, // "data" or "blob"
	"mcp.v1.BlobContent.type":                       true, // a block's type, or an odd member
	"mcp.v1.CallToolProgress.percentage":            true, // derived
	"mcp.v1.CompleteRequest.argument_extra_json":    true, // flattened, as the next eleven
	"mcp.v1.CompleteRequest.argument_name":          true,
	"mcp.v1.CompleteRequest.ref":                    true,
	"mcp.v1.CompleteRequest.ref_extra_json":         true,
	"mcp.v1.CompleteRequest.ref_title":              true,
	"mcp.v1.CompleteRequest.ref_type":               true,
	"mcp.v1.CompleteRequest.value":                  true,
	"mcp.v1.CompleteResponse.completion_extra_json": true,
	"mcp.v1.CompleteResponse.has_more":              true,
	"mcp.v1.CompleteResponse.total":                 true,
	"mcp.v1.CompleteResponse.values":                true,
	"mcp.v1.CreateMessageResult.content":            true, // a block or an array
	"mcp.v1.CreateMessageResult.content_is_array":   true,
	"mcp.v1.GetPromptResponse.input_required":       true, // another type of result
	"mcp.v1.InitializeResponse.session_id":          true, // a header
	"mcp.v1.ListRootsRequest.no_params":             true, // about the object's parent
	"mcp.v1.PingResponse.server_time":               true, // no twin
	"mcp.v1.ReadResourceResponse.input_required":    true,
	"mcp.v1.RequestMeta.json_encoding":              true, // no twin
	"mcp.v1.SamplingMessage.content":                true,
	"mcp.v1.SamplingMessage.content_is_array":       true,
}

// snakeCase are the messages whose twin is not of MCP, but of RFC 9728.
var snakeCase = map[protoreflect.FullName]bool{
	"mcp.v1.ProtectedResourceMetadata": true,
}

// plans has a *plan for each protoreflect.MessageDescriptor seen.
var plans sync.Map

func planOf(d protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(d); ok {
		return p.(*plan) //nolint:errcheck // the map has nothing else
	}
	p, _ := plans.LoadOrStore(d, newPlan(d))
	return p.(*plan) //nolint:errcheck // the map has nothing else
}

func newPlan(d protoreflect.MessageDescriptor) *plan {
	p := &plan{}
	fds := d.Fields()
	p.fields = make([]field, 0, fds.Len())
	for i := range fds.Len() {
		fd := fds.Get(i)
		switch {
		case unmapped[fd.FullName()]:
		case fd.Name() == "extra_json":
			p.extraText = fd
		case fd.Name() == "extra":
			p.extraStruct = fd
		case structHalf(fd) != nil: // its other half stands for both
		default:
			p.fields = append(p.fields, field{
				fd:       fd,
				text:     textHalf(fd),
				member:   memberName(fd),
				required: required[fd.FullName()],
				shape:    contentShapes[fd.FullName()],
			})
		}
	}
	p.byName = make(map[string]*field, len(p.fields))
	for i := range p.fields {
		p.byName[p.fields[i].member] = &p.fields[i]
	}
	return p
}

func memberName(fd protoreflect.FieldDescriptor) string {
	if name, ok := memberNames[fd.FullName()]; ok {
		return name
	}
	switch {
	case snakeCase[fd.ContainingMessage().FullName()]:
		return string(fd.Name())
	case fd.Name() == "meta":
		return "_meta"
	}
	return fd.JSONName()
}

func isStruct(fd protoreflect.FieldDescriptor) bool {
	return fd != nil && fd.Kind() == protoreflect.MessageKind && !fd.IsList() && !fd.IsMap() &&
		fd.Message().FullName() == "google.protobuf.Struct"
}

// textHalf gives the x_json field of a Struct field x, or nil.
func textHalf(fd protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	if !isStruct(fd) {
		return nil
	}
	return fd.ContainingMessage().Fields().ByName(fd.Name() + "_json")
}

// structHalf gives the Struct field x of a field x_json, or nil.
func structHalf(fd protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	name, ok := strings.CutSuffix(string(fd.Name()), "_json")
	if !ok || fd.Kind() != protoreflect.BytesKind {
		return nil
	}
	half := fd.ContainingMessage().Fields().ByName(protoreflect.Name(name))
	if !isStruct(half) {
		return nil
	}
	return half
}
