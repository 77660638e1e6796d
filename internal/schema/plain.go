// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package schema finds out quickly that JSON text is valid.
//
// A JSON Schema is checked against decoded values: text is decoded into maps, and the maps are
// walked by reflection. Most tools have schemas that say no more than which members of which
// types there are, and most calls are valid. That can be seen in the text itself.
package schema

import (
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// A Plain is a schema that restricts nothing but types, members and items. It is safe for
// concurrent use.
type Plain struct {
	kinds       kinds
	members     map[string]member // of an object
	required    uint64            // the bits of members that must be there
	items       *Plain            // of an array; nil if there is none
	nonNegative bool              // for numbers
}

type member struct {
	bit    uint64
	schema *Plain
}

// kinds are the types that a value may have.
type kinds uint8

const (
	null kinds = 1 << iota
	boolean
	integer
	number
	text
	array
	object
)

var kindOf = map[string]kinds{
	"null": null, "boolean": boolean, "integer": integer, "number": number | integer,
	"string": text, "array": array, "object": object,
}

// maxMembers is how many members of an object can be told apart.
const maxMembers = 64

// New gives the Plain that says the same as a schema, nil if there is none: if the schema
// restricts more, or may be recursive.
func New(s *jsonschema.Schema) *Plain { return compile(s, 16) }

func compile(s *jsonschema.Schema, depth int) *Plain {
	if s == nil || depth == 0 || !isPlain(s) {
		return nil
	}
	p := &Plain{nonNegative: s.Minimum != nil}
	p.kinds = kindOf[s.Type]
	for _, name := range s.Types {
		p.kinds |= kindOf[name]
	}
	if s.Items != nil {
		if p.items = compile(s.Items, depth-1); p.items == nil {
			return nil
		}
	}
	if p.kinds&object != 0 && !p.compileMembers(s, depth) {
		return nil
	}
	return p
}

func (p *Plain) compileMembers(s *jsonschema.Schema, depth int) bool {
	if len(s.Properties) > maxMembers {
		return false
	}
	p.members = make(map[string]member, len(s.Properties))
	for name, property := range s.Properties {
		m := member{bit: 1 << len(p.members), schema: compile(property, depth-1)}
		if m.schema == nil {
			return false
		}
		p.members[name] = m
	}
	for _, name := range s.Required {
		m, ok := p.members[name]
		if !ok {
			return false
		}
		p.required |= m.bit
	}
	return true
}

// isPlain tells whether s has nothing but what a Plain knows, and what does not restrict.
func isPlain(s *jsonschema.Schema) bool {
	if s.Type == "" && len(s.Types) == 0 || s.Minimum != nil && *s.Minimum != 0 {
		return false
	}
	rest := *s
	rest.Type, rest.Types, rest.Minimum, rest.Items = "", nil, nil, nil
	rest.Properties, rest.Required, rest.PropertyOrder = nil, nil, nil
	rest.AdditionalProperties = nil // a member that is not known is left to others
	rest.Title, rest.Description, rest.Comment, rest.Examples = "", "", "", nil
	rest.Deprecated, rest.ReadOnly, rest.WriteOnly, rest.Schema = false, false, false, ""
	return reflect.ValueOf(rest).IsZero()
}
