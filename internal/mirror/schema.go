// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/textproto"
	"strconv"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// ParamPrefix begins the headers that mirror arguments of a tool.
const ParamPrefix = "Mcp-Param-"

// A Schema is the part of a tool's JSON Schema that binds arguments to headers, by
// `x-mcp-header`. A nil one binds nothing.
type Schema struct {
	Header     json.RawMessage    `json:"x-mcp-header"`
	Properties map[string]*Schema `json:"properties"`
}

// SchemaOf gives what the JSON Schema of a tool's input binds, nil for nothing.
func SchemaOf(schema json.RawMessage) *Schema {
	if !bytes.Contains(schema, []byte(`"x-mcp-header"`)) {
		return nil
	}
	root := &Schema{}
	if mapping.DecodeSDK(schema, root) != nil {
		return nil // not a schema that could bind anything
	}
	return root
}

// Bound is called for each argument that has a header: with its name, the header's, and its
// value, nil for none. It stops at the first error.
func (s *Schema) Bound(args json.RawMessage, each func(name, header string, value json.RawMessage) error) error {
	if s == nil || len(s.Properties) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if mapping.DecodeSDK(args, &members) != nil {
		members = nil // arguments that are no object are refused by the tool
	}
	for name, property := range s.Properties {
		if property == nil {
			continue
		}
		var header string
		if json.Unmarshal(property.Header, &header) == nil && header != "" {
			if err := each(name, textproto.CanonicalMIMEHeaderKey(ParamPrefix+header), members[name]); err != nil {
				return err
			}
		}
		if err := property.Bound(members[name], each); err != nil {
			return err
		}
	}
	return nil
}

// SetHeaders sets the headers for the arguments of a call.
func (s *Schema) SetHeaders(h http.Header, args json.RawMessage) {
	_ = s.Bound(args, func(_, header string, value json.RawMessage) error {
		switch v, _ := Primitive(value); v := v.(type) {
		case string:
			h.Set(header, Encode(v))
		case float64:
			h.Set(header, strconv.FormatInt(int64(v), 10))
		}
		return nil
	})
}

// MaxSafeInteger bounds the integers that may be mirrored: those that every JSON reader
// gets right.
const MaxSafeInteger = 1<<53 - 1

// Primitive gives an argument that can be mirrored: a string or a boolean as text, an
// integer as a float64.
func Primitive(arg json.RawMessage) (any, bool) {
	if arg = bytes.TrimSpace(arg); len(arg) == 0 || string(arg) == "null" {
		return nil, false
	}
	var s string
	if json.Unmarshal(arg, &s) == nil {
		return s, true
	}
	var b bool
	if json.Unmarshal(arg, &b) == nil {
		return strconv.FormatBool(b), true
	}
	var f float64
	if json.Unmarshal(arg, &f) != nil || f != float64(int64(f)) || f > MaxSafeInteger || f < -MaxSafeInteger {
		return nil, false
	}
	return f, true
}
