// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"math"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// CheckMessage checks the free-form JSON of a message that came from a peer, before
// anything else touches it: each Struct and each _json field is what [ToJSON] can write,
// they are within l, and no pair has both twins set. It does not change m.
//
// It is [ErrBothTwins], [ErrDepth], [ErrNodes] or [ErrMalformed], with the path of the
// field.
func CheckMessage(m proto.Message, l Limits) error {
	if call, ok := m.(*mcpv1.CallToolRequest); ok && call.GetTask() == nil && len(call.GetInputResponses()) == 0 {
		c := checker{limits: l} // stays on the stack, unlike the other
		return c.callTool(call)
	}
	c := checker{limits: l}
	return c.message(m.ProtoReflect())
}

// checker holds what one CheckMessage has counted.
type checker struct {
	limits Limits
	nodes  int
	depth  int // of messages
}

// callTool is message for the hottest message in its common form, as requestMeta is for
// the part that all requests have: the same checks, without reflection.
func (c *checker) callTool(m *mcpv1.CallToolRequest) error {
	if err := c.pair("arguments", "arguments_json", m.GetArguments(), m.GetArgumentsJson(), false); err != nil {
		return err
	}
	if err := c.text(m.GetExtraJson(), true); err != nil {
		return at("extra_json", err)
	}
	if meta := m.GetMeta(); meta != nil {
		if err := c.requestMeta(meta); err != nil {
			return at("meta", err)
		}
	}
	return nil
}

func (c *checker) requestMeta(m *mcpv1.RequestMeta) error {
	if err := c.pair("extra", "extra_json", m.GetExtra(), m.GetExtraJson(), true); err != nil {
		return err
	}
	if caps := m.GetClientCapabilities(); caps != nil {
		if err := c.pair("values", "values_json", caps.GetValues(), caps.GetValuesJson(), true); err != nil {
			return at("client_capabilities", err)
		}
	}
	info := m.GetClientInfo()
	for i, icon := range info.GetIcons() {
		if err := c.text(icon.GetExtraJson(), true); err != nil {
			return at("client_info.icons", atIndex(i, at("extra_json", err)))
		}
	}
	if err := c.text(info.GetExtraJson(), true); err != nil {
		return at("client_info.extra_json", err)
	}
	return nil
}

// pair checks a field x and its twin x_json.
func (c *checker) pair(x, xJSON string, s *structpb.Struct, text []byte, object bool) error {
	if s == nil {
		if err := c.text(text, object); err != nil {
			return at(xJSON, err)
		}
		return nil
	}
	if len(text) > 0 {
		return bothTwins(x, xJSON)
	}
	if err := c.object(s, 1); err != nil {
		return at(x, err)
	}
	return nil
}

func (c *checker) enter() error {
	c.nodes++
	if c.limits.MaxNodes > 0 && c.nodes > c.limits.MaxNodes {
		return nodesError(c.limits.MaxNodes)
	}
	return nil
}

// text checks a _json field. An empty one is not set.
func (c *checker) text(text []byte, object bool) error {
	if len(text) == 0 {
		return nil
	}
	s := scanner{data: text, limits: c.limits, nodes: c.nodes}
	raw, err := s.only()
	c.nodes = s.nodes
	if err == nil && object && raw[0] != '{' {
		return objectOnly(raw)
	}
	return err
}

// checkField is a field that CheckMessage looks into.
type checkField struct {
	fd protoreflect.FieldDescriptor
	// text is the _json half if fd is the Struct half of a pair.
	text protoreflect.FieldDescriptor
	// object says that a _json field holds an object.
	object bool
}

// checkPlans has a []checkField for each protoreflect.MessageDescriptor seen.
var checkPlans sync.Map

func checkPlanOf(d protoreflect.MessageDescriptor) []checkField {
	if p, ok := checkPlans.Load(d); ok {
		return p.([]checkField) //nolint:errcheck // the map has nothing else
	}
	p, _ := checkPlans.LoadOrStore(d, newCheckPlan(d))
	return p.([]checkField) //nolint:errcheck // the map has nothing else
}

func newCheckPlan(d protoreflect.MessageDescriptor) []checkField {
	var fields []checkField
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := checkField{fd: fd, text: textHalf(fd)}
		switch {
		case isText(fd):
			f.object = objectText[fd.Name()]
		case fd.IsMap() && fd.MapValue().Message() == nil:
			continue
		case fd.Message() == nil || fd.Message().FullName() == "google.protobuf.Timestamp":
			continue
		case fd.Message().FullName() == "mcp.v1.ProgressToken":
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// isText says that fd holds JSON text.
func isText(fd protoreflect.FieldDescriptor) bool {
	const suffix = "_json"
	n := string(fd.Name())
	return fd.Kind() == protoreflect.BytesKind && len(n) > len(suffix) && n[len(n)-len(suffix):] == suffix
}

// objectText are the names of _json fields that hold an object, not just any value.
var objectText = map[protoreflect.Name]bool{
	"argument_extra_json":   true,
	"completion_extra_json": true,
	"extra_json":            true,
	"message_extra_json":    true,
	"ref_extra_json":        true,
	"values_json":           true,
}

func (c *checker) message(m protoreflect.Message) error {
	limit := maxScanDepth
	if c.limits.MaxDepth > 0 {
		limit = c.limits.MaxDepth
	}
	if c.depth++; c.depth > limit {
		return depthError(limit)
	}
	if meta, ok := m.Interface().(*mcpv1.RequestMeta); ok {
		c.depth--
		return c.requestMeta(meta)
	}
	for _, f := range checkPlanOf(m.Descriptor()) {
		if !m.Has(f.fd) {
			continue
		}
		if f.text != nil && len(m.Get(f.text).Bytes()) > 0 {
			return bothTwins(string(f.fd.Name()), string(f.text.Name()))
		}
		if err := c.field(f, m.Get(f.fd)); err != nil {
			return at(string(f.fd.Name()), err)
		}
	}
	c.depth--
	return nil
}

func (c *checker) field(f checkField, v protoreflect.Value) error {
	switch {
	case f.fd.Kind() == protoreflect.BytesKind:
		if len(v.Bytes()) == 0 { // set, in a oneof
			return malformed("JSON is empty")
		}
		return c.text(v.Bytes(), f.object)
	case f.fd.IsList():
		l := v.List()
		for i := range l.Len() {
			if err := c.message(l.Get(i).Message()); err != nil {
				return atIndex(i, err)
			}
		}
	case f.fd.IsMap():
		for k, v := range v.Map().Range {
			if err := c.message(v.Message()); err != nil {
				return atKey(k.String(), err)
			}
		}
	default:
		if s, ok := v.Message().Interface().(*structpb.Struct); ok {
			return c.object(s, 1)
		}
		return c.message(v.Message())
	}
	return nil
}

// object checks a Struct that is the depth-th level of JSON.
func (c *checker) object(s *structpb.Struct, depth int) error {
	if err := c.level(depth); err != nil {
		return err
	}
	for key, v := range s.GetFields() {
		if err := c.value(v, depth); err != nil {
			return atKey(key, err)
		}
	}
	return nil
}

func (c *checker) level(depth int) error {
	if c.limits.MaxDepth > 0 && depth > c.limits.MaxDepth {
		return depthError(c.limits.MaxDepth)
	}
	return c.enter()
}

func (c *checker) value(v *structpb.Value, depth int) error {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		return c.object(k.StructValue, depth+1)
	case *structpb.Value_ListValue:
		if err := c.level(depth + 1); err != nil {
			return err
		}
		for i, v := range k.ListValue.GetValues() {
			if err := c.value(v, depth+1); err != nil {
				return atIndex(i, err)
			}
		}
	case *structpb.Value_NumberValue:
		if math.IsNaN(k.NumberValue) || math.IsInf(k.NumberValue, 0) {
			return malformed("JSON has no number %v", k.NumberValue)
		}
	case nil:
		return malformed("google.protobuf.Value has no kind, set null_value for null")
	}
	return nil
}
